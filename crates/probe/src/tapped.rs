//! A room whose door is tapped: its gateway carries what the app sends, its recording keeps every packet.
//!
//! For: runs, live views and confinement, which differ in what they ask for ([`Order`]) and in who listens.
//! Promises: nothing crosses before the recording has begun, or after it has ended; whatever ends this ends the room,
//! and what was recorded stays.

use crate::gateway::{Carried, Counts, Direction, Options, Recorder, Running};
use crate::record::{Attribution, Recorded, Recording, Section, Sources};
use crate::room::{self, Room, Spec};
use overheard_model::Process;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What is asked for.
#[derive(Debug)]
pub struct Order<'a> {
    pub spec: &'a Spec,
    pub options: Options,
    /// An empty file, such as [`crate::record::create`] makes.
    pub capture: File,
    pub section: Section<'a>,
    /// Where the app logs its TLS secrets, as it sees it, if they are to be kept in the capture.
    pub key_log: Option<&'a Path>,
    pub listener: Option<Box<dyn Listener>>,
}

/// Whoever hears each packet as it crosses, after it was recorded. It must not wait: the packet does.
pub trait Listener: Send + fmt::Debug {
    /// `process` is given with the packet that opens a flow, where its owner is known.
    fn hear(&mut self, direction: Direction, time: SystemTime, ip: &[u8], process: Option<&Process>);
}

/// Why a room could not be opened or closed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Room(#[from] room::Error),
    #[error("{what}: {error}")]
    Failed { what: String, error: io::Error },
}

impl Error {
    /// Says what went wrong with an error of the system.
    pub fn of(what: &str) -> impl Fn(io::Error) -> Self + use<'_> {
        move |error| Self::Failed { what: what.into(), error }
    }
}

/// A room at whose door gateway and recording stand.
#[derive(Debug)]
pub struct Tapped {
    room: Room,
    gateway: Running,
    recording: Arc<Mutex<Recording>>,
}

impl Tapped {
    /// Opens the room, begins the recording, then opens the gateway.
    ///
    /// # Errors
    /// Where one of the three cannot be.
    pub fn open(order: Order) -> Result<Self, Error> {
        let (room, mut door) = Room::open(order.spec)?;
        let attribution = Attribution::new(door.diagnosis.take(), room.root().join("proc"), 1);
        let inside = |path: &Path| room.root().join(path.strip_prefix("/").unwrap_or(path));
        let sources = Sources { key_log: order.key_log.map(inside), attribution: Some(attribution) };
        let recording = Recording::begin(order.capture, &order.section, sources)
            .map_err(Error::of("the recording cannot begin"))?;
        let recording = Arc::new(Mutex::new(recording));
        let tap = Tap { recording: Arc::clone(&recording), listener: order.listener };
        let gateway = Running::start(door, order.options, Box::new(tap))
            .map_err(Error::of("the gateway cannot be opened"))?;
        Ok(Self { room, gateway, recording })
    }

    pub fn room(&self) -> &Room {
        &self.room
    }

    /// What crossed so far.
    pub fn counts(&self) -> Counts {
        self.gateway.counts()
    }

    /// To whom something was carried so far, and to whom not; also as it goes on.
    pub fn carried(&self) -> Carried {
        self.gateway.carried()
    }

    /// Ends every process inside, then the gateway, then the recording.
    ///
    /// # Errors
    /// A process does not end, or the gateway had ended by itself: what was recorded is not all.
    pub fn close(self) -> Result<(Counts, Recorded), Error> {
        // The key log goes with the room.
        lock(&self.recording).flush();
        self.room.close().map_err(Error::of("the room cannot be closed"))?;
        let counts = self.gateway.stop().map_err(Error::of("the gateway ended"))?;
        let held = || Error::of("the recording")(io::Error::other("the gateway still holds it"));
        let recording = Arc::into_inner(self.recording).ok_or_else(held)?;
        let mut recording = recording.into_inner().unwrap_or_else(PoisonError::into_inner);
        counts.remarks().into_iter().for_each(|remark| recording.remark(remark));
        Ok((counts, recording.finish()))
    }
}

fn lock(recording: &Mutex<Recording>) -> std::sync::MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands at the gateway.
#[derive(Debug)]
struct Tap {
    recording: Arc<Mutex<Recording>>,
    listener: Option<Box<dyn Listener>>,
}

impl Recorder for Tap {
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        let mut recording = lock(&self.recording);
        let flows = recording.attributed().len();
        recording.packet(direction, time, ip)?;
        if let Some(listener) = &mut self.listener {
            let opened = recording.attributed().get(flows);
            listener.hear(direction, time, ip, opened.and_then(|flow| flow.process.as_ref()));
        }
        Ok(())
    }
}
