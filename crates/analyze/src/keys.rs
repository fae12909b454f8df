//! The rows of the comparison as a report shows them: key, place, names, cells and relations.
//!
//! Promises: rows in the order of the levels, then of the keys; a country or network that is not the
//! same for all of a row's endpoints is left out.

use crate::execution::Execution;
use crate::family::Test;
use crate::relation::Relations;
use crate::table::{Row, Table, endpoints};
use overheard_model::{Asn, Cell, Endpoint, Key, Level, RelationResult, Run, Study};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Names shown with a row: the best ones.
const NAMES: usize = 12;

/// Tests of one build against the reference: by level, by row.
pub(crate) struct Contrasted {
    pub build: usize,
    pub tests: Vec<Vec<Option<Test>>>,
}

/// All rows.
pub(crate) fn of(
    study: &Study,
    table: &Table,
    executions: &[Execution],
    runs: &[Run],
    contrasts: &[Contrasted],
) -> Vec<Key> {
    let levels = Level::ALL.into_iter().zip(&table.levels).enumerate();
    levels
        .flat_map(|(at, (level, rows))| {
            let mut about = descriptions(level, executions, runs);
            let mut relations = relations(study, table, contrasts, at, rows.len());
            let row = |(row, relations): (&Row, BTreeMap<String, RelationResult>)| {
                let about = about.remove(&row.key).unwrap_or_default();
                let names = about.best_names();
                Key {
                    level,
                    key: row.key.clone(),
                    country: about.country.agreed(),
                    asn: about.network.clone().agreed().map(|(asn, _)| asn),
                    network: about
                        .network
                        .agreed()
                        .and_then(|(_, holder)| holder)
                        .map(|holder| holder.to_string()),
                    names,
                    cells: cells(study, table, row),
                    relations,
                }
            };
            rows.iter().zip(relations.drain(..)).map(row).collect::<Vec<_>>()
        })
        .collect()
}

fn cells(study: &Study, table: &Table, row: &Row) -> BTreeMap<String, Cell> {
    let builds = study.builds.iter().zip(&table.builds);
    builds
        .map(|(build, runs)| {
            (build.name.clone(), Cell { present: row.present.count_in(runs), runs: runs.count() })
        })
        .collect()
}

/// For each row of a level, the relations of the builds.
fn relations(
    study: &Study,
    table: &Table,
    contrasts: &[Contrasted],
    level: usize,
    rows: usize,
) -> Vec<BTreeMap<String, RelationResult>> {
    let mut by_row = vec![BTreeMap::new(); rows];
    for contrast in contrasts {
        let Some(tests) = contrast.tests.get(level) else { continue };
        let (own, other) = (table.runs(contrast.build), table.runs(study.reference));
        let mut relations =
            Relations::new(own, other, tests.iter().flatten().count(), contrasts.len() as u64);
        for (row, test) in by_row.iter_mut().zip(tests) {
            if let Some(test) = test {
                row.insert(study.builds[contrast.build].name.clone(), relations.result(test));
            }
        }
    }
    by_row
}

/// A value that all endpoints of a row share, or not.
#[derive(Clone, Debug, Default)]
enum Common<T> {
    #[default]
    Unmet,
    One(T),
    Mixed,
}

impl<T: PartialEq> Common<T> {
    fn add(&mut self, value: T) {
        match self {
            Self::Unmet => *self = Self::One(value),
            Self::One(one) if *one != value => *self = Self::Mixed,
            _ => {}
        }
    }
}

impl<T> Common<Option<T>> {
    fn agreed(self) -> Option<T> {
        match self {
            Self::One(value) => value,
            _ => None,
        }
    }
}

/// What the endpoints of a row say of it.
#[derive(Clone, Debug, Default)]
struct Description {
    country: Common<Option<String>>,
    network: Common<Option<(Asn, Option<Arc<str>>)>>,
    /// Each with its best rank.
    names: BTreeMap<Arc<str>, u8>,
}

impl Description {
    fn add(&mut self, endpoint: &Endpoint) {
        self.country.add(endpoint.place.label());
        let holder = || endpoint.place.claims.iter().find_map(|claim| claim.network.clone());
        self.network.add(endpoint.place.asn().map(|asn| (asn, holder())));
        for name in &endpoint.names {
            let rank = self.names.entry(name.name.clone()).or_insert(u8::MAX);
            *rank = name.rank().min(*rank);
        }
    }

    /// The best names first.
    fn best_names(&self) -> Vec<String> {
        let mut names: Vec<(u8, &Arc<str>)> = self.names.iter().map(|(name, rank)| (*rank, name)).collect();
        names.sort();
        names.into_iter().take(NAMES).map(|(_, name)| name.to_string()).collect()
    }
}

fn descriptions(level: Level, executions: &[Execution], runs: &[Run]) -> HashMap<Arc<str>, Description> {
    let mut about: HashMap<Arc<str>, Description> = HashMap::new();
    for endpoint in executions.iter().flat_map(|execution| endpoints(execution, runs)) {
        for key in level.keys_of(endpoint) {
            about.entry(key).or_default().add(endpoint);
        }
    }
    about
}
