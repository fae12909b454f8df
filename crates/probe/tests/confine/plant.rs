//! Planted leaks as a wire sees them: a network namespace whose only device leads to nobody.

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, socket};
use overheard_probe::confine::Class;
use overheard_probe::confine::plant::{Fate, Harvest, judge, plant};
use std::collections::BTreeSet;
use std::os::fd::AsRawFd;
use std::process::Command;

const ETHERNET: usize = 14;

/// The way out that a room has, with nobody behind it.
const WIRE: &[&str] = &[
    "link add wire0 type veth peer name wire1",
    "link set wire0 arp off",
    "addr add 198.18.0.10/32 dev wire0",
    "-6 addr add 2001:2::10/128 dev wire0 nodad",
    "link set lo up",
    "link set wire1 up",
    "link set wire0 up",
    "route add default dev wire0",
    "-6 route add default dev wire0",
];

fn on_a_wire(test: impl FnOnce() + Send) {
    let run = || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            return eprintln!("skipped: no network namespace: {error}");
        }
        for line in WIRE {
            let done = Command::new("ip").args(line.split(' ')).status();
            if !done.is_ok_and(|status| status.success()) {
                return eprintln!("skipped: `ip {line}` failed");
            }
        }
        test();
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

/// Nobody has opened it.
const OUTSIDE: &str = "overheard-nobody";

#[test]
fn every_class_leaves_as_a_packet_of_its_class_and_no_answer_comes() {
    on_a_wire(|| {
        let wire = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)
            .unwrap();
        let Harvest { sown, reached_outside } = plant(OUTSIDE);
        assert!(!reached_outside);
        let mut seen = BTreeSet::new();
        let mut frame = [0; 2048];
        while let Ok(length) = recv(wire.as_raw_fd(), &mut frame, MsgFlags::MSG_DONTWAIT) {
            seen.extend(Class::of(&frame[ETHERNET.min(length)..length]));
        }
        assert_eq!(sown.iter().map(|leak| leak.class).collect::<Vec<_>>(), Class::ALL);
        let unsent: Vec<_> = sown.iter().filter(|leak| leak.fate != Fate::Nothing).collect();
        assert!(unsent.is_empty(), "{unsent:?}");
        let judged = judge(&sown, |leak| seen.contains(&leak.class));
        let faulty: Vec<_> = judged.iter().filter(|leak| !(leak.stopped && leak.seen)).collect();
        assert!(faulty.is_empty(), "{faulty:?}");
    });
}

/// Without any way out nothing is sent, and so nothing is proved.
#[test]
fn a_room_without_a_way_out_is_not_taken_for_a_tight_one() {
    let run = || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
            return eprintln!("skipped: no network namespace: {error}");
        }
        assert!(judge(&plant(OUTSIDE).sown, |_| true).iter().all(|leak| !leak.stopped));
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}
