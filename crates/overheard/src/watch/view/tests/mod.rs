//! The view as it looks, and what keys do to it; nobody's terminal is needed.

mod keys;
mod looks;

use super::{Next, Row, Sight, State, draw};
use crate::pipeline::Contact;
use overheard_model::{
    Asn, BeganBy, Claim, Endpoint, Flow, FlowState, Learned, Name, NameSource, Place, Protocol, Side,
    Timestamp, Transport, Visibility,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::sync::Arc;

/// 2026-11-23T04:56:12Z.
const BEGAN: i64 = 1_795_409_772;

fn second(second: i64) -> Timestamp {
    Timestamp::from_parts(BEGAN + second, 0)
}

/// An endpoint at an address of its own, with a place and a name where they are not empty.
pub(in crate::watch) fn row(number: u8, country: &str, name: &str) -> Row {
    let claim = Claim {
        source: "test".into(),
        country: country.parse().ok(),
        asn: Some(Asn(64_496 + u32::from(number))),
        network: Some(format!("Network {number}").into()),
    };
    let place = Place { claims: [claim].into(), ..Place::default() };
    let names =
        [Name { name: name.into(), source: NameSource::TlsSni, packet: Some(7), learned: Learned::Within }];
    let endpoint = Endpoint {
        capture: "test".into(),
        address: [198, 51, 100, number].into(),
        port: 443,
        transport: Transport::Tcp,
        names: names.into_iter().filter(|name| !name.name.is_empty()).collect(),
        domains: ["example.org".into()].into(),
        place: Arc::new(if country.is_empty() { Place::default() } else { place }),
        protocols: [Protocol::Tls].into(),
        visibility: Visibility::Encrypted,
        packets_out: 3,
        packets_in: 4,
        bytes_out: 1000 + 10 * u64::from(number),
        bytes_in: 20_000,
        first: Some(second(0)),
        last: Some(second(i64::from(number))),
        rtt_ms: Some(12.0),
        flows: [0].into_iter().collect(),
        packet: u64::from(number),
    };
    let messenger = "messenger (pid 7, /usr/bin/messenger) < sh (pid 1)".parse().expect("a process");
    Row {
        endpoint,
        carried: true,
        contact: Contact::None,
        processes: vec![Arc::new(messenger)],
        trend: Vec::new(),
    }
}

/// One row of each kind; a name that is too wide, one that would act on the terminal, one that looks like
/// another.
fn sight() -> Sight {
    let mut concern = row(1, "CN", "log.lantern.example.org");
    concern.contact = Contact::Certain;
    let mut suspect = row(2, "", "例え-とても長い名前のホスト-テスト.例え.example.org");
    suspect.contact = Contact::Unplaced;
    let mut readable = row(3, "IE", "update.\u{1b}[2J\u{202e}evil.example.org");
    readable.endpoint.visibility = Visibility::Readable;
    readable.endpoint.protocols = [Protocol::Http].into();
    let claim = Claim {
        network: Some("ネットワーク会社の長い名前です".into()),
        ..readable.endpoint.place.claims[0].clone()
    };
    Arc::make_mut(&mut readable.endpoint.place).claims = [claim].into();
    let disguised = row(4, "US", "\u{430}pple.example.org");
    let mut local = row(5, "", "");
    Arc::make_mut(&mut local.endpoint.place).local = true;
    local.processes.clear();
    Sight {
        rows: vec![concern, suspect, readable, disguised, local],
        packets: 35,
        began: Some(second(0)),
        now: Some(second(64)),
        lines: (0..30).map(|number| format!("line {number} \u{1b}]0;title\u{7} 例え")).collect(),
        ..Sight::default()
    }
}

fn flow() -> Flow {
    Flow {
        capture: "test".into(),
        transport: Transport::Tcp,
        src: [10, 0, 0, 1].into(),
        src_port: 40_000,
        dst: [198, 51, 100, 3].into(),
        dst_port: 443,
        began_by: BeganBy::Syn,
        ours: Side::Src,
        state: FlowState::Closed,
        packets_out: 3,
        packets_in: 4,
        bytes_out: 1030,
        bytes_in: 20_000,
        first: second(1),
        last: second(2),
        first_packet: 7,
        last_packet: 14,
        retransmissions: 0,
        gap_bytes: 0,
        conflicting_bytes: 0,
        rtt_ms: Some(12.0),
        names: row(3, "IE", "update.\u{1b}[2Jevil.example.org").endpoint.names.into_vec(),
        protocol: Protocol::Http,
        measure: None,
        visibility: Visibility::Readable,
        ja4: None,
        ja4_normalised: None,
        community_id: String::new(),
        tunnel: None,
        country: None,
        asn: None,
        process: None,
    }
}

/// A view that has seen the same endpoints grow for a minute.
fn state() -> State {
    let mut state = State::new("caps/run1.pcapng".into(), true);
    for gone in 0..64 {
        let mut sight = sight();
        sight.now = Some(second(gone));
        for (row, step) in sight.rows.iter_mut().zip([1, 2, 3, 5, 60]) {
            let endpoint = &mut row.endpoint;
            endpoint.bytes_in = endpoint.bytes_in * (gone as u64 / step + 1) * (gone as u64 / step + 1) / 64;
        }
        state.see(sight);
    }
    state.see(sight());
    state
}

fn press(state: &mut State, keys: impl IntoIterator<Item = KeyCode>) -> Next {
    let pressed = keys.into_iter().map(|code| state.press(KeyEvent::new(code, KeyModifiers::NONE)));
    pressed.last().unwrap_or(Next::Go)
}

fn screen(state: &State, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
    terminal.draw(|frame| draw(frame, state)).expect("memory takes all");
    terminal.backend().clone()
}
