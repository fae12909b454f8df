//! Bundles of every shape that the model allows.

use overheard_model::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A study with one run, one flow and one endpoint: always the same.
pub fn fixed() -> Bundle {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let parts = (capture(), flow(), endpoint()).new_tree(&mut runner).expect("a tree").current();
    let (capture, flow, endpoint) = parts;
    let attempts = vec![endpoint.clone()];
    let reading = Reading { capture, flows: vec![flow].into(), endpoints: vec![endpoint], attempts };
    let comparison = Comparison {
        keys: vec![key("192.0.2.1", 0.5)],
        findings: vec![Finding {
            question: "endpoints".into(),
            claim: "b contacts 192.0.2.1".into(),
            verdict: Verdict::Abstain,
            concern: false,
            p: Some(0.5),
            runs_needed: Some(3),
            support: vec![Support { build: "b".into(), runs: vec!["1".into()] }],
        }],
        ..comparison(0.1)
    };
    Bundle {
        study: study(1),
        runs: vec![Run { build: 0, name: "1".into(), began: None, reading }],
        comparison,
    }
}

pub fn bundle() -> impl Strategy<Value = Bundle> {
    (vec(run(), 0..4), -1.0..1.0, any::<u64>()).prop_map(|(runs, number, seed)| Bundle {
        study: study(seed),
        runs,
        comparison: comparison(number),
    })
}

fn study(seed: u64) -> Study {
    Study {
        builds: ["a", "b"].map(|name| Build { name: name.into() }).to_vec(),
        reference: 1,
        concerns: ["CN", "AS64500", "example.org"]
            .map(|concern| concern.parse().expect("a concern"))
            .to_vec(),
        vantage: Some("52.52,13.4".parse().expect("a vantage")),
        seed,
        places: vec![PlaceSource {
            name: "db".into(),
            date: "2026-06-17".into(),
            attribution: String::new(),
        }],
        registration: Some(Registration {
            sha256: "0".repeat(64),
            began: Timestamp::from_parts(1, 2),
            builds: vec![RegisteredBuild {
                name: "a".into(),
                version: Some("a 1.2".into()),
                files: vec![RegisteredFile { path: "a.bin".into(), sha256: "1".repeat(64), bytes: 7 }],
            }],
            vantages: vec![RegisteredVantage {
                name: "home".into(),
                place: Some("LU".parse().expect("a vantage")),
            }],
            doors: vec!["x11".into()],
            changes: vec!["repeats 8 became 20".into()],
        }),
    }
}

/// Every kind of record, with fractions that need all their digits.
fn comparison(number: f64) -> Comparison {
    Comparison {
        vantages: vec![FromVantage { key: "CN".into(), vantage: "home".into(), cells: BTreeMap::new() }],
        builds: ["a", "b"].map(|name| BuildRuns { name: name.into(), runs: 4 }).to_vec(),
        reference: "b".into(),
        keys: vec![key("192.0.2.1", number / 3.0), key("CN/AU?", number)],
        concerns: vec![ConcernTest {
            concern: "CN".parse().expect("a concern"),
            build: "a".into(),
            cell: Cell { present: 1, runs: 4 },
            reference_cell: None,
            difference: Some(number / 7.0),
            low: None,
            high: Some(1.0),
            p: Some(0.1 + 0.2),
            verdict: Verdict::Refute,
            runs_needed: Some(9),
            attempted: 2,
            failed: 1,
        }],
        absences: vec![Absence { build: "a".into(), key: "CN".into(), runs: 29, rate_below: number / 11.0 }],
        unseen: vec![Unseen {
            build: "a".into(),
            level: Level::Network,
            observed: 5,
            chao2: Some(number / 13.0),
            low: 5.0,
            high: None,
            coverage: Some(0.9),
        }],
        distinguishable: BTreeMap::from([(
            "a".into(),
            Distinguishable {
                p: 0.05,
                smallest_p: 1.0 / 35.0,
                statistic: number,
                permutations: 70,
                exact: true,
                verdict: Verdict::Abstain,
                runs_needed: None,
            },
        )]),
        control: Some(Control {
            build: "a".into(),
            splits: 3,
            false_alarms: 1,
            rate: 1.0 / 3.0,
            high: 0.8,
            set_alarms: 2,
        }),
        warnings: vec![Warning { kind: "one-run".into(), text: "one run".into() }],
        findings: Vec::new(),
    }
}

