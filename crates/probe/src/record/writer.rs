//! Brings packets to the file: small ones many at a time, large ones straight from where they are.
//!
//! Whoever hands over a packet writes it; a thread only sees to it that none waits longer than [`INTERVAL`]. So a packet
//! is copied once at the most before it is the kernel's, and no thread is woken for it; a queue to a thread that writes
//! cost a copy of each byte and a wake-up of each batch. Who hands packets over waits for the disk, which is meant: a
//! slow app is better than a packet lost.
//! Promises: packets stay in order; a write that fails, as on a full disk, loses what it held, which is counted and
//! told, and the next is tried all the same, since there may be room again; never panics.

use super::Direction;
use super::block::{self, Statistics};
use super::file::CaptureFile;
use super::secrets::Secrets;
use overheard_model::Timestamp;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that are worth a write. So few stay in the processor's cache until they are written.
const FULL: usize = 256 << 10;
/// Bytes of a packet that are worth a write alone: to copy them would cost more.
const LARGE: usize = 16 << 10;
/// How long a packet may wait for others. What was recorded before is readable whatever happens.
const INTERVAL: Duration = Duration::from_millis(250);

/// How a recording ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Packets that crossed.
    pub received: u64,
    /// Packets that are in the file.
    pub kept: u64,
    /// Packets that could not be written: `received - kept`.
    pub lost: u64,
    /// TLS secrets that are in the file, one for each line of the key log.
    pub secrets: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// The first thing that went wrong, in the system's words.
    pub error: Option<String>,
}

/// Between those who hand packets over and the thread that attends to them.
#[derive(Debug)]
pub(super) struct Writer {
    desk: Mutex<Desk>,
    /// A packet waits, or nothing more will come.
    called: Condvar,
}

/// The file, and what is on its way there.
#[derive(Debug)]
struct Desk {
    file: CaptureFile,
    secrets: Option<Secrets>,
    waiting: Waiting,
    /// What stands behind the latest packet in its block.
    after: Vec<u8>,
    /// Bytes written since the key log was looked at.
    unfollowed: usize,
    counts: Statistics,
    /// The first thing that went wrong.
    error: Option<String>,
    /// Whether the thread sleeps until it is called.
    asleep: bool,
    ended: bool,
}

/// Packets as the blocks that they will be in the file.
#[derive(Debug, Default)]
struct Waiting {
    blocks: Vec<u8>,
    packets: u64,
}

impl Writer {
    pub(super) fn new(file: CaptureFile, secrets: Option<Secrets>) -> Self {
        let desk = Desk {
            file,
            secrets,
            waiting: Waiting::default(),
            after: Vec::new(),
            unfollowed: 0,
            counts: Statistics::default(),
            error: None,
            asleep: false,
            ended: false,
        };
        Self { desk: Mutex::new(desk), called: Condvar::new() }
    }

    /// # Errors
    /// Packets were lost; why.
    pub(super) fn packet(
        &self,
        direction: Direction,
        time: Timestamp,
        ip: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let mut desk = self.desk();
        desk.take(direction, time, ip, comment);
        let whole = desk.is_whole();
        let calls = desk.asleep && desk.waiting.packets > 0;
        desk.asleep &= !calls;
        drop(desk);
        if calls {
            self.called.notify_one();
        }
        whole
    }

    /// Writes what waits, and the secrets that were logged.
    pub(super) fn flush(&self) {
        self.desk().flush();
    }

    pub(super) fn lost(&self) -> u64 {
        self.desk().counts.dropped
    }

    /// Writes what has waited long enough, until the recording ends.
    pub(super) fn attend(&self) {
        let mut desk = self.desk();
        while !desk.ended {
            desk.asleep = desk.waiting.packets == 0;
            desk = self
                .called
                .wait_while(desk, |desk| desk.asleep && !desk.ended)
                .unwrap_or_else(PoisonError::into_inner);
            (desk, _) = self
                .called
                .wait_timeout_while(desk, INTERVAL, |desk| !desk.ended)
                .unwrap_or_else(PoisonError::into_inner);
            // Nothing may follow the counts.
            if !desk.ended {
                desk.flush();
            }
        }
    }

    /// Writes what waits and the counts; nothing more will come.
    pub(super) fn end(&self) {
        let mut desk = self.desk();
        desk.flush();
        let mut statistics = Vec::new();
        block::statistics(&mut statistics, &desk.counts);
        let written = desk.file.append(&[&statistics]);
        desk.note(written);
        desk.ended = true;
        drop(desk);
        self.called.notify_one();
    }

