//! The wire format of DNS (RFC 1035 §4), which mDNS and LLMNR share.
//!
//! For: walking a message over borrowed bytes, record by record.
//! Promises: stops at the first malformed record and gives what came before it; a compression pointer
//! only ever leads backwards, so that names end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Record types (IANA "Resource Record TYPEs").
pub(super) const A: u16 = 1;
pub(super) const CNAME: u16 = 5;
pub(super) const PTR: u16 = 12;
pub(super) const AAAA: u16 = 28;
pub(super) const DNAME: u16 = 39;
pub(super) const SVCB: u16 = 64;
pub(super) const HTTPS: u16 = 65;

const HEADER: usize = 12;
/// Longest name in presentation form; the wire allows 255 octets with the lengths.
const NAME_LIMIT: usize = 255;

/// A message whose header is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    flags: u16,
    questions: u16,
    records: u32,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: u16,
    /// Without the top bit, which mDNS uses (RFC 6762 §5.4).
    pub(super) class: u16,
}

/// One resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) owner: String,
    pub(super) rdata: Rdata,
}

/// What a record says, as far as it bears on names of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rdata {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// CNAME or DNAME.
    Alias(String),
    Ptr(String),
    /// HTTPS or SVCB (RFC 9460 §2). An empty target is the owner itself.
    Service {
        target: String,
        hints: Vec<IpAddr>,
    },
    Other,
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let counts = |at| u16_at(bytes, at);
        let records = u32::from(counts(6)?) + u32::from(counts(8)?) + u32::from(counts(10)?);
        Some(Self { bytes, flags: counts(2)?, questions: counts(4)?, records })
    }

    pub(super) fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) fn opcode(&self) -> u16 {
        self.flags >> 11 & 0xf
    }

    pub(super) fn rcode(&self) -> u16 {
        self.flags & 0xf
    }

    pub(super) fn question_count(&self) -> u16 {
        self.questions
    }

    pub(super) fn record_count(&self) -> u32 {
        self.records
    }

    /// The questions and the offset after them; fewer than announced where one is malformed.
    pub(super) fn questions(&self) -> (Vec<Question>, usize) {
        let mut questions = Vec::new();
        let mut at = HEADER;
        for _ in 0..self.questions {
            let Some((question, next)) = self.question(at) else { break };
            questions.push(question);
            at = next;
        }
        (questions, at)
    }

    fn question(&self, at: usize) -> Option<(Question, usize)> {
        let (name, at) = name_at(self.bytes, at)?;
        let class = u16_at(self.bytes, at + 2)? & 0x7fff;
        Some((Question { name, kind: u16_at(self.bytes, at)?, class }, at + 4))
    }

    /// The records from `at`, where the questions end, of all three sections; and the offset after
    /// the last one that is well-formed.
    pub(super) fn records(&self, mut at: usize) -> (Vec<Record>, usize) {
        let mut records = Vec::new();
        for _ in 0..self.records {
            let Some((record, next)) = self.record(at) else { break };
            records.push(record);
            at = next;
        }
        (records, at)
    }

    fn record(&self, at: usize) -> Option<(Record, usize)> {
        let (owner, at) = name_at(self.bytes, at)?;
        let kind = u16_at(self.bytes, at)?;
        let start = at + 10;
        let end = start + usize::from(u16_at(self.bytes, at + 8)?);
        let rdata = self.rdata(kind, start, end)?;
        Some((Record { owner, rdata }, end))
    }

    fn rdata(&self, kind: u16, start: usize, end: usize) -> Option<Rdata> {
        let bytes = self.bytes.get(start..end)?;
        let name = || name_at(self.bytes, start).map(|(name, _)| name);
        Some(match kind {
            A => Rdata::A(<[u8; 4]>::try_from(bytes).ok()?.into()),
            AAAA => Rdata::Aaaa(<[u8; 16]>::try_from(bytes).ok()?.into()),
            CNAME | DNAME => Rdata::Alias(name()?),
            PTR => Rdata::Ptr(name()?),
            SVCB | HTTPS => service(bytes)?,
            _ => Rdata::Other,
        })
    }
}

