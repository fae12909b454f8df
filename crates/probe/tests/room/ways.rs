//! Doors that are not the network are found.

use crate::{open, output};
use nix::sys::stat::Mode;
use overheard_probe::room::{Error, Kind, Room, Socket, Spec, Way};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

#[test]
fn planted_doors_are_found_and_covered_ones_are_not() {
    let shown = tempfile::tempdir().expect("a folder");
    let covered = tempfile::tempdir().expect("a folder");
    let written = tempfile::tempdir().expect("a folder");
    let plant = |path: &std::path::Path| UnixListener::bind(path).expect("it can be bound");
    let _planted = plant(&shown.path().join("planted"));
    let _bus = plant(&shown.path().join("bus"));
    let _closed = plant(&shown.path().join("closed"));
    let _covered = plant(&covered.path().join("covered"));
    std::fs::set_permissions(shown.path().join("closed"), PermissionsExt::from_mode(0o000))
        .expect("it is ours");
    nix::unistd::mkfifo(&shown.path().join("pipe"), Mode::S_IRWXU).expect("it can be made");
    let spec =
        Spec { read: vec![shown.path().into()], write: vec![written.path().into()], ..Spec::default() };
    let Some((room, _door)) = open(&spec) else { return };

    let ways = room.other_doors();
    let kind = |path: std::path::PathBuf| ways.iter().find(|way| way.path == path).map(|way| way.kind);
    assert_eq!(kind(shown.path().join("planted")), Some(Kind::Socket));
    assert_eq!(kind(shown.path().join("bus")), Some(Kind::DBus));
    assert_eq!(kind(shown.path().join("pipe")), Some(Kind::Pipe));
    assert_eq!(kind(shown.path().join("closed")), None);
    assert_eq!(kind(covered.path().join("covered")), None);
    assert_eq!(kind(written.path().into()), Some(Kind::Folder));
    let in_covered = |way: &&Way| way.path.starts_with("/run") || way.path.starts_with("/dev");
    assert_eq!(ways.iter().find(in_covered), None);
}

/// The program of the next test: a desktop is what the environment says.
#[test]
#[ignore = "started by the next test"]
fn on_a_desktop() {
    let missing = Room::open(&Spec { doors: vec![Socket::PipeWire], ..Spec::default() });
    assert!(matches!(missing, Err(Error::NoSocket { name: "PipeWire" })), "{missing:?}");

    let spec = Spec { doors: vec![Socket::Wayland], ..Spec::default() };
    let Some((room, _door)) = open(&spec) else { return };
    let [(socket, path)] = room.doors() else { panic!("{:?}", room.doors()) };
    assert_eq!(*socket, Socket::Wayland);
    let inside =
        output(&room, "[ -S $WAYLAND_DISPLAY ] && echo $WAYLAND_DISPLAY; ls $(dirname $WAYLAND_DISPLAY)");
    assert_eq!(inside, format!("{}\nwayland-7\n", path.display()), "it alone");
    let found = room.other_doors().into_iter().find(|way| way.path == *path);
    assert_eq!(found.map(|way| way.kind), Some(Kind::Desktop(Socket::Wayland)));
}

#[test]
fn a_desktops_socket_is_shown_only_where_it_is_asked_for() {
    let runtime = tempfile::tempdir().expect("a folder");
    let plant = |name: &str| UnixListener::bind(runtime.path().join(name)).expect("it can be bound");
    let _sockets = [plant("wayland-7"), plant("bus")];
    let ran = std::process::Command::new(std::env::current_exe().expect("we are a file"))
        .args(["--exact", "ways::on_a_desktop", "--ignored", "--nocapture"])
        .env("XDG_RUNTIME_DIR", runtime.path())
        .env("WAYLAND_DISPLAY", "wayland-7")
        .env_remove("PIPEWIRE_REMOTE")
        .output()
        .expect("it starts");
    assert!(ran.status.success(), "{ran:?}");
}
