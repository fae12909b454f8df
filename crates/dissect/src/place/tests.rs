//! The atlas as a whole: what a reading's endpoints and flows come to.

use super::*;
use overheard_model::{
    Asn, BeganBy, Capture, Destination, Endpoint, Flow, FlowState, LocalRule, Protocol, Side, Timestamp,
    Transport, Visibility,
};

fn endpoint(address: &str, port: u16, rtt_ms: Option<f64>) -> Endpoint {
    let at = Destination { address: address.parse().unwrap(), port, transport: Transport::Tcp };
    Endpoint { rtt_ms, ..Endpoint::unseen("test".into(), at, Arc::default()) }
}

fn flow_to(address: &str) -> Flow {
    Flow {
        capture: "test".into(),
        transport: Transport::Tcp,
        src: "192.168.1.2".parse().unwrap(),
        src_port: 40000,
        dst: address.parse().unwrap(),
        dst_port: 443,
        began_by: BeganBy::Syn,
        ours: Side::Src,
        state: FlowState::Established,
        packets_out: 1,
        packets_in: 1,
        bytes_out: 60,
        bytes_in: 60,
        first: Timestamp(0),
        last: Timestamp(0),
        first_packet: 1,
        last_packet: 2,
        retransmissions: 0,
        gap_bytes: 0,
        conflicting_bytes: 0,
        rtt_ms: None,
        names: Vec::new(),
        protocol: Protocol::NoPayload,
        measure: None,
        visibility: Visibility::Unknown,
        ja4: None,
        ja4_normalised: None,
        community_id: String::new(),
        tunnel: None,
        country: None,
        asn: None,
        process: None,
    }
}

fn reading(endpoints: Vec<Endpoint>, flows: Vec<Flow>) -> Reading {
    let capture = Capture {
        path: "test".into(),
        sha256: None,
        bytes: 0,
        format: "pcap".into(),
        packets: 2,
        undecoded: 0,
        complete: true,
        first: None,
        last: None,
        local_rule: LocalRule::Private,
        local: Vec::new(),
        comments: Vec::new(),
        dropped: None,
        secrets: 0,
        problems: Vec::new(),
    };
    Reading { capture, flows: flows.into(), endpoints, attempts: Vec::new() }
}

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

// 202.96.128.86 is a resolver of China Telecom in Guangdong, 193.99.144.80 www.heise.de in Germany.
const CHINANET: &str = "202.96.128.86";
const HEISE: &str = "193.99.144.80";

#[test]
fn endpoints_and_flows_get_country_and_network() {
    let addresses = [CHINANET, "192.168.1.1", "8.8.8.8"];
    let endpoints = addresses.map(|address| endpoint(address, 443, None)).to_vec();
    let mut reading = reading(endpoints, addresses.map(flow_to).to_vec());
    Atlas::embedded().place([&mut reading], None);
    let place = &reading.endpoints[0].place;
    assert_eq!(place.agreed(), Some(country("CN")));
    assert_eq!((place.asn(), &place.reach), (Some(Asn(4134)), &None));
    assert!(place.network().is_some_and(|name| name.to_lowercase().contains("chin")), "{place:?}");
    let labels: Vec<_> = reading.flows.iter().map(|flow| (flow.country, flow.asn)).collect();
    let expected = [("CN", Some(Asn(4134))), ("local", None), ("anycast", Some(Asn(15169)))]
        .map(|(label, asn)| (Some(label.into()), asn));
    assert_eq!(labels, expected);
}

#[test]
fn the_country_is_the_tables_and_the_network_the_databases() {
    let claim = Claim { source: Claim::TABLE.into(), country: Some(country("LU")), asn: None, network: None };
    let mut listed = endpoint(CHINANET, 443, Some(1.0));
    Arc::make_mut(&mut listed.place).claims = [claim.clone()].into();
    let mut reading = reading(vec![listed], Vec::new());
    Atlas::embedded().place([&mut reading], Some(&Vantage::Country(country("LU"))));
    let place = &reading.endpoints[0].place;
    assert_eq!((place.claims[0].clone(), place.agreed()), (claim, Some(country("LU"))));
    assert_eq!(place.asn(), Atlas::embedded().locate(CHINANET.parse().unwrap()).asn());
    assert!(place.asn().is_some() && place.impossible().is_empty());
}

