//! A gateway at the door of a real room: the kernel's TCP and UDP on both sides, in network namespaces.
//!
//! Promises: every wait is bounded; nothing leaves the machine. Where namespaces need a privilege that lacks, a test
//! says that it skipped.

mod datagrams;
mod dns;
#[allow(dead_code)]
mod fixture;
mod handshake;
mod policy;
mod proxies;
#[path = "../record/reader.rs"]
#[allow(dead_code)]
mod reader;
mod recorder;
mod tcp;
mod upstream;
