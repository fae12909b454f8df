//! What reading one artifact came to: how much, how complete, whose side is ours, what went wrong.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// What decided which addresses are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalRule {
    /// The user said so (`--local`).
    Given,
    /// The capture says which addresses its interface has (pcapng `if_IPv4addr`, `if_IPv6addr`).
    Interface,
    /// Private and link-local addresses (RFC 1918, RFC 4193, RFC 3927, RFC 4291).
    Private,
    /// The one address that all flows share.
    Shared,
    /// None of these decided: the side that began each flow.
    Originator,
    /// A table: it lists remote ends only.
    Table,
}

/// Something in the input that could not be read, located and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Short and stable, such as `truncated-file`, `bad-block`, `tcp-gap`, `flow-evicted`.
    pub kind: Arc<str>,
    /// What was found and what was expected, one sentence without a full stop.
    pub text: String,
    /// Packet at which it was met first, from 1.
    pub packet: Option<u64>,
    /// Byte offset in the (decompressed) file at which it was met first.
    pub offset: Option<u64>,
    /// How often.
    pub count: u64,
}

impl Problem {
    /// More was tried than a recorder could tell apart: to whom nothing was carried is not known of all.
    pub const ATTEMPTS_UNLISTED: &str = "attempts-unlisted";
    /// A device on the way did not take every packet.
    pub const PACKETS_LOST: &str = "packets-lost";
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.text)?;
        if let Some(packet) = self.packet {
            write!(f, " (packet {packet})")?;
        } else if let Some(offset) = self.offset {
            write!(f, " (byte {offset})")?;
        }
        if self.count > 1 {
            write!(f, " ×{}", self.count)?;
        }
        Ok(())
    }
}

/// Summary of one artifact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    pub path: Arc<str>,
    /// SHA-256 of the bytes as stored, 64 hex digits; absent where nobody asked for it.
    pub sha256: Option<String>,
    /// Bytes as stored.
    pub bytes: u64,
    /// `pcap`, `pcapng`, `table`, with `+gzip` or `+zstd`; `live` where packets were read as they came;
    /// `unknown` when it is none of these.
    pub format: String,
    /// Packet records in the file.
    pub packets: u64,
    /// Packets without a readable IP layer.
    pub undecoded: u64,
    /// The file ends where its format says that it should.
    pub complete: bool,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub local_rule: LocalRule,
    /// Our addresses.
    pub local: Vec<IpAddr>,
    /// Comments that the file carries (section, interface and packet comments of pcapng).
    pub comments: Vec<String>,
    /// Packets that the capturing side says it dropped (pcapng interface statistics).
    pub dropped: Option<u64>,
    /// Number of Decryption Secrets Blocks kept.
    pub secrets: u64,
    pub problems: Vec<Problem>,
}

impl Capture {
    /// Whether a problem of this kind was met.
    pub fn has_problem(&self, kind: &str) -> bool {
        self.problems.iter().any(|problem| &*problem.kind == kind)
    }
}
