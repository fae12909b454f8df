//! `overheard watch -- APP`: a real app in a real room, in a small world where it talks to somebody.

mod program;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::terminal::Watched;
use program::{Answer, command, overheard};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

/// A name server, and a host that refuses every connection.
const WORLD: &str = r#"
    [world]
    seed = 1
    dns = "dns"
    [world.vantage.home]
    country = "NL"
    addresses = ["198.18.0.10"]
    [world.host]
    dns = { country = "NL", addresses = ["198.18.1.53"] }
    cn = { country = "CN", addresses = ["198.18.60.21"] }
    [world.name]
    "log.world.example" = { hosts = ["cn"] }
"#;

const TALK: &str = "getent ahostsv4 log.world.example >/dev/null && (exec 3<>/dev/tcp/198.18.60.21/80) 2>/dev/null; \
                    printf 'done\\033[1m\\n'; sleep 0.2; exit 3";

/// Watches a line of bash in the world; `None`, with the reason, where no world or no room can be made.
fn watch(options: &[&str], line: &str) -> Option<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("small.toml");
    std::fs::write(&world, WORLD).unwrap();
    let program = env!("CARGO_BIN_EXE_overheard");
    let inner =
        [&[program, "watch", "--mmdb", "corpus/places.mmdb"], options, &["--", "bash", "-c", line]].concat();
    let answer = overheard(&[&["world", world.to_str().unwrap(), "--"], &inner[..]].concat());
    if answer.code == 3 {
        eprintln!("skipped: {}", answer.stderr);
        return None;
    }
    Some(answer)
}

#[test]
fn whom_an_app_talks_to_is_told_in_lines_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("app.pcapng");
    let kept = kept.to_str().unwrap();
    let Some(answer) = watch(&["--concern", "CN", "--keep", kept], TALK) else { return };
    assert_eq!(answer.code, 1, "a concern was met: {answer:?}");
    let lines: Vec<Vec<&str>> = answer.stdout.lines().map(|line| line.split('\t').collect()).collect();
    let last = |server: &str| lines.iter().rev().find(|line| line[4] == server).expect("it was met");
    let met = last("198.18.60.21:80");
    assert_eq!((met[2], met[3], met[5], met[9]), ("●", "CN", "log.world.example", "bash"));
    assert_eq!(last("10.219.0.1:53/udp")[9], "getent");
    for told in ["done\u{fffd}[1m\n", "bash ended: exit status: 3\n", "kept in "] {
        assert!(answer.stderr.contains(told), "{told:?} is not in {}", answer.stderr);
    }
    let read = overheard(&["read", kept, "--format", "csv"]);
    assert!(read.stdout.lines().next().unwrap().ends_with(",process"), "{}", read.stdout);
    let row = read.stdout.lines().find(|line| line.contains(",198.18.60.21,80,")).expect("it was kept");
    assert!(row.ends_with(",bash") && row.contains("log.world.example"), "{row}");
    assert!(overheard(&["read", kept]).stdout.contains("process\n"));
    overheard(&["watch", "--keep", kept, "--", "true"]).refuses("--keep");
}

/// A name that no other process has in its command line.
fn mark(test: &str) -> String {
    format!("overheard-{test}-{}", std::process::id())
}

fn is_running(mark: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        // The program's own command line has it too, until it has ended.
        String::from_utf8_lossy(&line).contains(mark)
    })
}

/// The app says that it runs; what it left behind ends with its room.
#[test]
fn whoever_interrupts_ends_the_app_and_its_room() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mark = mark(signal.as_str());
        let line = format!("(exec -a {mark} sleep 1000) & echo begun; wait");
        let mut child = command(&["watch", "--", "bash", "-c", &line])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        if said.next().as_deref() != Some("begun") {
            return eprintln!("skipped: no room here: {:?}", child.wait_with_output());
        }
        assert!(is_running(&mark));
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "{signal}");
        assert!(!is_running(&mark), "{signal}: the app outlived its room");
    }
}

