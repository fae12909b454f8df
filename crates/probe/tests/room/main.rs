//! Rooms as an app finds them: real namespaces on this machine, nothing emulated.
//!
//! Where the machine lacks what rooms need the tests say so and pass; as root with `/dev/net/tun` they run. As
//! root they run once more as an ordinary user ([`rootless`]).

mod files;
mod life;
mod network;
mod privilege;
mod rootless;
mod ways;

use overheard_probe::door::Door;
use overheard_probe::room::{Child, Command, Error, Room, Spec, Streams};
use std::ffi::OsString;
use std::io::Read;
use std::time::Duration;

/// Longer than anything here takes, shorter than patience.
const LIMIT: Option<Duration> = Some(Duration::from_secs(60));

/// A room, or nothing where the machine cannot.
fn open(spec: &Spec) -> Option<(Room, Door)> {
    match Room::open(spec) {
        Ok(opened) => Some(opened),
        Err(Error::Missing(missing)) => {
            eprintln!("skipped: {missing}; {}", missing.mend());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn shell(script: impl Into<OsString>) -> Command {
    // Bash, because it sends to addresses without a further tool.
    let args = vec!["-c".into(), script.into()];
    Command { program: "bash".into(), args, streams: Streams::Pipes, ..Command::default() }
}

/// What a script in the room prints, errors included.
fn output(room: &Room, script: &str) -> String {
    said(room.spawn(&shell(format!("exec 2>&1; {script}"))).expect("the shell starts"))
}

fn said(mut child: Child) -> String {
    drop(child.stdin.take());
    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut text).expect("output is UTF-8");
    child.wait(LIMIT).expect("it can be waited for").expect("it ends");
    text
}

/// The value of a field in a `/proc/PID/status`.
fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{name} in {status}")).trim()
}
