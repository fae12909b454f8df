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
/// Longest name on the wire, its lengths included (RFC 1035 §2.3.4).
const NAME_LIMIT: usize = 255;
/// The least of two octets that are a pointer (RFC 1035 §4.1.4).
const POINTER: u16 = 0xc000;
/// Most pointers on the way through one name: one for each label that fits.
const POINTER_LIMIT: usize = 128;

/// A message whose header is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    flags: u16,
    questions: u16,
    records: u32,
}

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: u16,
    /// Without the top bit, which mDNS uses (RFC 6762 §5.4).
    pub(super) class: u16,
}

/// One resource record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) owner: Name<'a>,
    pub(super) rdata: Rdata<'a>,
}

/// What a record says, as far as it bears on names of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rdata<'a> {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// CNAME or DNAME.
    Alias(Name<'a>),
    Ptr(Name<'a>),
    /// HTTPS or SVCB (RFC 9460 §2). The root as target is the owner itself.
    Service {
        target: Name<'a>,
        hints: Hints<'a>,
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

    /// Where the records begin; nothing where a question is malformed or not accepted.
    pub(super) fn after_questions(&self, accepts: impl Fn(Question) -> bool) -> Option<usize> {
        let mut at = HEADER;
        for _ in 0..self.questions {
            at = Name::at(self.bytes, at)?.1;
            let class = u16_at(self.bytes, at + 2)? & 0x7fff;
            if !accepts(Question { kind: u16_at(self.bytes, at)?, class }) {
                return None;
            }
            at += 4;
        }
        Some(at)
    }

    /// The well-formed records from an offset on, of all three sections, each with the offset after it.
    pub(super) fn records(&self, mut at: usize) -> impl Iterator<Item = (Record<'a>, usize)> {
        let message = *self;
        let mut before = None;
        (0..self.records).map_while(move |_| {
            let (record, next) = message.record(at, before)?;
            (at, before) = (next, Some(record.owner));
            Some((record, next))
        })
    }

    fn record(&self, at: usize, before: Option<Name<'a>>) -> Option<(Record<'a>, usize)> {
        let (owner, at) = self.owner(at, before)?;
        let kind = u16_at(self.bytes, at)?;
        let start = at + 10;
        let end = start + usize::from(u16_at(self.bytes, at + 8)?);
        let rdata = self.rdata(kind, start, end)?;
        Some((Record { owner, rdata }, end))
    }

    /// The name at an offset. Mostly it is the pointer that the owner of the record before was, which is
    /// known to lead backwards to a well-formed name.
    fn owner(&self, at: usize, before: Option<Name<'a>>) -> Option<(Name<'a>, usize)> {
        let pointer = u16_at(self.bytes, at).filter(|&octets| octets >= POINTER);
        match before {
            Some(before) if pointer.is_some() && pointer == u16_at(self.bytes, before.at) => {
                Some((Name { bytes: self.bytes, at }, at + 2))
            }
            _ => Name::at(self.bytes, at),
        }
    }

    fn rdata(&self, kind: u16, start: usize, end: usize) -> Option<Rdata<'a>> {
        let bytes = self.bytes.get(start..end)?;
        let name = || Name::at(self.bytes, start).map(|(name, _)| name);
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

/// Two octets, a target without compression, then parameters (RFC 9460 §2.2).
fn service(bytes: &[u8]) -> Option<Rdata<'_>> {
    let (target, at) = Name::at(bytes, 2)?;
    let hints = Hints { parameters: bytes.get(at..)? };
    hints.each(&mut |_| {})?;
    Some(Rdata::Service { target, hints })
}

/// The parameters of a service: key, length, value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hints<'a> {
    parameters: &'a [u8],
}

impl Hints<'_> {
    /// The addresses that the service is said to have; nothing where a value is longer than the record.
    pub(super) fn each(&self, found: &mut impl FnMut(IpAddr)) -> Option<()> {
        const IPV4_HINT: u16 = 4;
        const IPV6_HINT: u16 = 6;
        let mut at = 0;
        while let (Some(key), Some(len)) = (u16_at(self.parameters, at), u16_at(self.parameters, at + 2)) {
            let end = at + 4 + usize::from(len);
            let value = self.parameters.get(at + 4..end)?;
            match key {
                IPV4_HINT => value.as_chunks().0.iter().for_each(|hint: &[u8; 4]| found((*hint).into())),
                IPV6_HINT => value.as_chunks().0.iter().for_each(|hint: &[u8; 16]| found((*hint).into())),
                _ => {}
            }
            at = end;
        }
        Some(())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&pair| u16::from_be_bytes(pair))
}

