//! Processes of the room, as a proc file system shows them.
//!
//! Source: proc_pid_stat(5), proc_pid_fd(5), proc_pid_exe(5). Promises: a process that ends while it is read is
//! `None`, never an error; command lines and environments are not read.

use nix::fcntl::readlinkat;
use overheard_model::{Parent, Process};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Steps up that are followed: deeper than any tree of processes that is not made to be deep.
const DEEPEST: usize = 64;

/// Descriptors to either side of a socket's among which the process's next one is looked for.
const NEAR: u32 = 4;

/// A socket in the hands of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) pid: u32,
    pub(super) descriptor: u32,
}

/// Where processes are looked up.
#[derive(Debug)]
pub(super) struct Processes {
    /// A proc file system that shows the room's processes.
    proc: PathBuf,
    /// The room's first process.
    first: u32,
}

/// What `stat` says of a process.
struct Stat {
    name: String,
    parent: u32,
}

impl Processes {
    pub(super) fn new(proc: PathBuf, first: u32) -> Self {
        Self { proc, first }
    }

    /// The folder of the room's tables of sockets.
    pub(super) fn net(&self) -> PathBuf {
        self.proc.join(self.first.to_string()).join("net")
    }

    /// All that are there now, newest numbers first.
    pub(super) fn all(&self) -> Vec<u32> {
        let mut all = numbers(&self.proc);
        all.sort_unstable_by(|a, b| b.cmp(a));
        all
    }

    /// Where a process holds the socket with this inode. The highest descriptors are looked at first: a socket that was
    /// just made has one of them.
    pub(super) fn held(&self, pid: u32, inode: u64) -> Option<Held> {
        let mut descriptors = numbers(&self.descriptors(pid));
        descriptors.sort_unstable_by(|a, b| b.cmp(a));
        self.held_at(pid, inode, descriptors)
    }

    /// The same, where it is beside one that the process held: without listing all that it has.
    pub(super) fn held_near(&self, Held { pid, descriptor }: Held, inode: u64) -> Option<Held> {
        let near = descriptor.saturating_sub(NEAR)..=descriptor.saturating_add(NEAR);
        self.held_at(pid, inode, near)
    }

    fn held_at(&self, pid: u32, inode: u64, descriptors: impl IntoIterator<Item = u32>) -> Option<Held> {
        // Names are looked up from the open folder: that halves what a process with many costs.
        let folder = File::open(self.descriptors(pid)).ok()?;
        let is_held = |descriptor: &u32| {
            readlinkat(&folder, &*descriptor.to_string()).is_ok_and(|link| socket(&link) == Some(inode))
        };
        let descriptor = descriptors.into_iter().find(is_held)?;
        Some(Held { pid, descriptor })
    }

    fn descriptors(&self, pid: u32) -> PathBuf {
        self.folder(pid).join("fd")
    }

    /// The process with its parents up to the room's first.
    pub(super) fn describe(&self, pid: u32) -> Option<Process> {
        let Stat { name, parent } = self.stat(pid)?;
        let exe = std::fs::read_link(self.folder(pid).join("exe")).ok();
        let exe = exe.map(|path| path.to_string_lossy().into_owned());
        let mut parents = Vec::new();
        let (mut below, mut above) = (pid, parent);
        while below != self.first && above != 0 && parents.len() < DEEPEST {
            let Some(stat) = self.stat(above) else { break };
            parents.push(Parent { pid: above, name: stat.name });
            (below, above) = (above, stat.parent);
        }
        Some(Process { pid, name, exe, parents })
    }

    fn stat(&self, pid: u32) -> Option<Stat> {
        stat(&std::fs::read(self.folder(pid).join("stat")).ok()?)
    }

    fn folder(&self, pid: u32) -> PathBuf {
        self.proc.join(pid.to_string())
    }
}

/// What is named by a number in a folder; nothing where it cannot be read.
fn numbers(folder: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// `12 (name) S 7 …`; the name may hold anything, brackets too.
fn stat(text: &[u8]) -> Option<Stat> {
    let begin = text.iter().position(|byte| *byte == b'(')? + 1;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let name = String::from_utf8_lossy(text.get(begin..end)?).into_owned();
    let parent = str::from_utf8(text.get(end + 1..)?).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Stat { name, parent })
}

/// `socket:[48213]`
fn socket(link: &OsStr) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_name_with_brackets_is_read_whole() {
        let Stat { name, parent } = stat(b"12 (a) b (c) S 7 12 12 0").unwrap();
        assert_eq!((&*name, parent), ("a) b (c", 7));
        assert!(stat(b"").is_none() && stat(b"12 (a").is_none() && stat(b")(").is_none());
    }

    #[test]
    fn we_are_described_with_our_parent() {
        let processes = Processes::new("/proc".into(), 1);
        let us = processes.describe(std::process::id()).unwrap();
        assert_eq!(us.exe, std::env::current_exe().unwrap().to_str().map(String::from));
        assert_eq!(us.parents.first().map(|parent| parent.pid), Some(std::os::unix::process::parent_id()));
        assert!(processes.describe(u32::MAX).is_none());
    }

    #[test]
    fn a_socket_is_found_beside_the_last_one_and_among_all() {
        let processes = Processes::new("/proc".into(), 1);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (pid, descriptor) = (std::process::id(), socket.as_raw_fd().cast_unsigned());
        let inode = std::fs::metadata(format!("/proc/self/fd/{descriptor}")).unwrap().ino();
        let held = Held { pid, descriptor };
        assert_eq!(processes.held(pid, inode), Some(held));
        assert_eq!(processes.held_near(Held { pid, descriptor: descriptor + NEAR }, inode), Some(held));
        assert_eq!(processes.held_near(Held { pid, descriptor: descriptor + NEAR + 1 }, inode), None);
        assert_eq!(processes.held(pid, 0), None);
    }
}
