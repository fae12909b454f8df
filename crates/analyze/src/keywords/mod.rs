//! Which words does a filter act on? The search, from one blocked text or from a list of candidates.
//!
//! For: `overheard keywords`. Derived in `docs/methods/keywords.md`. Read [`search`] first (what is asked when),
//! then [`quest`] (how one rule is found), [`threshold`] (how one step learns), [`proof`] (what is claimed of the
//! [`message`]s and their answers).
//! Promises: pure state machines, which ask for one message at a time and never look at a clock; every rule has
//! an error bound that rests on its messages alone, not on what was expected.
//! To extend: what a filter can do beyond "all of these words" is a new part of the claim in [`proof`].

mod channel;
mod density;
mod list;
mod message;
mod pairs;
mod parts;
mod proof;
mod quest;
mod search;
mod separating;
mod shape;
mod silence;
mod text;
mod threshold;

pub use channel::{Answer, Noise};
pub use list::ListSearch;
pub use overheard_model::Others;
pub use search::{Next, Options, Refusal, Search, at_least};
pub use text::{Limit, filler};
