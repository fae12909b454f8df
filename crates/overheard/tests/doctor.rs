//! `overheard doctor`: what is missing is named with its mend, and decides the exit code.

mod program;

use nix::unistd::geteuid;
use program::{command, overheard};
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;

fn tun_opens() -> bool {
    OpenOptions::new().read(true).write(true).open("/dev/net/tun").is_ok()
}

#[test]
fn reading_captures_always_works() {
    let answer = overheard(&["doctor"]);
    assert!(answer.stdout.contains("Reading captures needs no privilege and no other tool"), "{answer:?}");
    assert!(answer.stdout.contains("Places that come with the program:"), "{answer:?}");
}

#[test]
fn the_exit_code_says_whether_a_live_run_is_possible() {
    let answer = overheard(&["doctor"]);
    let possible = answer.stdout.contains("Live runs: possible here.");
    assert_eq!(answer.code, if possible { 0 } else { 3 }, "{answer:?}");
    if geteuid().is_root() && tun_opens() {
        assert!(possible, "root with TUN devices: {answer:?}");
    }
}

#[test]
fn everything_missing_has_a_mend() {
    let answer = overheard(&["doctor"]);
    let missing = answer.stdout.lines().filter(|line| line.starts_with("  missing  ")).count();
    let mends = answer.stdout.lines().filter(|line| line.trim_start().starts_with("mend: ")).count();
    assert_eq!(missing, mends, "{}", answer.stdout);
}

/// Where `/dev/net/tun` is root's alone, an ordinary user is told so.
#[test]
fn an_ordinary_user_without_tun_devices_is_told() {
    const NOBODY: u32 = 65_534;
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can be someone else");
    }
    let ran = command(&["doctor"]).uid(NOBODY).gid(NOBODY).output();
    let Ok(ran) = ran else {
        return eprintln!("skipped: nobody else may start this program where it was built");
    };
    let text = String::from_utf8_lossy(&ran.stdout);
    if text.contains("ok       TUN devices") {
        return eprintln!("skipped: everyone may open /dev/net/tun here");
    }
    assert_eq!(ran.status.code(), Some(3), "{text}");
    assert!(text.contains("Live runs: not possible here."), "{text}");
    assert!(text.contains("missing  TUN devices: /dev/net/tun: "), "{text}");
    assert!(text.contains("mend: sudo "), "{text}");
}