fn key(key: &str, number: f64) -> Key {
    let result = RelationResult {
        relation: Relation::Unproven,
        difference: number,
        low: number - 0.1,
        high: number + 0.1,
        p: 1.0 / 3.0,
        q: None,
        runs_needed: Some(12),
    };
    Key {
        level: Level::Address,
        key: key.into(),
        country: Some("CN".into()),
        asn: Some(Asn(64500)),
        network: None,
        names: vec!["example.org".into()],
        cells: BTreeMap::from([
            ("a".into(), Cell { present: 0, runs: 4 }),
            ("b".into(), Cell { present: 3, runs: 4 }),
        ]),
        relations: BTreeMap::from([("a".into(), result)]),
    }
}

fn run() -> impl Strategy<Value = Run> {
    let reading = (capture(), vec(flow(), 0..6), vec(endpoint(), 0..4), vec(endpoint(), 0..4));
    let reading = reading.prop_map(|(capture, flows, endpoints, attempts)| {
        let flows = flows.into();
        Reading { capture, flows, endpoints, attempts }
    });
    (0..9usize, any::<String>(), option::of(time()), reading).prop_map(|(build, name, began, reading)| Run {
        build,
        name,
        began,
        reading,
    })
}

fn text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![Just("a.pcap".to_string()), ".*"].prop_map(Arc::from)
}

fn time() -> impl Strategy<Value = Timestamp> {
    // The years that RFC 3339 can write.
    (0..i64::MAX / 2).prop_map(Timestamp)
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
        any::<u128>().prop_map(|bits| IpAddr::V6(bits.into()))
    ]
}

fn name() -> impl Strategy<Value = Name> {
    use NameSource::*;
    let source = select(vec![TlsSni, H2Authority, Dns, DnsHttps, TlsCertificate, Nrb, Table]);
    let learned = select(vec![Learned::Within, Learned::Before, Learned::After]);
    (text(), source, option::of(any::<u64>()), learned).prop_map(|(name, source, packet, learned)| Name {
        name,
        source,
        packet,
        learned,
    })
}

fn place() -> impl Strategy<Value = Place> {
    let country = select(vec!["CN", "AU"]).prop_map(|code| code.parse().ok());
    let claim = (text(), country, option::of(any::<u32>().prop_map(Asn)), option::of(text()))
        .prop_map(|(source, country, asn, network)| Claim { source, country, asn, network });
    (vec(claim, 0..3), any::<bool>(), any::<bool>(), option::of(0.0..20_000.0)).prop_map(
        |(claims, anycast, local, within_km)| Place {
            claims: claims.into(),
            anycast,
            local,
            reach: within_km.map(|within_km| Arc::new(Reach { within_km, impossible: Vec::new() })),
        },
    )
}

fn protocol() -> impl Strategy<Value = Protocol> {
    use Protocol::*;
    select(vec![Tls, Quic, Http2, Dot, Bittorrent, NoPayload, UnknownHighEntropy])
}

fn visibility() -> impl Strategy<Value = Visibility> {
    select(vec![Visibility::Encrypted, Visibility::Readable, Visibility::Unknown])
}

fn transport() -> impl Strategy<Value = Transport> {
    any::<u8>().prop_map(Transport::from)
}

