//! What a report says of a study's plan: what it was begun with, and each change that was accepted since.
//!
//! Promises: a change is told by what changed, and by nothing that did not.

use overheard_model::{Concern, RegisteredBuild, RegisteredFile, RegisteredVantage, Registration};
use overheard_probe::ledger::{Charter, FileHash, Pedigree, Terms};
use overheard_probe::schedule::Plan;

/// `plans`: as the study was begun with it, and after each change.
pub(super) fn of(charter: &Charter, plans: &[Plan]) -> Registration {
    let terms: Vec<Terms> =
        std::iter::once(charter.terms).chain(charter.changes.iter().map(|change| change.terms)).collect();
    let builds: Vec<&[Pedigree]> = std::iter::once(charter.builds.as_slice())
        .chain(charter.changes.iter().map(|change| change.builds.as_slice()))
        .collect();
    let changes = charter.changes.iter().enumerate().map(|(at, change)| {
        let mut what = Vec::new();
        if let [was, is] = &plans[at..at + 2] {
            what.extend(plan(was, is));
            what.extend(concerns(&plans[0], was, is, change.runs));
        }
        what.extend(builds[at].iter().zip(builds[at + 1]).flat_map(|(was, is)| files(was, is)));
        what.extend(self::terms(terms[at], terms[at + 1]));
        format!("on {}, when {} runs were made, {}", change.at.date(), change.runs, what.join("; "))
    });
    let vantages = plans.first().map_or(&[][..], |begun| &begun.design.vantages);
    let vantages =
        vantages.iter().map(|it| RegisteredVantage { name: it.name.clone(), place: it.place.clone() });
    let doors = plans.first().map_or(&[][..], |begun| &begun.design.doors);
    Registration {
        sha256: charter.plan.clone(),
        began: charter.began,
        builds: charter.builds.iter().map(|build| registered(build, charter)).collect(),
        vantages: vantages.collect(),
        doors: doors.iter().map(|door| door.name().to_owned()).collect(),
        changes: changes.collect(),
    }
}

fn registered(build: &Pedigree, charter: &Charter) -> RegisteredBuild {
    let file = |file: &FileHash| RegisteredFile {
        path: file.path.to_string_lossy().into_owned(),
        sha256: file.sha256.clone(),
        bytes: file.bytes,
    };
    RegisteredBuild {
        name: build.build.clone(),
        version: charter.versions.get(&build.build).cloned(),
        files: build.files.iter().map(file).collect(),
    }
}

fn plan(was: &Plan, is: &Plan) -> Option<String> {
    (was.sha256 != is.sha256).then(|| format!("the plan became the one with SHA-256 {}", is.sha256))
}

/// A concern counts as one only if it was feared before the data, and then to the end.
fn concerns(begun: &Plan, was: &Plan, is: &Plan, runs: usize) -> Vec<String> {
    let of = |plan: &Plan| plan.design.concerns.clone();
    let lacking = |among: Vec<Concern>, from: &Plan| -> Vec<String> {
        let lacking = among.iter().filter(|it| !from.design.concerns.contains(it));
        lacking.map(ToString::to_string).collect()
    };
    let (mut added, mut left_out) = (lacking(of(is), was), lacking(of(was), is));
    let feared: Vec<String> = of(begun).iter().map(ToString::to_string).collect();
    added.retain(|it| !feared.contains(it));
    left_out.retain(|it| feared.contains(it));
    let told = |which: Vec<String>, what: &str, therefore: &str| {
        (!which.is_empty())
            .then(|| format!("concerns {what} after {runs} runs: {}, {therefore}", which.join(", ")))
    };
    let added = told(added, "added", "not tested as one");
    let left_out = told(left_out, "left out", "tested all the same");
    added.into_iter().chain(left_out).collect()
}

/// Files of one build that are not what they were.
fn files(was: &Pedigree, is: &Pedigree) -> Vec<String> {
    let of = |build: &Pedigree, file: &FileHash| build.files.iter().find(|it| it.path == file.path).cloned();
    let short = |file: &FileHash| file.sha256.chars().take(12).collect::<String>();
    let name = |file: &FileHash| format!("{} of build {}", file.path.display(), is.build);
    let gone = was.files.iter().filter(|file| of(is, file).is_none());
    let gone = gone.map(|file| format!("{} (SHA-256 {}) was left out", name(file), short(file)));
    let come = is.files.iter().filter_map(|file| match of(was, file) {
        Some(old) if old == *file => None,
        Some(old) => Some(format!("{} changed from SHA-256 {} to {}", name(file), short(&old), short(file))),
        None => Some(format!("{} (SHA-256 {}) was added", name(file), short(file))),
    });
    gone.chain(come).collect()
}

fn terms(was: Terms, is: Terms) -> Vec<String> {
    let repeats = (was.repeats != is.repeats)
        .then(|| format!("the repeats became {} instead of {}", is.repeats, was.repeats));
    let settled = (was.until_settled != is.until_settled).then(|| match is.until_settled {
        true => "the study may now stop once every concern is settled".into(),
        false => "the study may no longer stop before its last block".into(),
    });
    repeats.into_iter().chain(settled).collect()
}
