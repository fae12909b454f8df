//! One artifact, from bytes to observations.

use overheard_model::Reading;
use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses that are ours (`--local`); when empty a rule decides.
    pub local: Vec<IpAddr>,
    /// Bound on the memory of flows and reassembly together, bytes.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { local: Vec::new(), memory: 1 << 30 }
    }
}

/// Reads a capture to its end. Never fails: bytes that are no capture give `format: "unknown"`.
/// Places are not looked up here: see [`crate::place::Atlas::place`].
pub fn read(_source: impl Read, _path: Arc<str>, _options: &Options) -> Reading {
    todo!()
}
