//! Packets on their way to the file: gathered by the gateway, written by the writer, many at a time.
//!
//! Promises: adding a packet costs one copy and never waits for the disk, unless [`MOST`] bytes wait already: then
//! it waits, since a slow app is better than a packet lost. Nothing is allocated once both buffers have grown.

use super::Direction;
use super::block;
use overheard_model::Timestamp;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that are worth a write.
const FULL: usize = 256 << 10;
/// Bytes that may wait for the disk. So few stay in the processor's cache on their way; of 32 MiB each byte cost two to
/// five times as much.
const MOST: usize = 1 << 20;
/// How long a packet may wait for others. What was recorded before is readable whatever happens.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a disk may take before nobody waits for it any longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Packets as the blocks that they will be in the file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) blocks: Vec<u8>,
    pub(super) packets: u64,
    /// Times of the first and the last packet.
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

impl Batch {
    fn push(&mut self, direction: Direction, time: Timestamp, ip: &[u8], comment: Option<&str>) {
        block::packet(&mut self.blocks, direction, time, ip, comment);
        self.packets += 1;
        let (first, _) = self.times.unwrap_or((time, time));
        self.times = Some((first, time));
    }

    fn clear(&mut self) {
        self.blocks.clear();
        self.packets = 0;
        self.times = None;
    }
}

impl Waiting {
    fn is_urgent(&self) -> bool {
        self.closed || self.met < self.asked
    }
}

/// Between the gateway and the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// There is something to write, or enough, or nothing more will come.
    filled: Condvar,
    /// There is room again.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    batch: Batch,
    closed: bool,
    /// How often it was asked to write at once, and how many of these requests have been met.
    asked: u64,
    met: u64,
}

impl Queue {
    pub(super) fn push(&self, direction: Direction, time: Timestamp, ip: &[u8], comment: Option<&str>) {
        let waiting = self.lock();
        let mut waiting = self
            .emptied
            .wait_while(waiting, |waiting| waiting.batch.blocks.len() >= MOST && !waiting.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let before = waiting.batch.blocks.len();
        waiting.batch.push(direction, time, ip, comment);
        let after = waiting.batch.blocks.len();
        drop(waiting);
        if before == 0 || (before < FULL && after >= FULL) {
            self.filled.notify_one();
        }
    }

    /// Waits until what was pushed before has been written, or as long as that may take.
    pub(super) fn flush(&self) {
        let mut waiting = self.lock();
        waiting.asked += 1;
        let mine = waiting.asked;
        self.filled.notify_one();
        let unmet = |waiting: &mut Waiting| waiting.met < mine && !waiting.closed;
        let _waited = self.emptied.wait_timeout_while(waiting, PATIENCE, unmet);
    }

    /// Nothing more will come; and nobody waits for room any longer.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.emptied.notify_all();
    }

    /// Waits for packets, or until it is asked to write, and exchanges them for the emptied `batch`. Gives what
    /// [`Queue::wrote`] is to be told once they are written; nothing when there are no more.
    pub(super) fn take(&self, batch: &mut Batch) -> Option<u64> {
        batch.clear();
        let waiting = self.lock();
        let nothing = |waiting: &mut Waiting| waiting.batch.packets == 0 && !waiting.is_urgent();
        let waiting = self.filled.wait_while(waiting, nothing).unwrap_or_else(PoisonError::into_inner);
        let few = |waiting: &mut Waiting| waiting.batch.blocks.len() < FULL && !waiting.is_urgent();
        let (mut waiting, _) =
            self.filled.wait_timeout_while(waiting, INTERVAL, few).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.batch, batch);
        let (asked, ended) = (waiting.asked, waiting.closed && batch.packets == 0);
        drop(waiting);
        self.emptied.notify_all();
        (!ended).then_some(asked)
    }

    /// All that was taken with this number has been written.
    pub(super) fn wrote(&self, asked: u64) {
        self.lock().met = asked;
        self.emptied.notify_all();
    }

    /// A poisoned lock still guards whole packets: they are pushed or not.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_before_the_close_is_taken_and_then_nothing() {
        let queue = Queue::default();
        for time in [7, 8, 9] {
            queue.push(Direction::Outbound, Timestamp(time), &[0x45], None);
        }
        queue.close();
        let mut batch = Batch::default();
        assert_eq!(queue.take(&mut batch), Some(0));
        assert_eq!((batch.packets, batch.times), (3, Some((Timestamp(7), Timestamp(9)))));
        assert_eq!(queue.take(&mut batch), None);
        assert_eq!(batch.packets, 0);
    }

    #[test]
    fn a_full_queue_waits_for_the_writer_and_loses_nothing() {
        let queue = Queue::default();
        let packet = vec![0x45; 60_000];
        let packets = 3 * (MOST / packet.len()) as u64;
        let taken = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let (mut batch, mut taken) = (Batch::default(), 0);
                while queue.take(&mut batch).is_some() {
                    assert!(batch.blocks.len() < MOST + packet.len() + 100);
                    taken += batch.packets;
                }
                taken
            });
            (0..packets).for_each(|_| queue.push(Direction::Inbound, Timestamp(0), &packet, None));
            queue.close();
            writer.join().unwrap()
        });
        assert_eq!(taken, packets);
    }
}
