//! The one buffer that a capture is read through: parsers look ahead in it, frames are lent from it.
//!
//! Promises: grows only while bytes really arrive, so that a length field alone allocates nothing.

use super::compression::Source;
use std::io::{self, Read};
use std::ops::Range;

/// Size of the buffer, until a record needs more.
const CAPACITY: usize = 256 << 10;

/// A stretch of the file in memory.
#[derive(Debug)]
pub(crate) struct Window<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    /// What has been read and not yet consumed.
    unread: Range<usize>,
    /// Offset in the (decompressed) file of the first unread byte.
    offset: u64,
    ended: bool,
    failure: Option<io::Error>,
    /// The next buffer, where lent bytes shall outlive the filling of the window, and the one before.
    fresh: Option<Vec<u8>>,
    retired: Option<Vec<u8>>,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source: Source::new(source),
            buffer: vec![0; CAPACITY],
            unread: 0..0,
            offset: 0,
            ended: false,
            failure: None,
            fresh: None,
            retired: None,
        }
    }

    /// Gives a buffer to be filled next, so that the one in use can be retired rather than reused.
    pub(crate) fn supply(&mut self, mut fresh: Vec<u8>) {
        fresh.resize(CAPACITY, 0);
        self.fresh = Some(fresh);
    }

    /// The buffer from which everything was lent until the window was filled again.
    #[inline]
    pub(crate) fn retired(&mut self) -> Option<Vec<u8>> {
        if self.retired.is_some() { self.retired.take() } else { None }
    }

    /// The buffer from which everything is lent now.
    #[inline]
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// What a format's name ends with, by the compression.
    pub(crate) fn suffix(&self) -> &'static str {
        self.source.suffix()
    }

    /// Offset in the (decompressed) file of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Why reading stopped, when it was not the end.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Reads until `count` bytes are unread; `false` when the file ends before.
    #[inline]
    pub(crate) fn ensure(&mut self, count: usize) -> bool {
        self.unread.len() >= count || self.fill_to(count)
    }

    #[cold]
    fn fill_to(&mut self, count: usize) -> bool {
        self.make_room();
        while self.unread.len() < count && !self.ended {
            self.fill(count);
        }
        self.unread.len() >= count
    }

    /// Moves the unread bytes to the front, of the fresh buffer where there is one.
    fn make_room(&mut self) {
        let unread = self.unread.clone();
        self.unread = 0..unread.len();
        match self.fresh.take() {
            Some(mut fresh) if unread.len() <= fresh.len() => {
                fresh[..unread.len()].copy_from_slice(&self.buffer[unread]);
                self.retired = Some(std::mem::replace(&mut self.buffer, fresh));
            }
            kept => {
                self.fresh = kept;
                self.buffer.copy_within(unread, 0);
            }
        }
    }

    /// One read; doubles the buffer when it is full of the `count` bytes that are asked for.
    fn fill(&mut self, count: usize) {
        if self.unread.end == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).min(count.max(CAPACITY)), 0);
        }
        let Some(free) = self.buffer.get_mut(self.unread.end..) else { return };
        match self.source.read(free) {
            Ok(0) => self.ended = true,
            Ok(read) => self.unread.end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                self.ended = true;
                self.failure = Some(error);
            }
        }
    }

    /// What lies ahead in memory: at least what [`Self::ensure`] granted.
    #[inline]
    pub(crate) fn ahead(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// The next `N` bytes without consuming them.
    pub(crate) fn peek<const N: usize>(&mut self) -> Option<[u8; N]> {
        if self.ensure(N) { self.ahead().first_chunk().copied() } else { None }
    }

    /// Consumes `count` bytes, which [`Self::lend`] shows until the next call of [`Self::ensure`].
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Option<Range<usize>> {
        if !self.ensure(count) {
            return None;
        }
        let taken = self.unread.start..self.unread.start + count;
        self.unread.start = taken.end;
        self.offset += count as u64;
        Some(taken)
    }

    /// Consumes `count` bytes unseen, however many; `false` when the file ends before.
    pub(crate) fn skip(&mut self, count: u64) -> bool {
        let mut left = count;
        while left > 0 {
            let step = left.min(CAPACITY as u64) as usize;
            if self.take(step).is_none() {
                return false;
            }
            left -= step as u64;
        }
        true
    }

    /// Bytes that were taken.
    #[inline]
    pub(crate) fn lend(&self, taken: Range<usize>) -> &[u8] {
        self.buffer.get(taken).unwrap_or_default()
    }
}
