//! What a flow speaks, and whether a listener on the wire can read it.
//!
//! To extend: a variant here and in [`Protocol::ALL`], one file and one line in the room `dissect/src/proto/`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The innermost protocol that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    Tls,
    Quic,
    Dtls,
    Http,
    Http2,
    Dns,
    Mdns,
    Llmnr,
    /// DNS over TLS (RFC 7858).
    Dot,
    Ssh,
    /// STUN and TURN, which share a wire format (RFC 8489, RFC 8656).
    Stun,
    Rtp,
    Sip,
    Xmpp,
    Irc,
    Smtp,
    Imap,
    Pop,
    Ftp,
    Ntp,
    Bittorrent,
    Wireguard,
    Openvpn,
    Socks,
    Mqtt,
    Rdp,
    Dhcp,
    Ssdp,
    Icmp,
    /// Nothing was said: a handshake, a scan, or packets without payload.
    NoPayload,
    /// Not recognised; mostly printable text.
    UnknownPlaintext,
    /// Not recognised; neither text nor random: probably a binary protocol without encryption.
    UnknownBinary,
    /// Not recognised; indistinguishable from random bytes: encrypted or compressed.
    UnknownHighEntropy,
}

impl Protocol {
    /// Every protocol, in order.
    pub const ALL: [Self; Self::UnknownHighEntropy as usize + 1] = [
        Self::Tls,
        Self::Quic,
        Self::Dtls,
        Self::Http,
        Self::Http2,
        Self::Dns,
        Self::Mdns,
        Self::Llmnr,
        Self::Dot,
        Self::Ssh,
        Self::Stun,
        Self::Rtp,
        Self::Sip,
        Self::Xmpp,
        Self::Irc,
        Self::Smtp,
        Self::Imap,
        Self::Pop,
        Self::Ftp,
        Self::Ntp,
        Self::Bittorrent,
        Self::Wireguard,
        Self::Openvpn,
        Self::Socks,
        Self::Mqtt,
        Self::Rdp,
        Self::Dhcp,
        Self::Ssdp,
        Self::Icmp,
        Self::NoPayload,
        Self::UnknownPlaintext,
        Self::UnknownBinary,
        Self::UnknownHighEntropy,
    ];
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Whether what the flow carries can be read by whoever holds the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    Encrypted,
    Readable,
    Unknown,
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What an `unknown-*` protocol is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Bytes that were looked at.
    pub bytes: u32,
    /// Share of printable ASCII, white space and well-formed UTF-8, 0 to 1.
    pub printable: f64,
    /// Shannon entropy of the byte values, bits per byte, 0 to 8.
    pub entropy: f64,
}
