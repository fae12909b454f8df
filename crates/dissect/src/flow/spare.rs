//! Inspections that are over, to be begun again: flows come and go by the thousand per second, and what
//! reads them takes a kilobyte and two buffers.
//!
//! Promises: keeps a few; one that was kept is as good as new.

use super::record::Inspected;

/// How many are kept: about as many as end before others begin.
const FEW: usize = 64;

/// Inspections without a flow.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "each goes to a flow and back as it is, unmoved")]
pub(super) struct Spare(Vec<Box<Inspected>>);

impl Spare {
    /// One that nothing was read with.
    pub(super) fn take(&mut self) -> Box<Inspected> {
        self.0.pop().unwrap_or_default()
    }

    /// Takes back one whose flow is settled.
    pub(super) fn give(&mut self, mut inspected: Box<Inspected>) {
        if self.0.len() < FEW {
            inspected.clear();
            self.0.push(inspected);
        }
    }
}
