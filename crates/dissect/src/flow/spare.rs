//! Inspections that are over, to be begun again: flows come and go by the thousand per second, and what
//! reads them takes a kilobyte and two buffers.
//!
//! Promises: keeps a few; one that was kept is as good as new.

use super::record::Inspected;
use overheard_model::Transport;

/// How many are kept of each kind: about as many as end before others begin.
const FEW: usize = 64;

/// Inspections without a flow.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "each goes to a flow and back as it is, unmoved")]
pub(super) struct Spare {
    streams: Vec<Box<Inspected>>,
    /// Which never had buffers: in flows of datagrams, many of which are read for long, they would be of no use.
    datagrams: Vec<Box<Inspected>>,
}

impl Spare {
    /// One that nothing was read with.
    pub(super) fn take(&mut self, transport: Transport) -> Box<Inspected> {
        self.of(transport).pop().unwrap_or_default()
    }

    /// Takes back one whose flow is settled.
    pub(super) fn give(&mut self, mut inspected: Box<Inspected>, transport: Transport) {
        let kind = self.of(transport);
        if kind.len() < FEW {
            inspected.clear();
            kind.push(inspected);
        }
    }

    #[expect(clippy::vec_box, reason = "as above")]
    fn of(&mut self, transport: Transport) -> &mut Vec<Box<Inspected>> {
        if transport == Transport::Tcp { &mut self.streams } else { &mut self.datagrams }
    }
}
