//! Packets become flows.
//!
//! For: who talked to whom, when, how much, and what each flow's payload shows.
//! The path of a packet: its 5-tuple ([`key`]) finds its record in the [`table`] by its [`index`]; TCP headers go to
//! the [`connection`]; the payloads of a flow that is not settled go to its [`inspection`], which puts
//! TCP in order ([`stream`]) and lets the dissectors listen ([`dialogue`]). What they learn is the
//! flow's [`content`]; unknown bytes are measured ([`measure`]).
//! Promises: memory within a bound; nothing fails on any input; see [`table`] for the cost of a packet.

mod community_id;
mod connection;
mod content;
mod dialogue;
mod index;
mod inspection;
mod key;
mod measure;
mod owners;
mod preface;
mod record;
mod sequence;
mod spare;
mod stream;
mod table;
mod telling;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use owners::Owners;
pub(crate) use record::Record;
pub(crate) use table::{Hasher, Table, Told};
pub(crate) use telling::{Conversations, Lent};
