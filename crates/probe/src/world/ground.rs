//! The ground that a world stands on: namespaces of its own, made as root or as an ordinary user.
//!
//! Promises: whatever ends the process that made them (its own end, an interrupt, SIGKILL) ends every process inside,
//! and with the last of them the kernel drops namespaces, mounts and devices. The first process inside is the init of
//! a PID namespace and has asked to be killed with its parent, so there is nothing that could fail to clean up.
//! /run is empty inside: no socket of the machine's services, such as a resolver's, is a way out of the world.

use super::error::Error;
use nix::errno::Errno;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getegid, geteuid, pipe2};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Where everything of a world lies, seen from inside.
pub(super) const FOLDER: &str = "/run/world";

/// `si_code` of a signal that the kernel sent, as it does for a key of the terminal.
const FROM_KERNEL: i32 = 0x80;

const NAMESPACES: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC);

/// Calls `inside` in a process within new namespaces and gives the exit code that it gave. The caller itself is in
/// those namespaces afterwards, and can start no more threads: it should end.
pub(super) fn enter(inside: impl FnOnce() -> Result<i32, Error>) -> Result<i32, Error> {
    let threads = fs::read_dir("/proc/self/task").map(Iterator::count).unwrap_or(1);
    if threads != 1 {
        return Err(Error::step("begin", format!("its caller has {threads} threads and must have one")));
    }
    let (complaints, teller) =
        pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|why| Error::step("make a pipe", why))?;
    isolate()?;
    let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGCHLD]);
    signals.thread_block().map_err(|why| Error::step("block signals", why))?;
    // SAFETY: this process has one thread, so that no lock can be held by another one at the time of the fork.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            drop(complaints);
            let unblocked = signals.thread_unblock().map_err(|why| Error::step("unblock signals", why));
            std::process::exit(
                unblocked.map_or_else(|error| tell(&teller, &error), |()| first(inside, &teller)),
            )
        }
        Ok(ForkResult::Parent { child }) => {
            drop(teller);
            let code = attend(child, &signals)?;
            let mut text = String::new();
            let _ = File::from(complaints).read_to_string(&mut text);
            serde_json::from_str(&text).map_or(Ok(code), Err)
        }
        Err(why) => Err(Error::step("start its first process", why)),
    }
}

/// New namespaces, within a new user namespace where the caller has no right to them otherwise.
fn isolate() -> Result<(), Error> {
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() {
        match unshare(NAMESPACES) {
            Err(Errno::EPERM) => {}
            other => return other.map_err(|why| Error::step("make namespaces", why)),
        }
    }
    unshare(NAMESPACES | CloneFlags::CLONE_NEWUSER).map_err(|why| {
        Error::missing(
            format!("this machine lets an ordinary user make no namespaces: {why}"),
            "allow user namespaces (`overheard doctor` says how), or run as root",
        )
    })?;
    let write = |file: &str, text: String| {
        fs::write(file, text).map_err(|why| Error::step("map its user", format!("{file}: {why}")))
    };
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    write("/proc/self/gid_map", format!("0 {gid} 1"))
}

/// The first process inside: ends with its parent, whatever happens.
fn first(inside: impl FnOnce() -> Result<i32, Error>, teller: &OwnedFd) -> i32 {
    let ties = set_pdeathsig(Signal::SIGKILL).map_err(|why| Error::step("tie itself to its parent", why));
    // The parent may have died before it was tied to: then nobody reads what this one tells.
    let mut reader = [PollFd::new(teller.as_fd(), PollFlags::empty())];
    let orphan = poll(&mut reader, PollTimeout::ZERO).is_ok_and(|gone| gone > 0);
    if orphan {
        return 1;
    }
    let ran = catch_unwind(AssertUnwindSafe(|| ties.and_then(|()| mounts()).and_then(|()| inside())));
    match ran {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => tell(teller, &error),
        Err(_) => 101,
    }
}

fn tell(teller: &OwnedFd, error: &Error) -> i32 {
    let text = serde_json::to_vec(error).unwrap_or_default();
    let told = teller.try_clone().and_then(|pipe| File::from(pipe).write_all(&text));
    // A parent that is gone needs no word.
    i32::from(told.is_ok()) * 2
}

/// Whether a key of the terminal ends the first process, and the world with it: until the command runs, which has
/// the key itself then. By default nothing but SIGKILL ends the init of a PID namespace.
pub(super) fn interruptible(yes: bool) -> Result<(), Error> {
    extern "C" fn end(_: libc::c_int) {
        // SAFETY: _exit may be called from a signal handler.
        unsafe { libc::_exit(128 + libc::SIGINT) }
    }
    let handler = if yes { SigHandler::Handler(end) } else { SigHandler::SigDfl };
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler touches no memory.
    unsafe { sigaction(Signal::SIGINT, &action) }
        .map(drop)
        .map_err(|why| Error::step("be interruptible", why))
}

/// Waits for the first process. A key of the terminal is for the command inside, which has it too; an interrupt
/// that somebody sent ends the world.
fn attend(child: Pid, signals: &SigSet) -> Result<i32, Error> {
    let step = |why| Error::step("wait for its end", why);
    let queue = SignalFd::new(signals).map_err(step)?;
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)).map_err(step)? {
            WaitStatus::Exited(_, code) => return Ok(code),
            WaitStatus::Signaled(_, signal, _) => return Ok(128 + signal as i32),
            _ => {}
        }
        let Some(signal) = queue.read_signal().map_err(step)? else { continue };
        if signal.ssi_signo == Signal::SIGINT as u32 && signal.ssi_code != FROM_KERNEL {
            kill(child, Signal::SIGKILL).map_err(step)?;
            waitpid(child, None).map_err(step)?;
            return Ok(128 + Signal::SIGINT as i32);
        }
    }
}

/// A /proc of the new processes, an empty /run with the world's folder in it.
fn mounts() -> Result<(), Error> {
    let none: Option<&str> = None;
    let on = |what: &str, at: &str, flags: MsFlags, options: Option<&str>| {
        mount(Some(what), at, Some(what), flags, options)
            .map_err(|why| Error::step("mount", format!("{what} at {at}: {why}")))
    };
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|why| Error::step("keep its mounts to itself", why))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    on("proc", "/proc", flags | MsFlags::MS_NOEXEC, None)?;
    on("tmpfs", "/run", flags, Some("mode=755"))?;
    fs::create_dir_all(FOLDER).map_err(|why| Error::step("make its folder", why))
}

/// Puts the world's text in place of a file of the machine, for this mount namespace alone.
pub(super) fn replace(file: &str, text: &str) -> Result<(), Error> {
    let step = |why: String| Error::step(&format!("replace {file}"), why);
    // Where the file is a link into /run, which is empty now, its goal is ours to write.
    if let Ok(goal) = fs::read_link(file) {
        let goal = Path::new(file).parent().unwrap_or(Path::new("/")).join(goal);
        let parent = goal.parent().unwrap_or(Path::new("/"));
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&goal, text));
        if written.is_ok() {
            return Ok(());
        }
    }
    let ours = format!("{FOLDER}/{}", file.rsplit('/').next().unwrap_or(file));
    fs::write(&ours, text).map_err(|why| step(why.to_string()))?;
    let none: Option<&str> = None;
    mount(Some(ours.as_str()), file, none, MsFlags::MS_BIND, none).map_err(|why| step(why.to_string()))
}
