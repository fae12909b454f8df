//! A flow: one conversation between two transport addresses, as the wire shows it.
//!
//! Source: the 5-tuple and its reading follow Zeek's `conn.log`; the originator is always `src`.

use crate::{Asn, Measure, Name, Process, Protocol, Timestamp, Visibility};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// The layer above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Tcp,
    Udp,
    Icmp,
    Icmp6,
    Sctp,
    /// Any other IP protocol number, or one of the above whose ports cannot be read (fragments).
    Other(u8),
}

impl From<u8> for Transport {
    fn from(number: u8) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            1 => Self::Icmp,
            58 => Self::Icmp6,
            132 => Self::Sctp,
            other => Self::Other(other),
        }
    }
}

impl Transport {
    /// The IP protocol number (IANA).
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Icmp => 1,
            Self::Icmp6 => 58,
            Self::Sctp => 132,
            Self::Other(number) => number,
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Tcp => Some("tcp"),
            Self::Udp => Some("udp"),
            Self::Icmp => Some("icmp"),
            Self::Icmp6 => Some("icmp6"),
            Self::Sctp => Some("sctp"),
            Self::Other(_) => None,
        }
    }

    /// Whether it has ports.
    pub fn has_ports(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp | Self::Sctp)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "ip-{}", self.number()),
        }
    }
}

impl FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("{text:?} is no transport: tcp, udp, sctp, icmp, icmp6 or ip-NUMBER");
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "icmp" => Ok(Self::Icmp),
            "icmp6" => Ok(Self::Icmp6),
            "sctp" => Ok(Self::Sctp),
            other => {
                let number = other.strip_prefix("ip-").and_then(|n| n.parse::<u8>().ok());
                number.map(Self::Other).ok_or_else(unknown)
            }
        }
    }
}

impl Serialize for Transport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.name() {
            Some(name) => serializer.serialize_str(name),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Transport {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What decided who began the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeganBy {
    /// A SYN, or a SYN-ACK seen from the other side.
    Syn,
    /// The first packet that was seen.
    FirstPacket,
    /// The capture began in the middle: the side with the well-known port is the responder.
    KnownPort,
}

/// How far a flow got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowState {
    /// A SYN or a datagram that nobody answered.
    Unanswered,
    /// A SYN that was answered by a reset.
    Refused,
    /// Both sides spoke.
    Established,
    /// Both sides sent FIN.
    Closed,
    /// A reset ended it after it was established.
    Reset,
    /// TCP without its beginning: the capture started in the middle.
    Midstream,
}

impl fmt::Display for FlowState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One of the two ends of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The originator: `src`.
    Src,
    /// The responder: `dst`.
    Dst,
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Src => Self::Dst,
            Self::Dst => Self::Src,
        }
    }
}

/// One conversation. `out` is from `src` to `dst`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Path of the artifact it was read from.
    pub capture: Arc<str>,
    pub transport: Transport,
    pub src: IpAddr,
    pub src_port: u16,
    pub dst: IpAddr,
    pub dst_port: u16,
    pub began_by: BeganBy,
    /// Which end is ours, by the capture's [`crate::LocalRule`].
    pub ours: Side,
    pub state: FlowState,
    pub packets_out: u64,
    pub packets_in: u64,
    /// Whole link-layer frames, as on the wire.
    pub bytes_out: u64,
    pub bytes_in: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Numbers of its first and last packet in the capture, from 1.
    pub first_packet: u64,
    pub last_packet: u64,
    /// Segments whose bytes had been sent before.
    pub retransmissions: u64,
    /// Bytes of the stream that the capture lacks, as far as dissectors looked.
    pub gap_bytes: u64,
    /// Overlapping segments that contradict what came first.
    pub conflicting_bytes: u64,
    /// SYN to ACK of the handshake, as the capturing point saw it, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Best first, see [`Name::rank`].
    pub names: Vec<Name>,
    pub protocol: Protocol,
    /// Given for unknown protocols.
    pub measure: Option<Measure>,
    pub visibility: Visibility,
    pub ja4: Option<Arc<str>>,
    /// JA4 without padding, session ticket and PSK extensions: equal across resumptions.
    pub ja4_normalised: Option<Arc<str>>,
    /// Community ID v1, seed 0.
    pub community_id: String,
    /// The tunnel it travelled in, outermost first, such as `vlan`, `gre/vxlan`.
    pub tunnel: Option<Arc<str>>,
    /// [`crate::Place::label`] of the remote address.
    pub country: Option<Arc<str>>,
    pub asn: Option<Asn>,
    /// Who sent its first packet, where the capture says so.
    pub process: Option<Arc<Process>>,
}

impl Flow {
    /// Address and port of the end that is not ours.
    pub fn remote(&self) -> (IpAddr, u16) {
        match self.ours {
            Side::Src => (self.dst, self.dst_port),
            Side::Dst => (self.src, self.src_port),
        }
    }

    /// Address and port of our end.
    pub fn local(&self) -> (IpAddr, u16) {
        match self.ours {
            Side::Src => (self.src, self.src_port),
            Side::Dst => (self.dst, self.dst_port),
        }
    }

    /// The most trusted name, if it has one.
    pub fn name(&self) -> Option<&Name> {
        self.names.first()
    }
}
