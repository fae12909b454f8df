//! What the app sees of the machine's files.

use crate::{open, output, said, shell};
use overheard_probe::room::{Command, Home, Identity, Room, Spec, Streams};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

#[test]
fn names_and_the_machine_are_the_rooms_own() {
    let Some((room, _door)) = open(&Spec { hostname: "attic".into(), ..Spec::default() }) else { return };
    assert_eq!(
        output(&room, "cat /etc/resolv.conf"),
        "nameserver 10.219.0.1\nnameserver fd6f:7665:7268::1\n"
    );
    assert!(output(&room, "cat /etc/hosts").starts_with("127.0.0.1 localhost attic\n"));
    assert_eq!(output(&room, "uname -n"), "attic\n");
    assert_eq!(output(&room, "grep ^hosts: /etc/nsswitch.conf"), "hosts: files dns\n");
    if let Ok(ours) = fs::read_to_string("/etc/machine-id") {
        let theirs = output(&room, "cat /etc/machine-id");
        assert_ne!(theirs, ours);
        let digits = theirs.trim().bytes().filter(u8::is_ascii_hexdigit).count();
        assert_eq!((digits, theirs.len()), (32, 33), "machine-id(5)");
    }
}

#[test]
fn a_fresh_home_is_empty_and_goes_with_the_room() {
    let spec = Spec::default();
    let Some((room, _door)) = open(&spec) else { return };
    assert_eq!(
        output(&room, "ls -A ~; echo kept >~/file; cat ~/file; pwd"),
        format!("kept\n{}\n", home(&room))
    );
    room.close().expect("it closes");
    assert!(!spec.user.home.join("file").exists());
    let Some((room, _door)) = open(&spec) else { return };
    assert_eq!(output(&room, "ls -A ~"), "");
}

fn home(room: &Room) -> String {
    output(room, "echo $HOME").trim().to_owned()
}

#[test]
fn a_folder_can_be_the_home_and_what_is_written_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("before"), "here\n").expect("it can be written");
    let spec = Spec { home: Home::Dir(folder.path().into()), ..Spec::default() };
    let Some((room, _door)) = open(&spec) else { return };
    assert_eq!(output(&room, "cat ~/before; echo after >~/after"), "here\n");
    room.close().expect("it closes");
    assert_eq!(fs::read_to_string(folder.path().join("after")).expect("it stays"), "after\n");
}

#[test]
fn nothing_of_the_machine_can_be_changed_but_what_was_named() {
    let read = tempfile::tempdir().expect("a folder");
    let write = tempfile::tempdir().expect("a folder");
    let hidden = tempfile::tempdir().expect("a folder");
    fs::write(read.path().join("app"), "here\n").expect("it can be written");
    let spec = Spec { read: vec![read.path().into()], write: vec![write.path().into()], ..Spec::default() };
    let Some((room, _door)) = open(&spec) else { return };
    let [read, write, hidden] = [&read, &write, &hidden].map(|folder| folder.path().display().to_string());
    let script = format!(
        "cat {read}/app; touch {read}/new 2>&- || echo refused; touch {write}/new && echo written; \
         ls {hidden} 2>&- || echo hidden; touch /var/new 2>&- || echo refused; touch /tmp/new && echo scratch"
    );
    assert_eq!(output(&room, &script), "here\nrefused\nwritten\nhidden\nrefused\nscratch\n");
    assert!(fs::exists(format!("{write}/new")).expect("it can be looked at"));
}

#[test]
fn devices_are_few() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let devices = output(&room, "ls /dev");
    let allowed =
        ["dri", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty"];
    for device in devices.lines() {
        assert!(allowed.contains(&device) || ["urandom", "zero"].contains(&device), "{device}");
    }
    assert_eq!(output(&room, "echo gone >/dev/null; head -c 4 /dev/zero | wc -c"), "4\n");
}

#[test]
fn the_environment_is_what_was_asked_for() {
    let environment = vec![("LANG".into(), "C".into()), ("FROM_SPEC".into(), "one".into())];
    let Some((room, _door)) = open(&Spec { environment, ..Spec::default() }) else { return };
    let command = Command { env: vec![("FROM_COMMAND".into(), "two".into())], ..shell("env") };
    let text = said(room.spawn(&command).expect("the shell starts"));
    for line in ["LANG=C", "FROM_SPEC=one", "FROM_COMMAND=two"] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    for name in ["CARGO", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "SSH_AUTH_SOCK"] {
        assert!(!text.contains(&format!("{name}=")), "{name} in {text}");
    }
}

#[test]
fn what_cannot_be_started_is_named() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let command = Command { program: "no-such-program".into(), ..Command::default() };
    let error = room.spawn(&command).expect_err("it is not there").to_string();
    assert!(error.starts_with("no-such-program: no such program in the room"), "{error}");
    let command = Command { cwd: Some("/no/such/folder".into()), ..shell("true") };
    let error = room.spawn(&command).expect_err("it is not there").to_string();
    assert!(error.starts_with("/no/such/folder: no folder to work in"), "{error}");
    let missing = Spec { read: vec!["/no/such/file".into()], ..Spec::default() };
    let error = Room::open(&missing).expect_err("it is not there").to_string();
    assert!(error.starts_with("/no/such/file: there is no such file"), "{error}");
}

#[test]
fn what_the_user_may_not_reach_is_named() {
    let Some(nobody) = Identity::named("nobody").filter(|_| nix::unistd::geteuid().is_root()) else {
        return eprintln!("skipped: only root can ask for what the room's user may not reach");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).expect("a folder");
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).expect("it is ours");
    let error = Room::open(&Spec { user: nobody, read: vec![inner.clone()], ..Spec::default() });
    let error = error.expect_err("the outer folder is root's alone").to_string();
    if error.contains("/dev/net/tun") {
        return eprintln!("skipped: {error}");
    }
    assert!(error.contains(&inner.display().to_string()), "{error}");
    assert!(error.contains("Permission denied"), "{error}");
}

#[test]
fn a_terminal_has_its_size_and_controls_the_app() {
    let Some((room, _door)) = open(&Spec::default()) else { return };
    let streams = Streams::Terminal { rows: 25, columns: 91 };
    let command = Command { streams, ..shell("stty size </dev/tty; [ -t 1 ] && echo terminal") };
    let mut child = room.spawn(&command).expect("the shell starts");
    let mut terminal = fs::File::from(child.terminal.take().expect("a terminal"));
    let mut text = Vec::new();
    // The end of a terminal is an error on Linux.
    let _ = terminal.read_to_end(&mut text);
    assert_eq!(String::from_utf8_lossy(&text), "25 91\r\nterminal\r\n");
}
