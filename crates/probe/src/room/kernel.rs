//! System calls that rooms need and `nix` does not offer, each with a safe face.
//!
//! Promises: but for the one that says so, nothing here allocates, locks or touches the standard streams, so
//! it may be called between a fork and an exec. All unsafe code of the room but its two forks stands here.
//! To extend: one function a call, with the manual page that it follows.

use nix::errno::Errno;
use nix::libc::{self, c_int, c_long, c_uint};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;
use std::ffi::CStr;
use std::io::IoSliceMut;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

type Result<T> = nix::Result<T>;

/// A tree of mounts, copied and attached nowhere (open_tree(2)).
pub(super) fn copy_tree(path: &CStr) -> Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::AT_RECURSIVE as c_uint | libc::O_CLOEXEC as c_uint;
    // SAFETY: the path ends in NUL and outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) };
    descriptor(fd)
}

/// Attaches what [`copy_tree`] gave (move_mount(2)).
pub(super) fn attach_tree(tree: BorrowedFd<'_>, target: &CStr) -> Result<()> {
    // SAFETY: both paths end in NUL and outlive the call; the descriptor is open while borrowed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    Errno::result(result).map(drop)
}

/// Makes a copied tree read-only throughout, or without one, the tree at `path` (mount_setattr(2)); programs in it get
/// no privilege from their files. Otherwise one whose file demands a capability, as Debian's ping does, would not start
/// at all: it can have none (capabilities(7), "Safety checking for capability-dumb binaries").
pub(super) fn make_read_only(tree: Option<BorrowedFd<'_>>, path: &CStr) -> Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let at = tree.map_or(libc::AT_FDCWD, |tree| tree.as_raw_fd());
    // SAFETY: the path ends in NUL, the attributes are of the size that is told, both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at,
            path.as_ptr(),
            libc::AT_RECURSIVE | libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// Forks a process whose parent is our own parent (clone3(2), CLONE_PARENT): its PID there, nothing in itself.
///
/// # Safety
/// As fork(2) in a program with threads: the child may only make calls that are safe in a signal handler.
pub(super) unsafe fn fork_sibling() -> Result<Option<Pid>> {
    // SAFETY: all zeros are valid clone_args: no new stack, no identifiers to be stored.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = libc::CLONE_PARENT as u64;
    // SAFETY: without CLONE_VM the child has memory of its own; the rest is the caller's promise.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) };
    let pid = Errno::result(pid)?;
    Ok((pid != 0).then(|| Pid::from_raw(pid as libc::pid_t)))
}

/// A handle of a process that is ours to wait for (pidfd_open(2)).
pub(super) fn process_handle(pid: Pid) -> Result<OwnedFd> {
    // SAFETY: two integers.
    descriptor(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })
}

/// Sends a signal to the very process of the handle (pidfd_send_signal(2)).
pub(super) fn signal(handle: BorrowedFd<'_>, signal: c_int) -> Result<()> {
    let nothing = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: no siginfo is given, the descriptor is open while borrowed.
    let result =
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, handle.as_raw_fd(), signal, nothing, 0) };
    Errno::result(result).map(drop)
}

/// Every descriptor from `first` on closes when a program is started (close_range(2)).
pub(super) fn close_on_exec_from(first: RawFd) -> Result<()> {
    close_range(first, libc::CLOSE_RANGE_CLOEXEC)
}

/// Closes every descriptor from `first` on.
///
/// # Safety
/// Nothing of this process may use them, or drop them, afterwards.
pub(super) unsafe fn close_from(first: RawFd) -> Result<()> {
    close_range(first, 0)
}

fn close_range(first: RawFd, flags: c_uint) -> Result<()> {
    // SAFETY: three integers; who owns what is closed is the promise of the callers.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first as c_uint, c_uint::MAX, flags) };
    Errno::result(result).map(drop)
}

/// Puts a copy of `from` at the number `to`.
///
/// # Safety
/// Nothing of this process may own what stood at `to`.
pub(super) unsafe fn copy_descriptor(from: RawFd, to: RawFd) -> Result<()> {
    // SAFETY: two integers; the rest is the caller's promise.
    Errno::result(unsafe { libc::dup2(from, to) }).map(drop)
}

