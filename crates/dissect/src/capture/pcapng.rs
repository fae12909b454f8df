//! The pcapng format.
//!
//! Source: draft-ietf-opsawg-pcapng. Every block tells its length at both ends; where the two differ
//! the reading ends, since nothing else says where a block begins. Blocks that are not known are
//! passed over.

use super::kept::Kept;
use super::options::{Options, padding};
use super::order::{ByteOrder, Fields};
use super::resolution::Resolution;
use super::window::Window;
use super::{Fault, Record, Summary, max_captured};
use overheard_model::Timestamp;
use std::io::Read;
use std::ops::Range;

/// Types of blocks.
mod block {
    pub(super) const SECTION: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE: u32 = 1;
    /// Obsolete.
    pub(super) const PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAMES: u32 = 4;
    pub(super) const STATISTICS: u32 = 5;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const SECRETS: u32 = 10;
}

/// Blocks that are read are no longer than this.
const MAX_BLOCK: u32 = 64 << 20;
/// Interfaces of one section.
const MAX_INTERFACES: usize = 1 << 16;
/// Bytes of a block around its body: type and length before, length after.
const FRAMING: u32 = 12;

/// Where the reading of a file stands.
#[derive(Debug)]
pub(crate) struct Pcapng {
    /// Of the section.
    order: ByteOrder,
    /// Of the section.
    interfaces: Vec<Interface>,
    kept: Kept,
    /// Time of the packet before: simple packets have none of their own.
    time: Timestamp,
}

/// What an Interface Description Block says.
#[derive(Clone, Debug)]
struct Interface {
    link: u32,
    snapshot_length: u32,
    resolution: Resolution,
    /// Seconds to add to every timestamp.
    offset: i64,
    /// As the latest statistics say.
    dropped: u64,
}

/// A packet as its block describes it; its bytes at a place within the block's body.
#[derive(Debug)]
struct Described {
    interface: usize,
    units: Option<u64>,
    captured: u32,
    wire: u32,
    /// Where the packet's bytes begin in the body.
    at: usize,
}

impl Default for Pcapng {
    fn default() -> Self {
        Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            kept: Kept::default(),
            time: Timestamp::default(),
        }
    }
}

impl Pcapng {
    pub(crate) fn recognise(magic: [u8; 4]) -> bool {
        u32::from_le_bytes(magic) == block::SECTION
    }

    /// The next packet; `None` at the end of the file.
    pub(crate) fn next<R: Read>(
        &mut self,
        window: &mut Window<R>,
        summary: &mut Summary,
    ) -> Result<Option<Record>, Fault> {
        loop {
            let Some(start) = window.peek::<8>() else {
                let ended = window.ahead().is_empty();
                return if ended { Ok(None) } else { Err(Fault::Truncated("block header")) };
            };
            let [a, b, c, d, length @ ..] = start;
            let kind = self.order.u32([a, b, c, d]);
            if kind == block::SECTION {
                self.begin_section(window)?;
            }
            let length = self.order.u32(length);
            if length < FRAMING {
                return Err(Fault::Bad(format!("block of {length} bytes; {FRAMING} is the least")));
            }
            if !is_read(kind) {
                if !window.skip(u64::from(length)) {
                    return Err(Fault::Truncated("block"));
                }
                continue;
            }
            let offset = window.offset();
            let body = self.take_block(length, window)?;
            if let Some(record) = self.read_block(kind, body, offset, window, summary)? {
                return Ok(Some(record));
            }
        }
    }

    /// Takes the byte order of the section that begins here.
    fn begin_section<R: Read>(&mut self, window: &mut Window<R>) -> Result<(), Fault> {
        let [.., a, b, c, d] = window.peek::<12>().ok_or(Fault::Truncated("section header"))?;
        self.order = match [a, b, c, d] {
            [0x4d, 0x3c, 0x2b, 0x1a] => ByteOrder::Little,
            [0x1a, 0x2b, 0x3c, 0x4d] => ByteOrder::Big,
            other => return Err(Fault::Bad(format!("section of unknown byte order {other:02x?}"))),
        };
        self.interfaces.clear();
        Ok(())
    }

