//! A process that is ours to wait for, known by its handle.
//!
//! Promises: the handle names one process for ever, so that no signal reaches another that was given its PID;
//! it is waited for once, and everyone who asks is told the same.

use super::kernel;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Process {
    pub pid: Pid,
    handle: OwnedFd,
    status: Mutex<Option<ExitStatus>>,
}

impl Process {
    /// Of a child of ours that nobody has waited for yet.
    pub(super) fn new(pid: Pid) -> io::Result<Self> {
        Ok(Self { pid, handle: kernel::process_handle(pid)?, status: Mutex::new(None) })
    }

    pub(super) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// How it ended, within the limit; nothing if it still runs then. Without a limit this waits.
    pub(super) fn wait(&self, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
        if let Some(status) = *self.status() {
            return Ok(Some(status));
        }
        if !self.ends_within(limit)? {
            return Ok(None);
        }
        let mut status = self.status();
        if status.is_none() {
            *status = Some(reap(&self.handle)?);
        }
        Ok(*status)
    }

    /// Nothing happens to one that has ended.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match kernel::signal(self.handle.as_fd(), signal as i32) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn status(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends_within(&self, limit: Option<Duration>) -> io::Result<bool> {
        let until = limit.map(|limit| Instant::now() + limit);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // Rounded up, or the last millisecond would be spent in a busy loop.
            let left = left.map(|left| left.as_micros().div_ceil(1000));
            let timeout = left
                .map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
            match poll(&mut [PollFd::new(self.handle.as_fd(), PollFlags::POLLIN)], timeout) {
                Ok(0) if left == Some(0) => return Ok(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn reap(handle: &OwnedFd) -> io::Result<ExitStatus> {
    loop {
        return Ok(match waitid(Id::PIDFd(handle.as_fd()), WaitPidFlag::WEXITED) {
            Ok(WaitStatus::Exited(_, code)) => ExitStatus::from_raw(code << 8),
            Ok(WaitStatus::Signaled(_, signal, _)) => ExitStatus::from_raw(signal as i32),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        });
    }
}
