//! Sentences for the tests, bounds and estimates of a comparison, shared by text and HTML.
//!
//! Promises: no claim without its number: what is supported carries its p, what is open carries the runs
//! that would settle it, an absence carries its bound.

use crate::country;
use crate::figures::{counted, estimate, listed, percent, probability, probability_of};
use overheard_model::{
    Absence, BuildRuns, Bundle, Comparison, Concern, ConcernTest, Control, Distinguishable, PlaceSource,
    Plan, Timestamp, Unseen, Verdict,
};

/// One sentence, and what the evidence does to its claim where it makes one.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) verdict: Option<Verdict>,
    pub(crate) text: String,
}

/// A heading with its statements.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) statements: Vec<Statement>,
}

/// Everything around the table, in the order of a report; sections that have nothing to say are left out.
pub(crate) fn sections(bundle: &Bundle) -> Vec<Section> {
    let comparison = &bundle.comparison;
    let plain = |text: String| Statement { verdict: None, text };
    let sections = [
        (
            "Named as a concern before the data",
            comparison.concerns.iter().map(|test| concern(comparison, test)).collect(),
        ),
        (
            "Do the builds differ at all?",
            comparison
                .distinguishable
                .iter()
                .map(|(build, test)| distinguishable(comparison, build, test))
                .collect(),
        ),
        (
            "Findings",
            comparison
                .findings
                .iter()
                .map(|finding| Statement { verdict: Some(finding.verdict), text: finding.claim.clone() })
                .collect(),
        ),
        ("Not seen, and what that rules out", absences(comparison).into_iter().map(plain).collect()),
        ("Servers beyond those seen", comparison.unseen.iter().map(unseen).map(plain).collect()),
        ("False alarms", comparison.control.iter().map(control).map(plain).collect()),
        ("Warnings", comparison.warnings.iter().map(|warning| plain(warning.text.clone())).collect()),
        ("Where the places come from", places(bundle).into_iter().map(plain).collect()),
    ];
    let sections =
        sections.into_iter().map(|(title, statements): (_, Vec<Statement>)| Section { title, statements });
    sections.filter(|section| !section.statements.is_empty()).collect()
}

/// A concern in words: `China (CN)`, `AS4134`, `example.org`.
pub(crate) fn concern_name(concern: &Concern) -> String {
    match concern {
        Concern::Country(code) => {
            country::name(code.as_str()).map_or(code.to_string(), |name| format!("{name} ({code})"))
        }
        other => other.to_string(),
    }
}

fn concern(comparison: &Comparison, test: &ConcernTest) -> Statement {
    let name = concern_name(&test.concern);
    let seen = format!("{name}: {} in {} runs", test.build, test.cell);
    let Some(reference_cell) = test.reference_cell else {
        return Statement { verdict: Some(test.verdict), text: format!("{seen} (the reference itself).") };
    };
    let p = test.p.map(|p| format!(", {}", probability_of('p', p))).unwrap_or_default();
    let outcome = match (test.verdict, test.runs_needed) {
        (Verdict::Support, _) => "a difference is shown".to_owned(),
        (Verdict::Refute, _) => "no difference, within the bound".to_owned(),
        (Verdict::Abstain, Some(runs)) => {
            format!("not proven; about {} of each build would settle it", counted(runs, "further run"))
        }
        (Verdict::Abstain, None) => "not proven".to_owned(),
    };
    let text = format!("{seen}, {} in {reference_cell}: {outcome}{p}.", comparison.reference);
    Statement { verdict: Some(test.verdict), text }
}

fn distinguishable(comparison: &Comparison, build: &str, test: &Distinguishable) -> Statement {
    let reference = &comparison.reference;
    let p = probability_of('p', test.p);
    let text = match (test.verdict, test.runs_needed) {
        (Verdict::Support, _) => {
            format!("The servers of {build} differ from those of {reference} by more than chance ({p}).")
        }
        (Verdict::Refute, _) => {
            format!(
                "The servers of {build} differ from those of {reference} no more than its own runs do ({p})."
            )
        }
        (Verdict::Abstain, _) if test.smallest_p > 0.05 => format!(
            "Too few runs to tell {build} from {reference}: however different they were, p could not fall below {}{}.",
            probability(test.smallest_p),
            settle(test.runs_needed),
        ),
        (Verdict::Abstain, _) => {
            format!(
                "No difference between {build} and {reference} is shown ({p}){}.",
                settle(test.runs_needed)
            )
        }
    };
    Statement { verdict: Some(test.verdict), text }
}

fn settle(runs_needed: Option<u64>) -> String {
    runs_needed
        .map(|runs| format!("; about {} of each build would settle it", counted(runs, "further run")))
        .unwrap_or_default()
}

