//! Who the app is: the caller, with nothing more, and nothing that it could gain.

use crate::{LIMIT, field, open, output, shell};
use nix::unistd::geteuid;
use overheard_probe::room::{Command, Identity, Room, Spec, Streams};
use std::io::Read;

#[test]
fn the_user_and_the_group_are_the_callers() {
    let spec = Spec::default();
    let Some((room, _door)) = open(&spec) else { return };
    let expected = format!("{} {}\n", spec.user.uid, spec.user.gid);
    assert_eq!(output(&room, "echo $(id -u) $(id -g)"), expected);
}

#[test]
fn nothing_is_held_and_nothing_can_be_gained() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    holds_nothing(&room);
}

fn holds_nothing(room: &Room) {
    let status = output(room, "cat /proc/self/status");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(&status, set), "0000000000000000", "{set}");
    }
    assert_eq!(field(&status, "NoNewPrivs"), "1");
    assert_eq!(output(room, "ulimit -Hc"), "0\n", "no crash is handed on");
}

#[test]
fn root_can_run_an_app_as_another_user() {
    if !geteuid().is_root() {
        return eprintln!("skipped: only root runs apps as others");
    }
    let Some(nobody) = Identity::named("nobody") else { return eprintln!("skipped: there is no nobody") };
    let expected = format!("{} {}\n", nobody.uid, nobody.gid);
    let Some((room, _door)) = open(&Spec { user: nobody, ..Spec::default() }) else { return };
    assert_eq!(output(&room, "echo $(id -u) $(id -G)"), expected);
    holds_nothing(&room);
    set_uid_gains_nothing(&room, expected.split(' ').next().expect("a number"));
}

/// The set-uid program waits for a password meanwhile: then it would have been root.
fn set_uid_gains_nothing(room: &Room, uid: &str) {
    if output(room, "command -v su").is_empty() {
        return eprintln!("skipped: no su");
    }
    let mut child = room.spawn(&shell("exec su root -c true")).expect("the shell starts");
    let mut prompt = [0; 4];
    child.stderr.as_mut().expect("a pipe").read_exact(&mut prompt).expect("a prompt");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("it runs");
    assert_eq!(field(&status, "Name"), "su");
    let ids: Vec<&str> = field(&status, "Uid").split_whitespace().collect();
    assert_eq!(ids, [uid; 4]);
    child.kill().expect("it can be ended");
}

#[test]
fn root_inside_is_powerless() {
    if !geteuid().is_root() {
        return eprintln!("skipped: we are not root");
    }
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let tries = [
        "echo 1 >/proc/sys/kernel/panic",
        "echo b >/proc/sysrq-trigger",
        "touch /etc/overheard-was-here",
        "mount -t tmpfs x /mnt",
        "ip link add type dummy",
        "ip link set eth0 down",
        "cat /dev/vda",
        "hostname elsewhere",
        "kill -9 1 && cat /proc/1/cmdline",
    ];
    for attempt in tries {
        let script = format!("({attempt}) >/dev/null 2>&1 && echo done || echo refused");
        assert_eq!(output(&room, &script), "refused\n", "{attempt}");
    }
}

#[test]
fn sockets_that_a_network_namespace_does_not_confine_are_refused() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let script = "for f in AF_INET AF_INET6 AF_UNIX AF_VSOCK; do \
        /usr/bin/python3 -c \"import socket; socket.socket(socket.$f, socket.SOCK_STREAM)\" 2>/dev/null \
        && echo $f; done; true";
    if output(&room, "[ -x /usr/bin/python3 ] && echo here").is_empty() {
        return eprintln!("skipped: no /usr/bin/python3");
    }
    assert_eq!(output(&room, script), "AF_INET\nAF_INET6\nAF_UNIX\n");
}

