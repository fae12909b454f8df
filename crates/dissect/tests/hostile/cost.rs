//! What a reading costs: memory at its peak, and processor time.

use nix::sys::resource::{UsageWho, getrusage};
use overheard_dissect::{Options, read};
use overheard_model::Reading;
use peak_alloc::PeakAlloc;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

static TURN: Mutex<()> = Mutex::new(());

/// With what each test begins: the counters are the process's, so that one runs at a time.
pub fn turn() -> MutexGuard<'static, ()> {
    // A test that failed has said so; the others still count.
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub const MIB: usize = 1 << 20;

/// The window that files are read through, the tables of places and protocols, what a few flows hold:
/// what any reading may take, however small its `--memory` is.
pub const FIXED: usize = 4 * MIB;

/// Processor time that a byte of a capture may take. Bulk takes a nanosecond, the shortest packets ten to
/// the byte, QUIC Initials of unknown versions thirty: what is allowed is far from all of them, and a
/// hundred times farther from anything quadratic in a megabyte.
const PER_BYTE: Duration = Duration::from_nanos(if cfg!(debug_assertions) { 10_000 } else { 500 });

/// What a test may take that has next to no input.
const START: Duration = Duration::from_secs(1);

/// One of two sizes: what shows the effect, or in builds that are optimised what a stranger would send.
pub const fn size(small: u64, full: u64) -> u64 {
    if cfg!(debug_assertions) { small } else { full }
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel tells");
    let micros =
        [usage.user_time(), usage.system_time()].map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Duration::from_micros(micros.iter().sum::<i64>() as u64)
}

/// Runs something that deals with so many bytes, and holds it to the time that they are worth and to a
/// peak of memory above what was there before.
pub fn within<T>(memory: usize, bytes: u64, run: impl FnOnce() -> T) -> T {
    assert!(
        matches!(TURN.try_lock(), Err(TryLockError::WouldBlock)),
        "a test begins with `let _turn = turn();`"
    );
    let (before, began) = (ALLOCATOR.current_usage(), processor_time());
    ALLOCATOR.reset_peak_usage();
    let result = run();
    let (peak, took) = (ALLOCATOR.peak_usage().saturating_sub(before), processor_time() - began);
    let allowed = START + PER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX);
    println!("{peak} of {memory} bytes, {took:?} of {allowed:?} for {bytes} bytes");
    assert!(peak <= memory, "{peak} bytes at the peak, over {memory}");
    assert!(took <= allowed, "{took:?}, over {allowed:?}");
    result
}

/// Reads a capture within so much memory.
pub fn read_within(memory: usize, options: &Options, bytes: u64, source: impl Read) -> Reading {
    within(memory, bytes, || read(source, "hostile".into(), options))
}

/// Reads a capture that is held in memory, with the least `--memory` that the program takes.
pub fn read_all(memory: usize, bytes: &[u8]) -> Reading {
    read_within(memory, &little(), bytes.len() as u64, bytes)
}

/// The least `--memory`.
pub fn little() -> Options {
    Options { memory: 16 * MIB, hash: false, ..Options::default() }
}

/// How often a kind of problem was met.
pub fn count_of(reading: &Reading, kind: &str) -> u64 {
    let problems = reading.capture.problems.iter().filter(|problem| &*problem.kind == kind);
    problems.map(|problem| problem.count).sum()
}
