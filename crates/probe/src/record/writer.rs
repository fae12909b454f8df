//! Brings packets to the file, many at a time.
//!
//! Whoever hands over a packet copies it into a buffer. A thread writes each buffer that is full, and whatever has waited
//! longer than [`INTERVAL`]. Who hands packets over waits only while the disk is more than [`MOST`] buffers behind, which
//! is meant: a slow app is better than a packet lost.
//! Promises: packets stay in order; a write that fails, as on a full disk, loses what it held, which is counted and
//! told, and the next is tried all the same, since there may be room again; never panics.

use super::Direction;
use super::block::{self, Statistics};
use super::buffer::{Buffer, FULL};
use super::file::CaptureFile;
use super::secrets::Secrets;
use overheard_model::Timestamp;
use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Full buffers that may wait for the disk, and empty ones that are kept.
const MOST: usize = 16;
/// Full buffers that may wait for a way past the page cache. What is beyond them the cache takes, as long as it can.
const PATIENCE: usize = MOST / 4 * 3;
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

/// Between those who hand packets over and those who write them.
#[derive(Debug)]
pub(super) struct Writer {
    desk: Mutex<Desk>,
    /// Locked before the desk by whoever locks both: so buffers are written in their order.
    shelf: Mutex<Shelf>,
    /// The first packet waits, a buffer is full, or nothing more will come.
    called: Condvar,
    /// There is room for one more full buffer.
    cleared: Condvar,
}

/// Where packets are taken.
#[derive(Debug)]
struct Desk {
    open: Buffer,
    full: VecDeque<Buffer>,
    spare: Vec<Buffer>,
    /// Where in the file the open buffer begins, unless a write fails before.
    offset: u64,
    /// What stands behind the latest packet in its block.
    after: Vec<u8>,
    counts: Statistics,
    /// The first thing that went wrong.
    error: Option<String>,
    ended: bool,
}

/// Where they are written to.
#[derive(Debug)]
struct Shelf {
    file: CaptureFile,
    secrets: Option<Secrets>,
    /// Bytes written since the key log was looked at.
    unfollowed: usize,
}

impl Writer {
    pub(super) fn new(file: CaptureFile, secrets: Option<Secrets>) -> Self {
        Self {
            desk: Mutex::new(Desk::at(file.end())),
            shelf: Mutex::new(Shelf { file, secrets, unfollowed: 0 }),
            called: Condvar::new(),
            cleared: Condvar::new(),
        }
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
        let mut desk = lock(&self.desk);
        desk.take(direction, time, ip, comment);
        let first = desk.open.packets() == 1;
        let full = desk.open.is_full();
        if full {
            desk.turn();
        }
        if first || full {
            self.called.notify_one();
        }
        if desk.full.len() > MOST {
            let behind = |desk: &mut Desk| desk.full.len() > MOST;
            desk = self.cleared.wait_while(desk, behind).unwrap_or_else(PoisonError::into_inner);
        }
        desk.is_whole()
    }

    /// Writes what waits, and the secrets that were logged.
    pub(super) fn flush(&self) {
        self.write(&mut lock(&self.shelf), true);
    }

    pub(super) fn lost(&self) -> u64 {
        lock(&self.desk).counts.dropped
    }

    /// Writes what is full or has waited long enough, until the recording ends.
    pub(super) fn attend(&self) {
        loop {
            let desk = lock(&self.desk);
            let idle = |desk: &mut Desk| desk.open.packets() == 0 && desk.full.is_empty() && !desk.ended;
            let desk = self.called.wait_while(desk, idle).unwrap_or_else(PoisonError::into_inner);
            let filling = |desk: &mut Desk| desk.full.is_empty() && !desk.ended;
            let (desk, _) = self
                .called
                .wait_timeout_while(desk, INTERVAL, filling)
                .unwrap_or_else(PoisonError::into_inner);
            if desk.ended {
                return;
            }
            let all = desk.full.is_empty();
            drop(desk);
            let mut shelf = lock(&self.shelf);
            // Nothing may follow the counts.
            if !lock(&self.desk).ended {
                self.write(&mut shelf, all);
            }
        }
    }

    /// Writes what waits and the counts, with what is to be said beside them; nothing more will come.
    pub(super) fn end(&self, remarks: &[String]) {
        let mut shelf = lock(&self.shelf);
        self.write(&mut shelf, true);
        let mut desk = lock(&self.desk);
        let mut statistics = Vec::new();
        block::statistics(&mut statistics, &desk.counts, remarks);
        let written = shelf.file.append(&statistics);
        desk.note(written);
        desk.ended = true;
        self.called.notify_one();
    }

