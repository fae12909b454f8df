//! Which addresses a DNS response names, and by which of its names.
//!
//! For: turning one message into (address, name, source) facts.
//! Promises: follows aliases back to the name that was asked for, each once; says nothing that no
//! record of the message says.

use super::message::{Message, Name, Rdata, Record};
use crate::proto::Spelling;
use crate::proto::host_name::spelt;
use crate::texts::Texts;
use overheard_model::NameSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Aliases that are followed in one message, and names on the way to one address: real answers have
/// a handful.
const ALIAS_LIMIT: usize = 64;

/// An alias: whoever asks for `owner` is led to `target`.
#[derive(Clone, Debug)]
struct Alias {
    owner: String,
    target: String,
    /// By an HTTPS or SVCB record.
    service: bool,
}

/// Calls `found` for every address that the response names. `direct` is the source of names that an
/// address record bears out: [`NameSource::Dns`], `Mdns` or `Llmnr`.
pub(super) fn read(
    message: &Message<'_>,
    direct: NameSource,
    Spelling { texts, way }: &mut Spelling,
    found: &mut dyn FnMut(IpAddr, Arc<str>, NameSource),
) {
    let Some(at) = message.after_questions(|_| true) else { return };
    let records = || message.records(at).map(|(record, _)| record);
    way.begin(records().filter_map(alias).take(ALIAS_LIMIT));
    for Record { owner, rdata } in records() {
        let mut each = |address, names: &[(Arc<str>, NameSource)]| {
            names.iter().for_each(|(name, source)| found(address, name.clone(), *source));
        };
        match rdata {
            Rdata::A(address) => each(address.into(), way.leading_to(owner, direct, texts)),
            Rdata::Aaaa(address) => each(address.into(), way.leading_to(owner, direct, texts)),
            Rdata::Service { target, hints } => {
                let owner = if target.is_root() { owner } else { target };
                let names = way.leading_to(owner, NameSource::DnsHttps, texts);
                hints.each(&mut |hint| each(hint, names));
            }
            Rdata::Ptr(name) => {
                let name = spelt(name.text().as_bytes(), |name| texts.shared(name));
                let named = reversed(&owner.text()).zip(name);
                named.into_iter().for_each(|(address, name)| each(address, &[(name, NameSource::DnsPtr)]));
            }
            Rdata::Alias(_) | Rdata::Other => {}
        }
    }
}

fn alias(record: Record<'_>) -> Option<Alias> {
    let (target, service) = match record.rdata {
        Rdata::Alias(target) => (target, false),
        Rdata::Service { target, .. } if !target.is_root() => (target, true),
        _ => return None,
    };
    Some(Alias { owner: record.owner.text(), target: target.text(), service })
}

/// The names that lead to the owner of a record; kept for the next record, mostly the same owner's. Its room is kept
/// from message to message: half of all flows ask a name server.
#[derive(Clone, Debug, Default)]
pub(in crate::proto) struct Way {
    aliases: Vec<Alias>,
    owner: String,
    /// Where the message spells it.
    spelt_at: Option<usize>,
    direct: Option<NameSource>,
    names: Vec<(Arc<str>, NameSource)>,
    /// Room to write an owner into.
    next: String,
}

impl Way {
    /// Begins with the next message. Where neither has aliases, the last one's names serve on: a name's A and AAAA
    /// records are asked for together.
    fn begin(&mut self, aliases: impl Iterator<Item = Alias>) {
        let none_before = self.aliases.is_empty();
        self.aliases.clear();
        self.aliases.extend(aliases);
        self.spelt_at = None;
        self.direct = self.direct.filter(|_| none_before && self.aliases.is_empty());
    }

    fn leading_to(
        &mut self,
        owner: Name<'_>,
        direct: NameSource,
        texts: &mut Texts,
    ) -> &[(Arc<str>, NameSource)] {
        // Mostly a pointer to the very name of the record before.
        let spelt_at = Some(owner.spelt_at());
        if self.direct == Some(direct) && self.spelt_at == spelt_at {
            return &self.names;
        }
        self.spelt_at = spelt_at;
        owner.write(&mut self.next);
        if self.direct != Some(direct) || self.owner != self.next {
            std::mem::swap(&mut self.owner, &mut self.next);
            self.direct = Some(direct);
            self.names.clear();
            leading_to(&self.owner, direct, &self.aliases, texts, &mut self.names);
        }
        &self.names
    }
}

