//! What a reader must know of how the runs of a live study went.
//!
//! Promises: a warning never changes a number; its kind is stable. The analysis warns of what the runs themselves show.
//! To extend: one function here and one line in [`LiveStudy::warnings`].

use super::{Failed, LiveStudy};
use crate::output::counted;
use overheard_model::{Build, Level, Relation, Run, Study, Warning};
use overheard_probe::ledger::Carriage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A warning around what was met, which is listed in its text; none where nothing was.
fn warning(
    kind: &str,
    met: impl IntoIterator<Item = String>,
    text: impl FnOnce(&str) -> String,
) -> Option<Warning> {
    let met: Vec<String> = met.into_iter().collect();
    (!met.is_empty()).then(|| Warning { kind: kind.into(), text: text(&met.join("; ")) })
}

impl LiveStudy<'_> {
    pub(super) fn warnings(&self, study: &Study) -> Vec<Warning> {
        let mut warnings = Vec::new();
        warnings.extend(self.failed_runs());
        warnings.extend(self.left_running());
        warnings.extend(self.other_doors());
        warnings.extend(self.contacted_in_failed_runs_alone());
        warnings.extend(self.proxy_failures());
        warnings.extend(self.twin_alarms(study));
        warnings.extend(self.idle_contacts());
        warnings
    }

    /// Which runs failed and why, and which builds are left without any.
    fn failed_runs(&self) -> Option<Warning> {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Failed { arm, reason, .. } in &self.failed {
            reasons.entry(arm.name(&self.plan.design)).or_default().push(reason);
        }
        let failed = reasons.into_iter().map(|(arm, mut reasons)| {
            let times = reasons.len();
            reasons.sort_unstable();
            reasons.dedup();
            format!("{arm} {times} ({})", reasons.join(", "))
        });
        let builds = self.plan.design.builds.iter().enumerate();
        let without = builds.filter(|(at, _)| self.runs.iter().all(|run| run.build != *at));
        let without: Vec<&str> = without.map(|(_, build)| build.name.as_str()).collect();
        let left = match without.is_empty() {
            true => String::new(),
            false => format!("; no run is left of {}", without.join(", ")),
        };
        warning("failed-runs", failed, |failed| {
            format!(
                "{} of {} runs failed and do not count: {failed}; failures are not at random{left}",
                self.failed.len(),
                self.taken,
            )
        })
    }

    /// Apps that ended, as launchers do, and left the work to others, which the room's end cut short.
    fn left_running(&self) -> Option<Warning> {
        let left = self.left.iter().map(|(arm, (runs, names))| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{arm} in {} ({})", counted(*runs as u64, "run"), names.join(", "))
        });
        warning("left-running", left, |left| {
            format!(
                "the app had ended and programs of it were still running when the room was closed: {left}; whom they would \
                 have contacted is not known, so give them time (wait) or let the app stay (start it in the foreground)"
            )
        })
    }

    /// What goes out there is in no capture, so that an absence says less than it seems to.
    fn other_doors(&self) -> Option<Warning> {
        let doors = self.doors.iter().map(|(door, runs)| format!("{door} ({})", counted(*runs, "run")));
        warning("other-doors", doors, |doors| {
            format!(
                "rooms had ways out beside the network that the plan does not ask for, and what went there is not \
                 recorded: {doors}"
            )
        })
    }

    /// Countries that a build contacted in runs that failed and in none that counts: whoever doubts looks there first.
    fn contacted_in_failed_runs_alone(&self) -> Option<Warning> {
        let countries = |run: &Run| -> BTreeSet<Arc<str>> {
            run.reading.endpoints.iter().flat_map(|endpoint| Level::Country.keys_of(endpoint)).collect()
        };
        let contacted = self.plan.design.builds.iter().enumerate().filter_map(|(at, build)| {
            let own = self.runs.iter().filter(|run| run.build == at);
            let counted: BTreeSet<Arc<str>> = own.flat_map(countries).collect();
            let mut alone: BTreeMap<Arc<str>, usize> = BTreeMap::new();
            for country in self.failed_of(at).flat_map(countries).filter(|it| !counted.contains(it)) {
                *alone.entry(country).or_default() += 1;
            }
            let each: Vec<String> =
                alone.iter().map(|(country, times)| format!("{country} in {times}")).collect();
            (!each.is_empty()).then(|| format!("{} {}", build.name, each.join(", ")))
        });
        warning("failed-contacts", contacted, |contacted| {
            format!("contacted in runs that failed, and in none that counts: {contacted}")
        })
    }

    /// Connections that proxies did not carry in runs that count, since they carried others.
    fn proxy_failures(&self) -> impl Iterator<Item = Warning> {
        self.plan.design.vantages.iter().enumerate().filter_map(|(at, vantage)| {
            let own: Vec<&Carriage> =
                self.hampered.iter().filter(|(vantage, _)| *vantage == at).map(|(_, proxy)| proxy).collect();
            let mut sum = Carriage::default();
            own.iter().for_each(|proxy| sum.add(proxy));
            warning("proxy-failures", (!own.is_empty()).then(|| sum.reasons()), |reasons| {
                format!(
                    "the proxy of vantage {} did not carry {} of {} connections in {} that count: {reasons}; what was to be \
                     done by these is missing there",
                    vantage.name,
                    sum.all() - sum.carried,
                    sum.all(),
                    counted(own.len() as u64, "run"),
                )
            })
        })
    }

    /// The reference against itself, through the very tests that the builds go through.
    fn twin_alarms(&self, study: &Study) -> Option<Warning> {
        if self.twins.is_empty() {
            return None;
        }
        let reference = self.runs.iter().filter(|run| run.build == study.reference);
        let reference = reference.map(|run| Run { build: 0, ..run.clone() });
        let twins = self.twins.iter().map(|run| Run { build: 1, ..run.clone() });
        let runs: Vec<Run> = reference.chain(twins).collect();
        let name = study.builds.get(study.reference)?.name.clone();
        let builds = vec![Build { name: name.clone() }, Build { name: "twin".into() }];
        let pair = Study { builds, reference: 0, concerns: Vec::new(), registration: None, ..study.clone() };
        let comparison = overheard_analyze::compare(&pair, &runs);
        let relations =
            comparison.keys.iter().flat_map(|key| key.relations.values().map(move |it| (key, it)));
        let alarms =
            relations.filter(|(_, it)| !matches!(it.relation, Relation::Shared | Relation::Unproven));
        let alarms: Vec<String> = alarms.map(|(key, it)| format!("{} ({})", key.key, it.relation)).collect();
        let shown = match alarms.is_empty() {
            true => "no key of the two differs, as it should be".into(),
            false => format!(
                "these keys differ though the program is the same, so doubt every difference: {}",
                alarms.join(", ")
            ),
        };
        let times = self.twins.len();
        let text = format!("{name} was run again in each block under another name, {times} times: {shown}");
        Some(Warning { kind: "twin".into(), text })
    }

    /// What the room contacts without an app.
    fn idle_contacts(&self) -> Option<Warning> {
        let endpoints = self.idle.iter().flat_map(|run| &run.reading.endpoints);
        let met: BTreeSet<String> =
            endpoints.filter(|it| !it.place.local).map(|it| it.address.to_string()).collect();
        let met = Vec::from_iter(met).join(", ");
        warning("idle-contacts", (!met.is_empty()).then_some(met), |met| {
            format!(
                "without an app the room itself contacted {met}: what builds have to do with it is not theirs alone"
            )
        })
    }
}
