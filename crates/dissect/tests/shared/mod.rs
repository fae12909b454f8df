//! Captures and tables that nobody here made, with known answers, where they lie beside the checkout.
//!
//! Promises: a test that asks for a folder which is not here is told so, and says so itself.

use std::path::{Path, PathBuf};

/// A folder of `../shared/data`; nothing, with a word on standard error, where it is absent.
pub fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let present = path.is_dir();
    if !present {
        eprintln!("skipped: ../shared/data/{name} is not here");
    }
    present.then_some(path)
}
