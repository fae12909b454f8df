//! System calls by which a program would get past its room, and the filter that refuses them.
//!
//! On a virtual machine AF_VSOCK reaches the host whatever the namespace; AF_QIPCRTR and others reach devices.
//! So a program in a room gets the families that namespaces confine, and for all others the answer of a kernel
//! that lacks them. `io_uring` can open sockets behind a filter's back, and the kernel's keyrings belong to a user, in
//! whatever room (keyrings(7)): there is neither in a room, and programs do without. A program with a terminal could type into it what its owner's shell then runs
//! (ioctl_tty(2)): it may not.
//!
//! Promises: a filter of seccomp(2), for 64-bit programs on x86 and ARM. Calls of any other kind (32-bit, x32), which
//! a 64-bit program can make too, are unknown in a room: 32-bit programs do not run there. Does not hold other
//! processors: `docs/methods/rooms.md` names it.
//! To extend: a family in [`CONFINED`]; a call in [`UNKNOWN`]; a request in [`TYPING`]; a processor in [`ARCHITECTURE`].

use nix::libc::{self, sock_filter};
use std::mem::offset_of;

const CONFINED: &[i32] =
    &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET, libc::AF_ALG];

/// Calls that are answered as by a kernel that has not got them.
const UNKNOWN: [i64; 4] =
    [libc::SYS_io_uring_setup, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl];

/// Requests of ioctl(2) that put characters where the terminal's reader takes them for typed.
const TYPING: [u32; 2] = [libc::TIOCSTI as u32, libc::TIOCLINUX as u32];

/// AUDIT_ARCH_* of `linux/audit.h`.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: Option<u32> = None;

/// Calls of the x32 kind have this bit in their number; there none of the checks below would see them.
const X32: u32 = 0x4000_0000;

/// The program, empty where none was written for this processor.
pub(super) fn filter() -> Vec<sock_filter> {
    let Some(architecture) = ARCHITECTURE else { return Vec::new() };
    let refuse = |error: i32| answer(libc::SECCOMP_RET_ERRNO | error as u32);
    let allow = answer(libc::SECCOMP_RET_ALLOW);
    let families = CONFINED.len() as u8;
    let mut program = vec![
        load(offset_of!(libc::seccomp_data, arch)),
        jump(libc::BPF_JEQ, architecture, 1, 0),
        refuse(libc::ENOSYS),
        load(offset_of!(libc::seccomp_data, nr)),
        jump(libc::BPF_JGE, X32, 0, 1),
        refuse(libc::ENOSYS),
    ];
    for call in UNKNOWN {
        program.extend([jump(libc::BPF_JEQ, call as u32, 0, 1), refuse(libc::ENOSYS)]);
    }
    program.extend([
        jump(libc::BPF_JEQ, libc::SYS_ioctl as u32, 0, 5),
        load(argument(1)),
        jump(libc::BPF_JEQ, TYPING[0], 1, 0),
        jump(libc::BPF_JEQ, TYPING[1], 0, 1),
        refuse(libc::EPERM),
        allow,
        jump(libc::BPF_JEQ, libc::SYS_socket as u32, 2, 0),
        jump(libc::BPF_JEQ, libc::SYS_socketpair as u32, 1, 0),
        allow,
        load(argument(0)),
    ]);
    for (place, family) in (0..).zip(CONFINED) {
        program.push(jump(libc::BPF_JEQ, *family as u32, families - place, 0));
    }
    program.push(refuse(libc::EAFNOSUPPORT));
    program.push(allow);
    program
}

/// Where the lower half of an argument stands: of what is judged here the kernel reads no more.
fn argument(place: usize) -> usize {
    offset_of!(libc::seccomp_data, args) + place * size_of::<u64>()
}

fn load(offset: usize) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset as u32 }
}

fn jump(test: u32, value: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | test | libc::BPF_K) as u16, jt: yes, jf: no, k: value }
}

fn answer(value: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: value }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: u32 = ARCHITECTURE.expect("a filter was written for this processor");
    const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;

    /// What the kernel would do with a call: the filter's four instructions, and no other.
    fn judged(arch: u32, nr: libc::c_long, args: [u64; 2]) -> u32 {
        let words = [nr as u32, arch, 0, 0, args[0] as u32, (args[0] >> 32) as u32, args[1] as u32];
        let (program, mut loaded, mut next) = (filter(), 0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[next];
            next += 1;
            let branch = |taken: bool| usize::from(if taken { jt } else { jf });
            match u32::from(code) {
                code if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS => loaded = words[k as usize / 4],
                code if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K => next += branch(loaded == k),
                code if code == libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K => next += branch(loaded >= k),
                code if code == libc::BPF_RET | libc::BPF_K => return k,
                code => panic!("instruction {code:#x}"),
            }
        }
    }

    fn refused(error: i32) -> u32 {
        libc::SECCOMP_RET_ERRNO | error as u32
    }

    #[test]
    fn only_families_that_namespaces_confine_are_allowed() {
        for call in [libc::SYS_socket, libc::SYS_socketpair] {
            for family in 0..100 {
                let expected = if CONFINED.contains(&family) { ALLOWED } else { refused(libc::EAFNOSUPPORT) };
                assert_eq!(judged(HERE, call, [family as u64, 1]), expected, "{call} {family}");
                // The kernel reads an int.
                assert_eq!(judged(HERE, call, [family as u64 | 1 << 40, 1]), expected, "{call} {family}");
            }
        }
        assert_eq!(judged(HERE, libc::SYS_read, [40, 0]), ALLOWED);
    }

    #[test]
    fn what_lies_beyond_every_namespace_is_unknown() {
        for call in UNKNOWN {
            assert_eq!(judged(HERE, call, [8, 0]), refused(libc::ENOSYS));
        }
    }

    #[test]
    fn calls_of_another_kind_are_unknown() {
        /// AUDIT_ARCH_I386 and AUDIT_ARCH_ARM.
        const OTHERS: [u32; 2] = [0x4000_0003, 0x4000_0028];
        for arch in OTHERS {
            for call in [0, 1, 41, 102, 281, 359, 425] {
                assert_eq!(judged(arch, call, [2, 1]), refused(libc::ENOSYS), "{arch:#x} {call}");
            }
        }
        for call in [libc::SYS_socket, libc::SYS_ioctl, libc::SYS_read] {
            assert_eq!(judged(HERE, call | i64::from(X32), [2, 1]), refused(libc::ENOSYS));
        }
    }

    #[test]
    fn nothing_types_into_a_terminal() {
        for request in TYPING.map(u64::from) {
            assert_eq!(judged(HERE, libc::SYS_ioctl, [0, request]), refused(libc::EPERM));
            // The kernel reads an unsigned int.
            assert_eq!(judged(HERE, libc::SYS_ioctl, [0, request | 1 << 32]), refused(libc::EPERM));
            assert_eq!(judged(HERE, libc::SYS_read, [0, request]), ALLOWED);
        }
        assert_eq!(judged(HERE, libc::SYS_ioctl, [0, libc::TIOCGWINSZ]), ALLOWED);
    }
}
