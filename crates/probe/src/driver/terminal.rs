//! An app behind a pseudo-terminal, as text-mode clients want one.
//!
//! What it draws is heard as text without the control sequences; where the cursor stood is not followed, so a word
//! that a full-screen client draws in two places is heard as two.

use super::{Driver, Ear, Streams};
use overheard_model::design::DriverName;

#[derive(Debug)]
pub(super) struct Terminal;

impl Driver for Terminal {
    fn name(&self) -> DriverName {
        DriverName::Terminal
    }

    fn streams(&self) -> Streams {
        Streams::Terminal { rows: 40, columns: 120 }
    }

    fn ear(&self) -> Ear {
        Ear::screen()
    }
}
