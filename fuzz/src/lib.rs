//! What input must never do to Overheard, as plain functions of bytes.
//!
//! For: one body per surface ([`TARGETS`]), called by libFuzzer (`fuzz/libfuzzer`), by the short run with a
//! fixed seed (`overheard-fuzz check`, part of `cargo xtask ci`), and by the tests with every input that
//! once found something (`fuzz/regressions`).
//! Promises: a body returns, or panics and says which promise of the program was broken; the same bytes
//! give the same outcome. `docs/fuzzing.md` says what was run and what it found.
//! To extend: a file with a body and its seeds, a line in [`TARGETS`], and a file in `fuzz/libfuzzer/targets`.

#![forbid(unsafe_code)]

pub mod budget;
mod capture;
pub mod dictionary;
mod mmdb;
mod mutation;
mod output;
mod payload;
mod seeds;
mod shape;
mod study;
mod synthetic;
mod table;

pub use mutation::{Mutator, mutated};
pub use seeds::root;
use std::time::Duration;

/// A surface that takes bytes from strangers.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    /// Panics where the program breaks a promise.
    pub body: fn(&[u8]),
    /// Inputs to begin with, made from `corpus/`.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How an input falls into parts that are best changed one at a time.
    pub shape: fn(&[u8]) -> Option<shape::Parts>,
    /// Processor time that 64 KiB of input may take in an optimised build.
    pub time: Duration,
    /// Executions of the short run with a fixed seed.
    pub executions: usize,
}

/// What reading may take; a comparison's permutations take a constant time more.
const READING: Duration = Duration::from_millis(200);
const COMPARING: Duration = Duration::from_secs(2);

/// Every surface.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "capture",
        body: capture::body,
        seeds: seeds::captures,
        shape: shape::of_capture,
        time: READING,
        executions: 2000,
    },
    Target {
        name: "payload",
        body: payload::body,
        seeds: seeds::payloads,
        shape: shape::of_payload,
        time: READING,
        executions: 9000,
    },
    Target {
        name: "mmdb",
        body: mmdb::body,
        seeds: mmdb::seeds,
        shape: |_| None,
        time: READING,
        executions: 60_000,
    },
    Target {
        name: "table",
        body: table::body,
        seeds: table::seeds,
        shape: |_| None,
        time: COMPARING,
        executions: 2000,
    },
    Target {
        name: "study",
        body: study::body,
        seeds: study::seeds,
        shape: |_| None,
        time: READING,
        executions: 500,
    },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
