//! Fields of a message in network byte order, taken one after another from borrowed bytes.
//!
//! For: every dissector whose messages are made of fixed fields and length-prefixed vectors.
//! Promises: `None` instead of a read past the end; never copies, never panics.

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The bytes not yet taken.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `count` bytes, or as many as there are.
    pub(crate) fn take_up_to(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A big-endian number of `width` bytes, at most 8.
    pub(crate) fn number(&mut self, width: usize) -> Option<u64> {
        let bytes = self.take(width)?;
        Some(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.first_chunk::<2>()?;
        Some(u16::from_be_bytes(*bytes))
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.number(3).map(|number| number as usize)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes))
    }

    /// A vector with a length prefix of one byte.
    pub(crate) fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// A vector with a length prefix of two bytes.
    pub(crate) fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A vector with a variable-length integer of QUIC as its length prefix.
    pub(crate) fn vector(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    /// A variable-length integer of QUIC (RFC 9000 §16).
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        let width = 1 << (first >> 6);
        let number = self.number(width)?;
        Some(number & (u64::MAX >> (64 - 8 * width + 2)))
    }
}

/// The 16-bit numbers of a vector; an odd last byte is left out.
pub(crate) fn u16s(vector: &[u8]) -> impl Iterator<Item = u16> + '_ {
    vector.chunks_exact(2).filter_map(|pair| pair.first_chunk().map(|pair| u16::from_be_bytes(*pair)))
}

/// The 32-bit numbers of a vector; what is left over at its end is left out.
pub(crate) fn u32s(vector: &[u8]) -> impl Iterator<Item = u32> + '_ {
    vector.chunks_exact(4).filter_map(|four| four.first_chunk().map(|four| u32::from_be_bytes(*four)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_sample_varints_of_rfc_9000_a_1() {
        let bytes = [
            0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c, 0x9d, 0x7f, 0x3e, 0x7d, 0x7b, 0xbd, 0x25, 0x40,
            0x25,
        ];
        let mut cursor = Cursor(&bytes);
        assert_eq!(cursor.varint(), Some(151_288_809_941_952_652));
        assert_eq!(cursor.varint(), Some(494_878_333));
        assert_eq!(cursor.varint(), Some(15_293));
        assert_eq!(cursor.varint(), Some(37));
        assert_eq!(cursor.varint(), Some(37));
        assert!(cursor.is_empty());
    }

    #[test]
    fn a_vector_longer_than_the_message_is_none() {
        let mut cursor = Cursor(&[3, 1, 2]);
        assert_eq!(cursor.vector8(), None);
    }
}
