//! Rooms as the stages of a study: each run has one of its own, behind the gateway, with every packet recorded.
//!
//! Promises: the app sees the plan's folder and its files, which it cannot change, and a home as the plan has it;
//! TLS secrets of apps that honour `SSLKEYLOGFILE` are kept in the capture.

use super::stage::{Closed, Launch, Launched, Process, Setting, Stage, Stages};
use crate::driver::{self, Ends};
use crate::gateway::{Dns, Options, Policy, Upstream};
use crate::ledger::Carriage;
use crate::record::{self, Section};
use crate::room::{Child, Command, Home, Kind, Room, Socket, Spec, Streams, Way};
use crate::tapped::{Listener, Order, Tapped};
use crate::world;
use nix::sys::signal::Signal;
use overheard_model::design::{self, Doorway, VantageDesign};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Where the app logs its TLS secrets: in the room's own `/tmp`, which goes with the room.
pub const KEY_LOG: &str = "/tmp/tls-secrets.log";
/// The capture's name within the run's folder.
const CAPTURE: &str = "capture.pcapng";
/// The copy of the plan's home.
const HOME: &str = "home";
/// How long a program that was killed takes to be gone.
const GONE: Duration = Duration::from_secs(10);

/// Opens rooms.
#[derive(Debug, Default)]
pub struct Rooms {
    /// Files and folders that apps may read beside the plan's folder.
    pub read: Vec<PathBuf>,
    /// Hears what crosses the door of the room that is opened next.
    pub listener: Option<Box<dyn Listener>>,
}

impl Stages for Rooms {
    fn open(&mut self, setting: &Setting) -> io::Result<Box<dyn Stage>> {
        let base = setting.base.canonicalize()?;
        let home = home(setting, &base)?;
        // In a world, its servers share a folder with the app.
        let shared = std::env::var_os(world::SHARED);
        let mut environment = vec![("SSLKEYLOGFILE".into(), KEY_LOG.into())];
        environment.extend(shared.iter().map(|folder| (world::SHARED.into(), folder.clone())));
        let spec = Spec {
            doors: setting.doors.iter().map(|door| socket(*door)).collect(),
            environment,
            read: std::iter::once(base.clone())
                .chain(shared.map(PathBuf::from))
                .chain(self.read.iter().cloned())
                .collect(),
            home,
            ..Spec::default()
        };
        let capture = setting.folder.join(CAPTURE);
        let section = Section {
            vantage: &setting.vantage.name,
            build: setting.build,
            run: setting.run,
            interface: "room",
        };
        let options = options(setting.vantage)?;
        let proxied = options.upstream != Upstream::Direct;
        let order = Order {
            spec: &spec,
            options,
            capture: record::create(&capture)?,
            section,
            key_log: Some(Path::new(KEY_LOG)),
            listener: self.listener.take(),
        };
        let tapped = Tapped::open(order).map_err(io::Error::other)?;
        let copied = setting.folder.join(HOME);
        let doors = doors(tapped.room(), *setting.home == design::Home::Keep);
        Ok(Box::new(RoomStage { tapped, base, capture, copied, proxied, doors }))
    }
}

/// A copy of the home in the run's folder, so that no run meets what another left.
fn home(setting: &Setting, base: &Path) -> io::Result<Home> {
    Ok(match setting.home {
        design::Home::Fresh => Home::Fresh,
        design::Home::Keep => Home::Keep,
        design::Home::Copy(folder) => {
            let copy = setting.folder.join(HOME);
            copy_folder(&base.join(folder), &copy)?;
            Home::Dir(copy.canonicalize()?)
        }
    })
}

/// Ways out beside the network that the plan does not name as its doors. The copy of a home is nobody else's folder.
fn doors(room: &Room, keeps_home: bool) -> BTreeSet<String> {
    let (doors, all) = room.doors_at_once();
    let is_asked = |kind: &Kind| matches!(kind, Kind::Desktop(_)) || (*kind == Kind::Folder && !keeps_home);
    let doors = doors.into_iter().filter(|way| !is_asked(&way.kind));
    let told = doors.map(|Way { kind, path }| format!("{kind} at {}", path.display()));
    let bare = (!all).then(|| "whoever listens at a Unix socket or a pipe among this machine's files".into());
    told.chain(bare).collect()
}

/// Files, folders and links; sockets and pipes are nobody's belongings.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, copy) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, copy)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

fn options(vantage: &VantageDesign) -> io::Result<Options> {
    let upstream = match &vantage.proxy {
        None => Upstream::Direct,
        Some(proxy) => proxy.parse().map_err(io::Error::other)?,
    };
    let server = vantage.dns.map(|address| SocketAddr::new(address, 53));
    Ok(Options { dns: Dns::by(server, &upstream), upstream, policy: Policy::Open })
}

fn socket(door: Doorway) -> Socket {
    match door {
        Doorway::X11 => Socket::X11,
        Doorway::Wayland => Socket::Wayland,
        Doorway::PulseAudio => Socket::PulseAudio,
        Doorway::PipeWire => Socket::PipeWire,
    }
}

#[derive(Debug)]
struct RoomStage {
    tapped: Tapped,
    base: PathBuf,
    capture: PathBuf,
    copied: PathBuf,
    proxied: bool,
    doors: BTreeSet<String>,
}

impl Stage for RoomStage {
    fn launch(&mut self, launch: Launch) -> io::Result<Launched> {
        let [program, arguments @ ..] = launch.command else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let environment = launch.environment.iter();
        let command = Command {
            program: program.into(),
            args: arguments.iter().map(OsString::from).collect(),
            env: environment.map(|(name, value)| (name.into(), value.into())).collect(),
            cwd: Some(self.base.clone()),
            streams: match launch.streams {
                driver::Streams::Pipes => Streams::Pipes,
                driver::Streams::Terminal { rows, columns } => Streams::Terminal { rows, columns },
            },
        };
        let mut child = self.tapped.room().spawn(&command)?;
        let ends = ends(&mut child).ok_or_else(|| io::Error::other("the room gave no end of a stream"))?;
        Ok(Launched { process: Box::new(RoomProcess(child)), ends })
    }

    fn recorded(&self) -> u64 {
        self.tapped.counts().bytes()
    }

    fn left(&self) -> io::Result<BTreeMap<String, u64>> {
        self.tapped.room().left()
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        let (counts, recorded) = self.tapped.close().map_err(io::Error::other)?;
        match fs::remove_dir_all(&self.copied) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let proxy = self.proxied.then(|| Carriage { carried: counts.answered, failed: counts.unserved() });
        let (capture, lost, doors) = (Some(self.capture), recorded.outcome.lost, self.doors);
        Ok(Closed { capture, lost, proxy, doors })
    }
}

/// Our ends of a program's streams.
fn ends(child: &mut Child) -> Option<Ends> {
    if let Some(terminal) = child.terminal.take() {
        return Some(Ends::Terminal(terminal));
    }
    let (stdin, stdout, stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    Some(Ends::Pipes { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() })
}

/// A program in a room. What it started ends with the room.
#[derive(Debug)]
struct RoomProcess(Child);

impl Process for RoomProcess {
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.wait(Some(Duration::ZERO))
    }

    fn ask_to_end(&mut self) -> io::Result<()> {
        self.0.signal(Signal::SIGTERM)
    }

    fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait(Some(GONE)).map(drop)
    }
}
