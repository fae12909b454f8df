//! Readable copies: the texts that were sent, looked for in all that the sender's client sent elsewhere.
//!
//! A text is looked for in what went out from its act on until the next, in each flow and in every encoding of
//! [`overheard_dissect::copies`]; at least half of it must be there in one piece, since the texts of a search share parts.
//! The messages themselves are no copies: where the receiver's client is sent the text in the clear by an endpoint, that
//! endpoint carries the messages, and what the sender's client sends to it is left out.
//! Promises: nothing is decrypted, so that what is not found may be there under encryption; texts stay in memory.

use crate::pipeline::name;
use overheard_dissect::{Options, copies, payloads};
use overheard_model::{Act, Delivery, Fate, ReadableCopy, Reading};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::net::IpAddr;
use std::path::Path;

/// Texts by their SHA-256.
pub type Texts = HashMap<String, String>;

/// Texts that are looked for at the receiver's, to see who carries them.
const CARRIED: usize = 20;

/// All copies in the captures below the folder, in the order of acts.
pub fn find(folder: &Path, acts: &[Act], deliveries: &[Delivery], texts: &Texts) -> Vec<ReadableCopy> {
    let mut captures: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in acts {
        if let Some(packets) = &act.packets {
            captures.entry(&packets.capture).or_default().push(act);
        }
    }
    let of_act = |act: &Act| {
        let delivery = deliveries.iter().find(|delivery| Some(delivery.number) == act.delivery)?;
        Some((delivery, texts.get(&delivery.text_sha256)?.as_str()))
    };
    let mut found = Vec::new();
    for (capture, acts) in captures {
        let Some((reading, sent)) = read(&folder.join(capture)) else { continue };
        let arrived = acts.iter().filter_map(|act| of_act(act));
        let arrived = arrived.filter(|(delivery, _)| delivery.fate == Some(Fate::Delivered));
        let arrived: BTreeSet<&str> = arrived.map(|(_, text)| text).take(CARRIED).collect();
        let carriers = carriers(&folder.join(capture), &arrived);
        let names = names(&reading);
        for payload in sent.payloads.iter().filter(|payload| is_ours(&reading, payload.way.from.0)) {
            let to = payload.way.to;
            let endpoint = names.get(&to).cloned().unwrap_or_else(|| format!("{}:{}", to.0, to.1));
            if carriers.contains(&endpoint) {
                continue;
            }
            for (at, act) in acts.iter().enumerate() {
                let Some(first) = act.packets.as_ref().map(|packets| packets.first) else { continue };
                let next = acts.get(at + 1).and_then(|next| next.packets.as_ref());
                let last = next.map_or(u64::MAX, |next| next.first.saturating_sub(1));
                let Some((_, text)) = of_act(act) else { continue };
                let (start, bytes) = payload.between(first, last);
                let copies = copies::find(text, bytes).into_iter();
                found.extend(copies.filter(|copy| 2 * copy.length >= text.len()).map(|copy| ReadableCopy {
                    act: act.number,
                    endpoint: endpoint.clone(),
                    flow: flow(&reading, &payload.way),
                    capture: folder.join(capture).to_string_lossy().into_owned(),
                    packet: payload.packet_at(start + copy.offset).unwrap_or(first),
                    encoding: encoding(&copy),
                    bytes: copy.length as u64,
                }));
            }
        }
    }
    found.sort_by_key(|copy| (copy.act, copy.packet));
    found
}

/// Endpoints that bring the receiver's client messages in the clear.
fn carriers(of_sender: &Path, texts: &BTreeSet<&str>) -> BTreeSet<String> {
    let receiver = of_sender.parent().and_then(Path::parent).map(|call| call.join("receiver"));
    let capture = receiver.zip(of_sender.file_name()).map(|(folder, name)| folder.join(name));
    let Some((reading, heard)) = capture.and_then(|path| read(&path)) else { return BTreeSet::new() };
    let names = names(&reading);
    let brought = heard.payloads.iter().filter(|payload| is_ours(&reading, payload.way.to.0));
    let brought = brought.filter(|payload| {
        let whole =
            |text: &&str| copies::find(text, &payload.bytes).iter().any(|copy| 2 * copy.length >= text.len());
        texts.iter().any(whole)
    });
    brought.filter_map(|payload| names.get(&payload.way.from).cloned()).collect()
}

fn read(path: &Path) -> Option<(Reading, payloads::Payloads)> {
    let open = || File::open(path).ok().map(BufReader::new);
    let options = Options { hash: false, ..Options::default() };
    let reading = overheard_dissect::read(open()?, path.to_string_lossy().into(), &options);
    Some((reading, payloads::read(open()?)))
}

fn is_ours(reading: &Reading, address: IpAddr) -> bool {
    reading.capture.local.contains(&address)
}

fn names(reading: &Reading) -> HashMap<(IpAddr, u16), String> {
    let named = reading.endpoints.iter();
    named.map(|endpoint| ((endpoint.address, endpoint.port), name(endpoint))).collect()
}

/// The Community ID of the flow.
fn flow(reading: &Reading, way: &payloads::Way) -> String {
    let ends = |src, dst| [(way.from, way.to), (way.to, way.from)].contains(&(src, dst));
    let mut flows = reading.flows.iter();
    let flow = flows.find(|flow| {
        flow.transport == way.transport && ends((flow.src, flow.src_port), (flow.dst, flow.dst_port))
    });
    flow.map(|flow| flow.community_id).unwrap_or_default()
}

/// `gzip, base64`: what must be undone, in this order.
fn encoding(copy: &copies::Copy) -> String {
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
    match packing {
        Some(packing) if encoding == "raw" => packing.to_owned(),
        Some(packing) => format!("{packing}, {encoding}"),
        None => encoding,
    }
}
