//! How a room comes to be: the fork, the talk between its two sides, and the life of its first process.
//!
//! ```text
//! opener ──fork──▶ copy: user namespace ◀─map─ opener; networks; namespaces ──fork──▶ first process (PID 1)
//!    ▲                                                    (gone)               mounts; waits for its end
//!    └────────────────────── the door's five descriptors ─────────────────────────────┘
//! ```
//!
//! A library has no program of its own to start, and only a process with one thread may enter a user namespace.
//! So the opener is forked, and since it may have threads, the copy only walks a list of [`Step`]s made before.
//!
//! Promises: the first process lives exactly as long as the opener holds the other end of its socket, whatever
//! ends the opener, SIGKILL included; with it the kernel ends every process of its PID namespace, and with
//! those go the mounts. PR_SET_PDEATHSIG is not used: it fires when the *thread* that forked ends, not the
//! process (prctl(2)), and a room may outlive the thread that opened it.

use super::error::Error;
use super::identity::Identity;
use super::kernel;
use super::process::Process;
use super::step::{Builder, DIAGNOSIS, DOOR, LOBBY_TUN, ROOM_TUN, Step, TCP_V4, TCP_V6};
use crate::door::Door;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, geteuid, setsid};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The first process and what keeps it alive.
#[derive(Debug)]
pub(super) struct Birth {
    pub init: Process,
    /// Once this is closed, the room ends.
    pub lifeline: OwnedFd,
    pub door: Door,
}

/// Walks the steps in a copy of this process.
pub(super) fn begin(steps: &[Step], user: &Identity) -> Result<Birth, Error> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    let nothing = open(c"/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())?;
    let builder = Builder::new(steps);
    let copy = fork_quietly(|| inside(builder, steps, nothing.as_raw_fd(), theirs.as_raw_fd()))?;
    drop(theirs);
    let mut init = None;
    match outside(&ours, steps, user, copy, &mut init) {
        Ok(door) => {
            waitpid(copy, None)?;
            Ok(Birth { init: init.ok_or(Error::Ended)?, lifeline: ours, door })
        }
        Err(error) => {
            // Whatever was begun ends by itself once nobody holds our end.
            drop(ours);
            waitpid(copy, None)?;
            init.map(|init| init.wait(None)).transpose()?;
            Err(error)
        }
    }
}

/// Forks with all signals held, so that no handler of ours runs in the copy.
fn fork_quietly(inside: impl FnOnce()) -> Result<Pid, Error> {
    let mut before = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut before))?;
    // SAFETY: the copy only walks steps made beforehand, by calls that are safe in a signal handler, and ends
    // without returning.
    let forked = unsafe { fork() };
    if let Ok(ForkResult::Child) = forked {
        let _end = EndOfCopy;
        inside();
        kernel::end(1);
    }
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    match forked? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => Err(Error::Ended),
    }
}

/// Should the copy ever panic, it ends there and does not unwind into a second life of the program.
struct EndOfCopy;

impl Drop for EndOfCopy {
    fn drop(&mut self) {
        kernel::end(1);
    }
}

/// What the two sides say: a word and a number or two.
#[derive(Clone, Copy)]
enum Word {
    /// The copy is in its user namespace and asks for the map of users. It waits for an answer.
    Map,
    /// The first process has this PID, and waits for an answer: so it is known before it can fail.
    Init(i32),
    /// The step of this place failed, with this error.
    Failed(i32, i32),
    /// Comes with the door's descriptors.
    Ready,
}

/// The opener's only word.
const GO_ON: &[u8] = &[0];

impl Word {
    const LENGTH: usize = 12;

    fn bytes(self) -> [u8; Self::LENGTH] {
        let (word, a, b) = match self {
            Self::Map => (1, 0, 0),
            Self::Init(pid) => (2, pid, 0),
            Self::Failed(step, errno) => (3, step, errno),
            Self::Ready => (4, 0, 0),
        };
        let mut bytes = [0; Self::LENGTH];
        for (to, from) in bytes.chunks_exact_mut(4).zip([word, a, b]) {
            to.copy_from_slice(&i32::to_ne_bytes(from));
        }
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(match number(0)? {
            1 => Self::Map,
            2 => Self::Init(number(4)?),
            3 => Self::Failed(number(4)?, number(8)?),
            4 => Self::Ready,
            _ => return None,
        })
    }
}

/// The opener's side: answers until the door comes.
fn outside(
    ours: &OwnedFd,
    steps: &[Step],
    user: &Identity,
    copy: Pid,
    init: &mut Option<Process>,
) -> Result<Door, Error> {
    loop {
        let mut bytes = [0; Word::LENGTH];
        let (length, descriptors) = kernel::receive_descriptors::<DOOR>(ours.as_fd(), &mut bytes)?;
        match Word::of(&bytes[..length]).ok_or(Error::Ended)? {
            Word::Map => map_user(copy, user)?,
            Word::Init(pid) => *init = Some(Process::new(Pid::from_raw(pid))?),
            Word::Failed(step, errno) => {
                let step = steps.get(step as usize).ok_or(Error::Ended)?;
                return Err(Error::of_step(step, Errno::from_raw(errno)));
            }
            Word::Ready => return door(descriptors),
        }
        send(ours.as_raw_fd(), GO_ON, MsgFlags::MSG_NOSIGNAL)?;
    }
}

