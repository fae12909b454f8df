//! The thread that brings packets to the file, and the counts of what became of them.
//!
//! Promises: never panics; a write that fails, as on a full disk, loses one batch, which is counted and told, and the
//! next is tried all the same, since there may be room again.

use super::batch::{Batch, Queue};
use super::block::{self, Statistics};
use super::file::CaptureFile;
use super::secrets::Secrets;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// What is known of a recording while it goes on.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Packets that could not be kept.
    pub(super) lost: AtomicU64,
    /// The first thing that went wrong.
    error: OnceLock<String>,
}

impl Progress {
    /// # Errors
    /// Packets were lost; why.
    pub(super) fn is_whole(&self) -> io::Result<()> {
        match self.lost.load(Ordering::Relaxed) {
            0 => Ok(()),
            lost => Err(io::Error::other(format!(
                "{lost} packets could not be kept: {}",
                self.error.get().map_or("unknown", String::as_str)
            ))),
        }
    }

    fn note(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_init(|| error.to_string());
        }
    }
}

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

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) progress: Arc<Progress>,
    pub(super) file: CaptureFile,
    pub(super) secrets: Option<Secrets>,
}

impl Writer {
    /// Until the queue is closed and empty.
    pub(super) fn run(mut self) -> Outcome {
        let mut counts = Statistics::default();
        let mut batch = Batch::default();
        while let Some(asked) = self.queue.take(&mut batch) {
            self.follow_secrets();
            let written = self.file.append(&batch.blocks);
            let is_kept = written.is_ok();
            self.progress.note(written);
            self.count(&batch, is_kept, &mut counts);
            self.queue.wrote(asked);
        }
        self.follow_secrets();
        let mut end = Vec::new();
        block::statistics(&mut end, &counts);
        self.progress.note(self.file.append(&end));
        Outcome {
            received: counts.received,
            kept: counts.delivered,
            lost: counts.dropped,
            secrets: self.secrets.map_or(0, |secrets| secrets.lines()),
            bytes: self.file.end(),
            error: self.progress.error.get().cloned(),
        }
    }

    fn follow_secrets(&mut self) {
        if let Some(secrets) = &mut self.secrets {
            self.progress.note(secrets.follow(&mut self.file));
        }
    }

    fn count(&self, batch: &Batch, is_kept: bool, counts: &mut Statistics) {
        if let Some((first, last)) = batch.times {
            let began = if counts.received == 0 { first } else { counts.began };
            (counts.began, counts.ended) = (began, last);
        }
        counts.received += batch.packets;
        if is_kept {
            counts.delivered += batch.packets;
        } else {
            counts.dropped += batch.packets;
            self.progress.lost.fetch_add(batch.packets, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Direction;
    use super::*;
    use overheard_model::Timestamp;

    #[test]
    fn a_full_disk_is_counted_and_told() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let queue = Arc::new(Queue::default());
        let progress = Arc::new(Progress::default());
        (0..3).for_each(|time| queue.push(Direction::Outbound, Timestamp(time), &[0x45], None));
        queue.close();
        let file = CaptureFile::over(full);
        let outcome = Writer { queue, progress: Arc::clone(&progress), file, secrets: None }.run();
        assert_eq!((outcome.received, outcome.kept, outcome.lost, outcome.bytes), (3, 0, 3, 0));
        assert!(
            progress.is_whole().unwrap_err().to_string().starts_with("3 packets could not be kept: No space")
        );
        assert!(outcome.error.unwrap().contains("No space left on device"));
    }
}
