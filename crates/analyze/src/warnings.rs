//! Warnings: what a reader must know of how the runs were made.
//!
//! Promises: a warning never changes a number; its kind is stable.
//! To extend: one function here and one line in [`of`].

use crate::concern::Contacts;
use crate::execution::Execution;
use crate::interleaving;
use crate::others;
use crate::places;
use crate::table::{Table, attempts, endpoints};
use crate::wording::{listed, runs_text};
use overheard_model::{Capture, Claim, Concern, Endpoint, Level, LocalRule, Problem, Run, Study, Warning};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Names listed in one warning.
const SHOWN: usize = 3;
/// Destinations listed that were tried in vain.
const SHOWN_TRIED: usize = 12;

/// All warnings of a study.
pub(crate) fn of(
    study: &Study,
    runs: &[Run],
    executions: &[Execution],
    table: &Table,
    contacts: &[Contacts],
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(one_execution(study, runs, executions));
    warnings.extend(one_run(study, table));
    warnings.extend(not_interleaved(study, executions));
    warnings.extend(undated(runs));
    warnings.extend(incomplete(runs));
    warnings.extend(lossy(runs));
    warnings.extend(empty(study, runs, executions));
    warnings.extend(tried(study, runs, executions));
    warnings.extend(unlisted(runs));
    warnings.extend(disputed(runs));
    warnings.extend(possible(contacts));
    warnings.extend(one_source(study, runs));
    warnings.extend(unplaced(study, runs, executions));
    warnings.extend(local(runs));
    warnings
}

fn warning(kind: &str, text: String) -> Warning {
    Warning { kind: kind.into(), text }
}

fn one_execution<'a>(
    study: &'a Study,
    runs: &'a [Run],
    executions: &'a [Execution],
) -> impl Iterator<Item = Warning> {
    let cut = executions.iter().filter(|execution| execution.pieces.len() > 1);
    cut.map(|execution| {
        let names: Vec<&str> = execution.pieces.iter().map(|&piece| &*runs[piece].name).collect();
        let text = format!(
            "{}: {} are pieces of one execution, since connections go on from each to the next; they count as one run",
            study.builds[execution.build].name,
            listed(&names, SHOWN),
        );
        warning("one-execution", text)
    })
}

fn one_run<'a>(study: &'a Study, table: &'a Table) -> impl Iterator<Item = Warning> {
    let few = study.builds.iter().enumerate().filter(|(at, _)| table.runs(*at) < 2);
    few.map(|(at, build)| match table.runs(at) {
        0 => warning("no-run", format!("{} has no run", build.name)),
        _ => warning(
            "one-run",
            format!("{} was run once: one run cannot tell a habit from an accident", build.name),
        ),
    })
}

fn not_interleaved<'a>(study: &'a Study, executions: &'a [Execution]) -> impl Iterator<Item = Warning> {
    let orders =
        others(study).filter_map(|build| Some((build, interleaving::order(study, executions, build)?)));
    orders.filter(|(_, order)| !order.interleaved()).map(|(build, order)| {
        let (own, other) = (&study.builds[build].name, &study.builds[study.reference].name);
        let how = match order.separated {
            true => format!("all runs of one of {own} and {other} came before all of the other"),
            false => format!("the runs of {own} and {other} alternate too little (p = {:.2})", order.p),
        };
        warning(
            "not-interleaved",
            format!("{how}: a change in time cannot be told from a difference of the builds"),
        )
    })
}

fn undated(runs: &[Run]) -> Option<Warning> {
    let undated = runs.iter().filter(|run| run.began.is_none()).count();
    (undated > 0).then(|| {
        warning(
            "undated",
            format!(
                "{undated} of {} runs have no time: whether the builds alternated is unknown",
                runs.len()
            ),
        )
    })
}

