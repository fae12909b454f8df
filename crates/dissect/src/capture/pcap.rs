//! The pcap format and its variants.
//!
//! Source: draft-ietf-opsawg-pcap; the variants as Wireshark's wiki (Development/LibpcapFileFormat)
//! tells them apart. A record that cannot be (longer than any capture tool writes) ends the reading,
//! since nothing says where the next one would begin.

use super::order::{ByteOrder, Fields};
use super::window::Window;
use super::{Fault, Record, max_captured};
use overheard_model::Timestamp;
use std::io::Read;

/// Records that are looked at to tell variants apart.
const TRIED_RECORDS: usize = 3;

/// A file's layout, by its first 24 bytes.
#[derive(Clone, Debug)]
pub(crate) struct Pcap {
    order: ByteOrder,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
    /// Before version 2.4 the two lengths may come in either order.
    lengths_may_swap: bool,
    link: u32,
    /// The longest packet that its link has, bytes.
    most: u32,
    snapshot_length: u32,
    /// Bytes before a record's packet: 16, more in the variants.
    record_header: usize,
}

/// What a magic number says.
#[derive(Clone, Copy, Debug)]
struct Magic {
    unit: i64,
    /// Bytes of the file header.
    file_header: usize,
    /// Lengths of the record header in use with it, the usual one first.
    record_headers: &'static [usize],
}

impl Magic {
    fn of(number: u32) -> Option<Self> {
        let (unit, file_header, record_headers): (i64, usize, &'static [usize]) = match number {
            // Also used by a patched libpcap of 1999 (24) and by Nokia (20).
            0xa1b2_c3d4 => (1000, 24, &[16, 24, 20]),
            0xa1b2_3c4d => (1, 24, &[16]),
            // Kuznetzov's modified pcap, of October (24) and September 1999 (28).
            0xa1b2_cd34 => (1000, 24, &[24, 28]),
            // Ixia's lcap, of hardware and of software: the file header ends with a size.
            0x1c00_01ac => (1, 28, &[16]),
            0x1c00_01ab => (1000, 28, &[16]),
            _ => return None,
        };
        Some(Self { unit, file_header, record_headers })
    }
}

/// The four fields with which every variant's record header begins.
#[derive(Clone, Copy, Debug)]
struct RecordHeader {
    seconds: u32,
    fraction: u32,
    captured: u32,
    wire: u32,
}

impl Pcap {
    /// The byte order, where the file begins with a magic number of this format.
    pub(crate) fn recognise(magic: [u8; 4]) -> Option<ByteOrder> {
        [ByteOrder::Little, ByteOrder::Big].into_iter().find(|order| Magic::of(order.u32(magic)).is_some())
    }

    /// Consumes the file header.
    pub(crate) fn open<R: Read>(order: ByteOrder, window: &mut Window<R>) -> Result<Self, Fault> {
        let header = window.peek::<24>().ok_or(Fault::Truncated("file header"))?;
        let mut fields = Fields::new(order, &header);
        let parsed = (|| {
            let magic = Magic::of(fields.u32()?)?;
            let version = (fields.u16()?, fields.u16()?);
            let (_zone, _accuracy) = (fields.u32()?, fields.u32()?);
            Some((magic, version, fields.u32()?, fields.u32()?))
        })();
        let (magic, (major, minor), snapshot_length, network) =
            parsed.ok_or(Fault::Bad("file header without its fields".into()))?;
        if major < 2 {
            return Err(Fault::Bad(format!("pcap version {major}.{minor}; 2.0 and later can be read")));
        }
        if !window.skip(magic.file_header as u64) {
            return Err(Fault::Truncated("file header"));
        }
        // AIX writes interface types (RFC 1573) for link types, and nanoseconds.
        let aix = match network {
            _ if magic.record_headers.len() != 3 || (major, minor) != (2, 2) => None,
            6 => Some(1),
            9 => Some(6),
            15 => Some(10),
            24 => Some(0),
            _ => None,
        };
        // The upper half tells the length of frame check sequences.
        let link = aix.unwrap_or(network & 0xffff);
        let mut pcap = Self {
            order,
            unit: if aix.is_some() { 1 } else { magic.unit },
            lengths_may_swap: major != 2 || minor <= 3,
            link,
            most: max_captured(link),
            snapshot_length,
            record_header: magic.record_headers.first().copied().unwrap_or(16),
        };
        if (major, minor) == (2, 4) {
            pcap.choose_variant(magic.record_headers, window);
        }
        Ok(pcap)
    }