    /// Consumes a block whose two lengths agree; gives the place of its body.
    fn take_block<R: Read>(&self, length: u32, window: &mut Window<R>) -> Result<Range<usize>, Fault> {
        if length > MAX_BLOCK {
            return Err(Fault::Bad(format!("block of {length} bytes; {MAX_BLOCK} is the most")));
        }
        if !window.ensure(length as usize) {
            return Err(Fault::Truncated("block"));
        }
        let block = window.ahead().get(..length as usize).and_then(<[u8]>::split_last_chunk);
        let (_, trailer) = block.ok_or(Fault::Truncated("block"))?;
        let trailer = self.order.u32(*trailer);
        if trailer != length {
            return Err(Fault::Bad(format!("block of {length} bytes that says {trailer} at its end")));
        }
        let taken = window.take(length as usize).ok_or(Fault::Truncated("block"))?;
        Ok(taken.start + 8..taken.end - 4)
    }

    fn read_block<R: Read>(
        &mut self,
        kind: u32,
        place: Range<usize>,
        offset: u64,
        window: &Window<R>,
        summary: &mut Summary,
    ) -> Result<Option<Record>, Fault> {
        let body = window.lend(place.clone());
        let order = self.order;
        let packet = match kind {
            block::SECTION => {
                section(order, body)?;
                let options = Options::new(order, body.get(16..).unwrap_or_default());
                end(offset, summary);
                summary.counts_are_due = is_ours(options.clone());
                self.kept.comments(options, offset, summary);
                return Ok(None);
            }
            block::INTERFACE => {
                self.add_interface(body, offset, summary)?;
                return Ok(None);
            }
            block::NAMES => {
                self.kept.names(order, body, offset, summary);
                return Ok(None);
            }
            block::SECRETS => {
                self.kept.secrets(order, body, offset, summary);
                return Ok(None);
            }
            block::STATISTICS => {
                summary.counts_are_due = false;
                self.statistics(body, offset, summary);
                return Ok(None);
            }
            block::SIMPLE_PACKET => self.simple_packet(body),
            block::PACKET => packet(order, body),
            _ => enhanced_packet(order, body),
        };
        let packet = packet.ok_or_else(|| Fault::Bad("packet block without its fields".into()))?;
        let record = self.record(&packet, place)?;
        // Most packets have no options: the body ends with them.
        let end = packet.at + packet.captured as usize;
        if let Some(options @ [_, ..]) = body.get(end + padding(end)..) {
            self.kept.packet_comments(Options::new(order, options), offset, summary);
        }
        Ok(Some(record))
    }

    /// Places a described packet in the window, if its interface is known and its bytes are there.
    fn record(&mut self, packet: &Described, body: Range<usize>) -> Result<Record, Fault> {
        let Some(interface) = self.interfaces.get(packet.interface) else {
            let (id, known) = (packet.interface, self.interfaces.len());
            return Err(Fault::Bad(format!("packet of interface {id}; the section has {known}")));
        };
        let captured = packet.captured;
        let limit = max_captured(interface.link);
        let bytes = body.start + packet.at..body.start + packet.at + captured as usize;
        if captured > limit || bytes.end > body.end {
            let room = body.len().saturating_sub(packet.at).min(limit as usize);
            return Err(Fault::Bad(format!("packet of {captured} bytes in a block with room for {room}")));
        }
        if let Some(units) = packet.units {
            self.time = interface.resolution.instant(units, interface.offset);
        }
        Ok(Record { time: self.time, wire_len: packet.wire.max(captured), link: interface.link, bytes })
    }

