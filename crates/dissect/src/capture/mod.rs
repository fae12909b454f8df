//! Capture files: a stream of bytes becomes a stream of frames.

use crate::packet::Frame;
use overheard_model::Problem;
use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;

/// What a file says beside its packets, complete when [`Reader::next_frame`] has returned `None`.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// `pcap`, `pcapng`, with `+gzip` or `+zstd`; `unknown` when the bytes are neither.
    pub format: String,
    /// Packet records.
    pub packets: u64,
    /// The file ends where its format says that it should.
    pub complete: bool,
    /// Section, interface and packet comments.
    pub comments: Vec<String>,
    /// Packets dropped while capturing (pcapng interface statistics).
    pub dropped: Option<u64>,
    /// Names of Name Resolution Blocks.
    pub names: Vec<(IpAddr, Arc<str>)>,
    /// Decryption Secrets Blocks: type and bytes, kept and never logged.
    pub secrets: Vec<(u32, Vec<u8>)>,
    pub problems: Vec<Problem>,
}

/// Reads frames from a capture file of any supported format.
#[derive(Debug)]
pub struct Reader<R> {
    #[allow(dead_code)]
    source: R,
    summary: Summary,
}

impl<R: Read> Reader<R> {
    /// Looks at the first bytes and decides the format. Never fails: see [`Summary::format`].
    pub fn new(source: R) -> Self {
        Self { source, summary: Summary::default() }
    }

    /// The next frame, borrowed until the next call; `None` at the end.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        None
    }

    /// What the file said beside its packets, so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Ends reading and gives the summary away.
    pub fn into_summary(self) -> Summary {
        self.summary
    }
}
