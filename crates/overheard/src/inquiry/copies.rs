//! Readable copies: the texts that were sent, looked for in all that the sender's client sent elsewhere.
//!
//! A text is looked for in what went out from its act on until the next, in each flow, also as it was before the client
//! encrypted it where the capture holds the secrets, and in every encoding of [`overheard_dissect::copies`].
//! The messages themselves are no copies: what goes to their [`carriers`] is left out.
//! Promises: what is not found may be there under encryption that the secrets do not open; texts stay in memory.

use super::carriers;
use super::heard::{Heard, copies_of};
use overheard_dissect::copies;
use overheard_model::{Act, Delivery, Fate, ReadableCopy, Searched};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Texts by their SHA-256.
pub type Texts = HashMap<String, String>;

/// An act and its text, and the packets from it until the next act.
struct Sent<'a> {
    act: u64,
    text: &'a str,
    first: u64,
    last: u64,
    arrived: bool,
}

/// All copies in the captures below the folder, in the order of acts, and how much they were looked for in.
pub fn find(
    folder: &Path,
    acts: &[Act],
    deliveries: &[Delivery],
    texts: &Texts,
) -> (Vec<ReadableCopy>, Searched) {
    let mut captures: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in acts {
        if let Some(packets) = &act.packets {
            captures.entry(&packets.capture).or_default().push(act);
        }
    }
    let (mut found, mut searched) = (Vec::new(), Searched::default());
    for (capture, acts) in captures {
        let path = folder.join(capture);
        let Some(sender) = Heard::read(&path) else { continue };
        let of_sender = sender.searched();
        searched.sent += of_sender.sent;
        searched.sealed += of_sender.sealed;
        searched.left_out += of_sender.left_out;
        let sent = sent(&acts, deliveries, texts);
        let mut copies = copies_in(&sender, &path, &sent);
        if let Some(receiver) = of_receiver(&path).and_then(|path| Heard::read(&path)) {
            let arrived = sent.iter().filter(|sent| sent.arrived).map(|sent| (sent.act, sent.text));
            let carriers = carriers::find(&receiver, &arrived.collect::<Vec<_>>(), &copies);
            copies.retain(|copy| !carriers.contains(&copy.endpoint));
        }
        found.extend(copies);
    }
    found.sort_by_key(|copy| (copy.act, copy.packet));
    (found, searched)
}

/// The acts that sent something, of those of one capture.
fn sent<'a>(acts: &[&Act], deliveries: &[Delivery], texts: &'a Texts) -> Vec<Sent<'a>> {
    let begins = |act: &Act| act.packets.as_ref().map(|packets| packets.first);
    let sent = acts.iter().enumerate().filter_map(|(at, act)| {
        let delivery = deliveries.iter().find(|delivery| Some(delivery.number) == act.delivery)?;
        let next = acts.get(at + 1).and_then(|next| begins(next));
        Some(Sent {
            act: act.number,
            text: texts.get(&delivery.text_sha256)?,
            first: begins(act)?,
            last: next.map_or(u64::MAX, |next| next.saturating_sub(1)),
            arrived: delivery.fate == Some(Fate::Delivered),
        })
    });
    sent.collect()
}

/// The texts in what was sent, wherever it went.
fn copies_in(sender: &Heard, path: &Path, sent: &[Sent<'_>]) -> Vec<ReadableCopy> {
    let mut found = Vec::new();
    for (endpoint, payload) in sender.sent() {
        for act in sent {
            let (start, bytes) = payload.between(act.first, act.last);
            found.extend(copies_of(act.text, bytes).map(|copy| ReadableCopy {
                act: act.act,
                endpoint: endpoint.clone(),
                flow: sender.flow(&payload.way),
                capture: path.to_string_lossy().into_owned(),
                packet: payload.packet_at(start + copy.offset).unwrap_or(act.first),
                encoding: encoding(&copy, payload.decrypted),
                bytes: copy.length as u64,
            }));
        }
    }
    found
}

/// The capture of the other client's room.
fn of_receiver(of_sender: &Path) -> Option<PathBuf> {
    Some(of_sender.parent()?.parent()?.join("receiver").join(of_sender.file_name()?))
}

/// `gzip, base64`: what must be undone, in this order; before that the encryption, where a key log tells how.
fn encoding(copy: &copies::Copy, decrypted: bool) -> String {
    use copies::{Encoding, Packing};
    let packing = match copy.packing {
        Packing::None => None,
        Packing::Gzip => Some("gzip"),
        Packing::Zlib => Some("zlib"),
        Packing::Deflate => Some("deflate"),
    };
    let encoding = match copy.encoding {
        Encoding::Raw => "raw".to_owned(),
        Encoding::Base64 => "base64".to_owned(),
        Encoding::Base64Url => "base64url".to_owned(),
        Encoding::Hex => "hex".to_owned(),
        Encoding::Url => "url".to_owned(),
        Encoding::Utf16Le => "utf-16le".to_owned(),
        Encoding::Utf16Be => "utf-16be".to_owned(),
        Encoding::Xor(key) => format!("xor 0x{key:02x}"),
    };
    let unpacked = match packing {
        Some(packing) if encoding == "raw" => packing.to_owned(),
        Some(packing) => format!("{packing}, {encoding}"),
        None => encoding,
    };
    if decrypted { format!("{unpacked} (decrypted)") } else { unpacked }
}
