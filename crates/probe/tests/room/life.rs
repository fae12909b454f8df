//! How a room ends: with everything in it, however it comes about.

use crate::{LIMIT, open, output, shell};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use overheard_probe::room::Spec;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon as they are made: two forks and a session of its own. It is known by `$MARK` in its environment.
const DAEMON: &str = "(setsid sleep 1000 >/dev/null 2>&1 </dev/null &) ; sleep 1000 & echo begun; wait";

/// Processes of this machine that carry the mark, but for those that become another program at this moment: their
/// environment is empty until they have (Linux, `fs/proc/base.c`). So nothing is shown to be there by this.
fn marked(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").expect("it can be read").flatten();
    let environments = processes.filter_map(|process| fs::read(process.path().join("environ")).ok());
    environments.filter(|text| text.split(|byte| *byte == 0).any(|line| line == mark.as_bytes())).count()
}

fn unique(name: &str) -> String {
    format!("OVERHEARD_MARK={name}-{}", std::process::id())
}

fn spec(mark: &str) -> Spec {
    let (name, value) = mark.split_once('=').expect("a variable");
    Spec { environment: vec![(name.into(), value.into())], ..Spec::default() }
}

#[test]
fn closing_ends_daemons_too() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let namespace = namespace(room.pid());
    let mut child = room.spawn(&shell(DAEMON)).expect("the shell starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "begun\n");
    assert_eq!(living_in(&namespace), 4, "the first process, the shell, its child and the daemon");
    room.close().expect("it closes");
    assert_eq!(living_in(&namespace), 0);
    let status = child.wait(LIMIT).expect("it can be waited for").expect("it has ended");
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
}

#[test]
fn a_child_can_be_waited_for_and_ended() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let child = room.spawn(&shell("exit 7")).expect("the shell starts");
    assert_eq!(child.wait(LIMIT).expect("it can be waited for").and_then(|status| status.code()), Some(7));
    let child = room.spawn(&shell("exec sleep 1000")).expect("the shell starts");
    assert_eq!(child.wait(Some(Duration::ZERO)).expect("it can be waited for"), None);
    child.kill().expect("it can be ended");
    let status = child.wait(LIMIT).expect("it can be waited for").expect("it has ended");
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
    assert_eq!(output(&room, "echo the room goes on"), "the room goes on\n");
}

#[test]
fn programs_that_have_ended_leave_no_zombies() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let children: Vec<u32> = (0..5)
        .map(|_| {
            let child = room.spawn(&shell("true")).expect("the shell starts");
            let (pid, mut stdout) = (child.pid(), child.stdout.expect("a pipe"));
            // Its end is when it ends, but nobody waits for it.
            std::io::copy(&mut stdout, &mut std::io::sink()).expect("it can be read");
            pid
        })
        .collect();
    let until = Instant::now() + Duration::from_secs(20);
    let zombies =
        || children.iter().filter(|pid| fs::exists(format!("/proc/{pid}")).unwrap_or(false)).count();
    while zombies() > 0 && Instant::now() < until {
        output(&room, "true");
    }
    assert_eq!(zombies(), 0);
}

#[test]
fn a_room_outlives_the_thread_that_opened_it() {
    let opened = std::thread::spawn(|| open(&Spec::default())).join().expect("the thread ends");
    let Some((room, _door)) = opened else { return };
    assert_eq!(output(&room, "echo here"), "here\n");
}

/// The program of the next test: opens a room and waits to be killed.
#[test]
#[ignore = "started by the next test"]
fn opener() {
    let mark = std::env::var("OVERHEARD_MARK").expect("it is told");
    let opened = open(&spec(&format!("OVERHEARD_MARK={mark}")));
    let Some((room, _door)) = opened else { return println!("\nskipped") };
    let mut child = room.spawn(&shell(DAEMON)).expect("the shell starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    println!("\nopened {}", room.pid());
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_survives_the_openers_sudden_death() {
    let mark = unique("opener");
    let scratch = tempfile::tempdir().expect("a folder");
    let before = fs::read_to_string("/proc/self/mountinfo").expect("it can be read");
    let (name, value) = mark.split_once('=').expect("a variable");
    let mut opener = Command::new(std::env::current_exe().expect("we are a file"))
        .args(["--exact", "life::opener", "--ignored", "--nocapture"])
        .env(name, value)
        .env("TMPDIR", scratch.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(opener.stdout.take().expect("a pipe")).lines();
    let word = lines.map_while(Result::ok).find(|line| line == "skipped" || line.starts_with("opened "));
    let word = word.expect("it says how it went");
    let Some(first) = word.strip_prefix("opened ") else {
        opener.wait().expect("it ends");
        return eprintln!("skipped: no room can be opened");
    };
    let namespace = namespace(first.parse().expect("a number"));
    assert_eq!(living_in(&namespace), 4, "the first process, the shell, its child and the daemon");

    let pid = Pid::from_raw(opener.id().cast_signed());
    kill(pid, Signal::SIGKILL).expect("it can be killed");
    opener.wait().expect("it ends");

    let until = Instant::now() + Duration::from_secs(20);
    while (marked(&mark) > 0 || living_in(&namespace) > 0) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(marked(&mark), 0, "copies of the opener");
    assert_eq!(living_in(&namespace), 0, "processes of the room");
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").expect("it can be read"), before);
    assert_eq!(fs::read_dir(scratch.path()).expect("it can be read").count(), 0, "scratch files");
}

#[test]
fn nothing_survives_wherever_the_opener_is_killed() {
    let mark = unique("instant");
    let (name, value) = mark.split_once('=').expect("a variable");
    for milliseconds in (0..60).step_by(3) {
        let mut opener = Command::new(std::env::current_exe().expect("we are a file"))
            .args(["--exact", "life::opener", "--ignored", "--nocapture"])
            .env(name, value)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        opener.kill().expect("it can be killed");
        opener.wait().expect("it ends");
    }
    // Copies of the opener carry its mark too.
    let until = Instant::now() + Duration::from_secs(20);
    while marked(&mark) > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(marked(&mark), 0);
}

/// The network namespace of a process.
fn namespace(pid: u32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/ns/net")).expect("it runs")
}

/// How many processes are in this network namespace: each from its fork to its end, whatever program it is.
fn living_in(namespace: &Path) -> usize {
    let processes = fs::read_dir("/proc").expect("it can be read").flatten();
    let namespaces = processes.filter_map(|process| fs::read_link(process.path().join("ns/net")).ok());
    namespaces.filter(|of| of == namespace).count()
}
