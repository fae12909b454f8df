//! Small bundles whose every number is stated by hand; addresses and networks are those that RFC 5737,
//! RFC 3849 and RFC 5398 keep for documentation.

use overheard_model::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One server of a fixture: address, names, country, AS number, and in how many runs of each build.
pub struct Server {
    pub address: &'static str,
    pub name: &'static str,
    pub country: &'static str,
    pub asn: u32,
    pub present: [u64; 2],
    pub relation: Relation,
    pub p: f64,
    pub q: Option<f64>,
    pub runs_needed: Option<u64>,
}

const RUNS: u64 = 8;

pub fn servers() -> Vec<Server> {
    use Relation::*;
    let server = |address, name, country, asn, present, relation, p, q, runs_needed| Server {
        address,
        name,
        country,
        asn,
        present,
        relation,
        p,
        q,
        runs_needed,
    };
    vec![
        server("203.0.113.9", "log.chat.example.cn", "CN", 64500, [0, 8], Only, 0.000155, Some(0.0006), None),
        server("203.0.113.77", "", "CN", 64500, [0, 2], Unproven, 0.467, None, Some(12)),
        server("198.51.100.1", "login.chat.example.com", "US", 64496, [8, 8], Shared, 1.0, Some(1.0), None),
        server("198.51.100.2", "cdn.chat.example.com", "US", 64496, [8, 1], Less, 0.0014, Some(0.0028), None),
        server("2001:db8::77", "", "IE", 64497, [1, 0], Unproven, 1.0, None, Some(40)),
        server("192.0.2.53", "dns.example.net", "anycast", 64498, [8, 8], Shared, 1.0, Some(1.0), None),
    ]
}

/// `regular` against `branded`, eight runs each; China is feared, and found in `branded` alone.
pub fn two_builds() -> Bundle {
    let servers = servers();
    let runs: Vec<Run> =
        (0..2).flat_map(|build| (0..RUNS).map(move |n| (build, n))).map(run_of(&servers)).collect();
    let mut keys: Vec<Key> = servers.iter().map(address_key).collect();
    keys.extend(["CN", "US", "IE", "anycast"].map(|country| country_key(country, &servers)));
    keys.push(named_key(Level::Name, "example.cn", &servers[0], "CN"));
    keys.push(named_key(Level::Network, "AS64500", &servers[0], "CN"));
    keys.push(named_key(Level::Network, "AS64496", &servers[2], "US"));
    let china: Concern = "CN".parse().unwrap();
    let comparison = Comparison {
        vantages: Vec::new(),
        builds: ["regular", "branded"].map(|name| BuildRuns { name: name.into(), runs: RUNS }).to_vec(),
        reference: "regular".into(),
        keys,
        concerns: vec![ConcernTest {
            concern: china.clone(),
            build: "branded".into(),
            cell: Cell { present: 8, runs: RUNS },
            reference_cell: Some(Cell { present: 0, runs: RUNS }),
            difference: Some(1.0),
            low: Some(0.63),
            high: Some(1.0),
            p: Some(0.000155),
            verdict: Verdict::Support,
            runs_needed: None,
            attempted: 0,
            failed: 0,
        }],
        absences: vec![Absence { build: "regular".into(), key: "CN".into(), runs: RUNS, rate_below: 0.312 }],
        unseen: vec![Unseen {
            build: "branded".into(),
            level: Level::Address,
            observed: 5,
            chao2: Some(5.4),
            low: 5.0,
            high: Some(9.1),
            coverage: Some(0.97),
        }],
        distinguishable: BTreeMap::from([(
            "branded".into(),
            Distinguishable {
                p: 0.00016,
                smallest_p: 0.00016,
                statistic: 0.41,
                permutations: 6435,
                exact: true,
                verdict: Verdict::Support,
                runs_needed: None,
            },
        )]),
        control: Some(Control { build: "branded".into(), splits: 35, false_alarms: 0, rate: 0.0, high: 0.1, set_alarms: 1 }),
        warnings: vec![Warning {
            kind: "not-interleaved".into(),
            text: "All runs of regular were made before those of branded: a change in time looks like a difference."
                .into(),
        }],
        findings: vec![Finding {
            question: "endpoints".into(),
            claim: "branded contacts servers in CN, which regular was never seen to contact.".into(),
            verdict: Verdict::Support,
            concern: true,
            p: Some(0.000155),
            runs_needed: None,
            support: vec![Support {
                build: "branded".into(),
                runs: (1..=RUNS).map(|n| format!("run{n}.pcap")).collect(),
            }],
        }],
    };
    Bundle { study: study(&["regular", "branded"], vec![china]), runs, comparison }
}