    /// Leaves the usual record header only where the first records contradict it, and for one with which
    /// they are whole and make sense.
    fn choose_variant<R: Read>(&mut self, lengths: &[usize], window: &mut Window<R>) {
        if lengths.len() > 1 {
            // As much as is there: a short file is no reason to stop.
            window.ensure(64 << 10);
            let fits = |length: &&usize| match self.whole_records(**length, window.ahead()) {
                Some(whole) => whole || **length == self.record_header,
                None => false,
            };
            self.record_header = lengths.iter().find(fits).copied().unwrap_or(self.record_header);
        }
    }

    /// Whether the first records are whole with headers of a length; `None` if they make no sense.
    fn whole_records(&self, length: usize, mut bytes: &[u8]) -> Option<bool> {
        for _ in 0..TRIED_RECORDS {
            let Some((header, rest)) = bytes.split_at_checked(length) else { return Some(bytes.is_empty()) };
            let record = self.record_header(header).filter(|record| self.is_plausible(record))?;
            // Kuznetzov's headers go on with an interface index: machines of that time had few.
            if length >= 24 && Fields::new(self.order, header.get(16..)?).u32()? > 10_000 {
                return None;
            }
            let Some(rest) = rest.get(record.captured as usize..) else { return Some(false) };
            bytes = rest;
        }
        Some(true)
    }

    fn is_plausible(&self, record: &RecordHeader) -> bool {
        i64::from(record.fraction) * self.unit < 1_000_000_000
            && record.captured <= record.wire
            && record.captured <= self.most.min(self.snapshot_length)
            && record.wire <= 128 << 20
    }

    #[inline]
    fn record_header(&self, header: &[u8]) -> Option<RecordHeader> {
        let [s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3] = *header.first_chunk()?;
        let (captured, wire) = (self.order.u32([c0, c1, c2, c3]), self.order.u32([w0, w1, w2, w3]));
        let swap = self.lengths_may_swap && captured > wire;
        let (captured, wire) = if swap { (wire, captured) } else { (captured, wire) };
        let (seconds, fraction) = (self.order.u32([s0, s1, s2, s3]), self.order.u32([f0, f1, f2, f3]));
        Some(RecordHeader { seconds, fraction, captured, wire })
    }

    /// The next record; `None` at the end of the file.
    #[inline(always)]
    pub(crate) fn next<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Record>, Fault> {
        if !window.ensure(self.record_header) {
            return if window.ahead().is_empty() { Ok(None) } else { Err(Fault::Truncated("record header")) };
        }
        let header = self.record_header(window.ahead()).ok_or(Fault::Truncated("record header"))?;
        if header.captured > self.most {
            return Err(too_long(&header, self.most));
        }
        let length = self.record_header + header.captured as usize;
        let record = window.take(length).ok_or(Fault::Truncated("packet"))?;
        let nanos = i64::from(header.fraction) * self.unit;
        Ok(Some(Record {
            time: Timestamp::from_parts(i64::from(header.seconds), nanos),
            wire_len: header.wire.max(header.captured),
            link: self.link,
            bytes: record.start + self.record_header..record.end,
        }))
    }
}

#[cold]
fn too_long(header: &RecordHeader, most: u32) -> Fault {
    Fault::Bad(format!("record of {} bytes; packets have {most} at most", header.captured))
}
