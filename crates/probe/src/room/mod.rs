//! The room: namespaces in which an app runs, with one door.
//!
//! User, network, mount, PID, IPC, UTS and, where allowed, cgroup namespaces, made as an ordinary user where the
//! kernel allows it and as root where not. `docs/methods/rooms.md` says what a room promises and what it does
//! not.
//!
//! ```no_run
//! use overheard_probe::room::{Command, Room, Spec};
//! let (room, door) = Room::open(&Spec::default())?;
//! let child = room.spawn(&Command { program: "curl".into(), ..Command::default() })?;
//! child.wait(None)?;
//! room.close()?;
//! # drop(door);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Promises: every packet of a process inside leaves by the [`Door`] or not at all. When the room is closed or
//! dropped, or this program ends in any way, SIGKILL included, every process inside ends with it, daemons too,
//! and no namespace, mount or scratch file is left: all scratch is in memory, within the room's own mounts.
//! To read: [`tree`] and [`network`] say what is built, [`step`] how, [`birth`] by whom, [`enter`] how an app
//! gets in.

mod authority;
mod birth;
mod command;
mod enter;
mod error;
mod identity;
mod kernel;
mod lookout;
mod mounts;
mod network;
mod process;
mod spec;
mod step;
mod syscalls;
mod tree;
mod veil;
mod ways;

pub use command::{Child, Command, Streams};
pub use error::{Error, Missing};
pub use identity::Identity;
pub use lookout::Lookout;
pub use spec::{Home, Socket, Spec};
pub use tree::is_covered;
pub use ways::{Kind, Way};

use crate::door::Door;
use birth::Birth;
use enter::Entry;
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use process::Process;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use step::Step;
use ways::Found;

/// Longer than the kernel needs to end all processes of a room, unless one hangs in a broken device.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an app's helpers may take to end after it, and how often that is looked for.
const FAREWELL: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(20);

/// A room that is open. Dropping it closes it.
#[derive(Debug)]
pub struct Room {
    init: Process,
    /// Its first process lives as long as this is held.
    _lifeline: OwnedFd,
    entry: Entry,
    started: Mutex<Vec<Arc<Process>>>,
    user: Identity,
    doors: Vec<(Socket, PathBuf)>,
    shared: Vec<PathBuf>,
}

impl Room {
    /// Opens a room and its door. Blocks for some milliseconds.
    ///
    /// # Errors
    /// [`Error::Missing`] names what the machine lacks and how to mend it.
    pub fn open(spec: &Spec) -> Result<(Self, Door), Error> {
        match Self::open_by(spec, Means::UserNamespace) {
            // Root needs no user namespace.
            Err(Error::Missing(Missing::UserNamespaces)) if geteuid().is_root() => {
                Self::open_by(spec, Means::Root)
            }
            opened => opened,
        }
    }

    fn open_by(spec: &Spec, means: Means) -> Result<(Self, Door), Error> {
        if spec.user.uid != geteuid() && !geteuid().is_root() {
            return Err(Error::AnotherUser);
        }
        let tree = tree::plan(spec)?;
        let steps = steps(&spec.user, means, tree.steps);
        let Birth { init, lifeline, door } = birth::begin(&steps, &spec.user)?;
        let environment = environment(tree.environment, &spec.environment);
        let namespaces = means.namespaces() | cgroup(&init);
        let room = Self {
            init,
            _lifeline: lifeline,
            entry: Entry::new(namespaces, &spec.user, environment),
            started: Mutex::default(),
            user: spec.user.clone(),
            doors: tree.doors,
            shared: tree.shared,
        };
        Ok((room, door))
    }

    /// Starts a program inside.
    ///
    /// # Errors
    /// Where there is no such program or folder in the room, or the room is gone.
    pub fn spawn(&self, command: &Command) -> io::Result<Child> {
        let child = self.entry.start(&self.init, command)?;
        let mut started = self.started();
        // Those that have ended are waited for here, or a room with many programs would keep as many zombies.
        started.retain(|process| !matches!(process.wait(Some(Duration::ZERO)), Ok(Some(_))));
        started.push(child.process.clone());
        Ok(child)
    }

    /// The sockets of the desktop that were asked for, and where they stand.
    pub fn doors(&self) -> &[(Socket, PathBuf)] {
        &self.doors
    }

