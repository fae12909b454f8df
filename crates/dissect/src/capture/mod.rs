//! Capture files: a stream of bytes becomes a stream of frames.
//!
//! For: pcap in its variants and pcapng, plain or compressed with gzip or zstd.
//! Promises: one pass over any source, in one reused buffer; never fails: what is cut short or broken
//! is a problem of the [`Summary`], and the packets before it are given all the same.
//! To extend: a file with a type that recognises its magic number and gives [`Record`]s, and one
//! variant of [`Format`].

mod compression;
mod kept;
mod options;
mod order;
mod pcap;
mod pcapng;
mod resolution;
mod window;

#[cfg(test)]
mod tests;

use crate::flow::Owners;
use crate::packet::Frame;
use overheard_model::{Problem, Process, Timestamp, Uncarried};
use std::io::{self, Read};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use pcap::Pcap;
use pcapng::Pcapng;
use window::Window;

/// What a file says beside its packets, complete when [`Reader::next_frame`] has returned `None`.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// `pcap`, `pcapng`, with `+gzip` or `+zstd`; `unknown` when the bytes are neither.
    pub format: String,
    /// Packet records.
    pub packets: u64,
    /// The file ends where its format says that it should.
    pub complete: bool,
    /// Section, interface and packet comments, but for those that became [`Self::owner`].
    pub comments: Vec<String>,
    /// Packets dropped while capturing (pcapng interface statistics).
    pub dropped: Option<u64>,
    /// Names of Name Resolution Blocks.
    pub names: Vec<(IpAddr, Arc<str>)>,
    /// Addresses of the interfaces, as the file says them: ours.
    pub addresses: Vec<IpAddr>,
    /// Which process a flow belongs to, as the comment of its first packet says.
    pub(crate) owners: Owners,
    /// To whom nothing was carried, as our own recordings say.
    pub uncarried: Uncarried,
    /// The section is a recording of ours that has not said that yet.
    pub counts_are_due: bool,
    /// Decryption Secrets Blocks: type and bytes, kept and never logged.
    pub secrets: Vec<(u32, Vec<u8>)>,
    pub problems: Vec<Problem>,
}

impl Summary {
    /// The process that the flow of this packet belongs to, if the packet says so.
    pub fn owner(&self, packet: u64) -> Option<Arc<Process>> {
        self.owners.of(packet)
    }

    /// Remembers that it is not known of all to whom nothing was carried.
    fn leave_attempts_open(&mut self, text: String, offset: u64) {
        self.uncarried.all_but.get_or_insert_default();
        self.report(Problem::ATTEMPTS_UNLISTED, text, offset);
    }

    /// Counts a problem, which is located where it was met first.
    fn report(&mut self, kind: &str, text: String, offset: u64) {
        if let Some(known) = self.problems.iter_mut().find(|problem| &*problem.kind == kind) {
            known.count += 1;
            return;
        }
        let packet = None;
        self.problems.push(Problem { kind: kind.into(), text, packet, offset: Some(offset), count: 1 });
    }
}

/// A packet record: its bytes lie in the window.
#[derive(Debug)]
pub(crate) struct Record {
    time: Timestamp,
    wire_len: u32,
    link: u32,
    bytes: Range<usize>,
}

/// Why reading cannot go on.
#[derive(Debug)]
enum Fault {
    /// The file ended within what is named.
    Truncated(&'static str),
    /// The bytes contradict their format.
    Bad(String),
}

/// The formats that can be read.
#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
    /// None of them, or the end was reached.
    Ended,
}

/// The largest packet that a tool captures on a link, in bytes: beyond it a length is taken for
/// damage. As libpcap and Wireshark have it.
fn max_captured(link: u32) -> u32 {
    const DBUS: u32 = 231;
    const EBHSCR: u32 = 279;
    const USBPCAP: u32 = 249;
    match link {
        DBUS | USBPCAP => 128 << 20,
        EBHSCR => 8 << 20,
        _ => 256 << 10,
    }
}

/// Reads frames from a capture file of any supported format.
#[derive(Debug)]
pub struct Reader<R> {
    window: Window<R>,
    format: Format,
    summary: Summary,
}

impl<R: Read> Reader<R> {
    /// Looks at the first bytes and decides the format. Never fails: see [`Summary::format`].
    pub fn new(source: R) -> Self {
        let mut reader =
            Self { window: Window::new(source), format: Format::Ended, summary: Summary::default() };
        if let Err(fault) = reader.open() {
            reader.stop(fault);
        }
        reader
    }

