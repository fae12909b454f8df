//! Captures written packet by packet, and sources that give their bytes in odd pieces.
//!
//! For: bringing payloads to the dissectors by the way that real ones come.

use std::io::{self, Read};

/// Gives bytes in pieces of changing lengths.
#[derive(Debug)]
pub(crate) struct Trickle<'a> {
    rest: &'a [u8],
    next: usize,
}

impl<'a> Trickle<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, next: 1 }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.next.min(buffer.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.rest = rest;
        // 1, 8, 57, 400, 2801, …: headers are cut at first, then it goes quickly.
        self.next = self.next.saturating_mul(7).saturating_add(1) % 60_000 + 1;
        Ok(length)
    }
}

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Client,
    Server,
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// A pcap of one conversation between 10.0.0.1 and 198.51.100.7, a millisecond between packets.
#[derive(Debug)]
pub(crate) struct Conversation {
    file: Vec<u8>,
    packets: u32,
    port: u16,
    /// Next sequence numbers of client and server.
    next: [u32; 2],
}

impl Conversation {
    pub(crate) fn with_port(port: u16) -> Self {
        // LINKTYPE_RAW; microseconds.
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend([0, 0, 4, 0, 101, 0, 0, 0]);
        Self { file, packets: 0, port, next: [0xffff_fff0, 77] }
    }

    pub(crate) fn into_file(self) -> Vec<u8> {
        self.file
    }

    pub(crate) fn datagram(&mut self, from: From, payload: &[u8]) {
        let (src, dst) = self.ports(from);
        let mut udp = Vec::with_capacity(8 + payload.len());
        udp.extend(src.to_be_bytes());
        udp.extend(dst.to_be_bytes());
        udp.extend(length(8 + payload.len()).to_be_bytes());
        udp.extend([0, 0]);
        udp.extend(payload);
        self.packet(from, 17, &udp);
    }

    pub(crate) fn handshake(&mut self) {
        self.tcp(From::Client, self.next[0], SYN, &[]);
        self.next[0] = self.next[0].wrapping_add(1);
        self.tcp(From::Server, self.next[1], SYN | ACK, &[]);
        self.next[1] = self.next[1].wrapping_add(1);
        self.tcp(From::Client, self.next[0], ACK, &[]);
    }

    pub(crate) fn goodbye(&mut self) {
        for from in [From::Client, From::Server] {
            self.tcp(from, self.next[from as usize], FIN | ACK, &[]);
        }
    }

    /// Sends bytes that lie `offset` behind the next ones of the stream.
    pub(crate) fn segment(&mut self, from: From, offset: usize, payload: &[u8]) {
        let offset = u32::try_from(offset).unwrap_or(0);
        self.tcp(from, self.next[from as usize].wrapping_add(offset), ACK, payload);
    }

    /// From here on the next bytes of the stream lie so much further.
    pub(crate) fn advance(&mut self, from: From, by: usize) {
        let next = &mut self.next[from as usize];
        *next = next.wrapping_add(u32::try_from(by).unwrap_or(0));
    }

    fn ports(&self, from: From) -> (u16, u16) {
        match from {
            From::Client => (40_000, self.port),
            From::Server => (self.port, 40_000),
        }
    }

    fn tcp(&mut self, from: From, seq: u32, flags: u8, payload: &[u8]) {
        let (src, dst) = self.ports(from);
        let ack = if flags & ACK == 0 { 0 } else { self.next[1 - from as usize] };
        let mut tcp = Vec::with_capacity(20 + payload.len());
        tcp.extend(src.to_be_bytes());
        tcp.extend(dst.to_be_bytes());
        tcp.extend(seq.to_be_bytes());
        tcp.extend(ack.to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        self.packet(from, 6, &tcp);
    }

    fn packet(&mut self, from: From, protocol: u8, segment: &[u8]) {
        let total = length(20 + segment.len());
        let (millisecond, second) = (self.packets % 1000, 1_700_000_000 + self.packets / 1000);
        self.packets += 1;
        self.file.extend(second.to_le_bytes());
        self.file.extend((millisecond * 1000).to_le_bytes());
        self.file.extend(u32::from(total).to_le_bytes());
        self.file.extend(u32::from(total).to_le_bytes());
        self.file.extend([0x45, 0]);
        self.file.extend(total.to_be_bytes());
        self.file.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        let (client, server) = ([10, 0, 0, 1], [198, 51, 100, 7]);
        let ends = if from == From::Client { [client, server] } else { [server, client] };
        self.file.extend(ends.concat());
        self.file.extend(segment);
    }
}

/// Lengths here stay below 64 KiB: [`crate::payload`] cuts what is longer.
fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}
