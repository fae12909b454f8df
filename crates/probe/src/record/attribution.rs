//! Which process of the room owns a flow.
//!
//! Asked once, at the flow's first packet. A program that connects waits for an answer that has not been given yet, so
//! it is still there; one that sends a datagram may be gone, and then the honest answer is that it is not known.
//! From the two ends the kernel tells the socket's inode ([`super::sock_diag`], [`super::socket_table`]), and the
//! process is the one that holds it. Who held the last ones is looked at first, and there the descriptors beside the last
//! one: listing all that a busy program has costs more than everything else. Then come the newest processes.
//! A socket that several processes share is laid to the first of them that is found.

use super::opening::Ends;
use super::process::{Held, Processes};
use super::sock_diag::SocketDiagnosis;
use super::socket_table;
use overheard_model::{Process, Timestamp};
use std::path::PathBuf;

/// Processes that are looked at first.
const RECENT: usize = 8;

/// A flow and its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributed {
    pub ends: Ends,
    /// Of its first packet.
    pub began: Timestamp,
    /// `None` where nobody held its socket any more.
    pub process: Option<Process>,
}

/// Finds the owners of flows.
#[derive(Debug)]
pub struct Attribution {
    diagnosis: Option<SocketDiagnosis>,
    processes: Processes,
    /// Where the sockets asked for last were held, latest first; each process once.
    recent: Vec<Held>,
}

impl Attribution {
    /// `proc` is a proc file system that shows the room's processes, `first` the room's first process as it is
    /// numbered there: `/proc` and its number, or `/proc/NUMBER/root/proc` and 1 where the room has numbers of
    /// its own. Without a diagnosis the kernel's tables are read, which takes longer the more sockets there are.
    pub fn new(diagnosis: Option<SocketDiagnosis>, proc: PathBuf, first: u32) -> Self {
        let processes = Processes::new(proc, first);
        Self { diagnosis, processes, recent: Vec::new() }
    }

    /// The process that owns the flow; `None` where nobody holds its socket any more.
    pub fn owner(&mut self, ends: &Ends) -> Option<Process> {
        let held = self.holder(self.inode(ends)?)?;
        self.recent.retain(|recent| recent.pid != held.pid);
        self.recent.insert(0, held);
        self.recent.truncate(RECENT);
        self.processes.describe(held.pid)
    }

    fn inode(&self, ends: &Ends) -> Option<u64> {
        let diagnosed = self.diagnosis.as_ref().and_then(|diagnosis| diagnosis.inode(ends));
        diagnosed.or_else(|| socket_table::inode(&self.processes.net(), ends))
    }

    fn holder(&self, inode: u64) -> Option<Held> {
        let near = || self.recent.iter().find_map(|last| self.processes.held_near(*last, inode));
        let recent = || self.recent.iter().find_map(|last| self.processes.held(last.pid, inode));
        let is_recent = |pid: &u32| self.recent.iter().any(|last| last.pid == *pid);
        let others = || self.processes.all().into_iter().filter(|pid| !is_recent(pid));
        near().or_else(recent).or_else(|| others().find_map(|pid| self.processes.held(pid, inode)))
    }
}
