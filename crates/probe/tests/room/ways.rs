//! Doors that are not the network are found.

use crate::{open, output, shell};
use nix::sys::stat::Mode;
use overheard_probe::room::{Error, Kind, Room, Socket, Spec, Way};
use std::io::BufRead;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};

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
    let Some((room, _door)) = open(&Spec { veiled: false, ..spec }) else { return };

    let written_to = Way { path: written.path().into(), kind: Kind::Folder };
    assert_eq!(room.doors_at_once(), (vec![written_to], false), "without a veil others are not looked for");
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

/// Knocks at a socket of this name, of a stream or of datagrams, and says how it went.
fn knock(path: &std::path::Path) -> String {
    format!(
        "perl -MSocket -e 'for my $kind (SOCK_STREAM, SOCK_DGRAM) {{ socket(my $s, PF_UNIX, $kind, 0); \
         print connect($s, pack_sockaddr_un(q({}))) ? qq(reached\n) : qq(refused\n) }}'",
        path.display()
    )
}

/// Sockets that are there before, and one that comes and goes meanwhile.
#[test]
fn behind_a_veil_nobody_is_reached_and_there_is_no_door() {
    let shown = tempfile::tempdir().expect("a folder");
    let path = |name: &str| shown.path().join(name);
    std::fs::write(path("file"), "here\n").expect("it can be written");
    let _stream = UnixListener::bind(path("stream")).expect("it can be bound");
    let _datagrams = UnixDatagram::bind(path("datagrams")).expect("it can be bound");
    nix::unistd::mkfifo(&path("pipe"), Mode::S_IRWXU).expect("it can be made");
    let pipe = std::fs::OpenOptions::new().read(true).write(true).open(path("pipe")).expect("it opens");

    let bare = Spec { read: vec![shown.path().into()], veiled: false, ..Spec::default() };
    let Some((room, door)) = open(&bare) else { return };
    if output(&room, "command -v perl flock | wc -l") != "2\n" {
        return eprintln!("skipped: no perl or no flock");
    }
    let reached = [output(&room, &knock(&path("stream"))), output(&room, &knock(&path("datagrams")))];
    assert_eq!(reached, ["reached\nrefused\n", "refused\nreached\n"], "there is somebody to be reached");
    drop((room, door));

    let Some((room, _door)) = open(&Spec { veiled: true, ..bare }) else { return };
    let lookout = room.look_out();
    let later = UnixListener::bind(path("later")).expect("it can be bound");
    for name in ["stream", "datagrams", "later"] {
        assert_eq!(output(&room, &knock(&path(name))), "refused\nrefused\n", "{name}");
    }
    drop(later);
    std::fs::remove_file(path("later")).expect("it is ours");
    let file = path("file");
    let script = format!(
        "cat {0}; touch {0} 2>&- || echo unchanged; exec 7<{0}; flock 7; exec 8<>{1}; echo x >&8; \
         echo written; exec sleep 1000",
        file.display(),
        path("pipe").display()
    );
    let mut child = room.spawn(&shell(&script)).expect("the shell starts");
    let mut said = String::new();
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    while !said.ends_with("written\n") && lines.read_line(&mut said).expect("it says so") > 0 {}
    assert_eq!(said, "here\nunchanged\nwritten\n");
    let unread = nix::poll::PollFd::new(std::os::fd::AsFd::as_fd(&pipe), nix::poll::PollFlags::POLLIN);
    assert_eq!(nix::poll::poll(&mut [unread], nix::poll::PollTimeout::ZERO), Ok(0), "the pipe is another");
    let lock = std::fs::File::open(&file).expect("it opens").try_lock();
    assert!(lock.is_ok(), "the lock is another: {lock:?}");
    assert_eq!(room.looked_out(lookout), []);
    assert!(room.doors_at_once().1, "behind a veil all are known");
}

/// Only folders in which others are mounted are bare: such a one is made by a mount.
#[test]
fn what_comes_and_goes_where_no_veil_can_be_is_told() {
    let spec = |read: &tempfile::TempDir| Spec { read: vec![read.path().into()], ..Spec::default() };
    let shown = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(shown.path().join("mount")).expect("a folder");
    let mount = shown.path().join("mount");
    let tmpfs =
        nix::mount::mount(Some("none"), &mount, Some("tmpfs"), nix::mount::MsFlags::empty(), None::<&str>);
    if tmpfs.is_err() {
        return eprintln!("skipped: only root mounts");
    }
    let opened = open(&spec(&shown));
    nix::mount::umount2(&mount, nix::mount::MntFlags::MNT_DETACH).expect("it was mounted");
    let Some((room, _door)) = opened else { return };
    let lookout = room.look_out();
    let path = shown.path().join("later");
    drop(UnixListener::bind(&path).expect("it can be bound"));
    std::fs::remove_file(&path).expect("it is ours");
    assert_eq!(room.looked_out(lookout), [Way { path, kind: Kind::Appeared }]);
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