/// A concern about a country stands on the databases that place the servers there: say it where it is
/// one alone, since one in twenty of its answers is wrong (`docs/methods/places.md`).
fn one_source<'a>(study: &'a Study, runs: &'a [Run]) -> impl Iterator<Item = Warning> {
    study.concerns.iter().filter_map(|concern| {
        let Concern::Country(country) = concern else { return None };
        let met = runs.iter().flat_map(|run| &run.reading.endpoints);
        let there = met.filter(|endpoint| endpoint.place.agreed() == Some(*country));
        let claims = there.flat_map(|endpoint| &*endpoint.place.claims).filter(|claim| claim.country.is_some());
        let sources: BTreeSet<&str> = claims.map(|claim| &*claim.source).collect();
        match sources.into_iter().collect::<Vec<_>>()[..] {
            [Claim::TABLE] | [] | [_, _, ..] => None,
            [source] => Some(warning(
                "one-source",
                format!("that servers stand in {country} rests on {source} alone: ask a second database with --mmdb"),
            )),
        }
    })
}

/// Runs of whose captures that is so, named.
fn of_captures(runs: &[Run], is_so: impl Fn(&Capture) -> bool, kind: &str, text: &str) -> Option<Warning> {
    let names: Vec<&str> =
        runs.iter().filter(|run| is_so(&run.reading.capture)).map(|run| &*run.name).collect();
    (!names.is_empty()).then(|| warning(kind, format!("{text}: {}", listed(&names, SHOWN))))
}

fn incomplete(runs: &[Run]) -> Option<Warning> {
    let text = "cut short, so that contacts may be missing";
    of_captures(runs, |capture| !capture.complete, "incomplete-capture", text)
}

/// Where packets were dropped while capturing, or lost at a room's device.
fn lossy(runs: &[Run]) -> Option<Warning> {
    let is_lossy = |capture: &Capture| {
        capture.dropped.is_some_and(|dropped| dropped > 0) || capture.has_problem(Problem::PACKETS_LOST)
    };
    let text = "packets were lost, so that contacts may be missing";
    of_captures(runs, is_lossy, Problem::PACKETS_LOST, text)
}

/// Where more was tried than could be told apart.
fn unlisted(runs: &[Run]) -> Option<Warning> {
    let kind = Problem::ATTEMPTS_UNLISTED;
    let text =
        "more was tried than could be told apart, so that something may have been carried to some of it";
    of_captures(runs, |capture| capture.has_problem(kind), kind, text)
}

fn empty<'a>(
    study: &'a Study,
    runs: &'a [Run],
    executions: &'a [Execution],
) -> impl Iterator<Item = Warning> {
    let silent =
        executions.iter().filter(|execution| endpoints(execution, runs).all(|endpoint| endpoint.place.local));
    silent.map(|execution| {
        let text = format!(
            "{} of {} contacted no server: it counts as a run without contacts; leave it out if the app did not start",
            execution.name, study.builds[execution.build].name
        );
        warning("empty-run", text)
    })
}

/// What a build tried and nothing was carried to: of its contacts alone it would look as if it had not tried.
fn tried<'a>(
    study: &'a Study,
    runs: &'a [Run],
    executions: &'a [Execution],
) -> impl Iterator<Item = Warning> {
    study.builds.iter().enumerate().filter_map(move |(at, build)| {
        let own: Vec<&Execution> = executions.iter().filter(|execution| execution.build == at).collect();
        let tried = |execution: &Execution| -> BTreeSet<String> {
            let beyond = attempts(execution, runs).filter(|attempt| !attempt.place.local);
            beyond.map(destination).collect()
        };
        let mut times: BTreeMap<String, u64> = BTreeMap::new();
        own.iter().flat_map(|execution| tried(execution)).for_each(|to| *times.entry(to).or_default() += 1);
        let mut most: Vec<(&String, &u64)> = times.iter().collect();
        most.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let named: Vec<String> = most.iter().map(|(to, times)| format!("{to} in {times}")).collect();
        let some = own.iter().filter(|execution| !tried(execution).is_empty()).count();
        let text = format!(
            "{} tried in {some} of {} what nothing is known to have been carried to ({}): that is no contact, and no absence either",
            build.name,
            runs_text(own.len() as u64),
            listed(&named, SHOWN_TRIED),
        );
        (some > 0).then(|| warning("attempts", text))
    })
}