    /// Every door that is not the network, [`Room::doors`] among them. Walks the file system: this may take seconds to
    /// minutes, unless it is veiled.
    pub fn other_doors(&self) -> Vec<Way> {
        self.found().ways
    }

    /// The same as far as it is known at once, and whether that is all: without a veil only what was asked for is.
    pub fn doors_at_once(&self) -> (Vec<Way>, bool) {
        match self.is_veiled() {
            true => (self.other_doors(), true),
            false => (self.asked().collect(), false),
        }
    }

    /// Whether the machine's files are shown through layers ([`Spec::veiled`]).
    pub fn is_veiled(&self) -> bool {
        mounts::of(&self.process()).is_ok_and(|mounts| mounts.iter().any(|mount| mount.veil))
    }

    /// Looks out for such doors from now on, so that one which comes and goes is found too.
    pub fn look_out(&self) -> Lookout {
        Lookout::begin(self.found(), &self.root())
    }

    /// All that stood open since, and what stands open now.
    pub fn looked_out(&self, lookout: Lookout) -> Vec<Way> {
        lookout.end(self.other_doors())
    }

    fn found(&self) -> Found {
        let mut found = ways::find(&self.process(), &self.user);
        found.ways.retain(|way| self.doors.iter().all(|(_, path)| way.path != *path));
        found.ways.extend(self.asked());
        // What comes into a folder that stays is no news: it is a door as a whole.
        found.bare.retain(|folder| self.shared.iter().all(|shared| !folder.starts_with(shared)));
        found.ways.sort();
        found.ways.dedup();
        found
    }

    /// Doors that were asked for.
    fn asked(&self) -> impl Iterator<Item = Way> {
        let desktop = self.doors.iter().map(|(door, path)| (path, Kind::Desktop(*door)));
        let shared = self.shared.iter().map(|path| (path, Kind::Folder));
        desktop.chain(shared).map(|(path, kind)| Way { path: path.clone(), kind })
    }

    /// What an app that has ended left running, by the name that the kernel has for it. Whatever ends within a moment
    /// after the app is not left.
    ///
    /// # Errors
    /// The room's `/proc` cannot be read.
    pub fn left(&self) -> io::Result<BTreeMap<String, u64>> {
        let until = Instant::now() + FAREWELL;
        loop {
            let running = self.running()?;
            if running.is_empty() || Instant::now() >= until {
                return Ok(running);
            }
            std::thread::sleep(TICK);
        }
    }

    fn running(&self) -> io::Result<BTreeMap<String, u64>> {
        let mut running = BTreeMap::new();
        for entry in std::fs::read_dir(self.root().join("proc"))? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.parse::<u32>().ok());
            if number.is_some_and(|number| number > 1) {
                // It may end meanwhile, and what it is called need not be UTF-8.
                let stat = std::fs::read(entry.path().join("stat")).unwrap_or_default();
                let name = name_of_running(&String::from_utf8_lossy(&stat)).map(str::to_owned);
                name.into_iter().for_each(|name| *running.entry(name).or_default() += 1);
            }
        }
        Ok(running)
    }

    /// The room's root, as seen from outside: what the app left behind can be read there until it is closed.
    pub fn root(&self) -> PathBuf {
        self.process().join("root")
    }

    /// Its first process.
    fn process(&self) -> PathBuf {
        Path::new("/proc").join(self.init.pid.to_string())
    }

    /// The PID of the room's first process, as seen from outside: its namespaces are the room's.
    pub fn pid(&self) -> u32 {
        self.init.pid.as_raw().unsigned_abs()
    }

    /// Ends every process inside and waits until they are gone.
    ///
    /// # Errors
    /// Where one is not gone after ten seconds: it hangs in the kernel.
    pub fn close(self) -> io::Result<()> {
        self.end()
    }

    fn end(&self) -> io::Result<()> {
        self.init.signal(Signal::SIGKILL)?;
        // The kernel keeps the first process until the others have been waited for.
        let started = std::mem::take(&mut *self.started());
        for process in started.iter().map(Arc::as_ref).chain([&self.init]) {
            if process.wait(Some(PATIENCE))?.is_none() {
                return Err(io::Error::other(format!("process {} of the room does not end", process.pid)));
            }
        }
        Ok(())
    }

    fn started(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Process>>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// By what right namespaces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    UserNamespace,
    Root,
}