/// A name within a message, known to be well-formed and to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Name<'a> {
    /// The name at an offset, and the offset after it (after its first pointer, where it has one).
    fn at(bytes: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let after = walk(bytes, at, &mut |_| {})?;
        Some((Self { bytes, at }, after))
    }

    /// Where its first label stands: behind the pointer that it is, where it is nothing else.
    pub(super) fn spelt_at(&self) -> usize {
        match u16_at(self.bytes, self.at) {
            Some(pointer @ POINTER..) => usize::from(pointer & 0x3fff),
            _ => self.at,
        }
    }

    pub(super) fn is_root(&self) -> bool {
        self.bytes.get(self.at) == Some(&0)
    }

    /// Writes the name in presentation form, lower case, without the last dot. Octets that a host name
    /// cannot hold stay visible as `\DDD` (RFC 1035 §5.1), so that no label can pretend to be two.
    pub(super) fn write(&self, text: &mut String) {
        text.clear();
        // Room for nearly every name at once, rather than for the first label, then the second.
        text.reserve(64);
        walk(self.bytes, self.at, &mut |label| push_label(text, label));
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

/// Calls `label` for each label of the name at an offset; the offset after it.
fn walk(bytes: &[u8], mut at: usize, label: &mut impl FnMut(&[u8])) -> Option<usize> {
    let mut after = None;
    let mut lowest = at;
    let (mut octets, mut pointers) = (1, 0);
    loop {
        match *bytes.get(at)? {
            0 => return Some(after.unwrap_or(at + 1)),
            length @ 1..=63 => {
                let end = at + 1 + usize::from(length);
                octets += end - at;
                label(bytes.get(at + 1..end).filter(|_| octets <= NAME_LIMIT)?);
                at = end;
            }
            0xc0.. => {
                let pointer = usize::from(u16_at(bytes, at)? & 0x3fff);
                after.get_or_insert(at + 2);
                pointers += 1;
                if pointer >= lowest || pointers > POINTER_LIMIT {
                    return None;
                }
                (lowest, at) = (pointer, pointer);
            }
            _ => return None,
        }
    }
}

fn push_label(name: &mut String, label: &[u8]) {
    if !name.is_empty() {
        name.push('.');
    }
    let start = name.len();
    match std::str::from_utf8(label) {
        Ok(text) if text.bytes().any(|byte| matches!(byte, b'.' | b'\\')) => push_escaped(name, label),
        Ok(text) if text.is_ascii() => {
            name.push_str(text);
            name[start..].make_ascii_lowercase();
        }
        Ok(text) => name.push_str(&text.to_lowercase()),
        Err(_) => push_escaped(name, label),
    }
}

fn push_escaped(name: &mut String, label: &[u8]) {
    label.iter().for_each(|byte| name.push_str(&format!("\\{byte:03}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at(bytes: &[u8], at: usize) -> Option<(String, usize)> {
        Name::at(bytes, at).map(|(name, after)| (name.text(), after))
    }

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
    fn names_and_chains_of_pointers_have_a_bound() {
        let longest =
            [&b"\x3e".iter().chain(&[b'a'; 62]).copied().collect::<Vec<_>>().repeat(4)[..], b"\x01a\0"]
                .concat();
        assert_eq!(longest.len(), NAME_LIMIT);
        assert!(name_at(&longest, 0).is_some());
        assert_eq!(name_at(&[b"\x01a", &longest[..]].concat(), 0), None);
        let mut chain = vec![0, 0];
        (0..=POINTER_LIMIT as u16).for_each(|at| chain.extend((0xc000 | (2 * at)).to_be_bytes()));
        assert_eq!(name_at(&chain, 2 * POINTER_LIMIT).map(|(name, _)| name), Some(String::new()));
        assert_eq!(name_at(&chain, 2 * POINTER_LIMIT + 2), None);
    }

    #[test]
    fn a_dot_within_a_label_stays_visible() {
        assert_eq!(name_at(b"\x03a.b\x00", 0), Some((r"\097\046\098".into(), 5)));
        assert_eq!(name_at(b"\x02\xc3\x89\x02\xff_\x00", 0), Some((r"é.\255\095".into(), 7)));
    }

    /// RFC 9460 appendix D.2, figure 7 (ipv6hint) with the example's parameters.
    #[test]
    fn service_hints_are_read() {
        let bytes = b"\x00\x01\x03foo\x07example\x03com\x00\
            \x00\x06\x00\x20\
            \x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\
            \x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x53\x00\x01";
        let Some(Rdata::Service { target, hints }) = service(bytes) else { panic!("no service") };
        let mut found = Vec::new();
        hints.each(&mut |address| found.push(address.to_string()));
        assert_eq!(
            (target.text(), found.join(" ")),
            ("foo.example.com".into(), "2001:db8::1 2001:db8::53:1".into())
        );
        assert_eq!(service(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn owners_that_are_pointers_are_read_whether_they_repeat_or_not() {
        let mut bytes = b"\x00\x01\x81\x80\x00\x00\x00\x05\x00\x00\x00\x00\x01a\x01b\x00".to_vec();
        for pointer in [HEADER, HEADER, HEADER + 2, HEADER + 2, 0xfff].map(|at| 0xc000 | at as u16) {
            bytes.extend([&pointer.to_be_bytes()[..], b"\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"].concat());
        }
        let message = Message::new(&bytes).unwrap();
        let owners: Vec<_> =
            message.records(HEADER + 5).map(|(record, end)| (record.owner.text(), end)).collect();
        assert_eq!(
            owners,
            [("a.b", 29), ("a.b", 41), ("b", 53), ("b", 65)].map(|(of, end)| (of.into(), end))
        );
    }

    #[test]
    fn records_before_a_malformed_one_are_kept() {
        let mut bytes = b"\x00\x01\x81\x80\x00\x00\x00\x02\x00\x00\x00\x00".to_vec();
        bytes.extend(b"\x01a\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01");
        bytes.extend(b"\x01b\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0");
        let message = Message::new(&bytes).unwrap();
        let records: Vec<_> =
            message.records(HEADER).map(|(record, end)| (record.owner.text(), record.rdata, end)).collect();
        assert_eq!(records, [("a".into(), Rdata::A([192, 0, 2, 1].into()), 29)]);
    }
}
