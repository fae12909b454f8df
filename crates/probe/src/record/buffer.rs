//! Packets that wait to be written, as the blocks that they will be in the file.
//!
//! Promises: whole pages of the file are whole pages of memory too, so that they can go past the cache
//! ([`super::file`]), and lie in a huge page where the system has one, which the disk is handed at once.

use super::block;
use super::file::PAGE;
use nix::libc::{MADV_HUGEPAGE, madvise};
use overheard_model::Timestamp;

/// Bytes that are worth a write.
pub(super) const FULL: usize = 2 << 20;
/// What a buffer has room for: it is full only once the packet is in it that fills it. What lies before the boundary of a
/// huge page is never touched.
const ROOM: usize = HUGE_PAGE + FULL + (1 << 17);
/// On most machines.
const HUGE_PAGE: usize = 2 << 20;

#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where the huge page begins.
    boundary: usize,
    /// Where the blocks begin.
    lead: usize,
    packets: u64,
}

impl Buffer {
    /// An empty one, whose first block will begin at this offset of the file.
    pub(super) fn new(offset: u64) -> Self {
        let mut bytes = vec![0; ROOM];
        let boundary = bytes.as_ptr().align_offset(HUGE_PAGE);
        prefer_huge_pages(&mut bytes[boundary..][..FULL]);
        let mut buffer = Self { bytes, boundary, lead: 0, packets: 0 };
        buffer.begin(offset);
        buffer
    }

    /// Empties it for the blocks that will begin at this offset of the file.
    pub(super) fn begin(&mut self, offset: u64) {
        self.packets = 0;
        self.lead = self.boundary + (offset % PAGE as u64) as usize;
        self.bytes.truncate(self.boundary);
        self.bytes.resize(self.lead, 0);
    }

    /// Adds a packet. `after` is what follows it in its block, from [`block::packet_end`].
    pub(super) fn push(&mut self, time: Timestamp, ip: &[u8], after: &[u8]) {
        block::packet_begin(&mut self.bytes, time, ip.len(), after);
        self.bytes.extend_from_slice(ip);
        self.bytes.extend_from_slice(after);
        self.packets += 1;
    }

    pub(super) fn blocks(&self) -> &[u8] {
        &self.bytes[self.lead..]
    }

    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    pub(super) fn is_full(&self) -> bool {
        self.blocks().len() >= FULL
    }
}

fn prefer_huge_pages(bytes: &mut [u8]) {
    // SAFETY: the pages are the slice's own, and the advice changes nothing in them.
    let _smaller_will_do = unsafe { madvise(bytes.as_mut_ptr().cast(), bytes.len(), MADV_HUGEPAGE) };
}
