//! The table of the investigation: for each key at each level, the runs that contacted it.
//!
//! Promises: a key counts once per execution, however many flows it had there; keys are sorted.

use crate::bits::Bits;
use crate::execution::Execution;
use overheard_model::{Endpoint, Level, Run};
use std::collections::HashMap;
use std::sync::Arc;

/// One row: a key and the executions that contacted it.
#[derive(Clone, Debug)]
pub struct Row {
    pub key: Arc<str>,
    pub present: Bits,
}

/// Rows of the four levels, in the order of [`Level::ALL`].
#[derive(Clone, Debug)]
pub struct Table {
    pub levels: [Vec<Row>; 4],
    /// By build, its executions.
    pub builds: Vec<Bits>,
}

impl Table {
    pub fn new(executions: &[Execution], runs: &[Run], builds: usize) -> Self {
        let groups = (0..builds).map(|build| {
            let own = executions.iter().enumerate().filter(|(_, execution)| execution.build == build);
            Bits::of(executions.len(), own.map(|(at, _)| at))
        });
        Self { levels: Level::ALL.map(|level| rows(level, executions, runs)), builds: groups.collect() }
    }

    /// The executions of every row, level by level.
    pub fn presences(&self) -> Vec<Vec<&Bits>> {
        self.levels.iter().map(|rows| rows.iter().map(|row| &row.present).collect()).collect()
    }

    /// The addresses that each of `runs` executions contacted, by their row.
    pub fn addresses_by_run(&self, runs: usize) -> Vec<Bits> {
        let [addresses, ..] = &self.levels;
        let mut sets = vec![Bits::empty(addresses.len()); runs];
        for (at, row) in addresses.iter().enumerate() {
            row.present.members().for_each(|run| sets[run].insert(at));
        }
        sets
    }

    /// Executions of a build.
    pub fn runs(&self, build: usize) -> u64 {
        self.builds.get(build).map_or(0, Bits::count)
    }
}

fn rows(level: Level, executions: &[Execution], runs: &[Run]) -> Vec<Row> {
    let mut presences: HashMap<Arc<str>, Bits> = HashMap::new();
    for (at, execution) in executions.iter().enumerate() {
        for key in endpoints(execution, runs).flat_map(|endpoint| level.keys_of(endpoint)) {
            presences.entry(key).or_insert_with(|| Bits::empty(executions.len())).insert(at);
        }
    }
    let mut rows: Vec<Row> = presences.into_iter().map(|(key, present)| Row { key, present }).collect();
    rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    rows
}

/// All that an execution tried in vain.
pub(crate) fn attempts<'a>(execution: &'a Execution, runs: &'a [Run]) -> impl Iterator<Item = &'a Endpoint> {
    execution.pieces.iter().flat_map(|&piece| &runs[piece].reading.attempts)
}

/// All endpoints that an execution met, in all its pieces.
pub(crate) fn endpoints<'a>(execution: &'a Execution, runs: &'a [Run]) -> impl Iterator<Item = &'a Endpoint> {
    execution.pieces.iter().flat_map(|&piece| &runs[piece].reading.endpoints)
}
