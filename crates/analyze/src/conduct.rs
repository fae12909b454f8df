//! How a live study was conducted: what its comparison tells beside the runs that count.
//!
//! Promises: a run that failed is no contact and no absence; vantages are pooled by every test, and counted apart
//! without one.
//! To extend: what else a live study knows of itself is a field of [`Conduct`].

use crate::concern::met;
use crate::settled::Stopped;
use overheard_model::{Cell, Concern, Endpoint, FromVantage, Key, Level, Run, Study};

/// What a live study knows of itself; by default as little as is known of captures that were brought along.
#[derive(Clone, Debug, Default)]
pub struct Conduct<'a> {
    /// Runs of the builds that failed, as far as they left something to read.
    pub failed: Vec<&'a Run>,
    pub origins: Origins<'a>,
    /// How it came to its end, where it could stop early.
    pub stopped: Option<Stopped<'a>>,
}

/// From where the runs that count were made.
#[derive(Clone, Debug, Default)]
pub struct Origins<'a> {
    /// In the plan's order.
    pub vantages: Vec<&'a str>,
    /// Indices of vantages, parallel to the runs.
    pub of_runs: Vec<usize>,
}

impl Origins<'_> {
    /// Who contacted each country, and what was feared, from each vantage; nothing where there is only one.
    pub(crate) fn cells(&self, study: &Study, runs: &[Run], keys: &[Key]) -> Vec<FromVantage> {
        if self.vantages.len() < 2 {
            return Vec::new();
        }
        let countries = keys.iter().filter(|key| key.level == Level::Country);
        let from_countries = countries.flat_map(|key| {
            let is_there =
                |it: &Endpoint| Level::Country.keys_of(it).into_iter().any(|country| *country == *key.key);
            self.cells_of(study, runs, &key.key, move |run| run.reading.endpoints.iter().any(is_there))
        });
        let others = study.concerns.iter().filter(|concern| !matches!(concern, Concern::Country(_)));
        let from_others = others
            .flat_map(|concern| self.cells_of(study, runs, &concern.to_string(), |run| met(concern, run)));
        from_countries.chain(from_others).collect()
    }

    /// The runs that met something, vantage by vantage.
    fn cells_of(
        &self,
        study: &Study,
        runs: &[Run],
        key: &str,
        met: impl Fn(&Run) -> bool,
    ) -> Vec<FromVantage> {
        let cell = |build: usize, vantage: usize| {
            let made = runs.iter().zip(&self.of_runs);
            let own = made.filter(|(run, from)| run.build == build && **from == vantage).map(|(run, _)| run);
            own.fold(Cell { present: 0, runs: 0 }, |cell, run| Cell {
                present: cell.present + u64::from(met(run)),
                runs: cell.runs + 1,
            })
        };
        let builds = || study.builds.iter().enumerate();
        let from = self.vantages.iter().enumerate().map(|(at, vantage)| FromVantage {
            key: key.to_owned(),
            vantage: (*vantage).to_owned(),
            cells: builds().map(|(of, build)| (build.name.clone(), cell(of, at))).collect(),
        });
        from.collect()
    }
}
