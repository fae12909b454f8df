//! How a program gets into a room, and what it loses on the way.
//!
//! `std::process::Command` forks; the copy enters the room's namespaces and forks once more, since a PID
//! namespace takes in only children. That second copy is our own child (CLONE_PARENT), so that it can be waited
//! for, and becomes the program.
//!
//! Promises: the program has no capability and can gain none, no descriptor but its three streams, no core dump
//! (a crash is not handed to the machine's crash reporter, which may send it on), no kind of socket that network
//! namespaces do not confine, and no way to type into its terminal.
//! To extend: what else a program must lose is one more line in [`Way::lose`].

use super::command::{Child, Command, Streams};
use super::identity::Identity;
use super::kernel;
use super::process::Process;
use super::step::become_user;
use super::syscalls;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::libc::sock_filter;
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sched::{CloneFlags, setns};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Pid, Uid, chdir, geteuid, pipe2, setsid, write};
use std::ffi::{CString, OsString};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

/// The way in.
#[derive(Debug)]
pub(super) struct Entry {
    namespaces: CloneFlags,
    /// Only root changes who it is: anyone else is who they are.
    user: Option<(Uid, Gid)>,
    filter: Arc<[sock_filter]>,
    environment: Vec<(OsString, OsString)>,
    home: PathBuf,
}

impl Entry {
    pub(super) fn new(
        namespaces: CloneFlags,
        user: &Identity,
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        let home = environment.iter().find(|(name, _)| name == "HOME").map(|(_, home)| home.into());
        Self {
            namespaces,
            user: geteuid().is_root().then_some((user.uid, user.gid)),
            filter: syscalls::filter().into(),
            environment,
            home: home.unwrap_or_else(|| "/".into()),
        }
    }

    /// Starts a program in the room of this first process.
    pub(super) fn start(&self, init: &Process, command: &Command) -> io::Result<Child> {
        let cwd = command.cwd.as_deref().unwrap_or(&self.home);
        let (mut started, terminal) = self.prepared(command)?;
        let (said, says) = pipe2(OFlag::O_CLOEXEC)?;
        let way = Way {
            init: init.handle().try_clone()?,
            namespaces: self.namespaces,
            user: self.user,
            filter: self.filter.clone(),
            cwd: CString::new(cwd.as_os_str().as_bytes())?,
            session: command.streams != Streams::Ours,
            terminal: terminal.is_some(),
            says,
        };
        // SAFETY: the closure makes only calls that are safe in a signal handler; it allocates nothing.
        unsafe { started.pre_exec(move || Ok(way.walk()?)) };
        let spawned = started.spawn();
        // Our copies of what the closure holds: the pipe ends once the program has begun.
        drop(started);
        let (pid, stage) = hear(&said)?;
        let process = pid.map(Process::new).transpose()?;
        match (spawned, process) {
            (Ok(mut first), Some(process)) => {
                let child = Child {
                    process: Arc::new(process),
                    stdin: first.stdin.take(),
                    stdout: first.stdout.take(),
                    stderr: first.stderr.take(),
                    terminal,
                };
                first.wait()?;
                Ok(child)
            }
            (Ok(_), None) => Err(io::Error::other("the room is gone: nothing can be started in it")),
            (Err(error), process) => {
                process.map(|process| process.wait(None)).transpose()?;
                Err(io::Error::new(error.kind(), stage.explain(command, cwd, &error)))
            }
        }
    }

    fn prepared(&self, command: &Command) -> io::Result<(std::process::Command, Option<OwnedFd>)> {
        let mut prepared = std::process::Command::new(&command.program);
        prepared.args(&command.args).env_clear();
        prepared.envs(self.environment.iter().chain(&command.env).map(|(name, value)| (name, value)));
        let mut terminal = None;
        let streams = match command.streams {
            Streams::Nothing => [Stdio::null(), Stdio::null(), Stdio::null()],
            Streams::Pipes => [Stdio::piped(), Stdio::piped(), Stdio::piped()],
            Streams::Ours => [Stdio::inherit(), Stdio::inherit(), Stdio::inherit()],
            Streams::Terminal { rows, columns } => {
                let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                let OpenptyResult { master, slave } = openpty(&size, None)?;
                for side in [&master, &slave] {
                    fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
                }
                terminal = Some(master);
                [Stdio::from(slave.try_clone()?), Stdio::from(slave.try_clone()?), Stdio::from(slave)]
            }
        };
        let [stdin, stdout, stderr] = streams;
        prepared.stdin(stdin).stdout(stdout).stderr(stderr);
        Ok((prepared, terminal))
    }
}