    fn add_interface(&mut self, body: &[u8], offset: u64, summary: &mut Summary) -> Result<(), Fault> {
        let mut fields = Fields::new(self.order, body);
        let header = (|| Some((fields.u16()?, fields.u16()?, fields.u32()?)))();
        let Some((link, _reserved, snapshot_length)) = header else {
            return Err(Fault::Bad("interface block without its fields".into()));
        };
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(Fault::Bad(format!("more than {MAX_INTERFACES} interfaces")));
        }
        let mut interface = Interface {
            link: u32::from(link),
            snapshot_length,
            resolution: Resolution::default(),
            offset: 0,
            dropped: 0,
        };
        const IF_TSRESOL: u16 = 9;
        const IF_TSOFFSET: u16 = 14;
        let options = Options::new(self.order, fields.rest);
        for (code, value) in options.clone() {
            match (code, value) {
                (IF_TSRESOL, [byte, ..]) => match Resolution::from_option(*byte) {
                    Some(resolution) => interface.resolution = resolution,
                    None => {
                        let text = format!("if_tsresol {byte:#04x} is too fine; microseconds assumed");
                        summary.report("bad-option", text, offset);
                    }
                },
                (IF_TSOFFSET, value) => {
                    let seconds = Fields::new(self.order, value).u64();
                    interface.offset = seconds.unwrap_or_default().cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
        self.kept.addresses(options.clone(), offset, summary);
        self.kept.comments(options, offset, summary);
        Ok(())
    }

    /// Adds up what interfaces dropped; later statistics replace earlier ones of the interface.
    fn statistics(&mut self, body: &[u8], offset: u64, summary: &mut Summary) {
        const ISB_IFDROP: u16 = 5;
        const ISB_OSDROP: u16 = 7;
        let mut fields = Fields::new(self.order, body);
        let Some(id) = fields.u32() else { return };
        let Some(interface) = self.interfaces.get_mut(id as usize) else { return };
        let options = Options::new(self.order, body.get(12..).unwrap_or_default());
        self.kept.statistics_comments(options.clone(), offset, summary);
        let drops = options.filter(|(code, _)| matches!(*code, ISB_IFDROP | ISB_OSDROP));
        let counts = drops.filter_map(|(_, value)| Fields::new(self.order, value).u64());
        let Some(dropped) = counts.reduce(u64::saturating_add) else { return };
        let others = summary.dropped.unwrap_or(0).saturating_sub(interface.dropped);
        summary.dropped = Some(others.saturating_add(dropped));
        interface.dropped = dropped;
    }

    /// Simple packets tell their length on the wire only; the interface's limit cut them.
    fn simple_packet(&self, body: &[u8]) -> Option<Described> {
        let wire = Fields::new(self.order, body).u32()?;
        let limit = match self.interfaces.first()?.snapshot_length {
            0 => u32::MAX,
            limit => limit,
        };
        let room = u32::try_from(body.len().checked_sub(4)?).ok()?;
        Some(Described { interface: 0, units: None, captured: wire.min(limit).min(room), wire, at: 4 })
    }
}

/// Whether a block is read, not passed over.
fn is_read(kind: u32) -> bool {
    use block::*;
    matches!(
        kind,
        SECTION | INTERFACE | PACKET | SIMPLE_PACKET | NAMES | STATISTICS | ENHANCED_PACKET | SECRETS
    )
}

/// A section ends: one of ours says beside its counts to whom nothing was carried, unless it was broken off.
pub(crate) fn end(offset: u64, summary: &mut Summary) {
    if std::mem::take(&mut summary.counts_are_due) {
        let text = "the recording was broken off before it said to whom nothing was carried";
        summary.leave_attempts_open(text.into(), offset);
    }
}

/// Whether a section was recorded by this program.
fn is_ours(mut options: Options<'_>) -> bool {
    const SHB_USERAPPL: u16 = 4;
    options.any(|(code, program)| code == SHB_USERAPPL && program.starts_with(b"overheard "))
}

/// Checks the version of a section.
fn section(order: ByteOrder, body: &[u8]) -> Result<(), Fault> {
    let mut fields = Fields::new(order, body.get(4..).unwrap_or_default());
    match fields.u16().zip(fields.u16()) {
        Some((1, _)) => Ok(()),
        Some((major, minor)) => {
            Err(Fault::Bad(format!("section of pcapng version {major}.{minor}; 1.x can be read")))
        }
        None => Err(Fault::Bad("section header without its fields".into())),
    }
}

fn enhanced_packet(order: ByteOrder, body: &[u8]) -> Option<Described> {
    let mut fields = Fields::new(order, body);
    let interface = fields.u32()? as usize;
    described(interface, fields)
}

/// The obsolete packet block: a shorter interface number, and a count of drops after it.
fn packet(order: ByteOrder, body: &[u8]) -> Option<Described> {
    let mut fields = Fields::new(order, body);
    let (interface, _drops) = (usize::from(fields.u16()?), fields.u16()?);
    described(interface, fields)
}

/// Time and lengths, alike in both blocks.
fn described(interface: usize, mut fields: Fields<'_>) -> Option<Described> {
    let (high, low) = (fields.u32()?, fields.u32()?);
    let units = Some(u64::from(high) << 32 | u64::from(low));
    let (captured, wire) = (fields.u32()?, fields.u32()?);
    Some(Described { interface, units, captured, wire, at: 20 })
}
