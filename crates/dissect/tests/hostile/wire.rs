//! Packets and capture files, stated field by field.
//!
//! Addresses and ports are the caller's; checksums are left at zero, which a capture may hold (they are
//! computed by the network card).

pub const SYN: u8 = 2;
pub const ACK: u8 = 16;
/// 10.0.0.1 and 198.51.100.1.
pub const CLIENT: u32 = 0x0a00_0001;
pub const SERVER: u32 = 0xc633_6401;

/// The header of a pcap file of Ethernet frames.
pub const PCAP: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

/// Appends a record; records are a millisecond apart.
pub fn record(number: u64, frame: &[u8], file: &mut Vec<u8>) {
    file.extend(((number / 1000) as u32).to_le_bytes());
    file.extend(((number % 1000 * 1000) as u32).to_le_bytes());
    let length = frame.len() as u32;
    file.extend(length.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(frame);
}

/// A whole file.
pub fn pcap<'a>(frames: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut file = PCAP.to_vec();
    for (number, frame) in (0..).zip(frames) {
        record(number, frame, &mut file);
    }
    file
}

/// An Ethernet frame with an IPv4 packet.
pub fn ipv4(src: u32, dst: u32, protocol: u8, payload: &[u8]) -> Vec<u8> {
    fragment4(src, dst, protocol, 0, 0, payload)
}

/// The same, a fragment: `place` holds the flags and the offset in units of eight bytes.
pub fn fragment4(src: u32, dst: u32, protocol: u8, id: u16, place: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + payload.len() as u16).to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(place.to_be_bytes());
    frame.extend([64, protocol, 0, 0]);
    frame.extend(src.to_be_bytes());
    frame.extend(dst.to_be_bytes());
    frame.extend(payload);
    frame
}

/// An Ethernet frame with an IPv6 packet between two addresses that end in these numbers.
pub fn ipv6(src: u32, dst: u32, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([next, 64]);
    for end in [src, dst] {
        frame.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
        frame.extend(end.to_be_bytes());
    }
    frame.extend(payload);
    frame
}

pub fn tcp(ports: (u16, u16), seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

pub fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let mut datagram =
        [ports.0, ports.1, length, 0].iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<u8>>();
    datagram.extend(payload);
    datagram
}

/// Datagrams of the client to a port of the server.
pub fn datagram(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    ipv4(CLIENT, SERVER, 17, &udp(ports, payload))
}

/// A TCP conversation between the client and the server, frame by frame.
pub struct Talk {
    pub frames: Vec<Vec<u8>>,
    ports: (u16, u16),
    /// What each side has sent.
    sent: [u32; 2],
}

impl Talk {
    /// One that begins with its handshake.
    pub fn new(port: u16) -> Self {
        let mut talk = Self { frames: Vec::new(), ports: (40_000, port), sent: [100, 900] };
        talk.segment(0, SYN, b"");
        talk.segment(1, SYN | ACK, b"");
        talk.segment(0, ACK, b"");
        talk
    }

    /// The client says something, in segments of at most so many bytes.
    pub fn out(mut self, bytes: &[u8], segment: usize) -> Self {
        bytes.chunks(segment).for_each(|part| self.segment(0, ACK, part));
        self
    }

    /// The server does.
    pub fn back(mut self, bytes: &[u8], segment: usize) -> Self {
        bytes.chunks(segment).for_each(|part| self.segment(1, ACK, part));
        self
    }

    pub fn pcap(&self) -> Vec<u8> {
        pcap(&self.frames)
    }

    fn segment(&mut self, side: usize, flags: u8, payload: &[u8]) {
        let (seq, ack) = (self.sent[side], self.sent[1 - side]);
        let (ends, ports) = match side {
            0 => ((CLIENT, SERVER), self.ports),
            _ => ((SERVER, CLIENT), (self.ports.1, self.ports.0)),
        };
        self.frames.push(ipv4(ends.0, ends.1, 6, &tcp(ports, seq, ack, flags, payload)));
        self.sent[side] = seq.wrapping_add(payload.len() as u32 + u32::from(flags & SYN != 0));
    }
}
