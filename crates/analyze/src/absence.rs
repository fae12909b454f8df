//! Absences: what a build never contacted, and which contact rates that rules out.
//!
//! Promises: an absence is claimed once, that of a country or network only where the place of every address that the
//! build met is known, and none of what the build tried in vain.

use crate::concern::Contacts;
use crate::execution::Execution;
use crate::interval::absence_bound;
use crate::places;
use crate::table::{Table, attempts};
use overheard_model::{Absence, Level, Run, Study};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keys listed per build beside the concerns: those that other builds contact most.
const SHOWN: usize = 20;

/// Concerns first, then the keys that other builds contact, widest level first.
pub(crate) fn of(
    study: &Study,
    table: &Table,
    contacts: &[Contacts],
    executions: &[Execution],
    runs: &[Run],
) -> Vec<Absence> {
    let is_open = |build: usize, level: Level| {
        let mut own = executions.iter().filter(|execution| execution.build == build);
        own.any(|execution| places::met_open(level, execution, runs))
    };
    let builds = 0..study.builds.len();
    builds
        .filter(|&build| table.runs(build) > 0)
        .flat_map(|build| {
            let absence = |key: String| Absence {
                build: study.builds[build].name.clone(),
                key,
                runs: table.runs(build),
                rate_below: absence_bound(table.runs(build)),
            };
            let feared = contacts.iter().filter(move |contacts| {
                let own = &table.builds[build];
                contacts.certain.count_in(own) == 0 && contacts.rules_out(own)
            });
            let is_concern = |key: &String| contacts.iter().any(|known| known.concern.to_string() == *key);
            let tried = tried(build, executions, runs);
            let keys = unmet(table, build, |level| !is_open(build, level))
                .into_iter()
                .filter(|key| !is_concern(key) && !tried.contains(&**key))
                .take(SHOWN);
            feared.map(|contacts| contacts.concern.to_string()).chain(keys).map(absence).collect::<Vec<_>>()
        })
        .collect()
}

/// Keys, at all levels, of what a build tried in vain.
fn tried(build: usize, executions: &[Execution], runs: &[Run]) -> BTreeSet<Arc<str>> {
    let own = executions.iter().filter(|execution| execution.build == build);
    let tried = own.flat_map(|execution| attempts(execution, runs));
    tried.flat_map(|attempt| Level::ALL.into_iter().flat_map(|level| level.keys_of(attempt))).collect()
}

/// Keys, at levels that are `certain`, that some other build contacts and this one never did.
fn unmet(table: &Table, build: usize, certain: impl Fn(Level) -> bool) -> Vec<String> {
    let rows = Level::ALL.iter().rev().zip(table.levels.iter().rev()).enumerate();
    let rows = rows.filter(|(_, (level, _))| certain(**level));
    let mut unmet: Vec<(usize, std::cmp::Reverse<u64>, String)> = rows
        .flat_map(|(width, (_, rows))| rows.iter().map(move |row| (width, row)))
        .filter(|(_, row)| row.present.count_in(&table.builds[build]) == 0)
        .map(|(width, row)| (width, std::cmp::Reverse(row.present.count()), row.key.to_string()))
        .collect();
    unmet.sort();
    unmet.into_iter().map(|(_, _, key)| key).collect()
}
