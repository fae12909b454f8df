//! How a room is built: a list of steps, made beforehand and then only walked.
//!
//! A room is built by a forked copy of a program that may have threads. Such a copy may not allocate, since
//! another thread may have held the allocator's lock at the fork. So everything that needs memory is done
//! before: a [`Step`] holds its paths, messages and texts ready to be handed to the kernel.
//!
//! Promises: [`Builder::take`] makes calls that are safe in a signal handler and no others; a step that fails
//! is known by its place in the list and says itself what it was about.
//! To extend: a variant, its line in `take`, its words in `Display`.

use super::kernel;
use super::mounts::OURS;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    self, AddressFamily, Backlog, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage,
};
use nix::sys::stat::Mode;
use nix::unistd::{self, Gid, Uid};
use std::ffi::{CStr, CString};
use std::fmt;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// What the room's five descriptors are, in the order in which they are handed over.
pub(super) const ROOM_TUN: usize = 0;
pub(super) const LOBBY_TUN: usize = 1;
pub(super) const TCP_V4: usize = 2;
pub(super) const TCP_V6: usize = 3;
pub(super) const DIAGNOSIS: usize = 4;
pub(super) const DOOR: usize = 5;

/// One thing that is done on the way from an ordinary process to a room.
#[derive(Debug)]
pub(super) enum Step {
    /// A user namespace, whose map of users the opener writes meanwhile.
    UserNamespace,
    Namespace(CloneFlags),
    /// What follows is done by the first process of the new PID namespace.
    Init,
    /// From here on as this user, in no further group.
    Become {
        uid: Uid,
        gid: Gid,
    },
    /// A TUN device in the present network namespace.
    Tun {
        name: &'static CStr,
        index: u32,
        keep: usize,
    },
    /// A request to rtnetlink, which must be acknowledged.
    Netlink {
        what: &'static str,
        message: Vec<u8>,
    },
    /// Waits until rtnetlink calls an address local: the kernel takes a new one of IPv6 into use a little later.
    AwaitLocal {
        message: Vec<u8>,
    },
    /// A TCP listener in the present network namespace.
    Listen {
        address: SocketAddr,
        keep: usize,
    },
    /// A socket that tells which socket of the present network namespace a packet came from.
    Diagnosis {
        keep: usize,
    },
    /// Text into a file that exists, such as a kernel setting.
    Write {
        path: CString,
        text: Vec<u8>,
    },
    Hostname(String),
    /// No mount of ours is seen outside, and none from outside appears here.
    Private,
    /// Sets a tree of mounts aside before its place is covered.
    Keep {
        path: CString,
        slot: usize,
    },
    /// Shows what was set aside.
    Show {
        slot: usize,
        at: CString,
        writable: bool,
    },
    ReadOnly(CString),
    /// A new file system.
    Mount {
        kind: &'static CStr,
        at: CString,
        options: CString,
    },
    /// A layer over a folder, by which nobody is reached.
    Veil {
        at: CString,
        options: CString,
    },
    Folder {
        path: CString,
        mode: u32,
        owner: (Uid, Gid),
    },
    File {
        path: CString,
        text: Vec<u8>,
    },
    Link {
        path: CString,
        to: CString,
    },
    /// One file in the place of another.
    Bind {
        from: CString,
        at: CString,
    },
    /// Better with it, but a room without.
    Try(Box<Step>),
    /// The second where the first cannot be done.
    Either(Box<Step>, Box<Step>),
}

impl Step {
    /// Whether it is about files that the user of the room may or may not reach, and not about privilege.
    pub(super) fn is_about_files(&self) -> bool {
        matches!(
            self,
            Self::Keep { .. }
                | Self::Show { .. }
                | Self::Folder { .. }
                | Self::File { .. }
                | Self::Bind { .. }
        )
    }
}

/// Walks the steps; holds what they keep. Made before the fork, so that nothing grows after it.
#[derive(Debug)]
pub(super) struct Builder {
    trees: Vec<Option<OwnedFd>>,
    door: [Option<OwnedFd>; DOOR],
}

impl Builder {
    pub(super) fn new(steps: &[Step]) -> Self {
        let slots = steps.iter().filter(|step| matches!(step, Step::Keep { .. })).count();
        Self { trees: (0..slots).map(|_| None).collect(), door: [const { None }; DOOR] }
    }