/// Two octets, a target without compression, then parameters: key, length, value (RFC 9460 §2.2).
fn service(bytes: &[u8]) -> Option<Rdata> {
    const IPV4_HINT: u16 = 4;
    const IPV6_HINT: u16 = 6;
    let (target, mut at) = name_at(bytes, 2)?;
    let mut hints = Vec::new();
    while let (Some(key), Some(len)) = (u16_at(bytes, at), u16_at(bytes, at + 2)) {
        let end = at + 4 + usize::from(len);
        let value = bytes.get(at + 4..end)?;
        match key {
            IPV4_HINT => hints.extend(value.as_chunks().0.iter().map(|hint: &[u8; 4]| IpAddr::from(*hint))),
            IPV6_HINT => hints.extend(value.as_chunks().0.iter().map(|hint: &[u8; 16]| IpAddr::from(*hint))),
            _ => {}
        }
        at = end;
    }
    Some(Rdata::Service { target, hints })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&pair| u16::from_be_bytes(pair))
}

/// The name at `at` in presentation form, lower case, without the last dot, and the offset after it (after its
/// first pointer, where it has one). Octets that a host name cannot hold stay visible as `\DDD`
/// (RFC 1035 §5.1), so that no label can pretend to be two.
fn name_at(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut after = None;
    let mut lowest = at;
    loop {
        let length = *bytes.get(at)?;
        match length {
            0 => return Some((name, after.unwrap_or(at + 1))),
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                push_label(&mut name, label);
                at += 1 + label.len();
            }
            0xc0.. => {
                let pointer = usize::from(u16_at(bytes, at)? & 0x3fff);
                after.get_or_insert(at + 2);
                if pointer >= lowest {
                    return None;
                }
                (lowest, at) = (pointer, pointer);
            }
            _ => return None,
        }
        if name.len() > 4 * NAME_LIMIT {
            return None;
        }
    }
}

fn push_label(name: &mut String, label: &[u8]) {
    if !name.is_empty() {
        name.push('.');
    }
    match std::str::from_utf8(label) {
        Ok(text) if !text.contains(['.', '\\']) => name.push_str(&text.to_lowercase()),
        _ => label.iter().for_each(|byte| name.push_str(&format!("\\{byte:03}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1035 §4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA and the root, with compression.
    #[test]
    fn names_are_decompressed() {
        let mut bytes = vec![0; 20];
        bytes.extend(b"\x01F\x03ISI\x04ARPA\x00");
        bytes.resize(40, 0);
        bytes.extend(b"\x03FOO\xc0\x14");
        bytes.resize(64, 0);
        bytes.extend(b"\xc0\x1a");
        assert_eq!(name_at(&bytes, 20), Some(("f.isi.arpa".into(), 32)));
        assert_eq!(name_at(&bytes, 40), Some(("foo.f.isi.arpa".into(), 46)));
        assert_eq!(name_at(&bytes, 64), Some(("arpa".into(), 66)));
        assert_eq!(name_at(&[0], 0), Some((String::new(), 1)));
    }

    #[test]
    fn pointers_that_loop_or_lead_forward_are_refused() {
        assert_eq!(name_at(b"\xc0\x00", 0), None);
        assert_eq!(name_at(b"\x01a\xc0\x00", 0), None);
        assert_eq!(name_at(b"\xc0\x02\x01a\x00", 0), None);
    }

    #[test]
    fn a_dot_within_a_label_stays_visible() {
        assert_eq!(name_at(b"\x03a.b\x00", 0), Some((r"\097\046\098".into(), 5)));
    }

    /// RFC 9460 appendix D.2, figure 7 (ipv6hint) with the example's parameters.
    #[test]
    fn service_hints_are_read() {
        let bytes = b"\x00\x01\x03foo\x07example\x03com\x00\
            \x00\x06\x00\x20\
            \x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
            \x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x53\x00\x01";
        let hints = vec!["2001:db8::1".parse().unwrap(), "2001:db8::53:1".parse().unwrap()];
        assert_eq!(service(bytes), Some(Rdata::Service { target: "foo.example.com".into(), hints }));
    }

    #[test]
    fn records_before_a_malformed_one_are_kept() {
        let mut bytes = b"\x00\x01\x81\x80\x00\x00\x00\x02\x00\x00\x00\x00".to_vec();
        bytes.extend(b"\x01a\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01");
        bytes.extend(b"\x01b\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0");
        let (records, end) = Message::new(&bytes).unwrap().records(HEADER);
        assert_eq!(records, [Record { owner: "a".into(), rdata: Rdata::A([192, 0, 2, 1].into()) }]);
        assert_eq!(end, 29);
    }
}
