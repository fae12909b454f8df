//! The order of a study's runs: seeded, randomized blocks, the same for everyone who has the plan.
//!
//! For: `overheard run`, and whoever checks afterwards that the order was not chosen. Each block holds every cell
//! (build × activity × vantage) once, in one random permutation, so that a change of the servers in time falls on
//! all builds alike (Fisher 1935, *The Design of Experiments*, §26).
//! Promises: pure; a block depends on the seed and its number alone, so that more repeats add blocks at the end
//! and change none; nothing is learned from earlier runs.
//! To extend: another kind of control run is a variant of [`Arm`] and a line in [`cells`].

mod plan;

pub use plan::{Plan, PlanFault, read, template};

use overheard_model::Design;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What a run is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// Index into the design's builds.
    Build(usize),
    /// The reference once more, under a name of its own: whatever differs from the reference is a false alarm.
    Twin,
    /// The room without an app: whatever it contacts is not the app's.
    Idle,
}

/// A combination that each block holds once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    pub arm: Arm,
    /// Index into the design's activities. An idle run takes the time of it, and does nothing.
    pub activity: usize,
    /// Index into the design's vantages.
    pub vantage: usize,
}

/// One run to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Block, from 1.
    pub block: u32,
    /// Position in the whole order, from 1.
    pub number: u32,
    pub cell: Cell,
}

/// All runs of a study with this many blocks, in their order.
pub fn order(design: &Design, blocks: u32) -> Vec<Slot> {
    let cells =
        (1..=blocks).flat_map(|number| block(design, number).into_iter().map(move |cell| (number, cell)));
    (1..).zip(cells).map(|(number, (block, cell))| Slot { block, number, cell }).collect()
}

/// The cells of one block, in the order in which they are run.
pub fn block(design: &Design, number: u32) -> Vec<Cell> {
    let mut cells = cells(design, number);
    let mut random = ChaCha8Rng::seed_from_u64(design.seed);
    // Streams of one seed are independent: what is drawn in one block says nothing of another.
    random.set_stream(u64::from(number));
    cells.shuffle(&mut random);
    cells
}

/// The cells of a block, in the order of the plan.
fn cells(design: &Design, number: u32) -> Vec<Cell> {
    let twin = design.controls.twin.then_some(Arm::Twin);
    let arms: Vec<Arm> = (0..design.builds.len()).map(Arm::Build).chain(twin).collect();
    let mut cells = Vec::new();
    for vantage in 0..design.vantages.len() {
        for activity in 0..design.activities.len() {
            cells.extend(arms.iter().map(|&arm| Cell { arm, activity, vantage }));
        }
        if number <= design.controls.idle {
            cells.push(Cell { arm: Arm::Idle, activity: 0, vantage });
        }
    }
    cells
}

impl Arm {
    /// What runs of it are called.
    pub fn name(self, design: &Design) -> &str {
        match self {
            Self::Build(build) => design.builds.get(build).map_or("?", |build| build.name.as_str()),
            Self::Twin => "twin",
            Self::Idle => "idle",
        }
    }

    /// The build that it starts.
    pub fn build(self, design: &Design) -> Option<usize> {
        match self {
            Self::Build(build) => Some(build),
            Self::Twin => Some(design.reference()),
            Self::Idle => None,
        }
    }
}

impl Slot {
    /// The run's name, and its folder's: `0007-regular-log-in-direct`.
    pub fn name(&self, design: &Design) -> String {
        let activity = design.activities.get(self.cell.activity).map_or("?", |it| it.name.as_str());
        let vantage = design.vantages.get(self.cell.vantage).map_or("?", |it| it.name.as_str());
        format!("{:04}-{}-{activity}-{vantage}", self.number, self.cell.arm.name(design))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn design(builds: usize, activities: usize, vantages: usize, seed: u64, idle: u32, twin: bool) -> Design {
        let names = |kind: &str, count: usize, more: &str| -> String {
            (0..count).map(|at| format!("[[{kind}]]\nname = \"{kind}{at}\"\n{more}\n")).collect()
        };
        let text = format!(
            "seed = {seed}\nrepeats = 4\ncontrols = {{ idle = {idle}, twin = {twin} }}\n{}{}{}",
            names("build", builds, "command = [\"true\"]"),
            names("activity", activities, "steps = [\"start\"]"),
            names("vantage", vantages, ""),
        );
        read(&text).unwrap_or_else(|fault| panic!("{fault}")).design
    }

    proptest! {
        #[test]
        fn each_block_holds_each_cell_once(
            builds in 2usize..6, activities in 1usize..4, vantages in 1usize..4, seed: u32, idle in 0u32..3, twin: bool
        ) {
            let design = design(builds, activities, vantages, u64::from(seed), idle, twin);
            for number in 1..=4 {
                let block = block(&design, number);
                let distinct: BTreeSet<Cell> = block.iter().copied().collect();
                let controls = if number <= idle { vantages } else { 0 };
                let all = (builds + usize::from(twin)) * activities * vantages + controls;
                prop_assert_eq!((block.len(), distinct.len()), (all, all));
            }
        }

        #[test]
        fn more_blocks_change_no_earlier_run(seed: u32, blocks in 1u32..20) {
            let design = design(3, 2, 1, u64::from(seed), 1, true);
            let (short, long) = (order(&design, blocks), order(&design, blocks + 5));
            prop_assert_eq!(&short[..], &long[..short.len()]);
            prop_assert!((1..).zip(&long).all(|(number, slot)| slot.number == number));
        }
    }

    #[test]
    fn the_seed_decides_the_order() {
        let of = |seed| order(&design(3, 1, 1, seed, 1, true), 20);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_order_of_a_known_seed_stays() {
        let design = design(3, 1, 1, 2012, 1, true);
        let names: Vec<String> = order(&design, 2).iter().map(|slot| slot.name(&design)).collect();
        let plain: Vec<&str> = names.iter().map(|name| name.split('-').nth(1).unwrap()).collect();
        assert_eq!(plain.join(" "), KNOWN, "a study that was begun could not go on in its order");
    }

    const KNOWN: &str = "build0 twin idle build1 build2 build2 build0 twin build1";

    #[test]
    fn every_position_falls_to_every_build_about_as_often() {
        let design = design(3, 1, 1, 7, 0, false);
        let mut first = [0; 3];
        for number in 1..=3000 {
            if let Arm::Build(build) = block(&design, number)[0].arm {
                first[build] += 1;
            }
        }
        // Binomial: 1000 ± 5 standard deviations of 26.
        assert!(first.iter().all(|count| (870..1130).contains(count)), "{first:?}");
    }
}
