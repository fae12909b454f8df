//! Sentences on what was not seen: what each build never contacted, and how much may be left to see.
//!
//! Promises: no absence without the contact rate that it rules out, and none of a country that a
//! disputed place may stand in; estimates are whole numbers, their intervals rounded outwards.

use crate::country;
use crate::figures::{count, counted, listed, percent, some_of};
use overheard_model::{BuildRuns, Comparison, Concern, Country, Key, Level, Unseen};

/// Countries named in one sentence.
const NAMED: usize = 6;

/// One sentence for every build that did not contact all.
pub(crate) fn never_contacted(comparison: &Comparison) -> Vec<String> {
    comparison.builds.iter().filter_map(|build| of_build(comparison, build)).collect()
}

fn of_build(comparison: &Comparison, build: &BuildRuns) -> Option<String> {
    let bound = comparison.absences.iter().find(|absence| absence.build == build.name)?.rate_below;
    let servers: Vec<&Key> = comparison.keys.iter().filter(|key| key.level == Level::Address).collect();
    let unmet = servers.iter().filter(|key| !met(key, build)).count() as u64;
    let countries = countries(comparison, build);
    let mut what = Vec::new();
    if unmet > 0 {
        what.push(some_of(unmet, servers.len() as u64, "server"));
    }
    let feared = comparison.concerns.iter().any(|test| matches!(test.concern, Concern::Country(_)));
    let more = if feared { "further " } else { "" };
    match &countries[..] {
        [] => {}
        [one] => what.push(format!("1 {more}country that another build contacts ({one})")),
        many => {
            what.push(format!("{} {more}countries that other builds contact ({})", many.len(), shown(many)))
        }
    }
    if what.is_empty() {
        return None;
    }
    let each = if unmet + countries.len() as u64 > 1 { "for each, " } else { "" };
    Some(format!(
        "{} never contacted {} in {}: {each}contact in more than {} of its runs is ruled out at 95\u{a0}%.",
        build.name,
        listed(&what),
        counted(build.runs, "run"),
        percent(bound),
    ))
}

fn met(key: &Key, build: &BuildRuns) -> bool {
    key.cells.get(&build.name).is_some_and(|cell| cell.present > 0)
}

/// Countries that another build contacts; those named as concerns have sentences of their own.
fn countries(comparison: &Comparison, build: &BuildRuns) -> Vec<String> {
    let rows = || comparison.keys.iter().filter(|key| key.level == Level::Country);
    let possible: Vec<_> =
        rows().filter(|key| met(key, build)).flat_map(|key| Comparison::countries_in(&key.key)).collect();
    let feared = |code: &str| comparison.concerns.iter().any(|test| test.concern.to_string() == code);
    let unmet = rows().filter_map(|key| country::certain(&key.key)).filter(|code| !possible.contains(code));
    let spoken = |code: Country| country::name(code.as_str()).map_or_else(|| code.to_string(), String::from);
    let certain = |code: &str| {
        let mut absences = comparison.absences.iter().filter(|absence| absence.build == build.name);
        absences.any(|absence| absence.key == code)
    };
    unmet.filter(|code| !feared(code.as_str()) && certain(code.as_str())).map(spoken).collect()
}

fn shown(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{first}, …") } else { first }
}

/// One line a build: servers and countries, where any were seen.
pub(crate) fn beyond_seen(comparison: &Comparison) -> Vec<String> {
    let of_build = |build: &BuildRuns| {
        let at = |level| {
            let mut estimates = comparison.unseen.iter().filter(|unseen| unseen.build == build.name);
            estimates.find(|unseen| unseen.level == level && unseen.observed > 0)
        };
        let seen = [at(Level::Address), at(Level::Country)].into_iter().flatten();
        let seen: Vec<&Unseen> = seen.collect();
        if seen.is_empty() {
            return None;
        }
        let estimates: Option<Vec<String>> = seen.iter().map(|unseen| estimated(unseen)).collect();
        Some(match estimates {
            Some(estimates) => format!("{}: {}.", build.name, estimates.join("; ")),
            None => {
                let counts: Vec<String> = seen.iter().map(|unseen| observed(unseen)).collect();
                let counts = listed(&counts);
                format!(
                    "{}: {counts} seen in a single run, which says nothing of what it missed.",
                    build.name
                )
            }
        })
    };
    comparison.builds.iter().filter_map(of_build).collect()
}

/// `28 servers seen, about 30 in all (28 to 41 at 95 %)`; nothing for a single run.
fn estimated(unseen: &Unseen) -> Option<String> {
    let (all, high) = (unseen.chao2?, unseen.high?);
    let interval = match (unseen.low.floor(), high.ceil()) {
        (low, high) if low >= high => String::new(),
        (low, high) => format!(" ({low:.0} to {high:.0} at 95\u{a0}%)"),
    };
    Some(format!("{} seen, about {all:.0} in all{interval}", observed(unseen)))
}

fn observed(unseen: &Unseen) -> String {
    match (unseen.level, unseen.observed) {
        (Level::Country, 1) => "1 country".into(),
        (Level::Country, seen) => format!("{} countries", count(seen)),
        (_, seen) => counted(seen, "server"),
    }
}
