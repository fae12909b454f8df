//! Where packets come from: what a source says, and the queue between it and whoever listens.
//!
//! For: a capture that is replayed or comes through a pipe ([`super::replay`]), and an app in a room ([`super::app`]).
//! Promises: the queue is bounded. A source that must not be held up, because it keeps what it hears or
//! carries it on, uses [`Feed::offer`]: what finds the queue full is not shown, and counted.
//! To extend: a thread with a [`Feed`] that offers packets, and says in the end why there are no more.

use overheard_model::{Process, Timestamp, Uncarried};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Packets that may wait, 65 kB each at most.
const QUEUE: usize = 2048;

/// What a source has to say, in order.
#[derive(Debug)]
pub enum Heard {
    Packet(Crossing),
    /// An address of the side that is listened to.
    Ours(IpAddr),
    /// A name of an address that no packet said.
    Name(IpAddr, Arc<str>),
    /// To whom nothing was carried, as the source knows once all has come.
    Uncarried(Uncarried),
    /// A line to read: what the app wrote, or what is wrong with the source.
    Line(String),
    /// Nothing more will come, and why: "the app ended with exit status 0".
    Ended(String),
}

/// A packet that crossed between the app and the world.
#[derive(Debug)]
pub struct Crossing {
    pub time: Timestamp,
    /// LINKTYPE_* of tcpdump.org: what the bytes begin with.
    pub link: u32,
    /// Length on the wire; `bytes` may be fewer.
    pub wire_len: u32,
    pub bytes: Box<[u8]>,
    /// The process whose flow it belongs to; enough with the first packet of each flow.
    pub process: Option<Arc<Process>>,
}

/// The source's end of the queue.
#[derive(Clone, Debug)]
pub struct Feed {
    queue: SyncSender<Heard>,
    missed: Arc<AtomicU64>,
}

/// The listener's end of the queue.
#[derive(Debug)]
pub struct Queue {
    pub heard: Receiver<Heard>,
    missed: Arc<AtomicU64>,
}

pub fn queue() -> (Feed, Queue) {
    let (queue, heard) = sync_channel(QUEUE);
    let missed = Arc::new(AtomicU64::new(0));
    (Feed { queue, missed: missed.clone() }, Queue { heard, missed })
}

impl Feed {
    /// Waits until there is room; false when nobody listens any more.
    pub fn say(&self, heard: Heard) -> bool {
        self.queue.send(heard).is_ok()
    }

    /// Never waits.
    pub fn offer(&self, packet: Crossing) {
        if self.queue.try_send(Heard::Packet(packet)).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Queue {
    /// Packets that were offered and found the queue full.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_never_held_up_and_what_is_missed_counts() {
        let (feed, queue) = queue();
        let packet =
            || Crossing { time: Timestamp(0), link: 101, wire_len: 0, bytes: Box::default(), process: None };
        for _ in 0..QUEUE + 7 {
            feed.offer(packet());
        }
        assert_eq!((queue.missed(), queue.heard.try_iter().count()), (7, QUEUE));
        drop(queue);
        assert!(!feed.say(Heard::Ended("the app ended".into())), "nobody listens");
    }
}
