//! Starts the gateway on a thread of its own and stops it.
//!
//! Promises: all of a gateway runs on that thread; once [`Running`] is stopped or dropped the thread has ended, its
//! sockets are closed and the recorder is dropped.

use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::sync::oneshot;

use super::crossing::Crossing;
use super::{Carried, Counts, Gateway, Options, Recorder};
use crate::door::Door;

/// A gateway at work.
#[derive(Debug)]
pub struct Running {
    counts: Arc<Mutex<Counts>>,
    carried: Carried,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Opens the door in this thread's network namespace, where all real connections are opened, and raises the
    /// process's limit of open files to what it may be: a flow takes two.
    pub fn start(door: Door, options: Options, recorder: Box<dyn Recorder + Send>) -> io::Result<Self> {
        if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
            let _fewer_flows_without = setrlimit(Resource::RLIMIT_NOFILE, most, most);
        }
        let (counts, carried) = (Arc::<Mutex<Counts>>::default(), Carried::default());
        let (stop, stopped) = oneshot::channel();
        let (sender, started) = std::sync::mpsc::sync_channel(1);
        let (shared, kept) = (Arc::clone(&counts), carried.clone());
        let thread = std::thread::Builder::new().name("gateway".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let built = Gateway::new(door, options, kept, |room| Crossing::new(room, recorder, shared));
                let gateway = match built {
                    Ok(gateway) => Rc::new(gateway),
                    Err(error) => {
                        let _nobody_waits = sender.send(Err(error));
                        return Ok(());
                    }
                };
                let _nobody_waits = sender.send(Ok(()));
                let ended = tokio::select! {
                    ended = gateway.serve() => ended,
                    _told_or_dropped = stopped => Ok(()),
                };
                // The first error is the one that matters, and the recording is ended in either case.
                let finished = gateway.finish();
                ended.and(finished)
            })
        })?;
        let running = Self { counts, carried, stop: Some(stop), thread: Some(thread) };
        match started.recv() {
            Ok(Ok(())) => Ok(running),
            Ok(Err(error)) => Err(error),
            Err(_thread_ended) => Err(running.stop().err().unwrap_or_else(|| Errno::ESRCH.into())),
        }
    }

    /// What crossed so far.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// To whom something was carried so far, and to whom not; also as it goes on.
    pub fn carried(&self) -> Carried {
        self.carried.clone()
    }

    /// Ends all connections and the recording. An error is why the gateway had ended by itself: the recorder failed, or
    /// a device has gone with its namespace.
    pub fn stop(mut self) -> io::Result<Counts> {
        self.end()?;
        Ok(self.counts())
    }

    fn end(&mut self) -> io::Result<()> {
        self.stop.take();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended.or_else(|error| match error.raw_os_error().map(Errno::from_raw) {
                // The room has gone, and with it its device: nothing can cross any more.
                Some(Errno::EBADFD) => Ok(()),
                _ => Err(error),
            }),
            Some(Err(_panic)) => Err(io::Error::other("the gateway's thread panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _told_already = self.end();
    }
}
