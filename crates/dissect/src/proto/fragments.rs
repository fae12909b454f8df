//! A message put together from pieces that come in any order: CRYPTO frames of QUIC, handshake
//! fragments of DTLS.
//!
//! Promises: what came first stays (a later piece never rewrites it); at most [`BOUND`] bytes and
//! [`ISLANDS`] islands are kept, pieces beyond are refused.

use std::ops::Range;

/// Longest message that is kept, bytes. Client hellos with post-quantum keys need about 2,000.
pub(crate) const BOUND: usize = 16 * 1024;

/// Most runs of bytes with gaps between them.
const ISLANDS: usize = 256;

/// The beginning of one message, with what is known of it.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    bytes: Vec<u8>,
    /// What has come: sorted, disjoint, never touching.
    islands: Vec<Range<usize>>,
}

impl Fragments {
    /// Puts a piece at its offset. Says whether it was kept.
    pub(crate) fn insert(&mut self, offset: u64, piece: &[u8]) -> bool {
        let Ok(start) = usize::try_from(offset) else { return false };
        let end = start.saturating_add(piece.len());
        if end > BOUND || (self.islands.len() >= ISLANDS && !self.touches(start, end)) {
            return false;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.fill_gaps(start, piece);
        self.merge(start..end);
        true
    }

    /// The message from its first byte to the first gap.
    pub(crate) fn prefix(&self) -> &[u8] {
        match self.islands.first() {
            Some(first) if first.start == 0 => self.bytes.get(..first.end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Bytes held beyond the struct itself.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity() + self.islands.capacity() * size_of::<Range<usize>>()
    }

    fn touches(&self, start: usize, end: usize) -> bool {
        self.islands.iter().any(|island| start <= island.end && island.start <= end)
    }

    /// Writes the piece where nothing has come before.
    fn fill_gaps(&mut self, start: usize, piece: &[u8]) {
        let end = start + piece.len();
        let mut from = start;
        for island in self.islands.iter().filter(|island| island.end > start && island.start < end) {
            copy(&mut self.bytes, from, island.start, start, piece);
            from = island.end;
        }
        copy(&mut self.bytes, from, end, start, piece);
    }

    fn merge(&mut self, mut added: Range<usize>) {
        self.islands.retain(|island| {
            let apart = island.end < added.start || added.end < island.start;
            if !apart {
                added = added.start.min(island.start)..added.end.max(island.end);
            }
            apart
        });
        let place = self.islands.partition_point(|island| island.start < added.start);
        self.islands.insert(place, added);
    }
}

/// Copies `from..to` of the message out of the piece that lies at `start`.
fn copy(message: &mut [u8], from: usize, to: usize, start: usize, piece: &[u8]) {
    let source = from.checked_sub(start).zip(to.checked_sub(start)).and_then(|(a, b)| piece.get(a..b));
    if let (Some(target), Some(source)) = (message.get_mut(from..to), source) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_join_in_any_order_and_the_first_stays() {
        let mut message = Fragments::default();
        assert!(message.insert(4, b"efg"));
        assert_eq!(message.prefix(), b"");
        assert!(message.insert(0, b"abc"));
        assert_eq!(message.prefix(), b"abc");
        assert!(message.insert(1, b"XXdXXXhi"));
        assert_eq!(message.prefix(), b"abcdefghi");
    }

    #[test]
    fn what_lies_beyond_the_bound_is_refused() {
        let mut message = Fragments::default();
        assert!(!message.insert(BOUND as u64, b"a"));
        assert!(!message.insert(u64::MAX, b"a"));
        assert_eq!(message.bytes.len(), 0);
    }

    proptest! {
        #[test]
        fn any_order_of_pieces_gives_the_message(
            message in prop::collection::vec(any::<u8>(), 1..300),
            cuts in prop::collection::vec((0usize..300, 1usize..80), 0..40),
        ) {
            let mut fragments = Fragments::default();
            for (start, length) in cuts {
                let piece = message.get(start..(start + length).min(message.len())).unwrap_or_default();
                fragments.insert(start as u64, piece);
                prop_assert!(message.starts_with(fragments.prefix()));
            }
            fragments.insert(0, &message);
            prop_assert_eq!(fragments.prefix(), &message[..]);
        }
    }
}
