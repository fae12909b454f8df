//! Room for long beginnings that nobody has recognised yet, used again and again.
//!
//! For: keeping the heap whole. What is kept for long is allocated between such beginnings, in the place of those
//! that are over; allocated anew each time, a few thousand of them left a third of the heap in pieces.
//! Promises: keeps a few buffers; what fits into a small one gets none of them.

/// Bytes up to which a buffer is a flow's own.
const SMALL: usize = 4 << 10;

/// Buffers that are kept: about as many as are in use at a time.
const FEW: usize = 8;

/// Buffers without a flow.
#[derive(Debug, Default)]
pub(super) struct Rooms(Vec<Vec<u8>>);

impl Rooms {
    /// Appends bytes to what was said; in a buffer of these where it grows long.
    pub(super) fn append(&mut self, said: &mut Vec<u8>, bytes: &[u8]) {
        let length = said.len() + bytes.len();
        if length > SMALL
            && length > said.capacity()
            && let Some(mut room) = self.0.pop()
        {
            room.extend_from_slice(said);
            *said = room;
        }
        said.extend_from_slice(bytes);
    }

    /// Takes back the buffer of what is over.
    pub(super) fn give(&mut self, mut said: Vec<u8>) {
        if said.capacity() > SMALL && self.0.len() < FEW {
            said.clear();
            self.0.push(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_the_same_in_a_buffer_that_was_used() {
        let mut rooms = Rooms::default();
        for _ in 0..3 {
            let (mut said, mut expected) = (Vec::new(), Vec::new());
            for length in [7, SMALL, 3 * SMALL, 1] {
                let bytes = vec![length as u8; length];
                rooms.append(&mut said, &bytes);
                expected.extend(bytes);
                assert_eq!(said, expected);
            }
            rooms.give(said);
            assert_eq!(rooms.0.len(), 1);
        }
        (0..2 * FEW).for_each(|_| rooms.give(Vec::with_capacity(SMALL + 1)));
        rooms.give(Vec::with_capacity(SMALL));
        assert!(
            rooms.0.len() == FEW && rooms.0.iter().all(|room| room.is_empty() && room.capacity() > SMALL)
        );
    }
}
