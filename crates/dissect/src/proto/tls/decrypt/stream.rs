//! One side of a conversation, record by record.

use super::super::record::{HEADER, content, header};
use super::key::Record;
use super::schedule::Schedule;
use crate::payloads::Payload;
use crate::proto::decrypt::Decrypted;

/// The application data that the keys open, each record at the packet in which it begins, and the bytes of protected
/// records that they do not. `from` is where the first record begins.
pub(super) fn open(sealed: &Payload, from: usize, mut keys: Schedule, decrypted: &mut Decrypted) {
    let mut opened = Payload { way: sealed.way, decrypted: true, bytes: Vec::new(), packets: Vec::new() };
    let (mut at, mut closed, mut changed) = (from, 0, false);
    while let Some(record) = record(&sealed.bytes, at) {
        let kind = record.header[0];
        let protected = kind == content::APPLICATION || (changed && keys.changes_cipher);
        changed |= kind == content::CHANGE_CIPHER_SPEC;
        if protected {
            match keys.open(record) {
                Some(inner) if inner.kind == content::APPLICATION => {
                    append(&mut opened, &inner.bytes, sealed.packet_at(at));
                }
                Some(_) => {}
                None => closed += record.body.len(),
            }
        }
        at += HEADER + record.body.len();
    }
    // A record that is not whole, or something else.
    decrypted.seal(sealed.way, closed + sealed.bytes.len().saturating_sub(at));
    decrypted.open(opened);
}

fn record(stream: &[u8], at: usize) -> Option<Record<'_>> {
    let (bytes, rest) = stream.get(at..)?.split_first_chunk::<HEADER>()?;
    let (_, length) = header(bytes)?;
    Some(Record { header: bytes, body: rest.get(..length)? })
}

fn append(opened: &mut Payload, bytes: &[u8], packet: Option<u64>) {
    if let Some(packet) = packet.filter(|_| !bytes.is_empty()) {
        opened.packets.push((opened.bytes.len(), packet));
        opened.bytes.extend_from_slice(bytes);
    }
}
