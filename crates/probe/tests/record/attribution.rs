//! Owners of flows in a network namespace of the test's own, which has a loopback device and nothing else.

use crate::reader::{blocks, packets};
use crate::{SECTION, at, datagram, syn};
use nix::sched::{CloneFlags, unshare};
use overheard_model::{Process, Transport};
use overheard_probe::record::{Attribution, Direction, Ends, Recording, SocketDiagnosis, Sources};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Runs the test where no other socket is; says why not, where that needs a privilege that is missing.
fn in_a_fresh_namespace(test: impl FnOnce() + Send) {
    let run = || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            eprintln!("skipped: no network namespace: {error}");
            return;
        }
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        if !up.is_ok_and(|status| status.success()) {
            eprintln!("skipped: ip(8) cannot bring up the loopback device");
            return;
        }
        test();
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

/// A program that says a line when it is ready and lives until its standard input ends.
struct Program {
    child: Child,
    said: String,
    _more: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &str, arguments: &[&str]) -> Option<Self> {
        let started =
            Command::new(command).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = started else {
            eprintln!("skipped: {command} is not installed");
            return None;
        };
        let mut more = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        more.read_line(&mut said).unwrap();
        Some(Self { child, said, _more: more })
    }

    fn port(&self) -> u16 {
        self.said.trim().parse().unwrap_or_else(|_| panic!("a port, not {:?}", self.said))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn flow(transport: Transport, src: (IpAddr, u16), dst: (IpAddr, u16)) -> Ends {
    Ends { transport, src: SocketAddr::from(src), dst: SocketAddr::from(dst) }
}

/// Both ways of asking the kernel, each without the other. The tables are those of the namespace's only process that
/// is sure to stay, this thread; of a process that is not there, there are none.
fn both() -> [Attribution; 2] {
    let diagnosis = SocketDiagnosis::open().unwrap();
    [Attribution::new(Some(diagnosis), "/proc".into(), u32::MAX), tables()]
}

fn tables() -> Attribution {
    let thread = nix::unistd::gettid().as_raw().cast_unsigned();
    Attribution::new(None, "/proc".into(), thread)
}

fn assert_named(process: Option<Process>, name: &str, pid: u32, parent: &str) {
    let process = process.unwrap_or_else(|| panic!("the owner of {name}'s flow"));
    assert!(process.name.starts_with(name), "{process}");
    assert!(process.exe.as_ref().is_some_and(|exe| exe.contains(name)), "{process}");
    assert!(process.pid == pid || process.parents.iter().any(|parent| parent.pid == pid), "{process}");
    assert!(process.parents.first().is_some_and(|first| first.name.contains(parent)), "{process}");
}

#[test]
fn a_connection_is_its_shells_childs() {
    in_a_fresh_namespace(|| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        let script = format!(
            "import socket,sys\ns=socket.create_connection(('127.0.0.1',{port}))\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()"
        );
        // What follows keeps the shell from becoming Python.
        let Some(program) = Program::start("bash", &["-c", "python3 -c \"$0\"; true", &script]) else {
            return;
        };
        let ends = flow(Transport::Tcp, (LOOPBACK, program.port()), (LOOPBACK, port));
        for mut attribution in both() {
            assert_named(attribution.owner(&ends), "python3", program.child.id(), "bash");
        }
    });
}

/// Unconnected, connected, and a socket of IPv6 that speaks IPv4.
#[test]
fn datagrams_are_attributed_however_they_are_sent() {
    in_a_fresh_namespace(|| {
        let sends = [
            ("127.0.0.1", "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.sendto(b'x',('127.0.0.1',9))"),
            ("127.0.0.1", "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.connect(('127.0.0.1',9))"),
            (
                "127.0.0.1",
                "s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM);s.sendto(b'x',('::ffff:127.0.0.1',9))",
            ),
            ("::1", "s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM);s.connect(('::1',9))"),
            ("::1", "s=socket.socket(socket.AF_INET6,socket.SOCK_DGRAM);s.sendto(b'x',('::1',9))"),
        ];
        for (address, send) in sends {
            let script =
                format!("import socket,sys\n{send}\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()");
            let Some(program) = Program::start("python3", &["-c", &script]) else { return };
            let address: IpAddr = address.parse().unwrap();
            let ends = flow(Transport::Udp, (address, program.port()), (address, 9));
            for mut attribution in both() {
                let owner = attribution.owner(&ends).unwrap_or_else(|| panic!("the owner after {send}"));
                assert_eq!(owner.pid, program.child.id(), "{send}");
            }
        }
    });
}

