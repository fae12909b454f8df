//! What recordings of ours say of themselves: losses, owners, and to whom nothing was carried.

use super::*;
use overheard_model::Destination;
use std::collections::BTreeSet;

#[test]
fn what_statistics_say_was_lost_is_a_problem_and_other_remarks_are_none() {
    let mut file = pcapng(ByteOrder::Little);
    let (lost, other) = ("lost at a device, as on any wire: outbound 3", "Counters provided by dumpcap");
    for remark in [lost, other] {
        file.block(5, |body| {
            body.u32(0).u64(0).option(1, remark.as_bytes());
        });
    }
    let (_, summary) = read(&file.bytes);
    let [problem] = &summary.problems[..] else { panic!("{:?}", summary.problems) };
    assert_eq!((&*problem.kind, &*problem.text, problem.count), ("packets-lost", lost, 1));
    assert_eq!(summary.comments[3..], [other]);
}

#[test]
fn what_statistics_say_was_not_carried_is_no_comment() {
    let mut file = pcapng(ByteOrder::Little);
    let said = [
        "perhaps not carried: 3 packets",
        "not carried: udp 198.51.100.7:53",
        "carried: tcp 198.51.100.8:80",
        "not carried: my bags",
    ];
    file.block(5, |body| {
        let body = body.u32(0).u64(0);
        said.iter().fold(body, |body, remark| body.option(1, remark.as_bytes()));
    });
    let (_, summary) = read(&file.bytes);
    let words = |of: &BTreeSet<Destination>| of.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(words(&summary.uncarried.listed), ["udp 198.51.100.7:53"]);
    assert_eq!(summary.uncarried.all_but.as_ref().map(words), Some(vec!["tcp 198.51.100.8:80".into()]));
    assert_eq!(&*summary.problems[0].kind, "attempts-unlisted");
    assert_eq!(summary.comments[3..], [said[3]]);
}

/// What cannot be kept must not come out as reached.
#[test]
fn of_whom_more_is_said_than_can_be_kept_it_is_not_known() {
    let mut file = pcapng(ByteOrder::Little);
    let far = |number: u32| {
        format!("not carried: udp 198.{}.{}.{}:53", number >> 16, number >> 8 & 255, number & 255)
    };
    file.block(5, |body| {
        let body = body.u32(0).u64(0);
        (0..200_000).fold(body, |body, number| body.option(1, far(number).as_bytes()));
    });
    let (_, summary) = read(&file.bytes);
    let to = |number: u32| far(number)["not carried: ".len()..].parse().unwrap();
    assert!((1..200_000).contains(&summary.uncarried.listed.len()));
    assert!(summary.uncarried.may_hold(&to(0)) && summary.uncarried.may_hold(&to(199_999)));
    let kinds: Vec<&str> = summary.problems.iter().map(|problem| &*problem.kind).collect();
    assert_eq!(kinds, ["metadata-dropped", "attempts-unlisted"]);
}

/// Whoever is killed while recording has not said whom an app only tried to reach.
#[test]
fn of_a_recording_of_ours_that_was_broken_off_it_is_not_known_what_was_carried() {
    let unknown = |program: &[u8], ended: bool, cut: usize| {
        let mut file = File::new(ByteOrder::Little);
        file.block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX).option(4, program);
        });
        file.interface(101, |_| {});
        if ended {
            file.block(5, |body| {
                body.u32(0).u64(0);
            });
        }
        let (_, summary) = read(&file.bytes[..file.bytes.len() - cut]);
        let told = summary.problems.iter().any(|problem| &*problem.kind == "attempts-unlisted");
        assert_eq!(told, summary.uncarried.may_hold(&"udp 198.51.100.7:53".parse().unwrap()));
        told
    };
    assert!(unknown(b"overheard 0.1.0", false, 0) && unknown(b"overheard 0.1.0", true, 3));
    assert!(!unknown(b"overheard 0.1.0", true, 0) && !unknown(b"dumpcap 4.0", false, 0));
}

#[test]
fn what_a_recording_says_of_itself_is_no_comment() {
    let mut file = File::new(ByteOrder::Little);
    file.section().interface(101, |body| {
        body.option(4, &[10, 219, 0, 2, 255, 255, 255, 0]).option(4, b"short").option(5, &[1; 17]);
    });
    let comments: [&[u8]; 4] = [
        b"process: curl (pid 12) < init (pid 1)",
        b"process: unknown",
        b"process: my own",
        b"process: \xff (pid 1)",
    ];
    for comment in comments {
        file.block(6, |body| {
            body.u32(0).u32(0).u32(0).u32(2).u32(2).raw(b"ip").pad().option(1, comment);
        });
    }
    let (_, summary) = read(&file.bytes);
    let owners = [1, 2, 3, 4].map(|packet| summary.owner(packet).map(|process| process.to_string()));
    assert_eq!(owners, [Some("curl (pid 12) < init (pid 1)".into()), None, None, None]);
    assert_eq!(summary.comments[1..], ["process: my own", "process: \u{fffd} (pid 1)"]);
    assert_eq!(
        summary.addresses,
        ["10.219.0.2", "101:101:101:101:101:101:101:101"].map(|it| it.parse::<IpAddr>().unwrap())
    );
}
