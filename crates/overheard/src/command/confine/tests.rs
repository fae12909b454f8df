//! A policy that is broken on purpose: what gets through is found in the capture, and nothing is signed.
//!
//! On loopback alone, in a room of the test's own. Needs the program, which stands above its tests' folder.

use super::*;
use overheard_probe::confine::Fault;
use overheard_probe::gateway::Way;
use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::AtomicBool;

const ELSEWHERE: &str = "198.18.60.21:443";

fn planter_of_the_program(pid: u32, outside: &str) -> std::process::Command {
    let tests = std::env::current_exe().unwrap();
    let mut planter = std::process::Command::new(tests.with_file_name("../overheard"));
    planter.args(["plant", &pid.to_string(), outside]);
    planter
}

/// Greets whoever connects.
fn listener() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _may_be_gone = stream.and_then(|mut stream| stream.write_all(b"welcome"));
        }
    });
    address
}

/// What is stated of an app that connects elsewhere, where these ways are open; `None` where there can be no room.
fn stated(proxy: &Held, ways: Vec<Way>) -> Option<Statement> {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("app.pcapng");
    let line = format!("exec 3<>/dev/tcp/{} && head -c7 <&3", ELSEWHERE.replace(':', "/"));
    let command =
        Command { program: "bash".into(), args: vec!["-c".into(), line.into()], ..Command::default() };
    let execution = execute(&Order {
        spec: &room::Spec::default(),
        command: &command,
        ways,
        capture: &capture,
        key_log: None,
        section: Section { vantage: "test", build: "bash", run: "confined", interface: "room" },
        interrupted: &AtomicBool::new(false),
        begins: |_| {},
        planter: planter_of_the_program,
    });
    let execution = match execution {
        Ok(execution) => execution,
        Err(overheard_probe::confine::Error::Room(error)) => {
            eprintln!("skipped: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let ran = described(Path::new("/bin/bash"), &[]).unwrap();
    let lens = super::super::lens::of_plan(&[], None).unwrap();
    Some(statement(&execution, ran, proxy, &capture, &lens).unwrap())
}

#[test]
fn a_leak_that_gets_through_is_found_and_never_signed() {
    let address = listener();
    let held = held(format!("socks5://{address}").parse().unwrap()).unwrap();
    let elsewhere: SocketAddr = ELSEWHERE.parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::open(&folder.path().join("key")).unwrap();

    let mut broken = ways(held.address);
    broken.push(Way { at: elsewhere, to: address });
    let Some(leaky) = stated(&held, broken) else { return };
    assert_eq!(leaky.attempted, [], "nothing was stopped");
    assert_eq!(Certificate::sign(leaky, &key), Err(vec![Fault::Passed(Transport::Tcp, elsewhere)]));

    let tight = stated(&held, ways(held.address)).unwrap();
    assert_eq!(tight.attempted.len(), 1, "{:?}", tight.attempted);
    assert!(Certificate::sign(tight, &key).is_ok());
}