/// One run each, as in 2012: whatever was seen, nothing is proven.
pub fn one_run() -> Bundle {
    let mut bundle = two_builds();
    bundle.runs.retain(|run| run.name == "run1.pcap");
    let comparison = &mut bundle.comparison;
    for build in &mut comparison.builds {
        build.runs = 1;
    }
    for key in &mut comparison.keys {
        key.cells.values_mut().for_each(|cell| *cell = Cell { present: cell.present.min(1), runs: 1 });
        let one_sided = key.cells.values().any(|cell| cell.present == 0);
        for result in key.relations.values_mut() {
            *result = RelationResult {
                relation: if one_sided { Relation::Unproven } else { Relation::Shared },
                difference: if one_sided { 1.0 } else { 0.0 },
                low: -0.95,
                high: 1.0,
                p: 1.0,
                q: None,
                runs_needed: one_sided.then_some(7),
            };
        }
    }
    for test in &mut comparison.concerns {
        test.cell = Cell { present: 1, runs: 1 };
        test.reference_cell = Some(Cell { present: 0, runs: 1 });
        (test.low, test.high, test.p) = (Some(-0.95), Some(1.0), Some(1.0));
        (test.verdict, test.runs_needed) = (Verdict::Abstain, Some(3));
    }
    comparison.absences =
        vec![Absence { build: "regular".into(), key: "CN".into(), runs: 1, rate_below: 0.95 }];
    for unseen in &mut comparison.unseen {
        (unseen.chao2, unseen.high, unseen.coverage) = (None, None, None);
    }
    comparison.control = None;
    for test in comparison.distinguishable.values_mut() {
        (test.p, test.smallest_p, test.permutations) = (1.0, 1.0, 1);
        (test.verdict, test.runs_needed) = (Verdict::Abstain, Some(3));
    }
    comparison.warnings = vec![Warning {
        kind: "one-run".into(),
        text: "One run of each build proves nothing about any server.".into(),
    }];
    comparison.findings = Vec::new();
    bundle
}

/// A name that tries to act on whatever shows it.
pub const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{1b}[31m\u{2028}\u{202e}=1+1";

/// [`two_builds`] with the hostile name at every place where a capture or a user may put one.
pub fn hostile() -> Bundle {
    calling_itself(HOSTILE)
}

/// The same with any text in those places.
pub fn calling_itself(text: &str) -> Bundle {
    let mut bundle = two_builds();
    for run in &mut bundle.runs {
        for endpoint in &mut run.reading.endpoints {
            endpoint.names.iter_mut().for_each(|name| name.name = text.into());
            endpoint.capture = text.into();
        }
        let flows = run.reading.flows.iter().map(|mut flow| {
            flow.names.iter_mut().for_each(|name| name.name = text.into());
            flow
        });
        run.reading.flows = flows.collect();
        run.name = text.into();
        let capture = &mut run.reading.capture;
        capture.path = text.into();
        capture.comments = vec![text.into()];
        capture.problems.iter_mut().for_each(|problem| problem.text = text.into());
    }
    for key in &mut bundle.comparison.keys {
        key.names = vec![text.into()];
        key.network = Some(text.into());
        if key.level == Level::Name {
            key.key = text.into();
        }
    }
    bundle.comparison.warnings[0].text = text.into();
    bundle.comparison.findings[0].claim = text.into();
    bundle.study.places[0].name = text.into();
    bundle
}

pub fn places() -> Vec<PlaceSource> {
    vec![PlaceSource {
        name: "geo-whois-asn-country".into(),
        date: "2026-06-17".into(),
        attribution: "CC BY 4.0, RouteViews and NRO".into(),
    }]
}

fn study(builds: &[&str], concerns: Vec<Concern>) -> Study {
    let builds = builds.iter().map(|name| Build { name: (*name).into() }).collect();
    let vantage = Some(Vantage::Country("LU".parse().unwrap()));
    Study { builds, reference: 0, concerns, vantage, seed: 2012, places: places(), registration: None }
}

fn relation_result(server: &Server) -> RelationResult {
    let difference = (server.present[1] as f64 - server.present[0] as f64) / RUNS as f64;
    RelationResult {
        relation: server.relation,
        difference,
        low: difference - 0.3,
        high: difference + 0.3,
        p: server.p,
        q: server.q,
        runs_needed: server.runs_needed,
    }
}

fn address_key(server: &Server) -> Key {
    named_key(Level::Address, server.address, server, server.country)
}

fn named_key(level: Level, key: &str, server: &Server, country: &str) -> Key {
    let cells = ["regular", "branded"].iter().zip(server.present);
    Key {
        level,
        key: key.into(),
        country: Some(country.into()),
        asn: Some(Asn(server.asn)),
        network: Some(format!("Example Net {}", server.asn)),
        names: Some(server.name).filter(|name| !name.is_empty()).map(String::from).into_iter().collect(),
        cells: cells.map(|(build, present)| (build.to_string(), Cell { present, runs: RUNS })).collect(),
        relations: BTreeMap::from([("branded".to_string(), relation_result(server))]),
    }
}

/// The first of its servers decides the country's row.
fn country_key(country: &str, servers: &[Server]) -> Key {
    let server = servers.iter().find(|server| server.country == country).unwrap();
    let names = Vec::new();
    Key { asn: None, network: None, names, ..named_key(Level::Country, country, server, country) }
}

fn run_of(servers: &[Server]) -> impl Fn((usize, u64)) -> Run + '_ {
    move |(build, n)| {
        let path = format!("caps/{}/run{}.pcap", ["regular", "branded"][build], n + 1);
        let met: Vec<&Server> = servers.iter().filter(|server| n < server.present[build]).collect();
        let reading = reading(&path, build as i64 * 1000 + n as i64, &met);
        Run { build, name: format!("run{}.pcap", n + 1), began: reading.capture.first, reading }
    }
}

