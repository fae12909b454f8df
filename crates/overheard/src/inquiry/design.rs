//! The order of the acts of a comparison: arms in balanced blocks, each level of each factor with clients of its own.
//!
//! Promises: the same factors, numbers and seed give the same order; every block holds two triggers and two benign
//! messages (the last perhaps one of each) at every combination of levels, in random order, the combinations too; sham
//! acts are spread evenly.
//! To extend: a factor that is set is a placeholder in a command; one that is observed is a variant of [`Factor`].

use super::trials::Levels;
use crate::exit::{Failure, Result};
use overheard_model::{Act, Arm};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::str::FromStr;

/// Places in the commands of `overheard driver terminal`, which fills them itself.
const OWN: [&str; 4] = ["to", "text", "from", "any"];
/// What is noted of an act beside the levels that it was given.
pub const TIME: &str = "time";
/// Triggers in a block, and as many benign messages.
const BLOCK: usize = 2;

/// What may make a difference beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Its level stands in the commands where they say `{name}`.
    Set { name: String, levels: Vec<String> },
    /// The hour of the day, as it comes.
    Time,
}

impl FromStr for Factor {
    type Err = String;

    /// `NAME=LEVEL,LEVEL…`, or `time`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wanted = || format!("{text:?}: expected NAME=LEVEL,LEVEL such as user=alice,carol, or time");
        if text == TIME {
            return Ok(Self::Time);
        }
        let (name, levels) = text.split_once('=').ok_or_else(wanted)?;
        let named =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let mut all: Vec<String> = levels.split(',').map(|level| level.trim().to_owned()).collect();
        let given = all.len();
        all.sort_unstable();
        all.dedup();
        if !named || name == TIME || all.len() < 2 || all.len() != given || all[0].is_empty() {
            return Err(wanted());
        }
        Ok(Self::Set { name: name.to_owned(), levels: all })
    }
}

/// How much of what.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Triggers, and as many benign messages, at each combination of levels.
    pub trials: usize,
    /// Acts that send nothing, at each combination.
    pub sham: usize,
}

/// One act of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub arm: Arm,
    pub levels: Levels,
    /// Which of the pairs of a trigger and its benign text; of no meaning where nothing is sent.
    pub pair: usize,
}

/// Refuses a factor that no command knows of, and a place in a command that no factor fills.
pub fn check(factors: &[Factor], commands: &[(&str, &str)]) -> Result<()> {
    for (at, factor) in factors.iter().enumerate() {
        let Factor::Set { name, .. } = factor else { continue };
        let place = format!("{{{name}}}");
        if !commands.iter().any(|(_, command)| command.contains(&place)) {
            return Err(Failure::new(format!("--factor {name}: no command holds {place}"))
                .hint(format!("write {place} in --sender, --receiver or --to where its level belongs")));
        }
        let again = |other: &Factor| matches!(other, Factor::Set { name: known, .. } if known == name);
        if factors[..at].iter().any(again) {
            return Err(
                Failure::new(format!("--factor {name}: given twice")).hint("list its levels in one option")
            );
        }
    }
    let filled = |place: &str| {
        let sets = |factor: &Factor| matches!(factor, Factor::Set { name, .. } if name == place);
        OWN.contains(&place) || factors.iter().any(sets)
    };
    for (option, command) in commands {
        if let Some(place) = places(command).find(|place| !filled(place)) {
            return Err(Failure::new(format!("{option}: nothing replaces {{{place}}}")).hint(format!(
                "write the name itself, or let `overheard uploads` set it with --factor {place}=LEVEL,LEVEL; braces that the \
                 program itself wants may stand apart: {{ {place} }}"
            )));
        }
    }
    Ok(())
}

/// What stands as `{name}` in a command; `${name}` is the shell's.
fn places(command: &str) -> impl Iterator<Item = &str> {
    command.match_indices('{').filter_map(|(at, _)| {
        let (name, _) = command[at + 1..].split_once('}')?;
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        (named && !command[..at].ends_with('$')).then_some(name)
    })
}

/// All combinations of levels; one without any where no factor is set.
pub fn combinations(factors: &[Factor]) -> Vec<Levels> {
    factors.iter().fold(vec![Levels::new()], |known, factor| {
        let Factor::Set { name, levels } = factor else { return known };
        let with = |all: &Levels, level: &String| {
            let mut all = all.clone();
            all.insert(name.clone(), level.clone());
            all
        };
        known.iter().flat_map(|all| levels.iter().map(move |level| with(all, level))).collect()
    })
}

