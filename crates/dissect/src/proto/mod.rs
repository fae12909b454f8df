//! The room of protocols: who recognises a flow's opening, and what it then reads.
//!
//! For: naming what a flow speaks, and reading the names, fingerprints and answers that it says in
//! the clear.
//! Promises: dissectors see a flow's first payloads only, never a packet of a settled flow; TCP bytes
//! come in order; nothing here fails or panics on any input.
//! To extend: a file with a type that implements [`Dissector`], one line in [`DISSECTORS`], a unit
//! test with its bytes, and a case in `corpus/` whose truth names it.

mod asked;
mod bittorrent;
mod certificate;
mod client_hello;
mod cursor;
pub(crate) mod decrypt;
mod dhcp;
mod dns;
mod dtls;
mod fragments;
mod ftp;
mod hkdf;
mod host_name;
mod http;
mod http2;
mod inner;
mod irc;
mod ja4;
mod lines;
mod mail;
mod mqtt;
mod ntp;
mod openvpn;
mod quic;
mod rdp;
mod rtp;
mod server_hello;
mod sip;
mod socks;
mod ssdp;
mod ssh;
mod stun;
#[cfg(test)]
mod tests;
mod tls;
mod wireguard;
mod xmpp;

pub(crate) use asked::asked;
pub use host_name::host_name;
pub use ja4::Ja4;

use crate::texts::Texts;
use overheard_model::{NameSource, Protocol, Side, Timestamp, Transport, Visibility};
use std::net::IpAddr;
use std::sync::Arc;

/// Every protocol that is recognised, the most certain first.
pub static DISSECTORS: &[&dyn Dissector] = &[
    &tls::Tls,
    &quic::Quic,
    &dtls::Dtls,
    &http2::Http2,
    &http::Http,
    &ssh::Ssh,
    &ssdp::Ssdp,
    &sip::Sip,
    &xmpp::Xmpp,
    &bittorrent::Bittorrent,
    &mqtt::Mqtt,
    &rdp::Rdp,
    &stun::Stun,
    &dns::DNS,
    &dns::MDNS,
    &dns::LLMNR,
    &dhcp::Dhcp,
    &ntp::Ntp,
    &wireguard::Wireguard,
    &openvpn::Openvpn,
    &mail::Smtp,
    &mail::Pop,
    &mail::Imap,
    &ftp::Ftp,
    &irc::Irc,
    &socks::Socks,
    &rtp::Rtp,
];

/// What both sides of a flow have said so far. For TCP the in-order beginning of each stream; for
/// UDP the latest datagram of the side that spoke (`from`), the other side's first datagram beside it.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    pub transport: Transport,
    /// Port of the originator and of the responder.
    pub src_port: u16,
    pub dst_port: u16,
    /// Who spoke last.
    pub from: Side,
    /// What the originator said.
    pub src: &'a [u8],
    /// What the responder said.
    pub dst: &'a [u8],
    /// For UDP the datagram that the side that spoke had sent before this one; else empty.
    pub earlier: &'a [u8],
}

impl<'a> Opening<'a> {
    /// What the side that spoke last has said.
    pub fn latest(&self) -> &'a [u8] {
        match self.from {
            Side::Src => self.src,
            Side::Dst => self.dst,
        }
    }

    /// Whether either side uses the port.
    pub fn on_port(&self, port: u16) -> bool {
        self.src_port == port || self.dst_port == port
    }
}

/// Whether an opening is a protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    Yes,
    No,
    /// So far it could be: show me more.
    Unsure,
}

impl From<bool> for Recognition {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A protocol that can be recognised.
pub trait Dissector: Sync {
    fn protocol(&self) -> Protocol;

    /// Judges an opening. Must be strict: a wrong `Yes` hides what the flow really is.
    fn recognise(&self, opening: &Opening<'_>) -> Recognition;

    /// Whether [`recognise`](Self::recognise) can say anything but `No` of an opening of which either
    /// side begins with `first`; nothing where the originator is silent. Who cannot is not asked:
    /// leave out what is certain, and nothing else.
    fn may_begin(&self, _transport: Transport, _first: Option<u8>) -> bool {
        true
    }

    /// Whether the wire can read it, where no reader says otherwise.
    fn visibility(&self) -> Visibility;

    /// How a datagram is read, where each is read by itself: the table keeps nothing of such flows, which
    /// are many. Otherwise a [`reader`](Self::reader) reads the flow.
    fn datagram_reader(&self) -> Option<ReadDatagram> {
        None
    }

    /// A reader for one flow, where there is more to learn than the protocol.
    fn reader(&self) -> Option<Box<dyn Reader>> {
        None
    }
}

/// Reads one datagram by itself, which tells nothing of its own flow; there is always more to be learned from
/// the next.
pub type ReadDatagram = fn(&Chunk<'_>, &mut Vec<Answer>, &mut Spelling);

/// The next bytes of a flow: in-order stream bytes for TCP (each byte once), one datagram for UDP.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    pub transport: Transport,
    pub from: Side,
    pub src_port: u16,
    pub dst_port: u16,
    pub bytes: &'a [u8],
    /// Stream bytes of this side that were lost just before these.
    pub gap: u64,
    /// Number and time of the packet that brought them.
    pub packet: u64,
    pub time: Timestamp,
}

/// Whether a reader wants the flow's next bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    More,
    /// Nothing further to learn: the flow costs nothing from here on.
    Sated,
}

/// Reads one flow. Keeps what it must between chunks, within a bound of its own, and says how much.
pub trait Reader: Send + Sync {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite;

    /// Bytes kept beyond the struct itself: what the flow table charges the flow with.
    fn held(&self) -> usize;
}

impl dyn Reader {
    /// All that a boxed reader takes, bytes.
    pub(crate) fn footprint(&self) -> usize {
        size_of_val(self) + self.held()
    }
}

/// What a name server said: the address goes by the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub address: IpAddr,
    /// The name that was asked for, or an alias on the way ([`NameSource::DnsCname`]).
    pub name: Arc<str>,
    pub source: NameSource,
    pub packet: u64,
    pub time: Timestamp,
}

/// What a reader learned from one chunk. The flow table takes it and hands back an empty one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Names of the flow's responder, each with its source; the packet is the chunk's.
    pub names: Vec<(Arc<str>, NameSource)>,
    /// Names of other addresses.
    pub answers: Vec<Answer>,
    /// JA4 and its normalised form.
    pub ja4: Option<(Ja4, Ja4)>,
    /// A closer name for the protocol (TLS on port 853 is DoT; STARTTLS turns into TLS).
    pub protocol: Option<Protocol>,
    pub visibility: Option<Visibility>,
    /// Stays when all else is taken.
    pub spelling: Spelling,
}

/// What it takes to spell names: kept from one to the next, so that a name that was met before allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Spelling {
    pub(crate) texts: Texts,
    way: dns::Way,
}

/// It is no part of what was learned.
impl PartialEq for Spelling {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
