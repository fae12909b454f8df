//! What one execution may take: processor time and memory, by the input's length.
//!
//! For: finding input that makes reading slow or large without breaking anything.
//! Promises: counts processor time of all threads, so that a busy machine does no harm; what a first call
//! sets up for all later ones (the tables of places) is not held against the input.

use crate::Target;
use nix::time::{ClockId, clock_gettime};
use peak_alloc::PeakAlloc;
use std::time::Duration;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Input for which [`Target::time`] is allowed.
const STEP: usize = 64 << 10;

/// Memory of the largest state that does not grow with the input: the tables of places (34 MiB unpacked),
/// a zstd window (8 MiB), the flow table, and every report of one reading.
const MEMORY_BASE: usize = 128 << 20;
/// Memory for each byte of input: compressed input unpacks to much, of which little may be kept.
const MEMORY_PER_BYTE: usize = 2048;

/// Runs a body once. `timed` holds it to its time as well, which an unoptimised build does not keep.
///
/// # Panics
/// Where the body does, and where it took more than its budget.
pub fn hold(target: &Target, input: &[u8], timed: bool) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let mut took = time_of(target, input);
    let took_memory = MEMORY.peak_usage().saturating_sub(before);
    let memory = MEMORY_BASE + MEMORY_PER_BYTE * input.len();
    assert!(took_memory <= memory, "{} bytes of input took {took_memory} bytes of memory", input.len());
    if !timed {
        return;
    }
    let time = target.time * u32::try_from(input.len() / STEP + 1).unwrap_or(u32::MAX);
    for _ in 0..2 {
        if took <= time {
            return;
        }
        took = took.min(time_of(target, input));
    }
    panic!("{} bytes of input took {} ms three times over", input.len(), took.as_millis());
}

fn time_of(target: &Target, input: &[u8]) -> Duration {
    let before = now();
    (target.body)(input);
    now().saturating_sub(before)
}

/// Processor time of the process so far.
pub fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
