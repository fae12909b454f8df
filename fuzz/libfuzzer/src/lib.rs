//! What libFuzzer calls: a target's body within its budget, and changes of one part of an input.
//!
//! For: `cargo xtask fuzz`. To extend: a file in `targets/` and its `[[bin]]`.

pub use libfuzzer_sys;
pub use overheard_fuzz;

use overheard_fuzz::{Target, budget, mutated};

/// One execution.
pub fn run(target: &Target, input: &[u8]) {
    budget::hold(target, input, true);
}

/// libFuzzer's own change of bytes, brought into one part of the input; the new length.
pub fn change(target: &Target, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let input = data[..size].to_vec();
    let changed = mutated(target, &input, seed.into(), &mut |bytes| {
        let length = bytes.len();
        // Room to grow, as libFuzzer writes in place.
        let room = (length + 256).min(most).max(length);
        bytes.resize(room, 0);
        let new = libfuzzer_sys::fuzzer_mutate(bytes, length, room);
        bytes.truncate(new);
    });
    let size = changed.len().min(most).min(data.len());
    data[..size].copy_from_slice(&changed[..size]);
    size
}

/// A binary that fuzzes the target of that name.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        fn target() -> &'static $crate::overheard_fuzz::Target {
            $crate::overheard_fuzz::target($name).expect("a target of that name")
        }

        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::run(target(), data));

        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            $crate::change(target(), data, size, most, seed)
        });
    };
}