    /// The descriptors of the door, once every step was taken.
    pub(super) fn door(&self) -> Option<[RawFd; DOOR]> {
        let mut numbers = [0; DOOR];
        for (number, kept) in numbers.iter_mut().zip(&self.door) {
            *number = kept.as_ref()?.as_raw_fd();
        }
        Some(numbers)
    }

    /// Takes one step. [`Step::UserNamespace`] and [`Step::Init`] are only half of it here: the rest is a talk
    /// with the opener.
    pub(super) fn take(&mut self, step: &Step) -> nix::Result<()> {
        match step {
            Step::UserNamespace => unshare(CloneFlags::CLONE_NEWUSER),
            Step::Namespace(flags) => unshare(*flags),
            Step::Init => Ok(()),
            Step::Become { uid, gid } => become_user(*uid, *gid),
            Step::Tun { name, index, keep } => {
                let device = open(c"/dev/net/tun", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
                kernel::tun(device.as_fd(), name, *index)?;
                self.door[*keep] = Some(device);
                Ok(())
            }
            Step::Netlink { message, .. } => acknowledged(&ask_rtnetlink(message)?),
            Step::AwaitLocal { message } => await_local(message),
            Step::Listen { address, keep } => {
                self.door[*keep] = Some(listen(*address)?);
                Ok(())
            }
            Step::Diagnosis { keep } => {
                self.door[*keep] = Some(diagnosis()?);
                Ok(())
            }
            Step::Write { path, text } => write(path, OFlag::O_WRONLY, text),
            Step::Hostname(name) => unistd::sethostname(name),
            Step::Private => mount(
                None::<&CStr>,
                c"/",
                None::<&CStr>,
                MsFlags::MS_REC | MsFlags::MS_PRIVATE,
                None::<&CStr>,
            ),
            Step::Keep { path, slot } => {
                self.trees[*slot] = Some(kernel::copy_tree(path)?);
                Ok(())
            }
            Step::Show { slot, at, writable } => {
                let tree = self.trees[*slot].take().ok_or(Errno::EBADF)?;
                if !writable {
                    kernel::make_read_only(Some(tree.as_fd()), c"")?;
                }
                kernel::attach_tree(tree.as_fd(), at)
            }
            Step::ReadOnly(path) => kernel::make_read_only(None, path),
            Step::Mount { kind, at, options } => {
                let terminals = *kind == c"devpts";
                let nodev = if terminals { MsFlags::empty() } else { MsFlags::MS_NODEV };
                let flags = MsFlags::MS_NOSUID | nodev;
                mount(Some(OURS), at.as_c_str(), Some(*kind), flags, Some(options.as_c_str()))
            }
            Step::Veil { at, options } => {
                let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
                mount(Some(OURS), at.as_c_str(), Some(c"overlay"), flags, Some(options.as_c_str()))
            }
            Step::Folder { path, mode, owner } => folder(path, *mode, *owner),
            Step::File { path, text } => write(path, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC, text),
            Step::Link { path, to } => {
                unistd::symlinkat(to.as_c_str(), nix::fcntl::AT_FDCWD, path.as_c_str())
            }
            Step::Bind { from, at } => {
                let none = None::<&CStr>;
                mount(Some(from.as_c_str()), at.as_c_str(), none, MsFlags::MS_BIND, none)
            }
            Step::Try(step) => {
                let _ = self.take(step);
                Ok(())
            }
            Step::Either(first, second) => self.take(first).or_else(|_| self.take(second)),
        }
    }
}

/// Groups first, since that needs the privilege that the user gives up.
pub(super) fn become_user(uid: Uid, gid: Gid) -> nix::Result<()> {
    // Within a user namespace that an ordinary user made nobody may set groups (user_namespaces(7)): those of its
    // maker stay, as they do where an ordinary user opens a room.
    match unistd::setgroups(&[gid]) {
        Err(Errno::EPERM) => {}
        other => other?,
    }
    unistd::setresgid(gid, gid, gid)?;
    unistd::setresuid(uid, uid, uid)
}

fn folder(path: &CStr, mode: u32, (uid, gid): (Uid, Gid)) -> nix::Result<()> {
    match unistd::mkdir(path, Mode::from_bits_truncate(mode)) {
        Err(Errno::EEXIST) => Ok(()),
        Err(error) => Err(error),
        Ok(()) => unistd::chown(path, Some(uid), Some(gid)),
    }
}

fn write(path: &CStr, flags: OFlag, text: &[u8]) -> nix::Result<()> {
    let file = open(path, flags | OFlag::O_CLOEXEC, Mode::from_bits_truncate(0o644))?;
    let written = unistd::write(&file, text)?;
    if written == text.len() { Ok(()) } else { Err(Errno::ENOSPC) }
}

fn listen(address: SocketAddr) -> nix::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let listener = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    socket::bind(listener.as_raw_fd(), &SockaddrStorage::from(address))?;
    socket::listen(&listener, Backlog::new(4096)?)?;
    Ok(listener)
}

