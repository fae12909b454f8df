//! A statement without a fault, for tests of certificates: those here, and those of `overheard verify`.

use overheard_model::{Parent, Process, Timestamp, Transport};
use overheard_probe::confine::{
    Attempted, Class, Doorway, FORMAT, Kept, Left, Passed, Planted, Program, Proxy, Statement,
};

pub fn statement() -> Statement {
    let nobody = "198.18.255.254:9".parse().unwrap();
    let planted = |class| Planted { class, transport: Transport::Udp, to: nobody, stopped: true, seen: true };
    let at = vec!["10.219.0.1:1080".parse().unwrap()];
    let proxy = Proxy { url: "socks5://127.0.0.1:1080".into(), at, unanswered: 2 };
    Statement {
        format: FORMAT,
        overheard: "0.1.0".into(),
        kernel: "6.1.0".into(),
        began: Timestamp(1_700_000_000_000_000_000),
        ended: Timestamp(1_700_000_060_000_000_000),
        ran: Program {
            path: "/opt/app/été".into(),
            sha256: "ab".repeat(32),
            arguments_sha256: "cd".repeat(32),
        },
        planted: Class::ALL.map(planted).into(),
        abstract_sockets_cut: true,
        attempted: vec![Attempted {
            class: Class::Quic,
            transport: Transport::Udp,
            address: "2001:2::1".parse().unwrap(),
            port: 443,
            country: Some("CN".parse().unwrap()),
            packets: 3,
            processes: vec![Process {
                pid: 7,
                name: "cu\u{1b}rl".into(),
                exe: Some("/usr/bin/curl".into()),
                parents: vec![Parent { pid: 1, name: "init".into() }],
            }],
        }],
        unlisted_attempts: 0,
        unseen: 5,
        passed: vec![Passed { transport: Transport::Tcp, to: proxy.at[0], flows: 7 }],
        proxy,
        left: vec![Left { name: "hel\u{1b}per".into(), processes: 2 }],
        doors: vec![Doorway { kind: "x11".into(), path: "/tmp/.X11-unix/X0".into() }],
        capture: Kept { sha256: "ef".repeat(32), bytes: 4096, packets: 20, lost: 0 },
    }
}
