//! A recording as the gateway's recorder.
//!
//! The gateway keeps one handle until it has stopped; whoever holds the other one then ends the recording, and learns
//! what became of it.

use super::{Direction, Recording};
use crate::gateway::Recorder;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

impl Recorder for Arc<Mutex<Recording>> {
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        self.lock().unwrap_or_else(PoisonError::into_inner).packet(direction, time, ip)
    }
}
