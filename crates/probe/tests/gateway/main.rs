//! A gateway at the door of a real room: the kernel's TCP and UDP on both sides, in network namespaces.
//!
//! Promises: every wait is bounded; nothing leaves the machine. Where namespaces need a privilege that lacks, a test
//! says that it skipped.

mod datagrams;
mod dns;
#[allow(dead_code)]
mod fixture;
mod policy;
mod proxies;
mod recorder;
mod tcp;
mod upstream;