#[test]
fn on_a_terminal_the_app_ends_with_the_view() {
    let mark = mark("view");
    let line = format!("(exec -a {mark} sleep 1000) & echo begun; wait");
    let probe = overheard(&["watch", "--", "true"]);
    if probe.code == 3 {
        return eprintln!("skipped: no room here: {}", probe.stderr);
    }
    let mut watched = Watched::start(&["watch", "--", "bash", "-c", &line], "Nothing was heard so far.");
    watched.press(b"o");
    watched.until("begun");
    assert!(is_running(&mark));
    watched.press(b"q");
    let (status, after) = watched.ends();
    assert_eq!(status.code(), Some(0), "{after:?}");
    assert!(!is_running(&mark), "the app outlived the view");
}

#[test]
fn a_door_is_opened_by_its_name_alone() {
    let missing = overheard(&["watch", "--door", "dbus", "--", "true"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("x11, wayland, pulseaudio or pipewire"), "{missing:?}");
}

/// The desktop's socket stands where the environment says; the app finds it there, and whoever watches is told.
#[test]
fn a_door_that_was_asked_for_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let _desktop = std::os::unix::net::UnixListener::bind(folder.path().join("wayland-7")).unwrap();
    let watch = |options: &[&str]| {
        let mut watch =
            command(&[&["watch"], options, &["--", "bash", "-c", "ls -l \"$WAYLAND_DISPLAY\""]].concat());
        watch.env("XDG_RUNTIME_DIR", folder.path()).env("WAYLAND_DISPLAY", "wayland-7").stdin(Stdio::null());
        let output = watch.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = watch(&["--door", "wayland"]);
    if code == Some(3) {
        return eprintln!("skipped: no room here: {told}");
    }
    let at = folder.path().join("wayland-7").display().to_string();
    assert!(told.contains(&format!("door Wayland at {at}: open, and not the network\n")), "{told}");
    assert!(told.contains("srw"), "the app finds it: {told}");
    let written = folder.path().to_str().unwrap();
    let (_, told) = watch(&["--write", written]);
    assert!(told.contains(&format!("door folder that stays at {written}: open")), "{told}");
    let (_, told) = watch(&[]);
    assert!(!told.contains("door ") && !told.contains("srw"), "{told}");
}

/// As in a container that an ordinary user started, or in a world of his.
#[test]
fn root_of_an_ordinary_users_namespace_opens_a_room_too() {
    let probe = overheard(&["watch", "--", "true"]);
    if probe.code == 3 {
        return eprintln!("skipped: no room here: {}", probe.stderr);
    }
    let mut inside = std::process::Command::new("unshare");
    inside.args(["--user", "--map-root-user", env!("CARGO_BIN_EXE_overheard"), "watch", "--", "id", "-u"]);
    let Ok(output) = inside.stdin(Stdio::null()).output() else {
        return eprintln!("skipped: there is no unshare");
    };
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(told, "0\nid ended: exit status: 0\n");
}

/// An app that would go on is ended when the time is over, and that is told.
#[test]
fn an_app_that_is_ended_after_some_seconds_gets_a_closing_line() {
    let watched = overheard(&["watch", "--seconds", "1", "--", "sleep", "1000"]);
    if watched.code == 3 {
        return eprintln!("skipped: no room here: {}", watched.stderr);
    }
    assert_eq!((watched.code, &*watched.stderr), (0, "sleep was ended\n"));
}

/// The app sees a network that does not work; whoever watches is told why.
#[test]
fn a_proxy_that_does_not_serve_is_told_at_the_end() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = format!("socks5://127.0.0.1:{port}");
    let line = "(exec 3<>/dev/tcp/198.18.0.9/80) 2>/dev/null || echo cut off";
    let options = ["--proxy", &proxy, "--dns", "198.18.1.53"];
    let watched = overheard(&[&["watch"], &options[..], &["--", "bash", "-c", line]].concat());
    if watched.code == 3 {
        return eprintln!("skipped: no room here: {}", watched.stderr);
    }
    for told in [
        "cut off\n",
        "the proxy does not carry everything: it could not be reached\n",
        "1 connection failed at the proxy: it could not be reached (1)\n",
    ] {
        assert!(watched.stderr.contains(told), "{told:?} is not in {}", watched.stderr);
    }
}

