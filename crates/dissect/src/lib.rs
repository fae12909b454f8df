//! Reads: bytes of a capture become observations.
//!
//! For: turning an artifact into what it shows: flows, the endpoints behind them, their names and
//! places. The path of a packet is the order of the modules: [`capture`] (file formats) → [`decode`]
//! (links, IP, tunnels) → [`flow`] (conversations) → [`proto`] (what they say) → [`endpoint`] (who is
//! on the other side) → [`place`] (where that is). [`read()`] walks it over a file, [`live`] while packets come.
//! Promises: pure functions of bytes; never fails and never panics on input. What cannot be read is
//! counted, located and listed among the capture's problems.
//! To extend: a protocol is one file and one line in [`proto`].

#![forbid(unsafe_code)]

mod batch;
pub mod capture;
pub mod copies;
pub mod decode;
mod endpoint;
mod flow;
mod heard;
mod ip;
mod link;
pub mod live;
mod local;
pub mod packet;
pub mod payloads;
pub mod place;
mod problems;
pub mod proto;
mod read;
mod resolver;
mod table;
mod texts;
mod tunnel;
mod walk;

pub use read::{Options, read, read_with_payloads};
pub use table::read_table;
