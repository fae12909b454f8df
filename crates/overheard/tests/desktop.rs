//! The door to a desktop: a real X server that asks for its cookie, a real PipeWire, and real clients of them in a room.

mod program;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, gethostname};
use program::{Answer, command};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// A server that lets nobody in without the cookie, which is kept under this machine's name.
struct Desktop {
    server: Child,
    number: u32,
    folder: tempfile::TempDir,
}

impl Desktop {
    /// `None`, with the reason, where there is no server to be had.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let number = 100 + std::process::id() % 30_000;
        let (machine, number_text) = (gethostname().unwrap(), number.to_string());
        // Xau(3): the family of this machine's own, then four counted texts.
        let mut authority = 256_u16.to_be_bytes().to_vec();
        for text in [machine.as_bytes(), number_text.as_bytes(), b"MIT-MAGIC-COOKIE-1", b"sixteen secret !"] {
            authority.extend((text.len() as u16).to_be_bytes());
            authority.extend(text);
        }
        std::fs::write(folder.path().join("Xauthority"), authority).unwrap();
        let started = std::process::Command::new("Xvfb")
            .args([&format!(":{number}"), "-screen", "0", "64x64x8", "-nolisten", "tcp", "-auth"])
            .arg(folder.path().join("Xauthority"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = started else {
            eprintln!("skipped: Xvfb is not installed (package xvfb)");
            return None;
        };
        let desktop = Self { server, number, folder };
        for _ in 0..200 {
            match desktop.client(None).output() {
                Err(_) => {
                    eprintln!("skipped: xdpyinfo is not installed (package x11-utils)");
                    return None;
                }
                Ok(output) if output.status.success() => return Some(desktop),
                Ok(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        panic!("Xvfb is not ready after ten seconds");
    }

    fn authority(&self) -> PathBuf {
        self.folder.path().join("Xauthority")
    }

    /// A client, outside of any room.
    fn client(&self, authority: Option<&Path>) -> std::process::Command {
        let mut client = std::process::Command::new("xdpyinfo");
        client.env("DISPLAY", format!(":{}", self.number));
        client.env("XAUTHORITY", authority.unwrap_or(&self.authority()));
        client
    }

    /// The same client in a room; `None`, with the reason, where there can be none.
    fn in_a_room(&self, subcommand: &[&str]) -> Option<Answer> {
        let named = format!("DISPLAY=:{}", self.number);
        let mut room = command(&[subcommand, &["--", "env", &named, "xdpyinfo"]].concat());
        room.env("DISPLAY", format!(":{}", self.number)).env("XAUTHORITY", self.authority());
        answer(room, self.folder.path())
    }
}

/// What is said in a room, in this folder; `None`, with the reason, where there can be none.
fn answer(mut room: std::process::Command, folder: &Path) -> Option<Answer> {
    let output = room.env("XDG_DATA_HOME", folder).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (code, stdout, stderr) = (output.status.code().unwrap(), text(output.stdout), text(output.stderr));
    if code == 3 {
        eprintln!("skipped: no room here: {stderr}");
        return None;
    }
    Some(Answer { code, stdout, stderr })
}

impl Drop for Desktop {
    fn drop(&mut self) {
        // It takes its sockets with it.
        end(&mut self.server);
    }
}

fn end(server: &mut Child) {
    let _ = kill(Pid::from_raw(server.id() as i32), Signal::SIGTERM);
    let _ = server.wait();
}

#[test]
fn a_client_reaches_its_display_by_the_door_alone() {
    let Some(desktop) = Desktop::start() else { return };
    let stranger = desktop.client(Some(Path::new("/dev/null"))).output().unwrap();
    assert!(!stranger.status.success(), "the server asks for its cookie");

    // The server listens at an abstract socket too, which is not in the file system.
    let Some(without) = desktop.in_a_room(&["watch"]) else { return };
    assert!(without.stderr.contains("unable to open display"), "{without:?}");
    let Some(with) = desktop.in_a_room(&["watch", "--door", "x11"]) else { return };
    let socket = format!("/tmp/.X11-unix/X{}", desktop.number);
    let door = format!("door X11 at {socket}: open, and not the network\n");
    assert!(with.stderr.contains(&door) && with.stderr.contains("name of display:"), "{with:?}");

    let confine = ["confine", "--proxy", "socks5://127.0.0.1:9", "--door", "x11", "--capture", "app.pcapng"];
    let Some(confined) = desktop.in_a_room(&confine) else { return };
    let door = format!("  door       x11 {socket}: open, and not the network\n");
    assert!(confined.stdout.contains("name of display:") && confined.stdout.contains(&door), "{confined:?}");
    for told in ["the room tests itself", "the app has ended; its room is searched"] {
        assert!(confined.stderr.contains(told), "{told:?} is not in {}", confined.stderr);
    }
}

/// A sound and video server, whose clients find it in the folder of the desktop's sockets.
struct PipeWire {
    server: Child,
    folder: tempfile::TempDir,
}

impl PipeWire {
    /// `None`, with the reason, where there is no server to be had.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("pipewire");
        command.env("XDG_RUNTIME_DIR", folder.path()).stdin(Stdio::null());
        let Ok(server) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            eprintln!("skipped: pipewire is not installed");
            return None;
        };
        let served = Self { server, folder };
        for _ in 0..200 {
            match served.client().output() {
                Err(_) => {
                    eprintln!("skipped: pw-cli is not installed (package pipewire-bin)");
                    return None;
                }
                Ok(output) if output.status.success() => return Some(served),
                Ok(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        panic!("pipewire is not ready after ten seconds");
    }

    /// Asks the server who it is, outside of any room.
    fn client(&self) -> std::process::Command {
        let mut client = std::process::Command::new("pw-cli");
        client.args(["info", "0"]).env("XDG_RUNTIME_DIR", self.folder.path());
        client
    }

    fn in_a_room(&self, subcommand: &[&str]) -> Option<Answer> {
        let mut room = command(&[subcommand, &["--", "pw-cli", "info", "0"]].concat());
        room.env("XDG_RUNTIME_DIR", self.folder.path()).env_remove("PIPEWIRE_REMOTE");
        answer(room, self.folder.path())
    }
}

impl Drop for PipeWire {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

#[test]
fn a_client_reaches_pipewire_by_the_door_alone() {
    let Some(served) = PipeWire::start() else { return };
    let (says, socket) = ("PipeWire:Interface:Core", served.folder.path().join("pipewire-0"));
    let Some(without) = served.in_a_room(&["watch"]) else { return };
    assert!(without.stderr.contains("failed to connect") && !without.stderr.contains(says), "{without:?}");
    let Some(with) = served.in_a_room(&["watch", "--door", "pipewire"]) else { return };
    let door = format!("door PipeWire at {}: open, and not the network\n", socket.display());
    assert!(with.stderr.contains(&door) && with.stderr.contains(says), "{with:?}");

    let confine = ["confine", "--proxy", "socks5://127.0.0.1:9", "--capture"];
    let Some(shut) = served.in_a_room(&[&confine[..], &["shut.pcapng"]].concat()) else { return };
    assert!(!shut.stdout.contains(says) && !shut.stdout.contains("pipewire-0"), "{shut:?}");
    let open = served.in_a_room(&[&confine[..], &["open.pcapng", "--door", "pipewire"]].concat()).unwrap();
    let door = format!("  door       pipewire {}: open, and not the network\n", socket.display());
    assert!(open.stdout.contains(says) && open.stdout.contains(&door), "{open:?}");
}
