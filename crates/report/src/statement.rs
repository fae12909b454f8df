//! Sentences for the tests, bounds and estimates of a comparison, shared by text and HTML.
//!
//! Promises: no claim without its number: what is supported carries its p, what is open carries the runs
//! that would settle it, an absence carries its bound.

use crate::figures::{count, counted, listed, percent, probability, probability_of};
use crate::section::{Section, Statement};
use crate::{absence, concern, difference, source, vantage};
use overheard_model::{
    BuildRuns, Bundle, Comparison, Control, Distinguishable, Plan, RegisteredBuild, RegisteredVantage,
    Registration, Verdict,
};

/// Everything around the table, in the order of a report: nothing is said twice, and sections that have
/// nothing to say are left out.
pub(crate) fn sections(bundle: &Bundle) -> Vec<Section> {
    let comparison = &bundle.comparison;
    let plain = |text: String| Statement { verdict: None, text };
    let concerns = comparison
        .concerns
        .iter()
        .map(|test| Statement { verdict: concern::verdict(test), text: concern::sentence(comparison, test) });
    let wholes = comparison.distinguishable.iter();
    let wholes = wholes.map(|(build, test)| distinguishable(comparison, build, test));
    let sections: [(_, Vec<Statement>); 10] = [
        ("Named as a concern before the data", concerns.collect()),
        ("Do the builds differ at all?", wholes.collect()),
        ("What differs", difference::statements(comparison)),
        (
            "Not seen, and what that rules out",
            absence::never_contacted(comparison).into_iter().map(plain).collect(),
        ),
        ("Servers beyond those seen", absence::beyond_seen(comparison).into_iter().map(plain).collect()),
        ("False alarms", comparison.control.iter().map(control).map(plain).collect()),
        ("From each vantage", vantage::statements(comparison).into_iter().map(plain).collect()),
        ("Warnings", comparison.warnings.iter().map(|warning| plain(warning.text.clone())).collect()),
        ("The plan", bundle.study.registration.iter().flat_map(registration).map(plain).collect()),
        ("Where the places come from", places(bundle).into_iter().map(plain).collect()),
    ];
    let sections = sections.into_iter().map(|(title, statements)| Section { title, statements });
    sections.filter(|section| !section.statements.is_empty()).collect()
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
            concern::settle(test.runs_needed),
        ),
        (Verdict::Abstain, _) => {
            format!(
                "No difference between {build} and {reference} is shown ({p}){}.",
                concern::settle(test.runs_needed)
            )
        }
    };
    Statement { verdict: Some(test.verdict), text }
}

fn control(control: &Control) -> String {
    format!(
        "Runs of {} split in two and compared as if they were two builds: {} of {} gave a false alarm ({}; at most {} at 95\u{a0}%); the test of whole sets, which has an error of its own, took {} of them for two builds.",
        control.build,
        control.false_alarms,
        counted(control.splits, "split"),
        percent(control.rate),
        percent(control.high),
        count(control.set_alarms),
    )
}

/// What was fixed before the data, and what was not.
fn registration(registration: &Registration) -> Vec<String> {
    let fixed = format!(
        "Fixed in a file on {}, before the data; its SHA-256 is {}.",
        registration.began.date(),
        registration.sha256
    );
    let builds = registration.builds.iter().filter_map(registered);
    let vantages = vantages(&registration.vantages);
    let doors = (!registration.doors.is_empty()).then(|| {
        format!("Open in every room beside the network, and not recorded: {}.", listed(&registration.doors))
    });
    let changes = registration.changes.iter().map(|change| format!("Changed after runs were made: {change}"));
    [fixed].into_iter().chain(builds).chain(vantages).chain(doors).chain(changes).collect()
}

/// Where runs were made from, unless there is nothing to say of it.
fn vantages(vantages: &[RegisteredVantage]) -> Option<String> {
    let told = |vantage: &RegisteredVantage| match &vantage.place {
        Some(place) => format!("{} (at {place})", vantage.name),
        None => vantage.name.clone(),
    };
    let worth = vantages.len() > 1 || vantages.iter().any(|vantage| vantage.place.is_some());
    let told: Vec<String> = vantages.iter().map(told).collect();
    worth.then(|| {
        format!("Run from {}: what light allows is judged from where each run was made.", listed(&told))
    })
}

/// What a build was before the data, as far as the plan has it recorded.
fn registered(build: &RegisteredBuild) -> Option<String> {
    let version = build.version.iter().map(|version| format!("calls itself {version:?}"));
    let files = build.files.iter().map(|file| format!("{} (SHA-256 {})", file.path, file.sha256));
    let files: Vec<String> = files.collect();
    let files = (!files.is_empty()).then(|| format!("has {}", listed(&files)));
    let told: Vec<String> = version.chain(files).collect();
    (!told.is_empty()).then(|| format!("Before the first run {} {}.", build.name, told.join(" and ")))
}

fn places(bundle: &Bundle) -> Vec<String> {
    let captures = bundle.runs.iter().map(|run| &run.reading.capture);
    let first = captures.clone().filter_map(|capture| capture.first).min();
    let last = captures.filter_map(|capture| capture.last).max();
    let mut met = source::Met::default();
    met.extend(bundle.runs.iter().flat_map(|run| &run.reading.endpoints));
    source::sentences(&bundle.study.places, &met, first, last)
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
