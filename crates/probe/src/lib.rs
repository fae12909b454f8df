//! Acts on the machine: the only crate with privilege, sockets, child processes and `unsafe`.
//!
//! For: live runs. A [`room`] is a set of namespaces whose only way out is a [`door`]; the [`gateway`] stands there
//! and opens the real connections; the [`record`] keeps every packet that crosses: [`tapped`] joins the three.
//! A [`schedule`] says which run comes when, [`execute`] makes it, the [`ledger`] keeps it; [`confine`] holds an app to
//! a proxy; a [`trial`] is a message from one [`account`] of one's own to another; a [`world`] is an internet to test all of it in.
//! Promises: whatever ends this program ends what it started: processes, namespaces, mounts, scratch files.
//! To extend: each room of this crate says how in its own opening.

pub mod account;
pub mod clock;
pub mod confine;
pub mod digest;
pub mod doctor;
pub mod door;
pub mod driver;
pub mod execute;
pub mod gateway;
mod hex;
pub mod ledger;
mod lock;
pub mod record;
pub mod room;
pub mod schedule;
pub mod tapped;
pub mod trial;
pub mod world;
