//! One call at a time: a file that a call holds while it works.
//!
//! A lock of flock(2) ends with the last copy of the file's descriptor. A child of ours has one from fork to exec, and
//! may outlive a call that was killed between them, by as long as a busy machine lets it wait. So a lock that is held is
//! asked for again for [`PATIENCE`] before another call is said to work there.
//! Promises: held until dropped, or until the process ends in whatever way.

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than it takes to start a program.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// Locks a file; none where another call holds it.
pub(crate) fn exclusive(mut file: File) -> io::Result<Option<Flock<File>>> {
    let until = Instant::now() + PATIENCE;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Some(held)),
            Err((_, Errno::EWOULDBLOCK)) if Instant::now() >= until => return Ok(None),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(error.into()),
        };
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn what_a_killed_call_left_in_a_child_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = File::create(&path).unwrap();
        held.lock().unwrap();
        let mut child = Command::new("sleep").arg("0.1").stdin(Stdio::from(held)).spawn().unwrap();
        assert!(File::open(&path).unwrap().try_lock().is_err(), "the child holds it");
        assert!(exclusive(File::create(&path).unwrap()).unwrap().is_some());
        child.wait().unwrap();
    }
}