    pub(super) fn outcome(&self) -> Outcome {
        let (shelf, desk) = (lock(&self.shelf), lock(&self.desk));
        Outcome {
            received: desk.counts.received,
            kept: desk.counts.delivered,
            lost: desk.counts.dropped,
            secrets: shelf.secrets.as_ref().map_or(0, Secrets::lines),
            bytes: shelf.file.end(),
            error: desk.error.clone(),
        }
    }

    /// Writes the full buffers, or all.
    fn write(&self, shelf: &mut Shelf, all: bool) {
        if all {
            lock(&self.desk).turn();
        }
        while let Some((buffer, waiting)) = {
            let mut desk = lock(&self.desk);
            desk.full.pop_front().map(|buffer| (buffer, desk.full.len()))
        } {
            let written = match waiting > PATIENCE {
                true => shelf.file.append(buffer.blocks()),
                false => shelf.file.append_many(buffer.blocks()),
            };
            shelf.unfollowed += buffer.blocks().len();
            lock(&self.desk).wrote(buffer, written);
            self.cleared.notify_all();
        }
        if all || shelf.unfollowed >= FULL {
            let followed = shelf.follow_secrets();
            lock(&self.desk).note(followed);
        }
    }
}

/// A poisoned lock still guards whole packets: they are taken or not.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    fn follow_secrets(&mut self) -> io::Result<()> {
        self.unfollowed = 0;
        self.secrets.as_mut().map_or(Ok(()), |secrets| secrets.follow(&mut self.file))
    }
}

impl Desk {
    fn at(offset: u64) -> Self {
        Self {
            open: Buffer::new(offset),
            full: VecDeque::new(),
            spare: Vec::new(),
            offset,
            after: Vec::new(),
            counts: Statistics::default(),
            error: None,
            ended: false,
        }
    }

    fn take(&mut self, direction: Direction, time: Timestamp, ip: &[u8], comment: Option<&str>) {
        if self.counts.received == 0 {
            self.counts.began = time;
        }
        self.counts.ended = time;
        self.counts.received += 1;
        self.after.clear();
        block::packet_end(&mut self.after, direction, ip.len(), comment);
        self.open.push(time, ip, &self.after);
    }

    /// Puts the open buffer to the full ones, and opens another.
    fn turn(&mut self) {
        if self.open.packets() == 0 {
            return;
        }
        self.offset += self.open.blocks().len() as u64;
        let next = match self.spare.pop() {
            Some(mut spare) => {
                spare.begin(self.offset);
                spare
            }
            None => Buffer::new(self.offset),
        };
        self.full.push_back(std::mem::replace(&mut self.open, next));
    }

    /// What became of a buffer.
    fn wrote(&mut self, buffer: Buffer, written: io::Result<()>) {
        match written {
            Ok(()) => self.counts.delivered += buffer.packets(),
            Err(_) => self.counts.dropped += buffer.packets(),
        }
        self.note(written);
        if self.spare.len() < MOST {
            self.spare.push(buffer);
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
        let lengths = [40, 16_384, 41, 60_000, 20].repeat(100);
        let mut expected = Vec::new();
        for (time, length) in (7..).zip(lengths.clone()) {
            let packet = vec![time as u8; length];
            push(&writer, time, &packet).unwrap();
            let mut after = Vec::new();
            block::packet_end(&mut after, Direction::Outbound, length, None);
            block::packet_begin(&mut expected, Timestamp(time), length, &after);
            expected.extend([packet, after].concat());
            // Some buffers are written early, some full.
            if time % 300 == 0 {
                writer.flush();
            }
        }
        writer.end(&[]);
        let (began, ended, packets) = (Timestamp(7), Timestamp(506), lengths.len() as u64);
        let counts = Statistics { began, ended, received: packets, dropped: 0, delivered: packets };
        block::statistics(&mut expected, &counts, &[]);
        assert!(std::fs::read(&path).unwrap() == expected);
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
            writer.end(&[]);
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
        writer.flush();
        let error = push(&writer, 3, &[0x45; 20_000]).unwrap_err().to_string();
        assert!(error.starts_with("3 packets could not be kept: No space"), "{error}");
        writer.end(&[]);
        let outcome = writer.outcome();
        assert_eq!((outcome.received, outcome.kept, outcome.lost, outcome.bytes), (4, 0, 4, 0));
        assert!(outcome.error.unwrap().contains("No space left on device"));
    }
}