/// Behind a proxy that carries no datagrams, and cannot be reached.
#[test]
fn what_was_only_tried_is_no_contact_in_lines_in_a_replay_and_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("app.pcapng");
    let kept = kept.to_str().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let proxy = format!("http://127.0.0.1:{port}");
    let fears = ["--mmdb", "corpus/places.mmdb", "--concern", "CN"];
    let proxied = [&["watch"], &fears[..], &["--proxy", &proxy, "--dns", "198.18.1.53"]].concat();
    let tries = "echo x >/dev/udp/198.18.60.21/9; (exec 3<>/dev/tcp/198.18.60.21/80) 2>/dev/null";
    let live = overheard(&[&proxied[..], &["--keep", kept, "--", "bash", "-c", tries]].concat());
    if live.code == 3 {
        return eprintln!("skipped: no room here: {}", live.stderr);
    }
    let replay = ["watch", "--from", kept, "--speed", "max", "--plain"];
    let replayed = overheard(&[&replay[..], &fears].concat());
    // What the file says of it at its end is not known so early.
    let slowly = ["watch", "--from", kept, "--speed", "0.001", "--seconds", "1", "--plain"];
    let left = overheard(&[&slowly[..], &fears].concat());
    assert_eq!((left.code, left.stdout.contains('●')), (0, false), "{left:?}");
    assert!(left.stdout.contains("tried, not carried"), "{left:?}");
    for answer in [live, replayed] {
        assert_eq!(answer.code, 0, "{answer:?}");
        let lines: Vec<Vec<&str>> = answer.stdout.lines().map(|line| line.split('\t').collect()).collect();
        for server in ["198.18.60.21:9/udp", "198.18.60.21:80"] {
            let last = lines.iter().rev().find(|line| line[4] == server).expect("it was tried");
            assert_eq!((last[2], last[3], last[7]), ("○", "CN", "tried, not carried"), "{answer:?}");
        }
    }

    let goes_on = format!("{tries}; exec sleep 1000");
    let watched =
        Watched::start(&[&proxied[..], &["--", "bash", "-c", &goes_on]].concat(), "2 tried, not carried");
    watched.press(b"q");
    let (status, after) = watched.ends();
    assert_eq!(status.code(), Some(0), "{after:?}");
    assert!(
        after.contains("Tried, but nothing is known to have been carried there: 198.18.60.21:"),
        "{after:?}"
    );
    assert!(after.contains("bash was ended"), "{after:?}");
}

/// A name that is asked of the name server behind the proxy is all that the app waits for.
#[test]
fn a_login_that_a_proxy_refuses_is_told_while_the_app_waits() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://who:forgot@{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            stream
                .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
        }
    });
    let line = "getent ahostsv4 log.world.example";
    let options = ["--seconds", "3", "--proxy", &proxy, "--dns", "198.18.1.53"];
    let watched = overheard(&[&["watch"], &options[..], &["--", "bash", "-c", line]].concat());
    if watched.code == 3 {
        return eprintln!("skipped: no room here: {}", watched.stderr);
    }
    for told in [
        "the proxy does not carry everything: it refused the login (407)\n",
        "failed at the proxy: it refused the login (407) (",
    ] {
        assert!(watched.stderr.contains(told), "{told:?} is not in {}", watched.stderr);
    }
}

#[test]
fn what_is_no_program_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes");
    std::fs::write(&file, "no program").unwrap();
    let file = file.to_str().unwrap();
    let answer = overheard(&["watch", "--", file]);
    answer.refuses("nobody may execute it");
    assert!(answer.stderr.contains("interpreter") && !answer.stderr.contains("doctor"), "{answer:?}");
}

#[test]
fn what_cannot_be_opened_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("app.pcapng");
    let args = ["watch", "--home", "/nowhere", "--keep", kept.to_str().unwrap(), "--", "true"];
    overheard(&args).refuses("/nowhere");
    assert!(!kept.exists(), "a second try would be refused for it");
    let answer = overheard(&["watch"]);
    assert!(answer.stderr.contains("--from <FILE>|APP"), "{answer:?}");
}
