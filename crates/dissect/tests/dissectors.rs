//! Properties that every dissector and every reader holds to, whatever the wire brings.

use overheard_dissect::proto::{Appetite, Chunk, DISSECTORS, Notes, Opening};
use overheard_model::{Side, Timestamp, Transport};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Beginnings that lead arbitrary bytes past the first check of a protocol.
const BEGINNINGS: &[&[u8]] = &[
    b"",
    b"GET / HTTP/1.1\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x00\x00\x20\x01\x24\x00\x00\x00\x01",
    b"\x12\x34\x81\x80\x00\x01\x00\x08\x00\x00\x00\x00",
    b"\x00\x40\x12\x34\x81\x80\x00\x01\x00\x08\x00\x00\x00\x00",
    b"\x05\x01\x00\x05\x01\x00\x03",
    b"\x05\x00\x05\x00\x00",
    b"\x04\x01\x00\x50\x00\x00\x00\x01",
    b"\x00\x01\x00\x10\x21\x12\xa4\x42",
    b"\x03\x00\x00\x13\x0e\xe0",
    b"\x16\x03\x01\x00\x40\x01",
    b"\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x01",
    b"\xc0\x00\x00\x00\x01\x08",
    b"\x80\xc8\x00\x06",
    b"\x10\x20\x00\x04MQTT",
    b"220 ",
    b"<?xml ",
    b"\x41\x01\x00\x01",
    b"\x01\x01\x06",
];
const PORTS: &[u16] = &[
    21, 25, 53, 67, 80, 110, 123, 143, 443, 853, 1080, 1194, 1883, 1900, 3389, 3478, 5060, 5222, 5353, 5355,
    9999,
];

fn said() -> impl Strategy<Value = Vec<u8>> {
    (proptest::sample::select(BEGINNINGS), vec(any::<u8>(), 0..120))
        .prop_map(|(start, rest)| [start, &rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn recognising_never_panics(
        src in said(),
        dst in said(),
        udp: bool,
        from_src: bool,
        dst_port in proptest::sample::select(PORTS),
    ) {
        let transport = if udp { Transport::Udp } else { Transport::Tcp };
        let from = if from_src { Side::Src } else { Side::Dst };
        let opening = Opening { transport, src_port: 40000, dst_port, from, src: &src, dst: &dst , earlier: &[]};
        for dissector in DISSECTORS {
            dissector.recognise(&opening);
        }
    }

    #[test]
    fn reading_never_panics(
        chunks in vec((said(), any::<bool>(), 0_u64..3), 1..6),
        udp: bool,
        dst_port in proptest::sample::select(PORTS),
    ) {
        let transport = if udp { Transport::Udp } else { Transport::Tcp };
        for dissector in DISSECTORS {
            let Some(mut reader) = dissector.reader() else { continue };
            let mut notes = Notes::default();
            for (packet, (bytes, from_src, gap)) in (1..).zip(&chunks) {
                let from = if *from_src { Side::Src } else { Side::Dst };
                let (bytes, gap, time) = (bytes.as_slice(), *gap, Timestamp(0));
                let chunk = Chunk { transport, from, src_port: 40000, dst_port, bytes, gap, packet, time };
                if reader.read(&chunk, &mut notes) == Appetite::Sated {
                    break;
                }
            }
        }
    }
}

#[test]
fn each_protocol_is_listed_once() {
    let protocols: Vec<_> = DISSECTORS.iter().map(|dissector| dissector.protocol()).collect();
    let distinct: BTreeSet<_> = protocols.iter().collect();
    assert_eq!(distinct.len(), protocols.len(), "{protocols:?}");
}
