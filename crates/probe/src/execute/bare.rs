//! Programs without a room: child processes of ours, in process groups of their own. Nothing is recorded.
//!
//! Promises: what stays in its process group ends with the stage; a daemon that left it does not: that takes a room.

use super::stage::{Closed, Launch, Launched, Process, Setting, Stage, Stages};
use crate::driver::{Ends, Streams};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, setsid};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Opens stages without a room.
#[derive(Debug, Default)]
pub struct Bare;

impl Bare {
    /// A stage on which programs start in this folder.
    pub(crate) fn stage(base: &Path) -> Box<dyn Stage> {
        Box::new(BareStage { base: base.to_owned(), children: Vec::new() })
    }
}

impl Stages for Bare {
    fn open(&mut self, setting: &Setting) -> io::Result<Box<dyn Stage>> {
        Ok(Self::stage(setting.base))
    }
}

#[derive(Debug)]
struct BareStage {
    base: PathBuf,
    /// Not reaped before the stage closes: until then their numbers are nobody else's.
    children: Vec<Child>,
}

impl Stage for BareStage {
    fn launch(&mut self, launch: Launch) -> io::Result<Launched> {
        let [program, arguments @ ..] = launch.command else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(launch.environment).current_dir(&self.base);
        let (mut child, terminal) = match launch.streams {
            Streams::Pipes => {
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
                lead(&mut command, false);
                (command.spawn()?, None)
            }
            Streams::Terminal { rows, columns } => {
                let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                let OpenptyResult { master, slave } = openpty(&size, None)?;
                // Other programs that are started meanwhile must not hold the terminal open.
                fcntl(&master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
                fcntl(&slave, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
                command.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave);
                lead(&mut command, true);
                (command.spawn()?, Some(master))
            }
        };
        let ends = ends(&mut child, terminal);
        let leader = Pid::from_raw(child.id().cast_signed());
        self.children.push(child);
        Ok(Launched { process: Box::new(BareProcess { leader }), ends: ends? })
    }

    fn recorded(&self) -> u64 {
        0
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        Ok(Closed::default())
    }
}

impl Drop for BareStage {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
            let _ = child.wait();
        }
    }
}

fn ends(child: &mut Child, terminal: Option<OwnedFd>) -> io::Result<Ends> {
    match (terminal, child.stdin.take(), child.stdout.take(), child.stderr.take()) {
        (Some(terminal), ..) => Ok(Ends::Terminal(terminal)),
        (None, Some(stdin), Some(stdout), Some(stderr)) => {
            Ok(Ends::Pipes { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() })
        }
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Has the program lead a session of its own, with standard input as its terminal if that is one.
fn lead(command: &mut Command, terminal: bool) {
    let lead = move || {
        setsid()?;
        if terminal {
            // SAFETY: standard input is open, and this request takes a number, no pointer.
            Errno::result(unsafe { libc::ioctl(libc::STDIN_FILENO, libc::TIOCSCTTY, 0) })?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only setsid(2) and ioctl(2) are called, which are safe in a signal handler.
    unsafe { command.pre_exec(lead) };
}

#[derive(Debug)]
struct BareProcess {
    /// Of its process group.
    leader: Pid,
}

impl Process for BareProcess {
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        look(self.leader, WaitPidFlag::WNOHANG)
    }

    fn ask_to_end(&mut self) -> io::Result<()> {
        signal(self.leader, Signal::SIGTERM)
    }

    fn kill(&mut self) -> io::Result<()> {
        signal(self.leader, Signal::SIGKILL)?;
        look(self.leader, WaitPidFlag::empty()).map(drop)
    }
}

/// How a child ended, without reaping it.
fn look(child: Pid, more: WaitPidFlag) -> io::Result<Option<ExitStatus>> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | more;
    // As wait(2) reports it: the exit code in the second byte, or the signal in the first.
    let raw = match waitid(Id::Pid(child), flags)? {
        WaitStatus::Exited(_, code) => code << 8,
        WaitStatus::Signaled(_, signal, _) => signal as i32,
        _ => return Ok(None),
    };
    Ok(Some(ExitStatus::from_raw(raw)))
}

fn signal(group: Pid, signal: Signal) -> io::Result<()> {
    match killpg(group, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