/// One TCP flow per server, ten seconds apart.
pub fn reading(path: &str, hour: i64, servers: &[&Server]) -> Reading {
    let begin = 1_352_000_000 + hour * 60;
    let flow = |(index, server): (usize, &&Server)| flow(path, index, server, begin + index as i64 * 10);
    let flows: Vec<Flow> = servers.iter().enumerate().map(flow).collect();
    let endpoints = flows.iter().zip(servers).enumerate();
    let endpoints: Vec<Endpoint> =
        endpoints.map(|(index, (flow, server))| endpoint(index, flow, server)).collect();
    Reading {
        capture: Capture {
            path: path.into(),
            sha256: Some(format!("{hour:064x}")),
            bytes: 123_456,
            format: "pcapng".into(),
            packets: 40,
            undecoded: 1,
            complete: true,
            first: Some(Timestamp::from_parts(begin, 0)),
            last: Some(Timestamp::from_parts(begin + 55, 250_000_000)),
            local_rule: LocalRule::Private,
            local: vec!["10.0.0.2".parse().unwrap()],
            comments: vec!["made by hand".into()],
            dropped: Some(0),
            secrets: 0,
            problems: vec![Problem {
                kind: "tcp-gap".into(),
                text: "bytes of a stream are missing from the capture".into(),
                packet: Some(17),
                offset: None,
                count: 3,
            }],
        },
        flows: flows.into(),
        endpoints,
        attempts: Vec::new(),
    }
}

fn names(server: &Server) -> Vec<Name> {
    let name = |source, learned| Name { name: server.name.into(), source, packet: Some(3), learned };
    match server.name {
        "" => Vec::new(),
        _ => vec![name(NameSource::TlsSni, Learned::Within), name(NameSource::Dns, Learned::Before)],
    }
}

fn flow(path: &str, index: usize, server: &Server, second: i64) -> Flow {
    Flow {
        capture: path.into(),
        transport: Transport::Tcp,
        src: "10.0.0.2".parse().unwrap(),
        src_port: 50_000 + index as u16,
        dst: server.address.parse().unwrap(),
        dst_port: 443,
        began_by: BeganBy::Syn,
        ours: Side::Src,
        state: FlowState::Closed,
        packets_out: 12,
        packets_in: 14,
        bytes_out: 1_800,
        bytes_in: 15_200,
        first: Timestamp::from_parts(second, 0),
        last: Timestamp::from_parts(second + 4, 500_000_000),
        first_packet: 10 * index as u64 + 1,
        last_packet: 10 * index as u64 + 26,
        retransmissions: 0,
        gap_bytes: 0,
        conflicting_bytes: 0,
        rtt_ms: Some(31.25),
        names: names(server),
        protocol: Protocol::Tls,
        measure: None,
        visibility: Visibility::Encrypted,
        ja4: Some("t13d1516h2_8daaf6152771_e5627efa2ab1".into()),
        ja4_normalised: Some("t13d1515h2_8daaf6152771_de4a06bb82e3".into()),
        community_id: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=".into(),
        tunnel: None,
        country: Some(server.country.into()),
        asn: Some(Asn(server.asn)),
        process: None,
    }
}

fn endpoint(index: usize, flow: &Flow, server: &Server) -> Endpoint {
    let address: IpAddr = flow.dst;
    let claim = Claim {
        source: "geo-whois-asn-country".into(),
        country: server.country.parse().ok(),
        asn: Some(Asn(server.asn)),
        network: Some(format!("Example Net {}", server.asn).into()),
    };
    Endpoint {
        capture: flow.capture.clone(),
        address,
        port: flow.dst_port,
        transport: flow.transport,
        names: flow.names.clone().into(),
        domains: flow.names.first().map(|_| "example.cn".into()).into_iter().collect(),
        place: Place { claims: [claim].into(), anycast: server.country == "anycast", ..Place::default() }
            .into(),
        protocols: [flow.protocol].into(),
        visibility: flow.visibility,
        packets_out: flow.packets_out,
        packets_in: flow.packets_in,
        bytes_out: flow.bytes_out,
        bytes_in: flow.bytes_in,
        first: Some(flow.first),
        last: Some(flow.last),
        rtt_ms: flow.rtt_ms,
        flows: [index as u32].into_iter().collect(),
        packet: flow.first_packet,
    }
}
