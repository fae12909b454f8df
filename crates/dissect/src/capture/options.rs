//! Options of pcapng blocks: code, length, value, padded to four bytes.

use super::order::{ByteOrder, Fields};

/// A comment, in any block.
pub(crate) const COMMENT: u16 = 1;

/// The options of a block, up to the end marker or the first that does not fit.
#[derive(Clone, Debug)]
pub(crate) struct Options<'a> {
    fields: Fields<'a>,
}

impl<'a> Options<'a> {
    pub(crate) fn new(order: ByteOrder, bytes: &'a [u8]) -> Self {
        Self { fields: Fields::new(order, bytes) }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (self.fields.u16()?, self.fields.u16()?);
        if code == 0 {
            return None;
        }
        let value = self.fields.bytes(usize::from(length))?;
        let _padding = self.fields.bytes(padding(value.len()));
        Some((code, value))
    }
}

/// Bytes that follow `length` bytes to make up a multiple of four.
pub(crate) fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}