fn capture() -> impl Strategy<Value = Capture> {
    let problem = (text(), any::<String>(), option::of(any::<u64>()), any::<u64>())
        .prop_map(|(kind, text, packet, count)| Problem { kind, text, packet, offset: packet, count });
    let rule = select(vec![LocalRule::Given, LocalRule::Private, LocalRule::Table]);
    (text(), any::<[u64; 4]>(), option::of(time()), rule, vec(address(), 0..3), vec(problem, 0..3)).prop_map(
        |(path, [bytes, packets, undecoded, secrets], first, local_rule, local, problems)| Capture {
            path,
            sha256: Some(format!("{bytes:064x}")),
            bytes,
            format: "pcapng+gzip".into(),
            packets,
            undecoded,
            complete: packets % 2 == 0,
            first,
            last: first,
            local_rule,
            local,
            comments: vec!["a comment".into()],
            dropped: Some(secrets),
            secrets,
            problems,
        },
    )
}

fn flow() -> impl Strategy<Value = Flow> {
    let tuple = (text(), transport(), address(), any::<u16>(), address(), any::<u16>());
    let how = (
        select(vec![BeganBy::Syn, BeganBy::FirstPacket, BeganBy::KnownPort]),
        select(vec![Side::Src, Side::Dst]),
        select(vec![FlowState::Unanswered, FlowState::Refused, FlowState::Midstream]),
    );
    let measure = (any::<u32>(), 0.0..1.0, 0.0..8.0).prop_map(|(bytes, printable, entropy)| Measure {
        bytes,
        printable,
        entropy,
    });
    let seen = (vec(name(), 0..4), protocol(), option::of(measure), visibility());
    let texts = (
        option::of(text()),
        any::<String>(),
        option::of(text()),
        option::of(any::<u32>()),
        option::of(process()),
    );
    (tuple, how, any::<[u64; 9]>(), time(), option::of(0.0..1e6), seen, texts).prop_map(
        |(tuple, how, counts, first, rtt_ms, seen, (text, community_id, country, asn, process))| Flow {
            capture: tuple.0,
            transport: tuple.1,
            src: tuple.2,
            src_port: tuple.3,
            dst: tuple.4,
            dst_port: tuple.5,
            began_by: how.0,
            ours: how.1,
            state: how.2,
            packets_out: counts[0],
            packets_in: counts[1],
            bytes_out: counts[2],
            bytes_in: counts[3],
            first,
            last: first,
            first_packet: counts[4],
            last_packet: counts[5],
            retransmissions: counts[6],
            gap_bytes: counts[7],
            conflicting_bytes: counts[8],
            rtt_ms,
            names: seen.0,
            protocol: seen.1,
            measure: seen.2,
            visibility: seen.3,
            ja4: text.clone(),
            ja4_normalised: None,
            community_id,
            tunnel: text,
            country,
            asn: asn.map(Asn),
            process,
        },
    )
}

fn process() -> impl Strategy<Value = Arc<Process>> {
    let parents = vec((any::<u32>(), any::<String>()), 0..3);
    (any::<u32>(), any::<String>(), option::of(any::<String>()), parents).prop_map(
        |(pid, name, exe, parents)| {
            let parents = parents.into_iter().map(|(pid, name)| Parent { pid, name }).collect();
            Arc::new(Process { pid, name, exe, parents })
        },
    )
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let socket = (text(), address(), any::<u16>(), transport());
    let seen = (vec(name(), 0..4), vec(text(), 0..3), place(), vec(protocol(), 0..3), visibility());
    let times = (option::of(time()), option::of(0.0..1e6), vec(any::<u32>(), 0..5));
    (socket, seen, any::<[u64; 5]>(), times).prop_map(
        |((capture, address, port, transport), seen, counts, (first, rtt_ms, flows))| Endpoint {
            capture,
            address,
            port,
            transport,
            names: seen.0.into(),
            domains: seen.1.into(),
            place: seen.2.into(),
            protocols: seen.3.into_iter().collect(),
            visibility: seen.4,
            packets_out: counts[0],
            packets_in: counts[1],
            bytes_out: counts[2],
            bytes_in: counts[3],
            first,
            last: first,
            rtt_ms,
            flows: flows.into_iter().collect(),
            packet: counts[4],
        },
    )
}
