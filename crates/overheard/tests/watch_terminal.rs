//! `overheard watch` on a terminal: whatever ends it, the terminal is left as it was.

mod program;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::terminal::Watched;

fn watch(more: &[&str]) -> Watched {
    let args = ["watch", "--from", "corpus/messenger/co-branded/run1.pcapng"];
    Watched::start(&[&args, more].concat(), "kite.example")
}

#[test]
fn q_leaves_the_report_on_the_terminal() {
    let mut watched = watch(&[]);
    watched.press(b"?");
    watched.until("Ctrl-C");
    watched.press(b"q");
    let (status, after) = watched.ends();
    assert_eq!(status.code(), Some(0));
    assert!(after.contains("packets"), "{after:?}");
}

#[test]
fn control_c_is_a_key_that_quits() {
    let watched = watch(&[]);
    watched.press(b"\x03");
    assert_eq!(watched.ends().0.code(), Some(0));
}

#[test]
fn a_signal_quits_too() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let watched = watch(&[]);
        kill(Pid::from_raw(watched.child.id() as i32), signal).expect("it is there");
        assert_eq!(watched.ends().0.code(), Some(0), "{signal}");
    }
}

#[test]
fn it_stays_when_the_capture_has_ended_and_goes_when_the_time_is_over() {
    let (status, after) = watch(&["--speed", "max", "--seconds", "2"]).ends();
    assert_eq!(status.code(), Some(0));
    assert!(after.contains("the capture ended after 243 packets"), "{after:?}");
}