fn diagnosis() -> nix::Result<OwnedFd> {
    let protocol = SockProtocol::NetlinkSockDiag;
    socket::socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, Some(protocol))
}

/// The beginning of an answer: `struct nlmsghdr`, then an error's number or a `struct rtmsg`.
type Answer = [u8; 24];

/// Sends one request and reads the answer to it (rtnetlink(7)).
fn ask_rtnetlink(message: &[u8]) -> nix::Result<Answer> {
    let netlink = socket::socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        Some(SockProtocol::NetlinkRoute),
    )?;
    socket::send(netlink.as_raw_fd(), message, MsgFlags::empty())?;
    let mut answer = [0; size_of::<Answer>()];
    socket::recv(netlink.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    Ok(answer)
}

/// An error of number 0 is the acknowledgement.
fn acknowledged(answer: &Answer) -> nix::Result<()> {
    let is_error = answer[4..6] == (libc::NLMSG_ERROR as u16).to_ne_bytes();
    let error = i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]);
    match (is_error, error) {
        (true, 0) => Ok(()),
        (true, error) => Err(Errno::from_raw(error.saturating_neg())),
        (false, _) => Err(Errno::EPROTO),
    }
}

/// For at most some five seconds.
fn await_local(message: &[u8]) -> nix::Result<()> {
    /// Of `rtm_type`, behind the header.
    const KIND: usize = 16 + 7;
    for _ in 0..5000 {
        let answer = ask_rtnetlink(message)?;
        let is_route = answer[4..6] == libc::RTM_NEWROUTE.to_ne_bytes();
        if is_route && answer[KIND] == libc::RTN_LOCAL {
            return Ok(());
        }
        kernel::sleep_a_millisecond();
    }
    Err(Errno::ETIMEDOUT)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserNamespace => write!(f, "make a user namespace"),
            Self::Namespace(flags) => write!(f, "make namespaces ({flags:?})"),
            Self::Init => write!(f, "start the room's first process"),
            Self::Become { uid, .. } => write!(f, "become user {uid}"),
            Self::Tun { name, .. } => write!(f, "make the device {name:?} with /dev/net/tun"),
            Self::Netlink { what, .. } => write!(f, "{what}"),
            Self::AwaitLocal { .. } => write!(f, "take its IPv6 address into use"),
            Self::Listen { address, .. } => write!(f, "listen at {address} in the lobby"),
            Self::Diagnosis { .. } => {
                f.write_str("open a socket that tells sockets apart (NETLINK_SOCK_DIAG)")
            }
            Self::Write { path, .. } => write!(f, "write to {path:?}"),
            Self::Hostname(name) => write!(f, "take the host name {name}"),
            Self::Private => write!(f, "keep mounts to the room"),
            Self::Keep { path, .. } => write!(f, "set {path:?} aside"),
            Self::Show { at, .. } => write!(f, "show {at:?}"),
            Self::ReadOnly(path) => write!(f, "make {path:?} read-only"),
            Self::Mount { kind, at, .. } => write!(f, "mount {kind:?} at {at:?}"),
            Self::Veil { at, .. } => write!(f, "lay a layer over {at:?}"),
            Self::Folder { path, .. } => write!(f, "make the folder {path:?}"),
            Self::File { path, .. } => write!(f, "write the file {path:?}"),
            Self::Link { path, .. } => write!(f, "make the link {path:?}"),
            Self::Bind { at, .. } => write!(f, "put our own file at {at:?}"),
            Self::Try(step) => write!(f, "{step}"),
            Self::Either(first, second) => write!(f, "{first}, or else {second}"),
        }
    }
}
