//! Kinds of sockets that a network namespace does not confine, and the filter that refuses them.
//!
//! On a virtual machine AF_VSOCK reaches the host whatever the namespace; AF_QIPCRTR and others reach devices.
//! So a program in a room gets the families that namespaces confine, and for all others the answer of a kernel
//! that lacks them. `io_uring` can open sockets behind a filter's back, so there is none of it in a room;
//! programs then do without.
//!
//! Promises: a filter of seccomp(2), for 64-bit programs on x86 and ARM. Does not hold 32-bit programs, whose
//! `socketcall` a filter cannot look into, nor other processors: `docs/methods/rooms.md` names it.
//! To extend: a family in [`CONFINED`]; a processor in [`ARCHITECTURE`].

use nix::libc::{self, sock_filter};
use std::mem::offset_of;

const CONFINED: &[i32] =
    &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK, libc::AF_PACKET, libc::AF_ALG];

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
        allow,
        load(offset_of!(libc::seccomp_data, nr)),
        jump(libc::BPF_JGE, X32, 0, 1),
        refuse(libc::ENOSYS),
        jump(libc::BPF_JEQ, libc::SYS_io_uring_setup as u32, 0, 1),
        refuse(libc::ENOSYS),
        jump(libc::BPF_JEQ, libc::SYS_socket as u32, 2, 0),
        jump(libc::BPF_JEQ, libc::SYS_socketpair as u32, 1, 0),
        allow,
        // The lower half of the first argument: the kernel reads an int.
        load(offset_of!(libc::seccomp_data, args)),
    ];
    for (place, family) in (0..).zip(CONFINED) {
        program.push(jump(libc::BPF_JEQ, *family as u32, families - place, 0));
    }
    program.push(refuse(libc::EAFNOSUPPORT));
    program.push(allow);
    program
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