#[test]
fn a_place_is_the_same_in_all_runs() {
    let stated = |code: &str| {
        let claim =
            Claim { source: Claim::TABLE.into(), country: Some(country(code)), asn: None, network: None };
        let mut listed = endpoint(CHINANET, 443, None);
        Arc::make_mut(&mut listed.place).claims = [claim].into();
        reading(vec![listed], Vec::new())
    };
    let mut silent = reading(vec![endpoint(CHINANET, 443, None)], Vec::new());
    let (mut here, mut there) = (stated("US"), stated("CN"));
    Atlas::embedded().place([&mut here, &mut silent, &mut there], None);
    for reading in [here, silent, there] {
        assert_eq!(reading.endpoints[0].place.label().as_deref(), Some("US/CN?"));
    }
}

#[test]
fn one_quick_handshake_bounds_the_address_everywhere() {
    let berlin = "52.52,13.40".parse().unwrap();
    let mut slow = reading(vec![endpoint(CHINANET, 443, Some(300.0))], Vec::new());
    let mut quick = reading(vec![endpoint(CHINANET, 80, Some(3.0))], Vec::new());
    Atlas::embedded().place([&mut slow, &mut quick], Some(&berlin));
    assert_eq!(slow.endpoints[0].place, quick.endpoints[0].place);
    assert_eq!(slow.endpoints[0].place.impossible(), [country("CN")]);
}

/// Slow from afar proves nothing; what one vantage rules out holds for all of them.
#[test]
fn each_run_is_judged_from_its_own_vantage() {
    let (berlin, shanghai) = ("52.52,13.40".parse().unwrap(), "31.23,121.47".parse().unwrap());
    let runs = |from_berlin, from_shanghai| {
        [from_berlin, from_shanghai].map(|rtt_ms| reading(vec![endpoint(CHINANET, 443, rtt_ms)], Vec::new()))
    };
    let [mut near, mut far] = runs(Some(200.0), Some(3.0));
    Atlas::embedded().place_each([(&mut near, Some(&berlin)), (&mut far, Some(&shanghai))]);
    assert_eq!(near.endpoints[0].place.agreed(), Some(country("CN")), "3 ms from Shanghai is China");
    assert_eq!(near.endpoints[0].place.reach.as_ref().map(|reach| reach.within_km), Some(300.0));
    let [mut near, mut far] = runs(Some(3.0), Some(200.0));
    Atlas::embedded().place_each([(&mut near, Some(&berlin)), (&mut far, Some(&shanghai))]);
    assert_eq!(far.endpoints[0].place.impossible(), [country("CN")]);
    assert_eq!(near.endpoints[0].place, far.endpoints[0].place);
    let [mut near, mut unknown] = runs(None, Some(3.0));
    Atlas::embedded().place_each([(&mut near, Some(&berlin)), (&mut unknown, None)]);
    assert_eq!(near.endpoints[0].place.reach, None, "nobody knows where those 3 ms were");
}

#[test]
fn the_quickest_handshake_bounds_all_ports_of_an_address() {
    let endpoints = vec![endpoint(CHINANET, 80, Some(9.0)), endpoint(CHINANET, 443, Some(250.0))];
    let mut reading = reading(endpoints, vec![flow_to(CHINANET)]);
    let berlin = "52.52,13.40".parse().unwrap();
    Atlas::embedded().place([&mut reading], Some(&berlin));
    for endpoint in &reading.endpoints {
        let reach = Reach { within_km: 900.0, impossible: vec![country("CN")] };
        assert_eq!(endpoint.place.reach.as_deref(), Some(&reach));
    }
    assert_eq!(reading.flows.get(0).and_then(|flow| flow.country).as_deref(), Some("CN impossible"));
}

#[test]
fn a_claim_within_reach_is_possible() {
    let mut reading =
        reading(vec![endpoint(HEISE, 443, Some(9.0)), endpoint(CHINANET, 443, Some(80.0))], vec![]);
    Atlas::embedded().place([&mut reading], Some(&"FR".parse().unwrap()));
    assert_eq!(reading.endpoints[0].place.agreed(), Some(country("DE")));
    assert_eq!(
        reading.endpoints[1].place.agreed(),
        Some(country("CN")),
        "8000 km reach from France to China"
    );
}

#[test]
fn sources_are_named_in_the_order_of_their_claims() {
    let mut atlas = Atlas::embedded();
    atlas.add_anycast("mine.txt", "203.0.113.0/24").unwrap();
    let names: Vec<String> = atlas.sources().iter().map(|source| source.name.to_string()).collect();
    assert_eq!(names, ["geo-whois-asn-country", "asn", "documented-anycast", "mine.txt"]);
    assert!(atlas.locate("203.0.113.9".parse().unwrap()).anycast);
    let error = atlas.add_anycast("bad.txt", "x").unwrap_err();
    assert!(error.starts_with("bad.txt: line 1"), "{error}");
    assert!(Atlas::default().sources().is_empty());
    assert_eq!(Atlas::default().locate(CHINANET.parse().unwrap()), Place::default());
}