/// `owner` and all names whose aliases lead to it. One that no alias leads to was asked for; the
/// others are canonical names on the way.
fn leading_to(
    owner: &str,
    direct: NameSource,
    aliases: &[Alias],
    texts: &mut Texts,
    names: &mut Vec<(Arc<str>, NameSource)>,
) {
    let mut add = |name, source| {
        let host = without_service_labels(name).as_bytes();
        names.extend(spelt(host, |name| texts.shared(name)).map(|name| (name, source)));
    };
    // Most answers are about the very name that was asked for.
    if aliases.iter().all(|alias| alias.target != owner) {
        return add(owner, direct);
    }
    let mut way = vec![(owner, direct)];
    let mut next = 0;
    while let Some(&(name, reached_by)) = way.get(next) {
        next += 1;
        let before = way.len();
        for alias in aliases.iter().filter(|alias| alias.target == name) {
            if way.len() < ALIAS_LIMIT && way.iter().all(|(seen, _)| *seen != alias.owner) {
                way.push((&alias.owner, if alias.service { NameSource::DnsHttps } else { reached_by }));
            }
        }
        let source = match (way.len() == before, reached_by) {
            (true, asked_for) => asked_for,
            (false, NameSource::DnsHttps) => NameSource::DnsHttps,
            (false, _) => NameSource::DnsCname,
        };
        add(name, source);
    }
}

/// `_8443._https.example.org` asks for a service of `example.org` (RFC 9460 §2.3).
fn without_service_labels(name: &str) -> &str {
    let mut host = name;
    while let Some((label, rest)) = host.split_once('.')
        && label.starts_with('_')
    {
        host = rest;
    }
    host
}

/// The address that a reverse name stands for: `1.2.0.192.in-addr.arpa` (RFC 1035 §3.5) or 32
/// nibbles and `ip6.arpa` (RFC 3596 §2.5).
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        let octets: Vec<u8> = octets.rsplit('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        return <[u8; 4]>::try_from(octets).ok().map(|octets| Ipv4Addr::from(octets).into());
    }
    let nibbles = name.strip_suffix(".ip6.arpa")?;
    let mut address = 0_u128;
    let mut count = 0;
    for nibble in nibbles.rsplit('.') {
        let value = u8::from_str_radix(nibble, 16).ok().filter(|&value| value < 16)?;
        address = address << 4 | u128::from(value);
        count += 1;
    }
    (count == 32).then(|| Ipv6Addr::from(address).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\x00\x01\x81\x80\x00\x01\x00\x03\x00\x00\x00\x00";

    fn answers(bytes: &[u8]) -> Vec<(String, String, NameSource)> {
        let mut all = Vec::new();
        let spelling = &mut Spelling::default();
        read(&Message::new(bytes).unwrap(), NameSource::Dns, spelling, &mut |address, name, source| {
            all.push((address.to_string(), name.to_string(), source));
        });
        all
    }

    fn record(owner: &[u8], kind: u8, rdata: &[u8]) -> Vec<u8> {
        let fixed = [0, kind, 0, 1, 0, 0, 0, 60, 0, rdata.len() as u8];
        [owner, &fixed, rdata].concat()
    }

    #[test]
    fn a_chain_of_aliases_gives_the_name_asked_for_and_those_on_the_way() {
        let question = b"\x01a\x00\x00\x01\x00\x01";
        let bytes = [
            HEADER,
            question,
            &record(b"\x01a\x00", 5, b"\x01b\x00"),
            &record(b"\x01b\x00", 5, b"\x01C\x00"),
            &record(b"\x01c\x00", 1, &[192, 0, 2, 1]),
        ]
        .concat();
        let named = |name: &str, source| ("192.0.2.1".to_string(), name.to_string(), source);
        assert_eq!(
            answers(&bytes),
            [named("c", NameSource::DnsCname), named("b", NameSource::DnsCname), named("a", NameSource::Dns)]
        );
    }

    #[test]
    fn a_service_names_its_hints_by_owner_and_target() {
        let question = b"\x01_\x01a\x00\x00\x41\x00\x01";
        let service = b"\x00\x01\x01t\x00\x00\x04\x00\x04\xc0\x00\x02\x07";
        let bytes = [HEADER, question, &record(b"\x01_\x01a\x00", 65, service)].concat();
        let named = |name: &str| ("192.0.2.7".to_string(), name.to_string(), NameSource::DnsHttps);
        assert_eq!(answers(&bytes), [named("t"), named("a")]);
    }

    #[test]
    fn aliases_in_a_circle_end() {
        let question = b"\x01a\x00\x00\x01\x00\x01";
        let bytes = [
            HEADER,
            question,
            &record(b"\x01a\x00", 5, b"\x01b\x00"),
            &record(b"\x01b\x00", 5, b"\x01a\x00"),
            &record(b"\x01a\x00", 1, &[192, 0, 2, 1]),
        ]
        .concat();
        assert_eq!(answers(&bytes).len(), 2);
    }

    #[test]
    fn reverse_names_become_addresses() {
        assert_eq!(reversed("1.2.0.192.in-addr.arpa"), "192.0.2.1".parse().ok());
        let nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(reversed(nibbles), "2001:db8::1".parse().ok());
        assert_eq!(reversed("2.0.192.in-addr.arpa"), None);
        assert_eq!(reversed("1.0.ip6.arpa"), None);
    }
}