    fn open(&mut self) -> Result<(), Fault> {
        let magic = self.window.peek::<4>().unwrap_or_default();
        let suffix = self.window.suffix();
        if let Some(order) = Pcap::recognise(magic) {
            self.summary.format = format!("pcap{suffix}");
            self.format = Format::Pcap(Pcap::open(order, &mut self.window)?);
        } else if Pcapng::recognise(magic) {
            self.summary.format = format!("pcapng{suffix}");
            self.format = Format::Pcapng(Pcapng::default());
        } else {
            self.summary.format = "unknown".into();
            // Enough to recognise what else it may be.
            self.window.ensure(16);
            if self.window.failure().is_some() {
                return Err(Fault::Truncated("file header"));
            }
            return Err(Fault::Bad(unknown(self.window.ahead())));
        }
        Ok(())
    }

    /// The next frame, borrowed until the next call; `None` at the end.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let record = self.next_record()?;
        Some(self.frame(record))
    }

    /// The next record, whose frame stays where it is until the next call; `None` at the end.
    #[inline(always)]
    pub(crate) fn next_record(&mut self) -> Option<Record> {
        let next = match &mut self.format {
            Format::Pcap(pcap) => match pcap.next(&mut self.window) {
                // Returned from here, it stays in registers: it need not lie where the others leave theirs.
                Ok(Some(record)) => {
                    self.summary.packets += 1;
                    return Some(record);
                }
                last => last,
            },
            Format::Pcapng(pcapng) => pcapng.next(&mut self.window, &mut self.summary),
            Format::Ended => return None,
        };
        match next {
            Ok(Some(record)) => {
                self.summary.packets += 1;
                return Some(record);
            }
            Ok(None) => self.end(),
            Err(fault) => self.stop(fault),
        }
        None
    }

    /// The frame of the latest record.
    #[inline]
    pub(crate) fn frame(&self, record: Record) -> Frame<'_> {
        Frame {
            number: self.summary.packets,
            time: record.time,
            wire_len: record.wire_len,
            link: record.link,
            bytes: self.window.lend(record.bytes),
        }
    }

    /// The window behind the frames, for whoever keeps frames longer than until the next one.
    pub(crate) fn window(&mut self) -> &mut Window<R> {
        &mut self.window
    }

    /// What the file said beside its packets, so far.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Ends reading and gives the summary away.
    pub fn into_summary(self) -> Summary {
        self.into_parts().0
    }

    /// Ends reading and gives away the summary, and the buffer that the latest frames lie in.
    pub(crate) fn into_parts(self) -> (Summary, Vec<u8>) {
        (self.summary, self.window.into_buffer())
    }

    /// The buffer that the latest frame lies in.
    #[inline]
    pub(crate) fn buffer(&self) -> &[u8] {
        self.window.buffer()
    }

    /// The end of the file at the end of a record: well unless the source failed there.
    fn end(&mut self) {
        if self.window.failure().is_some() {
            return self.stop(Fault::Truncated("file"));
        }
        self.leave_format();
        self.summary.complete = true;
    }

    fn leave_format(&mut self) {
        self.format = Format::Ended;
        pcapng::end(self.window.offset(), &mut self.summary);
    }

    fn stop(&mut self, fault: Fault) {
        self.leave_format();
        let offset = self.window.offset();
        let (kind, text) = match (self.window.failure(), fault) {
            (_, Fault::Bad(text)) if self.summary.format == "unknown" => ("unknown-format", text),
            (_, Fault::Bad(text)) => ("bad-block", text),
            (Some(error), Fault::Truncated(_)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                ("read-error", format!("the file cannot be read on: {error}"))
            }
            (_, Fault::Truncated(part)) => {
                ("truncated-file", format!("the file ends in the middle of a {part}"))
            }
        };
        self.summary.report(kind, text, offset);
    }
}

/// Names the formats of other tools that are easily met.
fn unknown(beginning: &[u8]) -> String {
    let known: [(&[u8], &str); 8] = [
        (b"snoop\0\0\0", "a Sun snoop file"),
        (b"btsnoop\0", "a Bluetooth snoop file"),
        (b"GMBU", "a Microsoft Network Monitor file"),
        (b"RTSS", "a Microsoft Network Monitor file"),
        (b"TRSNIFF data", "a Sniffer file"),
        (b"XCP\0", "a Sniffer file"),
        (b"\x7fver", "an EtherPeek file"),
        (b"PK\x03\x04", "a zip archive: unpack it first"),
    ];
    match known.iter().find(|(magic, _)| beginning.starts_with(magic)) {
        Some((b"PK\x03\x04", name)) => (*name).into(),
        Some((_, name)) => format!("{name}: convert it with editcap"),
        None if beginning.is_empty() => "the file is empty".into(),
        None => "neither pcap nor pcapng".into(),
    }
}
