//! `overheard confine` with a real room, a real gateway and a proxy on this machine's loopback.

mod program;

use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, close};
use program::{Answer, command, root};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::JoinHandle;

/// A proxy as far as the room is concerned: whoever connects is greeted.
struct Greeter {
    port: u16,
    greeted: JoinHandle<()>,
}

impl Greeter {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let greeted = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"welcome").unwrap();
        });
        Self { port, greeted }
    }
}

struct Confined {
    folder: tempfile::TempDir,
    answer: Answer,
}

impl Confined {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Confines a line of bash; `None`, with the reason, where no room can be opened.
fn confine(port: u16, line: &str) -> Option<Confined> {
    confine_with(&[], port, line)
}

fn confine_with(options: &[&str], port: u16, line: &str) -> Option<Confined> {
    let folder = tempfile::tempdir().unwrap();
    let mut confine = command(&["confine", "--mmdb", "corpus/places.mmdb"]);
    let login = login(folder.path(), 0o600);
    confine.args(options).args(["--proxy", &format!("socks5://127.0.0.1:{port}"), "--proxy-login", &login]);
    confine.arg("--capture");
    confine.arg(folder.path().join("app.pcapng")).args(["--", "bash", "-c", line]);
    let answer = run(confine.env("XDG_DATA_HOME", folder.path()));
    if answer.code == 3 {
        eprintln!("skipped: no room here: {}", answer.stderr);
        return None;
    }
    Some(Confined { folder, answer })
}

/// A file with a proxy's login.
fn login(folder: &Path, mode: u32) -> String {
    let path = folder.join("login");
    std::fs::write(&path, "alice:secret\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn verify(certificate: &Path, capture: &Path) -> Answer {
    run(command(&["verify"]).arg(certificate).arg(capture))
}

fn run(command: &mut std::process::Command) -> Answer {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A flood that no gateway keeps up with: what is dropped on the way is stated.
#[test]
fn what_the_rooms_device_drops_is_stated() {
    let flood = "perl -MSocket -e 'for (1..8) { last unless fork } socket(my $s, PF_INET, SOCK_DGRAM, 17); \
        my $to = pack_sockaddr_in(9, inet_aton(q(198.18.0.9))); \
        send($s, q(x), 0, $to) for 1..20000; 1 while wait > 0'; grep eth0: /proc/net/dev";
    let Some(confined) = confine(9, flood) else { return };
    let text = &confined.answer.stdout;
    let dropped = text.split_whitespace().nth(12).unwrap();
    eprintln!("{dropped} packets were dropped");
    let told = format!("  unseen     {dropped} packets that");
    assert!(dropped == "0" || text.contains(&told), "{told:?} is not in {text}");
    let certificate = std::fs::read_to_string(confined.path("app.certificate.json")).unwrap();
    assert!(certificate.contains(&format!("\"unseen\": {dropped},")), "{text}");
}

/// Takes the proxy's address from where programs look for it.
const VISIT: &str = "exec 3<>/dev/tcp/10.219.0.1/${ALL_PROXY##*:}; head -c7 <&3; echo; ";

#[test]
fn an_app_that_keeps_to_its_proxy_is_certified() {
    let proxy = Greeter::start();
    let Some(confined) = confine(proxy.port, VISIT) else { return };
    let answer = &confined.answer;
    assert_eq!(answer.code, 0, "{answer:?}");
    proxy.greeted.join().unwrap();
    for told in [
        "welcome\n",
        "reached nobody but socks5://127.0.0.1:",
        "18 planted leaks",
        "attempted  nothing else",
        "login      the app was told the proxy's login",
    ] {
        assert!(answer.stdout.contains(told), "{told:?} is not in {}", answer.stdout);
    }
    let (certificate, capture) = (confined.path("app.certificate.json"), confined.path("app.pcapng"));
    let verified = verify(&certificate, &capture);
    assert_eq!(verified.code, 0, "{verified:?}");
    let mut text = String::new();
    std::fs::File::open(&certificate).unwrap().read_to_string(&mut text).unwrap();
    assert!(!text.contains("secret") && !text.contains("alice") && !text.contains("head -c7"), "{text}");
    std::fs::OpenOptions::new().append(true).open(&capture).unwrap().write_all(b"!").unwrap();
    assert_eq!(verify(&certificate, &capture).code, 1);
}

#[test]
fn what_an_app_tries_beside_its_proxy_is_stopped_and_listed_with_its_country() {
    let proxy = Greeter::start();
    let line = format!(
        "{VISIT}echo x >/dev/udp/198.18.60.21/443; echo x >/dev/udp/198.18.1.53/53; \
         (exec 4<>/dev/tcp/198.18.11.43/443) 2>/dev/null || echo refused"
    );
    let Some(confined) = confine(proxy.port, &line) else { return };
    let answer = &confined.answer;
    assert_eq!(answer.code, 1, "{answer:?}");
    proxy.greeted.join().unwrap();
    for told in [
        "welcome\nrefused\n",
        "QUIC: 1 packet, udp to 198.18.60.21 port 443 (CN), stopped",
        "DNS elsewhere: 1 packet, udp to 198.18.1.53 port 53 (NL), stopped",
        "other TCP: 1 packet, tcp to 198.18.11.43 port 443 (US), stopped; by bash (pid ",
    ] {
        assert!(answer.stdout.contains(told), "{told:?} is not in {}", answer.stdout);
    }
    assert_eq!(verify(&confined.path("app.certificate.json"), &confined.path("app.pcapng")).code, 0);
}

/// Tries an abstract socket of this name.
fn knock(name: &str) -> String {
    knock_at(&format!("\\0{name}"))
}

/// Tries a socket with what every Debian has.
fn knock_at(path: &str) -> String {
    format!(
        "perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); \
         print connect($s, pack_sockaddr_un(\"{path}\")) ? qq(reached\\n) : qq(cut off\\n)'"
    )
}

#[test]
fn doors_that_are_not_the_network_are_shut_or_stated() {
    let name = format!("overheard-test-{}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for place in ["shown", "written", "covered"] {
        std::fs::create_dir(at(place)).unwrap();
    }
    let plant = |path: &str| UnixListener::bind(at(path)).unwrap();
    let _planted = ["shown/planted", "alone", "bus", "covered/covered"].map(plant);
    let [shown, alone] = [knock_at(&at("shown/planted")), knock_at(&at("alone"))];

    const INHERITED: i32 = 500;
    let file = std::fs::File::open("/dev/null").unwrap();
    let copy = fcntl(&file, FcntlArg::F_DUPFD(INHERITED)).unwrap();
    let knocks = format!("{}; {shown}; {alone}", knock(&name));
    let line = format!("{knocks}; [ -e /proc/$$/fd/{copy} ] && echo inherited || echo closed");
    let kept = std::process::Command::new("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(kept.stdout, b"reached\nreached\nreached\ninherited\n", "there is something to be closed");

    let (read, alone, bus, written) = (at("shown"), at("alone"), at("bus"), at("written"));
    let options = ["--read", &read, "--read", &alone, "--read", &bus, "--write", &written];
    let confined = confine_with(&options, 9, &line);
    close(copy).unwrap();
    let Some(confined) = confined else { return };
    let text = &confined.answer.stdout;
    assert!(text.starts_with("cut off\ncut off\nreached\nclosed\n"), "{:?}", confined.answer);
    for door in [
        format!("socket {alone}: open"),
        format!("dbus {bus}: open"),
        format!("folder {written}: open"),
        "inherited standard output, a pipe: open".into(),
    ] {
        assert!(text.contains(&door), "{door:?} is not in {text}");
    }
    assert!(!text.contains("covered") && !text.contains(&read) && !text.contains("standard input"), "{text}");
}

/// Whoever looks only after the app has ended sees nothing of it.
#[test]
fn a_socket_that_comes_and_goes_while_the_app_runs_is_no_way_out() {
    let shown = tempfile::tempdir().unwrap();
    let path = shown.path().join("brief");
    let (at, read) = (path.clone(), shown.path().to_str().unwrap().to_owned());
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = proxy.local_addr().unwrap().port();
    let outside = std::thread::spawn(move || {
        let (mut app, _) = proxy.accept().unwrap();
        let listener = UnixListener::bind(&at).unwrap();
        listener.set_nonblocking(true).unwrap();
        app.write_all(b"welcome").unwrap();
        let mut told = Vec::new();
        app.read_to_end(&mut told).unwrap();
        let reached = listener.accept().is_ok();
        std::fs::remove_file(&at).unwrap();
        (told, reached)
    });
    let line = format!(
        "exec 3<>/dev/tcp/10.219.0.1/{port}; head -c7 <&3; echo; {}; echo done >&3",
        knock_at(path.to_str().unwrap())
    );
    let Some(confined) = confine_with(&["--read", &read], port, &line) else { return };
    assert_eq!(outside.join().unwrap(), (b"done\n".to_vec(), false), "{:?}", confined.answer);
    assert!(confined.answer.stdout.starts_with("welcome\ncut off\n"), "{:?}", confined.answer);
}

/// As a client would that is gone before anybody looks.
#[test]
fn secrets_that_an_app_logs_are_in_the_capture_if_asked_for() {
    let proxy = Greeter::start();
    let line = format!("{VISIT} echo CLIENT_RANDOM 0123 4567 >>\"$SSLKEYLOGFILE\"");
    let Some(confined) = confine_with(&["--secrets"], proxy.port, &line) else { return };
    assert_eq!(confined.answer.code, 0, "{:?}", confined.answer);
    let capture = std::fs::read(confined.path("app.pcapng")).unwrap();
    assert!(capture.windows(24).any(|window| window == b"CLIENT_RANDOM 0123 4567\n"));
}

#[test]
fn without_its_proxy_an_app_has_no_network() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = format!("(exec 3<>/dev/tcp/10.219.0.1/{port}) 2>/dev/null || echo cut off");
    let Some(confined) = confine(port, &line) else { return };
    assert!(confined.answer.stdout.starts_with("cut off\n"), "{:?}", confined.answer);
    assert!(
        confined
            .answer
            .stdout
            .contains("nothing: the proxy was asked for, 1 flow that it refused or did not answer"),
        "{:?}",
        confined.answer
    );
}

/// The app says when it runs; what it then left behind ends with its room.
#[test]
fn an_app_that_is_interrupted_is_certified_all_the_same() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let folder = tempfile::tempdir().unwrap();
        let mut confine = command(&["confine", "--proxy", "socks5://127.0.0.1:9", "--capture"]);
        confine.arg(folder.path().join("app.pcapng"));
        confine.args(["--", "bash", "-c", "echo x >/dev/udp/198.18.1.53/53; echo begun; exec sleep 1000"]);
        confine.env("XDG_DATA_HOME", folder.path()).stdin(Stdio::null());
        let mut child = confine.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut begun = [0; 6];
        if child.stdout.as_mut().unwrap().read_exact(&mut begun).is_err() {
            return eprintln!("skipped: no room here: {:?}", child.wait_with_output());
        }
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{signal}: {text}");
        for told in ["DNS elsewhere: 1 packet", "the app was ended by Ctrl-C"] {
            assert!(text.contains(told), "{told:?} is not in {text}");
        }
        let (certificate, capture) =
            (folder.path().join("app.certificate.json"), folder.path().join("app.pcapng"));
        assert_eq!(verify(&certificate, &capture).code, 0);
    }
}

/// A way out that no room can close.
#[test]
fn a_stream_that_is_a_socket_or_a_folder_is_refused() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), "socks5://127.0.0.1:1");
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = || std::os::fd::OwnedFd::from(ours.try_clone().unwrap());
    let confine = || {
        let mut confine = command(&["confine", "--proxy", proxy, "--capture"]);
        confine.arg(folder.path().join("app.pcapng")).args(["--", "true"]);
        confine.env("XDG_DATA_HOME", folder.path()).stdin(Stdio::null());
        confine
    };
    let said = |confine: &mut std::process::Command| {
        let output = confine.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = said(confine().stdin(socket()));
    assert!(told.contains("standard input is a socket") && told.contains("hint: put a pipe"), "{told}");
    assert!(said(confine().stdout(socket())).contains("standard output is a socket"));
    let told = said(confine().stdin(std::fs::File::open("/").unwrap()));
    assert!(told.contains("standard input is neither a file"), "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn what_cannot_be_confined_is_refused() {
    let refuses = |arguments: &[&str], thing: &str| {
        run(command(&["confine"]).args(arguments).current_dir(root())).refuses(thing);
    };
    refuses(&["--proxy", "direct", "--", "true"], "--proxy direct");
    refuses(&["--proxy", "socks9://a:b@h:1", "--", "true"], "--proxy: ");
    refuses(&["--proxy", "http://127.0.0.1:0", "--", "true"], "port 0");
    refuses(&["--proxy", "socks5://127.0.0.1:1", "--", "no-such-program"], "no-such-program");
    refuses(&["--proxy", "socks5://127.0.0.1:1", "--capture", "README.md", "--", "true"], "README.md");
    let folder = tempfile::tempdir().unwrap();
    let login = login(folder.path(), 0o640);
    let proxy = |url| ["--proxy", url, "--proxy-login", &login, "--", "true"];
    refuses(&proxy("socks5://127.0.0.1:1"), "others may read it");
    std::fs::set_permissions(&login, PermissionsExt::from_mode(0o600)).unwrap();
    refuses(&proxy("socks5://a:b@127.0.0.1:1"), "--proxy has a login already");
    std::fs::write(&login, "no login").unwrap();
    refuses(&proxy("socks5://127.0.0.1:1"), "expected USER:PASSWORD");
    let capture = folder.path().join("app.pcapng");
    let home = ["--home", "/nowhere", "--capture", capture.to_str().unwrap(), "--", "true"];
    refuses(&[&["--proxy", "socks5://127.0.0.1:1"], &home[..]].concat(), "/nowhere");
    assert!(!capture.exists(), "a second try would be refused for it");
}

/// What a launcher started would have gone on: that it could not is said.
#[test]
fn what_an_app_leaves_running_is_told() {
    let Some(launcher) = confine(9, "sleep 30 & sleep 30 & exit 0") else { return };
    let told =
        "  left       2 programs still ran when the app had ended, and went with the room: sleep (2)\n";
    assert!(launcher.answer.stdout.contains(told), "{:?}", launcher.answer);
    let verified = verify(&launcher.path("app.certificate.json"), &launcher.path("app.pcapng"));
    assert!(verified.code == 0 && verified.stdout.contains(told), "{verified:?}");
    let Some(alone) = confine(9, "sleep 0.01") else { return };
    assert!(!alone.answer.stdout.contains("  left "), "{:?}", alone.answer);
}