/// Inside as outside: one user, one group (user_namespaces(7)).
fn map_user(copy: Pid, user: &Identity) -> io::Result<()> {
    let write = |file: &str, text: String| fs::write(format!("/proc/{copy}/{file}"), text);
    if !geteuid().is_root() {
        write("setgroups", "deny".into())?;
    }
    write("uid_map", format!("{0} {0} 1", user.uid))?;
    write("gid_map", format!("{0} {0} 1", user.gid))
}

fn door(descriptors: Vec<OwnedFd>) -> Result<Door, Error> {
    let mut kept: [Option<OwnedFd>; DOOR] = [const { None }; DOOR];
    for (place, descriptor) in kept.iter_mut().zip(descriptors) {
        *place = Some(descriptor);
    }
    let mut take = |place: usize| kept[place].take().ok_or(Error::Ended);
    Ok(Door {
        room: take(ROOM_TUN)?,
        lobby: take(LOBBY_TUN)?,
        tcp_v4: TcpListener::from(take(TCP_V4)?),
        tcp_v6: TcpListener::from(take(TCP_V6)?),
        diagnosis: Some(take(DIAGNOSIS)?.into()),
    })
}

/// Where the socket to the opener stands in the copy, beside three standard streams that lead nowhere.
const CHANNEL: RawFd = 3;

/// The copy's side, and from [`Step::Init`] on the first process's.
fn inside(mut builder: Builder, steps: &[Step], nothing: RawFd, channel: RawFd) {
    if clear_descriptors(nothing, channel).is_err() || kernel::reset_signals().is_err() {
        return;
    }
    // SAFETY: the socket stands at this number and stays open until the process ends.
    let channel = unsafe { BorrowedFd::borrow_raw(CHANNEL) };
    for (place, step) in steps.iter().enumerate() {
        let taken = builder.take(step).and_then(|()| match step {
            Step::UserNamespace => say(channel, Word::Map).and_then(|()| may_go_on(channel)),
            Step::Init => become_init(channel),
            _ => Ok(()),
        });
        if let Err(errno) = taken {
            let _ = say(channel, Word::Failed(place as i32, errno as i32));
            return;
        }
    }
    let Some(door) = builder.door() else { return };
    if kernel::send_descriptors(channel, &Word::Ready.bytes(), door).is_err() {
        return;
    }
    // SAFETY: what the builder holds is not used again, and the process ends without dropping it.
    if unsafe { kernel::close_from(CHANNEL + 1) }.is_err() {
        return;
    }
    // Nothing is ever sent: this returns when the opener is gone, and then all of the room goes.
    while recv(CHANNEL, &mut [0; 1], MsgFlags::empty()) == Err(Errno::EINTR) {}
}

/// Nothing of the opener's is kept open here, above all no other room's lifeline.
fn clear_descriptors(nothing: RawFd, channel: RawFd) -> nix::Result<()> {
    // Both may stand where the others shall, so they are first put out of the way.
    let nothing = duplicate(nothing)?;
    let channel = duplicate(channel)?;
    for stream in 0..3 {
        // SAFETY: the copy uses no descriptor of the opener's but these two.
        unsafe { kernel::copy_descriptor(nothing, stream)? };
    }
    // SAFETY: as above.
    unsafe {
        kernel::copy_descriptor(channel, CHANNEL)?;
        kernel::close_from(CHANNEL + 1)
    }
}

fn duplicate(descriptor: RawFd) -> nix::Result<RawFd> {
    // SAFETY: the caller's descriptor is open.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    nix::fcntl::fcntl(descriptor, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(CHANNEL + 1))
}

fn may_go_on(channel: BorrowedFd<'_>) -> nix::Result<()> {
    match recv(channel.as_raw_fd(), &mut [0; GO_ON.len()], MsgFlags::empty())? {
        0 => Err(Errno::EPIPE),
        _ => Ok(()),
    }
}

/// Only returns in the new first process. It is a child of the opener, like the copy that ends here.
fn become_init(channel: BorrowedFd<'_>) -> nix::Result<()> {
    // SAFETY: both sides go on with calls that are safe in a signal handler only.
    if let Some(pid) = unsafe { kernel::fork_sibling()? } {
        let said = say(channel, Word::Init(pid.as_raw()));
        kernel::end(i32::from(said.is_err()));
    }
    may_go_on(channel)?;
    // Out of the opener's terminal: its keys are not for us.
    setsid()?;
    nix::sys::prctl::set_name(c"overheard-room")
}

fn say(channel: BorrowedFd<'_>, word: Word) -> nix::Result<()> {
    send(channel.as_raw_fd(), &word.bytes(), MsgFlags::MSG_NOSIGNAL).map(drop)
}