/// Every signal does what it does by default and none waits; children that end are not kept.
/// A handler of the program that was forked must not run in its copy.
pub(super) fn reset_signals() -> Result<()> {
    for number in 1..=libc::SIGRTMAX() {
        let action = if number == libc::SIGCHLD { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: neither value is a function of ours. Numbers that cannot be set are refused: that is fine.
        unsafe { libc::signal(number, action) };
    }
    nix::sys::signal::SigSet::empty().thread_set_mask()
}

/// Ends this process at once: no destructor and no exit handler of the program that was forked runs.
pub(super) fn end(code: c_int) -> ! {
    // SAFETY: always sound.
    unsafe { libc::_exit(code) }
}

/// A TUN device of the network namespace that we are in: its name, index and offloads
/// (Linux, Documentation/networking/tuntap.rst).
pub(super) fn tun(device: BorrowedFd<'_>, name: &CStr, index: u32) -> Result<()> {
    let flags = libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
    let offloads = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
    // SAFETY: all zeros are a valid ifreq: an empty name, no flags.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..room].iter_mut().zip(name.to_bytes()) {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    let device = device.as_raw_fd();
    // SAFETY: TUNSETIFINDEX reads one unsigned int, which outlives the call.
    Errno::result(unsafe { libc::ioctl(device, libc::TUNSETIFINDEX, &raw const index) })?;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which outlives the call.
    Errno::result(unsafe { libc::ioctl(device, libc::TUNSETIFF, &raw mut request) })?;
    // SAFETY: TUNSETOFFLOAD takes an integer.
    Errno::result(unsafe { libc::ioctl(device, libc::TUNSETOFFLOAD, libc::c_ulong::from(offloads)) })
        .map(drop)
}

/// Sends bytes together with `N` descriptors (unix(7), SCM_RIGHTS).
pub(super) fn send_descriptors<const N: usize>(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptors: [RawFd; N],
) -> Result<()> {
    let mut control = [0_u64; 16];
    let length = size_of::<[RawFd; N]>() as c_uint;
    // SAFETY: both macros only compute with lengths.
    let (space, header_length) = unsafe { (libc::CMSG_SPACE(length), libc::CMSG_LEN(length)) };
    if space as usize > size_of_val(&control) {
        return Err(Errno::EMSGSIZE);
    }
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: all zeros are a valid msghdr: nobody is addressed, nothing is sent.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = space as _;
    // SAFETY: the control buffer is aligned for a cmsghdr and, as checked, long enough for it and N descriptors.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = header_length as _;
        libc::CMSG_DATA(header).cast::<[RawFd; N]>().write_unaligned(descriptors);
    }
    // SAFETY: everything that the message points to outlives the call.
    Errno::result(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, 0) }).map(drop)
}

/// Receives bytes and what [`send_descriptors`] put on its way with them. Not for the forked copy: it allocates.
pub(super) fn receive_descriptors<const N: usize>(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> Result<(usize, Vec<OwnedFd>)> {
    let mut parts = [IoSliceMut::new(bytes)];
    let mut space = nix::cmsg_space!([RawFd; N]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
    let mut received = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            // SAFETY: the kernel has just made them for us, so they are ours alone.
            received.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
        }
    }
    Ok((message.bytes, received))
}

/// No capability can be had in this user namespace again (capabilities(7)).
pub(super) fn drop_bounding_set() -> Result<()> {
    for capability in 0..=63 {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Err(Errno::EINVAL) => break,
            other => other?,
        }
    }
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as _)?;
    // SECBIT_NOROOT, NO_SETUID_FIXUP and NO_CAP_AMBIENT_RAISE, each locked. Not KEEP_CAPS: there is nothing to keep, and
    // programs that ask for it all the same, as ping does, give up where it is refused.
    prctl(libc::PR_SET_SECUREBITS, 0b1100_1111)
}

/// Gives up every capability that is held (capset(2)).
pub(super) fn drop_capabilities() -> Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3`, of this thread.
    const HEADER: [u32; 2] = [0x2008_0522, 0];
    let nothing = [0_u32; 6];
    // SAFETY: version 3 takes a header of two and data of six 32-bit words, which outlive the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, HEADER.as_ptr(), nothing.as_ptr()) }).map(drop)
}

/// A keyring of this session's own: that of the caller may hold tickets and passwords (keyctl(2)).
pub(super) fn new_keyring() -> Result<()> {
    /// `KEYCTL_JOIN_SESSION_KEYRING`
    const JOIN: c_long = 1;
    // SAFETY: no name is given, so nothing is read.
    Errno::result(unsafe { libc::syscall(libc::SYS_keyctl, JOIN, std::ptr::null::<libc::c_char>()) })
        .map(drop)
}

/// Lets a filter judge every system call of this process from now on (seccomp(2)).
pub(super) fn filter(program: &[libc::sock_filter]) -> Result<()> {
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    // SAFETY: the program and its length outlive the call, which only reads them.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    Errno::result(result).map(drop)
}

/// A signal may cut it short (nanosleep(2)).
pub(super) fn sleep_a_millisecond() {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
    // SAFETY: the time outlives the call, and what is left of it is not asked for.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
}

/// The terminal on standard input becomes that of this new session (ioctl_tty(2)).
pub(super) fn control_terminal() -> Result<()> {
    // SAFETY: TIOCSCTTY takes an integer.
    Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) }).map(drop)
}

fn prctl(option: c_int, argument: libc::c_ulong) -> Result<()> {
    // SAFETY: the options above take integers.
    Errno::result(unsafe { libc::prctl(option, argument, 0, 0, 0) }).map(drop)
}

fn descriptor(result: c_long) -> Result<OwnedFd> {
    let fd = Errno::result(result)?;
    // SAFETY: the kernel has just made it, so it is ours alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
