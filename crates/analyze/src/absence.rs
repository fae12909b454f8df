//! Absences: what a build never contacted, and which contact rates that rules out.
//!
//! Promises: an absence of a concern is claimed only where not even a disputed place was met, and once.

use crate::concern::Contacts;
use crate::interval::absence_bound;
use crate::table::Table;
use overheard_model::{Absence, Level, Study};

/// Keys listed per build beside the concerns: those that other builds contact most.
const SHOWN: usize = 20;

/// Concerns first, then the keys that other builds contact, widest level first.
pub(crate) fn of(study: &Study, table: &Table, contacts: &[Contacts]) -> Vec<Absence> {
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
                contacts.certain.count_in(&table.builds[build])
                    + contacts.possible.count_in(&table.builds[build])
                    == 0
            });
            let is_concern = |key: &String| contacts.iter().any(|known| known.concern.to_string() == *key);
            let keys = unmet(table, build).into_iter().filter(|key| !is_concern(key)).take(SHOWN);
            feared.map(|contacts| contacts.concern.to_string()).chain(keys).map(absence).collect::<Vec<_>>()
        })
        .collect()
}

/// Keys that some other build contacts and this one never did.
fn unmet(table: &Table, build: usize) -> Vec<String> {
    let rows = Level::ALL.iter().rev().zip(table.levels.iter().rev()).enumerate();
    let mut unmet: Vec<(usize, std::cmp::Reverse<u64>, String)> = rows
        .flat_map(|(width, (_, rows))| rows.iter().map(move |row| (width, row)))
        .filter(|(_, row)| row.present.count_in(&table.builds[build]) == 0)
        .map(|(width, row)| (width, std::cmp::Reverse(row.present.count()), row.key.to_string()))
        .collect();
    unmet.sort();
    unmet.into_iter().map(|(_, _, key)| key).collect()
}
