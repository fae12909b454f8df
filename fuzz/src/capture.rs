//! Any bytes as a capture file: read, placed and reported in every format.
//!
//! Holds: nothing panics; neither the pieces in which the bytes arrive nor a second thread matter; every report of the
//! reading keeps its promises ([`crate::output`]).

use crate::output;
use crate::synthetic::Trickle;
use overheard_dissect::place::Atlas;
use overheard_dissect::{Options, read};
use overheard_model::Reading;
use std::num::NonZeroUsize;

pub(crate) fn body(input: &[u8]) {
    // A bound so small that flows are evicted, for a part of the inputs.
    let memory = if input.len() % 4 == 3 { 16 << 10 } else { 16 << 20 };
    let options = Options { memory, ..Options::default() };
    let mut readings = [read(input, "fuzz.pcap".into(), &options)];
    let threads = NonZeroUsize::MIN.saturating_add(1);
    let again = read(Trickle::of(input), "fuzz.pcap".into(), &Options { threads, ..options });
    if readings[0].capture.format == "unknown" {
        // What is no capture is not read to its end: how far it was depends on the pieces.
        assert_eq!(readings[0].capture.problems, again.capture.problems);
        return;
    }
    assert!(
        readings[0] == again,
        "in other pieces and on two threads read differently: {}",
        difference(&readings[0], &again)
    );
    place(&mut readings);
    output::of_readings(&readings);
}

pub(crate) fn place(readings: &mut [Reading]) {
    Atlas::embedded().place(readings, None);
}

/// The first observations that differ.
fn difference(one: &Reading, other: &Reading) -> String {
    let flows = one.flows.iter().zip(&other.flows).find(|(one, other)| one != other);
    let endpoints = one.endpoints.iter().zip(&other.endpoints).find(|(one, other)| one != other);
    match (one.capture == other.capture, flows, endpoints) {
        (false, ..) => format!("{:?}\n{:?}", one.capture, other.capture),
        (_, Some((one, other)), _) => format!("{one:?}\n{other:?}"),
        (.., Some((one, other))) => format!("{one:?}\n{other:?}"),
        _ => "one of them has more".into(),
    }
}
