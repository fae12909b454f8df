//! What a pcapng file says beside its packets, kept within a bound of memory.

use super::Summary;
use super::options::{COMMENT, Options, padding};
use super::order::{ByteOrder, Fields};
use crate::proto::host_name;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of comments, names and secrets that are kept of one file.
const CAPACITY: usize = 16 << 20;

/// Counts what is kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: usize,
}

impl Kept {
    /// Whether `length` more bytes may be kept; reports when not.
    fn admit(&mut self, length: usize, offset: u64, summary: &mut Summary) -> bool {
        self.bytes = self.bytes.saturating_add(length.saturating_add(64));
        let fits = self.bytes <= CAPACITY;
        if !fits {
            let text =
                format!("more than {CAPACITY} bytes of comments, names and secrets; the rest is left out");
            summary.report("metadata-dropped", text, offset);
        }
        fits
    }

    /// Keeps the comments among a block's options.
    pub(crate) fn comments(&mut self, options: Options<'_>, offset: u64, summary: &mut Summary) {
        for (_, comment) in options.filter(|(code, _)| *code == COMMENT) {
            if self.admit(comment.len(), offset, summary) {
                summary.comments.push(String::from_utf8_lossy(comment).into_owned());
            }
        }
    }

    /// Keeps the records of a Name Resolution Block.
    pub(crate) fn names(&mut self, order: ByteOrder, body: &[u8], offset: u64, summary: &mut Summary) {
        let mut fields = Fields::new(order, body);
        while let Some((kind @ 1.., length)) = fields.u16().zip(fields.u16()) {
            let Some(value) = fields.bytes(usize::from(length)) else { break };
            let _padding = fields.bytes(padding(value.len()));
            let Some((address, names)) = name_record(kind, value) else { continue };
            for name in names.split(|byte| *byte == 0).filter_map(host_name) {
                if self.admit(name.len(), offset, summary) {
                    summary.names.push((address, name));
                }
            }
        }
    }

    /// Keeps a Decryption Secrets Block.
    pub(crate) fn secrets(&mut self, order: ByteOrder, body: &[u8], offset: u64, summary: &mut Summary) {
        let mut fields = Fields::new(order, body);
        let Some((kind, length)) = fields.u32().zip(fields.u32()) else { return };
        let Some(secrets) = fields.bytes(length as usize) else { return };
        if self.admit(secrets.len(), offset, summary) {
            summary.secrets.push((kind, secrets.to_vec()));
        }
    }
}

/// The address of a name record, and its names, each ended by a zero.
fn name_record(kind: u16, value: &[u8]) -> Option<(IpAddr, &[u8])> {
    match kind {
        1 => value.split_first_chunk::<4>().map(|(a, names)| (Ipv4Addr::from(*a).into(), names)),
        2 => value.split_first_chunk::<16>().map(|(a, names)| (Ipv6Addr::from(*a).into(), names)),
        _ => None,
    }
}
