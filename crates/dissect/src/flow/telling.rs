//! A finished record becomes a flow of the model.

use super::community_id::community_id;
use super::content::Content;
use super::record::Record;
use overheard_model::{Flow, FlowState, Learned, Name, Protocol, Side, Transport, Visibility};
use std::sync::Arc;

/// Tells the flow. Whose side is ours, names from elsewhere and places are added later.
pub(super) fn tell(record: Record, capture: &Arc<str>) -> Flow {
    let (src, dst) = (record.src, record.src.other());
    let key = record.key;
    let community_id = community_id(&key, src);
    let state = state(&record);
    let content = record.content.map_or_else(Content::default, |content| *content);
    let (protocol, visibility) = judgement(key.transport, &content);
    let (ja4, ja4_normalised) = content.ja4.unzip();
    let name = |said: super::content::Said| Name {
        name: said.name,
        source: said.source,
        packet: Some(said.packet),
        learned: Learned::Within,
    };
    Flow {
        capture: capture.clone(),
        transport: key.transport,
        src: key.address(src),
        src_port: key.port(src),
        dst: key.address(dst),
        dst_port: key.port(dst),
        began_by: record.began_by,
        ours: Side::Src,
        state,
        packets_out: record.sent[src].packets,
        packets_in: record.sent[dst].packets,
        bytes_out: record.sent[src].bytes,
        bytes_in: record.sent[dst].bytes,
        first: record.first,
        last: record.last,
        first_packet: record.first_packet,
        last_packet: record.last_packet,
        retransmissions: u64::from(record.connection.retransmissions),
        gap_bytes: content.gap_bytes,
        conflicting_bytes: content.conflicting_bytes,
        rtt_ms: record.connection.rtt_ms(),
        names: content.names.into_iter().map(name).collect(),
        protocol,
        measure: content.measure,
        visibility,
        ja4,
        ja4_normalised,
        community_id,
        tunnel: record.tunnels.label().map(Arc::from),
        country: None,
        asn: None,
    }
}

fn state(record: &Record) -> FlowState {
    match record.key.transport {
        Transport::Tcp => record.connection.state(record.answered()),
        _ if record.answered() => FlowState::Established,
        _ => FlowState::Unanswered,
    }
}

fn judgement(transport: Transport, content: &Content) -> (Protocol, Visibility) {
    match transport {
        Transport::Icmp | Transport::Icmp6 => (Protocol::Icmp, Visibility::Readable),
        _ => (
            content.protocol.unwrap_or(Protocol::NoPayload),
            content.visibility.unwrap_or(Visibility::Unknown),
        ),
    }
}
