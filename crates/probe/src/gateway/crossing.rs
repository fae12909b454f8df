//! The line that packets cross: the room's device, the recorder and the counters, which belong together.
//!
//! Promises: a packet is counted and recorded when it crosses, with complete checksums, and nothing crosses after
//! the recorder failed.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use nix::errno::Errno;
use tokio::sync::Notify;

use super::counts::Counts;
use super::device::{Offload, Tun};
use super::{Direction, Recorder};

pub struct Crossing {
    room: Tun,
    recorder: RefCell<Box<dyn Recorder + Send>>,
    counts: Arc<Mutex<Counts>>,
    failure: RefCell<Option<io::Error>>,
    failed: Notify,
}

impl Crossing {
    pub fn new(room: Tun, recorder: Box<dyn Recorder + Send>, counts: Arc<Mutex<Counts>>) -> Self {
        let (recorder, failure) = (RefCell::new(recorder), RefCell::new(None));
        Self { room, recorder, counts, failure, failed: Notify::new() }
    }

    /// The app's next packet; by then it is recorded.
    pub async fn next(&self, frame: &mut [u8]) -> io::Result<(Offload, usize)> {
        let (offload, length) = self.room.read(frame).await?;
        let ip = &mut frame[Offload::LENGTH..][..length];
        offload.complete(ip);
        self.record(Direction::Outbound, ip);
        self.sound()?;
        Ok((offload, length))
    }

    /// Carries a packet to the app. One that its device does not take has not crossed: it is counted as lost, and not
    /// recorded.
    pub fn deliver(&self, offload: Offload, ip: &mut [u8]) {
        if self.failure.borrow().is_some() {
            return;
        }
        if let Err(error) = self.room.write(offload, ip) {
            return self.lost(Direction::Inbound, &error);
        }
        offload.complete(ip);
        self.record(Direction::Inbound, ip);
    }

    /// Counts a packet that a device did not take, unless there is nobody any more whom it could have reached.
    pub fn lost(&self, direction: Direction, error: &io::Error) {
        if error.raw_os_error() != Some(Errno::EBADFD as i32) {
            self.count(|counts| counts.lost(direction));
        }
    }

    pub fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns with the recorder's error, once there is one.
    pub async fn failed(&self) -> io::Result<()> {
        self.failed.notified().await;
        self.sound()
    }

    /// Ends the recording; nothing crosses afterwards.
    pub fn finish(&self) -> io::Result<()> {
        let finished = self.recorder.borrow_mut().finish();
        *self.failure.borrow_mut() = Some(io::Error::other("it has ended"));
        finished
    }

    fn record(&self, direction: Direction, ip: &[u8]) {
        self.count(|counts| counts.crossed(direction, ip.len()));
        if let Err(error) = self.recorder.borrow_mut().packet(direction, SystemTime::now(), ip) {
            *self.failure.borrow_mut() = Some(error);
            self.failed.notify_one();
        }
    }

    fn sound(&self) -> io::Result<()> {
        match &*self.failure.borrow() {
            Some(error) => Err(io::Error::new(error.kind(), format!("the recording failed: {error}"))),
            None => Ok(()),
        }
    }
}
