//! Keeps every packet that crosses, as pcapng, and says which process each flow belongs to.
//!
//! [`Recording::packet`] is called by the gateway for each packet, and writes them many at a time ([`writer`]); a thread
//! sees to it that none waits long. The first packet of a flow carries a comment that names its process ([`attribution`]); TLS
//! secrets of clients that honour `SSLKEYLOGFILE` lie ahead of the packets that they decrypt ([`secrets`]).
//!
//! Promises: what was recorded more than a moment ago is readable whatever becomes of this program; a packet is lost
//! only if the disk refuses it, and then it is counted in the file, and told in [`Outcome`].
//! To extend: a kind of block in [`block`], an option beside the others there.

mod attribution;
mod block;
mod buffer;
mod file;
pub(crate) mod headers;
mod key_log;
mod opening;
mod process;
mod secrets;
mod sock_diag;
mod socket_table;
mod writer;

pub use attribution::{Attributed, Attribution};
pub use file::create;
pub use opening::Ends;
pub use sock_diag::SocketDiagnosis;
pub use writer::Outcome;

use crate::clock::timestamp;
use crate::door;
use file::CaptureFile;
use key_log::KeyLog;
use opening::Openings;
use overheard_model::{Process, Timestamp};
use secrets::Secrets;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::SystemTime;
use writer::Writer;

/// Flows that are listed with their owners; more are counted.
const MOST_ATTRIBUTED: usize = 1 << 18;

/// Which way a packet crosses, as the app sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the app.
    Inbound,
    /// From the app.
    Outbound,
}

/// What a capture says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// Where it was recorded from.
    pub vantage: &'a str,
    /// Which variant of the app.
    pub build: &'a str,
    /// Which execution of it.
    pub run: &'a str,
    /// Name of the room's interface.
    pub interface: &'a str,
}

/// What a recording needs beside the packets.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file that the app's `SSLKEYLOGFILE` names, as this program sees it.
    pub key_log: Option<PathBuf>,
    /// Where owners of flows are looked up.
    pub attribution: Option<Attribution>,
}

/// A capture that is being written. Dropped, it keeps what it was given; [`Recording::finish`] also tells of it.
#[derive(Debug)]
pub struct Recording {
    writer: Arc<Writer>,
    /// Ended once the recording is.
    attendant: Option<JoinHandle<()>>,
    openings: Openings,
    attribution: Option<Attribution>,
    attributed: Vec<Attributed>,
    unlisted: u64,
    remarks: Vec<String>,
}

/// A capture that is whole, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub outcome: Outcome,
    /// In the order in which the flows began.
    pub attributed: Vec<Attributed>,
    /// Flows beyond [`MOST_ATTRIBUTED`], which are not in the list.
    pub unlisted: u64,
}

impl Recording {
    /// Begins a capture in a new file.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn create(path: &Path, section: &Section, sources: Sources) -> io::Result<Self> {
        Self::begin(create(path)?, section, sources)
    }

    /// Begins a capture in an empty file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(file: File, section: &Section, sources: Sources) -> io::Result<Self> {
        let mut file = CaptureFile::over(file);
        file.append(&opening_blocks(section))?;
        let secrets = sources.key_log.map(|path| Secrets::new(KeyLog::new(path), &mut file)).transpose()?;
        let writer = Arc::new(Writer::new(file, secrets));
        let attended = Arc::clone(&writer);
        let attendant =
            std::thread::Builder::new().name("recording".into()).spawn(move || attended.attend())?;
        Ok(Self {
            writer,
            attendant: Some(attendant),
            openings: Openings::default(),
            attribution: sources.attribution,
            attributed: Vec::new(),
            unlisted: 0,
            remarks: Vec::new(),
        })
    }

    /// Keeps a packet, from its IP header on, that crossed at `time`.
    ///
    /// # Errors
    /// The disk has refused packets that were taken earlier, and so the capture has a gap. This one is taken all the
    /// same: who wants to go on may.
    pub fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        let time = timestamp(time);
        let comment = match direction {
            Direction::Outbound => self.owner(time, ip),
            Direction::Inbound => None,
        };
        self.writer.packet(direction, time, ip, comment.as_deref())
    }

    /// Writes what waits, and the secrets that were logged, before it returns; to be called while the key log can still
    /// be read.
    pub fn flush(&self) {
        self.writer.flush();
    }

    /// Packets that could not be kept so far.
    pub fn lost(&self) -> u64 {
        self.writer.lost()
    }

    /// Owners of the flows that began so far.
    pub fn attributed(&self) -> &[Attributed] {
        &self.attributed
    }

    /// What shall stand beside the counts at the file's end, too.
    pub fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Writes what waits, and ends the file with its counts.
    pub fn finish(mut self) -> Recorded {
        self.end();
        let outcome = self.writer.outcome();
        Recorded { outcome, attributed: std::mem::take(&mut self.attributed), unlisted: self.unlisted }
    }

    /// If the packet opens a flow: who owns it, in words.
    fn owner(&mut self, began: Timestamp, ip: &[u8]) -> Option<String> {
        let attribution = self.attribution.as_mut()?;
        let ends = self.openings.opened_by(ip)?;
        let process = attribution.owner(&ends);
        let comment = in_words(process.as_ref());
        if self.attributed.len() < MOST_ATTRIBUTED {
            self.attributed.push(Attributed { ends, began, process });
        } else {
            self.unlisted += 1;
        }
        Some(comment)
    }

    fn end(&mut self) {
        if let Some(attendant) = self.attendant.take() {
            self.writer.end(&self.remarks);
            let _panicked = attendant.join();
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a flow's first packet says of its owner.
fn in_words(process: Option<&Process>) -> String {
    process.map_or_else(|| "process: unknown".into(), |process| format!("process: {process}"))
}

/// The section's header and its one interface.
fn opening_blocks(section: &Section) -> Vec<u8> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let os = format!("Linux {}", release.trim());
    let Section { vantage, build, run, interface } = section;
    let mut blocks = Vec::new();
    let header = block::Header {
        hardware: std::env::consts::ARCH,
        os: &os,
        program: concat!("overheard ", env!("CARGO_PKG_VERSION")),
        comment: &format!("vantage: {vantage}; build: {build}; run: {run}"),
    };
    block::section(&mut blocks, &header);
    let interface = block::Interface {
        name: interface,
        description: "the only way out of the room",
        ipv4: (door::ROOM_V4, door::ROOM_V4_BITS),
        ipv6: (door::ROOM_V6, door::ROOM_V6_BITS),
    };
    block::interface(&mut blocks, &interface);
    blocks
}