/// What the copy needs on its way, made before the fork.
struct Way {
    init: OwnedFd,
    namespaces: CloneFlags,
    user: Option<(Uid, Gid)>,
    filter: Arc<[sock_filter]>,
    cwd: CString,
    session: bool,
    terminal: bool,
    says: OwnedFd,
}

impl Way {
    /// Only the second copy returns from here well.
    fn walk(&self) -> nix::Result<()> {
        setns(self.init.as_fd(), self.namespaces)?;
        // SAFETY: both copies go on with calls that are safe in a signal handler only.
        if let Some(pid) = unsafe { kernel::fork_sibling()? } {
            kernel::end(i32::from(self.say(pid.as_raw()).is_err()));
        }
        if self.session {
            setsid()?;
        }
        if self.terminal {
            kernel::control_terminal()?;
        }
        self.lose()?;
        self.say(FOLDER)?;
        chdir(self.cwd.as_c_str())?;
        self.say(PROGRAM)
    }

    /// In this order: what needs a capability comes before the capabilities go.
    fn lose(&self) -> nix::Result<()> {
        kernel::drop_bounding_set()?;
        if let Some((uid, gid)) = self.user {
            become_user(uid, gid)?;
        }
        kernel::drop_capabilities()?;
        nix::sys::prctl::set_no_new_privs()?;
        // Kernels without keyrings have none to hide.
        let _ = kernel::new_keyring();
        // One byte, not none: at none a crash is still piped to the machine's reporter (Linux, fs/coredump.c).
        setrlimit(Resource::RLIMIT_CORE, 1, 1)?;
        kernel::close_on_exec_from(3)?;
        if self.filter.is_empty() { Ok(()) } else { kernel::filter(&self.filter) }
    }

    fn say(&self, number: i32) -> nix::Result<()> {
        write(&self.says, &number.to_ne_bytes()).map(drop)
    }
}

/// How far a copy came.
#[derive(Clone, Copy)]
enum Stage {
    Entering,
    Folder,
    Program,
}

/// What a copy says as it gets there: no PID is negative.
const FOLDER: i32 = -1;
const PROGRAM: i32 = -2;

impl Stage {
    fn explain(self, command: &Command, cwd: &Path, error: &io::Error) -> String {
        let program = command.program.display();
        match self {
            Self::Entering => format!("{program}: could not enter the room: {error}"),
            Self::Folder => format!("{}: no folder to work in within the room: {error}", cwd.display()),
            // A search that also meets folders which are closed to the user ends with that error.
            Self::Program if error.kind() == io::ErrorKind::NotFound || !command.is_path() => format!(
                "{program}: no such program in the room, which sees no file of the home or of /tmp unless told to"
            ),
            Self::Program => format!("{program}: {error}"),
        }
    }
}

/// What the two copies said, in either order: the first the PID, the second how far it came.
fn hear(said: &OwnedFd) -> io::Result<(Option<Pid>, Stage)> {
    let mut heard = Vec::new();
    std::fs::File::from(said.try_clone()?).read_to_end(&mut heard)?;
    let (mut pid, mut stage) = (None, Stage::Entering);
    for words in heard.as_chunks::<4>().0 {
        match i32::from_ne_bytes(*words) {
            FOLDER => stage = Stage::Folder,
            PROGRAM => stage = Stage::Program,
            number => pid = Some(Pid::from_raw(number)),
        }
    }
    Ok((pid, stage))
}