/// `198.51.100.7:53/udp (CN)`.
fn destination(attempt: &Endpoint) -> String {
    let Endpoint { address, port, transport, place, .. } = attempt;
    let at = match transport.has_ports() {
        true => format!("{}/{transport}", SocketAddr::new(*address, *port)),
        false => format!("{address} {transport}"),
    };
    place.label().map_or(at.clone(), |label| format!("{at} ({label})"))
}

fn disputed(runs: &[Run]) -> Option<Warning> {
    let all = runs.iter().flat_map(|run| &run.reading.endpoints);
    let disputed = all.filter(|endpoint| !endpoint.place.anycast && endpoint.place.countries().len() > 1);
    let addresses: BTreeSet<_> = disputed.map(|endpoint| endpoint.address).collect();
    (!addresses.is_empty()).then(|| {
        warning(
            "disputed-country",
            format!("databases differ on the country of {} addresses, shown as XX/YY?", addresses.len()),
        )
    })
}

fn possible(contacts: &[Contacts]) -> impl Iterator<Item = Warning> {
    let doubtful = contacts.iter().filter(|contacts| contacts.possible.count() > 0);
    doubtful.map(|contacts| {
        let runs = runs_text(contacts.possible.count());
        let text = format!(
            "{runs} met an address that only some sources place in {}, or that cannot stand there: not counted as a contact, nor as an absence",
            contacts.concern
        );
        warning("disputed-concern", text)
    })
}

/// Addresses that let no absence be claimed: of countries always, of networks where one is feared.
fn unplaced<'a>(
    study: &'a Study,
    runs: &'a [Run],
    executions: &'a [Execution],
) -> impl Iterator<Item = Warning> {
    let fears_networks = study.concerns.iter().any(|concern| matches!(concern, Concern::Network(_)));
    let networks = fears_networks.then_some((Level::Network, "network", "unknown"));
    let countries = (Level::Country, "country", "unknown, disputed, anycast or impossible");
    [Some(countries), networks].into_iter().flatten().filter_map(move |(level, one, why)| {
        let met = executions.iter().filter(|execution| places::met_open(level, execution, runs)).count();
        let all = runs.iter().flat_map(|run| &run.reading.endpoints);
        let all = all.filter(|endpoint| !endpoint.place.local);
        let open = all.clone().filter(|endpoint| places::is_open(level, &endpoint.place));
        let count = |addresses: BTreeSet<_>| addresses.len();
        let open = count(open.map(|endpoint| endpoint.address).collect());
        let all = count(all.map(|endpoint| endpoint.address).collect());
        let text = format!(
            "{open} of {all} addresses have no certain {one} ({why}), in {met} of {}: such a run cannot show that it contacted no server of some {one}",
            runs_text(executions.len() as u64),
        );
        (open > 0).then(|| warning("unplaced-addresses", text))
    })
}

fn local(runs: &[Run]) -> Option<Warning> {
    let captured = runs.iter().filter(|run| run.reading.capture.local_rule != LocalRule::Table);
    let endpoints = captured.flat_map(|run| &run.reading.endpoints);
    let local = endpoints.filter(|endpoint| Level::Address.keys_of(endpoint).is_empty());
    let addresses: BTreeSet<_> = local.map(|endpoint| endpoint.address).collect();
    (!addresses.is_empty()).then(|| {
        let left_out = match addresses.len() {
            1 => "1 address inside the local network is".to_owned(),
            many => format!("{many} addresses inside the local network are"),
        };
        warning("local-left-out", format!("{left_out} left out of the comparison"))
    })
}