/// The levels that an act was given.
pub fn levels_of(act: &Act) -> Levels {
    let given = act.factors.iter().filter(|(name, _)| *name != TIME);
    given.map(|(name, level)| (name.clone(), level.clone())).collect()
}

/// The order of all acts.
pub fn order(size: Size, factors: &[Factor], seed: u64) -> Vec<Slot> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let blocks = size.trials.div_ceil(BLOCK).max(1);
    let mut combinations = combinations(factors);
    let (mut order, mut pair) = (Vec::new(), 0);
    for block in 0..blocks {
        combinations.shuffle(&mut random);
        let sent = BLOCK.min(size.trials - (block * BLOCK).min(size.trials));
        let sham = size.sham * (block + 1) / blocks - size.sham * block / blocks;
        for levels in &combinations {
            let slot = |arm, pair| Slot { arm, levels: levels.clone(), pair };
            let pairs = pair..pair + sent;
            let mut slots: Vec<Slot> = pairs.clone().map(|pair| slot(Arm::Trigger, pair)).collect();
            slots.extend(pairs.map(|pair| slot(Arm::Benign, pair)));
            slots.extend((0..sham).map(|_| slot(Arm::Sham, 0)));
            slots.shuffle(&mut random);
            order.append(&mut slots);
            pair += sent;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_read_and_mistakes_refused() {
        let user: Factor = "user=carol,alice".parse().unwrap();
        assert_eq!(user, Factor::Set { name: "user".into(), levels: vec!["alice".into(), "carol".into()] });
        assert_eq!("time".parse(), Ok(Factor::Time));
        for text in ["", "user", "user=alice", "user=alice,alice", "=a,b", "u ser=a,b", "user=,b", "time=1,2"]
        {
            assert!(text.parse::<Factor>().is_err(), "{text}");
        }
        let check = |factors: &[Factor], command| check(factors, &[("--sender", command)]);
        assert!(check(std::slice::from_ref(&user), "driver --nick {user}").is_ok());
        assert!(check(std::slice::from_ref(&user), "driver --nick alice").is_err());
        assert!(check(&[user.clone(), user], "{user}").is_err());
    }

    #[test]
    fn a_place_that_no_factor_fills_is_refused_and_the_shells_own_are_not() {
        let user: Factor = "user=carol,alice".parse().unwrap();
        let of = |command| check(std::slice::from_ref(&user), &[("--sender", "{user}"), ("--to", command)]);
        let refused = of("{user} {peer}").unwrap_err().to_string();
        assert!(refused.contains("--to: nothing replaces {peer}"), "{refused}");
        for command in
            ["${HOME}/x {user}", "a{1,2} {} {3} { peer } '{\"op\":1}'", "--send '/msg {to} {text}'"]
        {
            assert!(of(command).is_ok(), "{command}");
        }
    }

    #[test]
    fn arms_are_balanced_over_time_and_levels() {
        let factors = ["user=alice,carol", "peer=bob,dave,eve", "time"].map(|text| text.parse().unwrap());
        let size = Size { trials: 5, sham: 4 };
        let order = order(size, &factors, 3);
        assert_eq!(order.len(), 6 * (5 + 5 + 4));
        assert_eq!(order, super::order(size, &factors, 3));
        assert_ne!(order, super::order(size, &factors, 4));
        for levels in combinations(&factors) {
            let of = |arm| order.iter().filter(|slot| slot.arm == arm && slot.levels == levels).count();
            assert_eq!((of(Arm::Trigger), of(Arm::Benign), of(Arm::Sham)), (5, 5, 4));
        }
        let sent: Vec<Arm> = order.iter().map(|slot| slot.arm).filter(|arm| *arm != Arm::Sham).collect();
        for block in sent.chunks_exact(2 * BLOCK).take(12) {
            assert_eq!(block.iter().filter(|arm| **arm == Arm::Trigger).count(), BLOCK);
        }
        let mut pairs: Vec<usize> =
            order.iter().filter(|slot| slot.arm == Arm::Trigger).map(|slot| slot.pair).collect();
        pairs.sort_unstable();
        assert!(pairs.into_iter().eq(0..30));
    }
}