impl Means {
    /// Those that an app enters.
    fn namespaces(self) -> CloneFlags {
        let all = CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS;
        match self {
            Self::UserNamespace => all | CloneFlags::CLONE_NEWUSER,
            Self::Root => all,
        }
    }
}

/// The name of a process (proc_pid_stat(5)), unless it has ended and waits to be noticed.
fn name_of_running(stat: &str) -> Option<&str> {
    let (name, rest) = stat.split_once(" (")?.1.rsplit_once(") ")?;
    (!rest.starts_with(['Z', 'X'])).then_some(name)
}

/// The cgroup namespace, if the room got one of its own.
fn cgroup(init: &Process) -> CloneFlags {
    let of = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/cgroup")).ok();
    if of(&init.pid.to_string()) == of("self") { CloneFlags::empty() } else { CloneFlags::CLONE_NEWCGROUP }
}

/// All that is done, in order.
fn steps(user: &Identity, means: Means, tree: Vec<Step>) -> Vec<Step> {
    let mut steps = Vec::new();
    if means == Means::UserNamespace {
        steps.push(Step::UserNamespace);
    }
    steps.extend(network::steps(user));
    if means == Means::UserNamespace && geteuid().is_root() {
        steps.push(Step::Become { uid: user.uid, gid: user.gid });
    }
    let others = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    steps.push(Step::Namespace(others));
    // Not in every kernel, and only hides names.
    steps.push(Step::Try(Box::new(Step::Namespace(CloneFlags::CLONE_NEWCGROUP))));
    steps.push(Step::Init);
    steps.extend(tree);
    steps
}

/// What is taken from our own environment, since it says where programs are and which language is spoken.
const TAKEN: &[&str] = &["PATH", "LANG", "LANGUAGE", "TERM", "COLORTERM", "TZ"];

fn environment(
    room: Vec<(OsString, OsString)>,
    wanted: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let taken = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        TAKEN.contains(&&*name) || name.starts_with("LC_")
    });
    taken.chain(room).chain(wanted.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// What root does where user namespaces are turned off.
    #[test]
    fn root_needs_no_user_namespace() {
        if !geteuid().is_root() {
            return eprintln!("skipped: we are not root");
        }
        let Some(nobody) = Identity::named("nobody") else { return eprintln!("skipped: there is no nobody") };
        let spec = Spec { user: nobody, ..Spec::default() };
        let (room, _door) = match Room::open_by(&spec, Means::Root) {
            Ok(opened) => opened,
            Err(Error::Missing(missing)) => return eprintln!("skipped: {missing}"),
            Err(error) => panic!("{error}"),
        };
        let script = "readlink /proc/self/ns/user; id -u; id -G; grep CapEff /proc/self/status; touch ~/x && echo home";
        let args = ["-c", script].map(Into::into).to_vec();
        let command = Command { program: "sh".into(), args, streams: Streams::Pipes, ..Command::default() };
        let mut child = room.spawn(&command).expect("the shell starts");
        let mut text = String::new();
        child.stdout.take().expect("a pipe").read_to_string(&mut text).expect("it can be read");
        let ours = std::fs::read_link("/proc/self/ns/user").expect("it can be read");
        let Identity { uid, gid, .. } = spec.user;
        let expected = format!("{}\n{uid}\n{gid}\nCapEff:\t0000000000000000\nhome\n", ours.display());
        assert_eq!(text, expected);
    }

    #[test]
    fn a_process_is_known_by_its_name_until_it_has_ended() {
        assert_eq!(name_of_running("7 (a) (b c) S 1 7 7"), Some("a) (b c"));
        assert_eq!(name_of_running("7 (sleep) Z 1 7 7"), None);
        assert_eq!(name_of_running(""), None);
    }

    #[test]
    fn only_root_opens_rooms_for_others() {
        if geteuid().is_root() {
            return eprintln!("skipped: we are root");
        }
        let user = Identity { uid: nix::unistd::Uid::from_raw(0), ..Identity::caller() };
        assert!(matches!(Room::open(&Spec { user, ..Spec::default() }), Err(Error::AnotherUser)));
    }
}