    pub(super) fn outcome(&self) -> Outcome {
        let desk = self.desk();
        Outcome {
            received: desk.counts.received,
            kept: desk.counts.delivered,
            lost: desk.counts.dropped,
            secrets: desk.secrets.as_ref().map_or(0, Secrets::lines),
            bytes: desk.file.end(),
            error: desk.error.clone(),
        }
    }

    /// A poisoned lock still guards whole packets: they are taken or not.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn take(&mut self, direction: Direction, time: Timestamp, ip: &[u8], comment: Option<&str>) {
        if self.counts.received == 0 {
            self.counts.began = time;
        }
        self.counts.ended = time;
        self.counts.received += 1;
        self.after.clear();
        block::packet_end(&mut self.after, direction, ip.len(), comment);
        block::packet_begin(&mut self.waiting.blocks, time, ip.len(), &self.after);
        self.waiting.packets += 1;
        if ip.len() >= LARGE {
            return self.write(ip);
        }
        self.waiting.blocks.extend_from_slice(ip);
        self.waiting.blocks.extend_from_slice(&self.after);
        if self.waiting.blocks.len() >= FULL {
            self.write(&[]);
        }
    }

    fn flush(&mut self) {
        self.follow_secrets();
        if self.waiting.packets > 0 {
            self.write(&[]);
        }
    }

    /// Writes what waits, and the packet whose block's beginning is the last of it, if one is given.
    fn write(&mut self, packet: &[u8]) {
        if self.unfollowed >= FULL {
            self.follow_secrets();
        }
        let after: &[u8] = if packet.is_empty() { &[] } else { &self.after };
        let written = self.file.append(&[&self.waiting.blocks, packet, after]);
        self.unfollowed += self.waiting.blocks.len() + packet.len();
        self.waiting.blocks.clear();
        let packets = std::mem::take(&mut self.waiting.packets);
        match written {
            Ok(()) => self.counts.delivered += packets,
            Err(_) => self.counts.dropped += packets,
        }
        self.note(written);
    }

    fn follow_secrets(&mut self) {
        self.unfollowed = 0;
        if let Some(secrets) = &mut self.secrets {
            let followed = secrets.follow(&mut self.file);
            self.note(followed);
        }
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert_with(|| error.to_string());
        }
    }

    fn is_whole(&self) -> io::Result<()> {
        match self.counts.dropped {
            0 => Ok(()),
            lost => Err(io::Error::other(format!(
                "{lost} packets could not be kept: {}",
                self.error.as_deref().unwrap_or("unknown")
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    fn push(writer: &Writer, time: i64, packet: &[u8]) -> io::Result<()> {
        writer.packet(Direction::Outbound, Timestamp(time), packet, None)
    }

    #[test]
    fn large_packets_and_small_ones_stay_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let writer = Writer::new(CaptureFile::over(super::super::create(&path).unwrap()), None);
        let lengths = [40, LARGE, LARGE + 1, 41, LARGE - 1, 60_000, 20];
        let mut expected = Vec::new();
        for (time, length) in (7..).zip(lengths) {
            let packet = vec![time as u8; length];
            push(&writer, time, &packet).unwrap();
            let mut after = Vec::new();
            block::packet_end(&mut after, Direction::Outbound, length, None);
            block::packet_begin(&mut expected, Timestamp(time), length, &after);
            expected.extend([packet, after].concat());
        }
        writer.end();
        let (began, ended, packets) = (Timestamp(7), Timestamp(13), lengths.len() as u64);
        let counts = Statistics { began, ended, received: packets, dropped: 0, delivered: packets };
        block::statistics(&mut expected, &counts);
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }

    #[test]
    fn what_waits_is_written_soon_and_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let writer = Writer::new(CaptureFile::over(super::super::create(&path).unwrap()), None);
        std::thread::scope(|scope| {
            scope.spawn(|| writer.attend());
            for round in 1..=3 {
                let before = std::fs::metadata(&path).unwrap().len();
                push(&writer, round, &[0x45; 20]).unwrap();
                while std::fs::metadata(&path).unwrap().len() == before {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            writer.end();
        });
        assert_eq!(writer.outcome().kept, 3);
    }

    #[test]
    fn a_full_disk_is_counted_and_told() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let writer = Writer::new(CaptureFile::over(full), None);
        for time in 0..3 {
            push(&writer, time, &[0x45]).unwrap();
        }
        let error = push(&writer, 3, &[0x45; LARGE]).unwrap_err().to_string();
        assert!(error.starts_with("4 packets could not be kept: No space"), "{error}");
        writer.end();
        let outcome = writer.outcome();
        assert_eq!((outcome.received, outcome.kept, outcome.lost, outcome.bytes), (4, 0, 4, 0));
        assert!(outcome.error.unwrap().contains("No space left on device"));
    }
}