#[test]
fn raw_sockets_and_pings_are_attributed() {
    in_a_fresh_namespace(|| {
        let script = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_RAW,132)\nprint(0,flush=True)\nsys.stdin.read()";
        let Some(program) = Program::start("python3", &["-c", script]) else { return };
        let ends = flow(Transport::Sctp, (LOOPBACK, 0), (LOOPBACK, 0));
        assert_eq!(tables().owner(&ends).map(|owner| owner.pid), Some(program.child.id()));
        std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647").unwrap();
        let script = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM,1)\ns.bind(('127.0.0.1',77))\nprint(77,flush=True)\nsys.stdin.read()";
        let Some(program) = Program::start("python3", &["-c", script]) else { return };
        let ends = flow(Transport::Icmp, (LOOPBACK, program.port()), (LOOPBACK, 0));
        assert_eq!(tables().owner(&ends).map(|owner| owner.pid), Some(program.child.id()));
    });
}

#[test]
fn who_is_gone_is_not_guessed() {
    in_a_fresh_namespace(|| {
        let script = "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.sendto(b'x',('127.0.0.1',9))\nprint(s.getsockname()[1],flush=True)";
        let Some(mut program) = Program::start("python3", &["-c", script]) else { return };
        let ends = flow(Transport::Udp, (LOOPBACK, program.port()), (LOOPBACK, 9));
        program.child.wait().unwrap();
        for mut attribution in both() {
            assert_eq!(attribution.owner(&ends), None);
        }
    });
}

#[test]
fn a_recording_names_the_process_on_the_first_packet_of_its_flow() {
    in_a_fresh_namespace(|| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = server.local_addr().unwrap().port();
        // The shell itself connects.
        let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo ready; read line");
        let Some(mut shell) = Program::start("bash", &["-c", &script]) else { return };
        let (_, client) = server.accept().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcapng");
        let [attribution, _] = both();
        let sources = Sources { attribution: Some(attribution), ..Sources::default() };
        let mut recording = Recording::create(&path, &SECTION, sources).unwrap();
        let (src, dst) = (([127, 0, 0, 1], client.port()), ([127, 0, 0, 1], port));
        recording.packet(Direction::Outbound, at(1), &syn(src, dst)).unwrap();
        recording.packet(Direction::Outbound, at(2), &syn(src, dst)).unwrap();
        recording.packet(Direction::Outbound, at(3), &datagram(src, dst, b"")).unwrap();
        let recorded = recording.finish();
        writeln!(shell.child.stdin.as_ref().unwrap()).unwrap();
        shell.child.wait().unwrap();

        let comments: Vec<_> = packets(&blocks(&std::fs::read(&path).unwrap()))
            .into_iter()
            .map(|packet| packet.options.get(1).map(|(_, text)| String::from_utf8(text.clone()).unwrap()))
            .collect();
        let owner = recorded.attributed[0].process.as_ref().unwrap();
        assert_eq!(owner.pid, shell.child.id());
        assert_eq!(comments, [Some(format!("process: {owner}")), None, Some("process: unknown".into())]);
        assert_eq!(recorded.attributed.iter().map(|flow| flow.began.0).collect::<Vec<_>>(), [1, 3]);
        assert!(comments[0].as_ref().unwrap().starts_with(&format!("process: bash (pid {}, /", owner.pid)));
    });
}