/// Absences with the same bound are one sentence: there may be hundreds.
fn absences(comparison: &Comparison) -> Vec<String> {
    let feared: Vec<String> = comparison.concerns.iter().map(|test| test.concern.to_string()).collect();
    let (named, others): (Vec<&Absence>, Vec<&Absence>) =
        comparison.absences.iter().partition(|absence| feared.contains(&absence.key));
    let mut sentences: Vec<String> =
        named.into_iter().map(|absence| bounded(absence, &absence.key)).collect();
    for build in &comparison.builds {
        let of_build: Vec<&&Absence> = others.iter().filter(|absence| absence.build == build.name).collect();
        match of_build[..] {
            [] => {}
            [one] => sentences.push(bounded(one, &one.key)),
            [first, ..] => {
                let keys = format!("{} that other builds contact", counted(of_build.len() as u64, "key"));
                sentences.push(bounded(first, &keys));
            }
        }
    }
    sentences
}

fn bounded(absence: &Absence, key: &str) -> String {
    format!(
        "{} never contacted {key} in {}: contact in more than {} of its runs is ruled out at 95 %.",
        absence.build,
        counted(absence.runs, "run"),
        percent(absence.rate_below),
    )
}

fn unseen(unseen: &Unseen) -> String {
    let seen = format!("{}: {} seen", unseen.build, level_count(unseen));
    let (Some(all), Some(high)) = (unseen.chao2, unseen.high) else {
        return format!("{seen} in a single run, which says nothing of what it missed.");
    };
    let coverage = unseen
        .coverage
        .map(|coverage| format!("; a further contact is with a known one in {} of cases", percent(coverage)));
    format!(
        "{seen}, about {} in all (95 % interval {} to {}){}.",
        estimate(all),
        estimate(unseen.low),
        estimate(high),
        coverage.unwrap_or_default(),
    )
}

fn level_count(unseen: &Unseen) -> String {
    use overheard_model::Level;
    match (unseen.level, unseen.observed) {
        (Level::Address, 1) => "1 address".into(),
        (Level::Address, n) => format!("{n} addresses"),
        (Level::Country, 1) => "1 country".into(),
        (Level::Country, n) => format!("{n} countries"),
        (Level::Name, n) => counted(n, "name"),
        (Level::Network, n) => counted(n, "network"),
    }
}

fn control(control: &Control) -> String {
    format!(
        "Runs of {} split in two and compared as if they were two builds: {} of {} gave a false alarm ({}; at most {} at 95 %).",
        control.build,
        control.false_alarms,
        counted(control.splits, "split"),
        percent(control.rate),
        percent(control.high),
    )
}

fn places(bundle: &Bundle) -> Vec<String> {
    let captures = bundle.runs.iter().map(|run| &run.reading.capture);
    let first = captures.clone().filter_map(|capture| capture.first).min();
    let last = captures.filter_map(|capture| capture.last).max();
    sources(&bundle.study.places, first, last)
}

/// The databases with date and licence, the captures' dates, and what a country means here.
pub(crate) fn sources(
    places: &[PlaceSource],
    first: Option<Timestamp>,
    last: Option<Timestamp>,
) -> Vec<String> {
    if places.is_empty() {
        return Vec::new();
    }
    let mut sentences: Vec<String> = places.iter().map(source).collect();
    if let Some(dates) = crate::figures::dates(first, last) {
        sentences.push(format!("The captures are of {dates}; addresses may have moved since, or before."));
    }
    sentences.push(
        "A country is the one that the databases name: mostly where the address block is registered or announced, \
         which need not be where the machine stands. CN/AU? means that they disagree; anycast, that many places answer."
            .into(),
    );
    sentences
}

fn source(place: &PlaceSource) -> String {
    let parts = [&*place.name, &*place.date, &*place.attribution];
    let filled: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}.", filled.join(", ").trim_end_matches('.'))
}

/// `regular (20 runs, reference), tom-en (20 runs)`.
pub(crate) fn builds(comparison: &Comparison) -> String {
    let words = |build: &BuildRuns| {
        let role = if build.name == comparison.reference { ", reference" } else { "" };
        format!("{} ({}{role})", build.name, counted(build.runs, "run"))
    };
    listed(&comparison.builds.iter().map(words).collect::<Vec<_>>())
}

/// What a plan comes to.
pub(crate) fn plan(plan: &Plan) -> String {
    let runs = |runs: Option<u64>| match runs {
        Some(runs) => format!("takes {} of each build", counted(runs, "run")),
        None => "is out of reach of any number of runs tried".into(),
    };
    format!(
        "To find, with a chance of {}, a server that one build contacts in {} of its runs and the reference in {}, \
         among {} compared side by side and with a false alarm in at most {} of studies, {}; had it been named as a \
         concern before the data, it {}.",
        percent(plan.target),
        percent(plan.rate),
        percent(plan.reference_rate),
        counted(plan.keys, "endpoint"),
        percent(plan.alpha),
        runs(plan.runs_needed),
        runs(plan.runs_needed_concern),
    )
}