/// Keys belong to a user, in whatever room: what is written into one inside could be read outside.
#[test]
fn there_are_no_keys_of_the_kernel() {
    // keyctl(KEYCTL_GET_KEYRING_ID, of the user), add_key, request_key; and what the kernel says of keys.
    let script = r#"import ctypes
c = ctypes.CDLL(None, use_errno=True)
calls = {'x86_64': (250, 248, 249), 'aarch64': (219, 217, 218)}[__import__('os').uname().machine]
user = ctypes.c_long(-4)
answers = [c.syscall(calls[0], 0, user, 0), c.syscall(calls[1], b'user', b'overheard', b'x', 1, user),
    c.syscall(calls[2], b'user', b'overheard', None, user)]
print(answers, ctypes.get_errno())"#;
    let Some((room, _door)) = open(&Spec::default()) else { return };
    if output(&room, "[ -x /usr/bin/python3 ] && echo here").is_empty() {
        return eprintln!("skipped: no /usr/bin/python3");
    }
    let enosys = nix::errno::Errno::ENOSYS as i32;
    assert_eq!(
        output(&room, &format!("/usr/bin/python3 -c \"{script}\"")),
        format!("[-1, -1, -1] {enosys}\n")
    );
    if geteuid().is_root() {
        assert_eq!(output(&room, "cat /proc/keys /proc/key-users 2>&-"), "");
    }
}

/// Opens an AF_VSOCK, then an AF_INET socket by a call of 32-bit programs.
#[cfg(target_arch = "x86_64")]
const OLD_CALL: &str = r#"
    #include <stdio.h>
    static int opened(int family) {
        int result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(359), "b"(family), "c"(1), "d"(0) : "memory");
        return result;
    }
    int main(void) { printf("%d %d\n", opened(40), opened(2)); }
"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn calls_of_32_bit_programs_are_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, program) = (folder.path().join("call.c"), folder.path().join("call"));
    std::fs::write(&source, OLD_CALL).expect("it can be written");
    let compiled = std::process::Command::new("gcc").arg(&source).arg("-o").arg(&program).status();
    if !compiled.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no gcc");
    }
    let outside = std::process::Command::new(&program).output().expect("it starts");
    if !outside.status.success() {
        return eprintln!("skipped: this kernel has no such calls");
    }
    assert_ne!(outside.stdout, b"-38 -38\n", "there is something to be refused");
    let Some((room, _door)) = open(&Spec { read: vec![folder.path().into()], ..Spec::default() }) else {
        return;
    };
    assert_eq!(output(&room, &program.display().to_string()), "-38 -38\n");
}

/// On its controlling terminal, where kernels that allow it at all allow it to everyone.
#[test]
fn nothing_is_typed_into_a_terminal() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    if output(&room, "command -v perl").is_empty() {
        return eprintln!("skipped: no perl");
    }
    // TIOCSTI, TIOCLINUX. 71 says that both gave EPERM.
    let script = r#"my $typed = "x"; for my $request (0x5412, 0x541c) {
        exit 1 if ioctl(STDIN, $request, $typed) || $! != 1 } exit 71"#;
    let args = ["-e", script].map(Into::into).to_vec();
    let streams = Streams::Terminal { rows: 25, columns: 80 };
    let child = room
        .spawn(&Command { program: "perl".into(), args, streams, ..Command::default() })
        .expect("it starts");
    let status = child.wait(LIMIT).expect("it can be waited for").expect("it ends");
    assert_eq!(status.code(), Some(71));
}

#[test]
fn no_descriptor_of_ours_is_inherited() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    // Without FD_CLOEXEC, as careless libraries open theirs.
    let file = std::fs::File::open("/dev/null").expect("it can be opened");
    let careless = nix::unistd::dup(&file).expect("it can be copied");
    // The fourth is that by which ls reads the folder.
    assert_eq!(output(&room, "ls /proc/self/fd | wc -l"), "4\n");
    drop(careless);
}

/// The machine's ping demands a capability by its file, which nothing in a room can have; it needs none.
#[test]
fn a_program_whose_file_demands_a_capability_starts_without_it() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    if output(&room, "command -v ping").is_empty() {
        return eprintln!("skipped: no ping");
    }
    let told = output(&room, "ping -c 1 -W 5 127.0.0.1 2>&1");
    assert!(told.contains("1 packets transmitted, 1 received"), "{told}");
}
