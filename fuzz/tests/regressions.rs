//! Every input that once broke a promise: `fuzz/regressions/TARGET/`.

use overheard_fuzz::{TARGETS, budget, root};
use std::fs;

/// One test, for the memory that is measured is the whole process's.
#[test]
fn what_once_broke_a_promise_no_longer_does() {
    for target in &TARGETS {
        let folder = root().join("regressions").join(target.name);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            println!("{}", entry.path().display());
            budget::hold(target, &fs::read(entry.path()).expect("read"), false);
        }
    }
}
