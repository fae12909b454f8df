//! Which addresses a DNS response names, and by which of its names.
//!
//! For: turning one message into (address, name, source) facts.
//! Promises: follows aliases back to the name that was asked for, each once; says nothing that no
//! record of the message says.

use super::message::{Message, Rdata, Record};
use crate::proto::host_name;
use overheard_model::NameSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Aliases that are followed in one message, and names on the way to one address: real answers have
/// a handful.
const ALIAS_LIMIT: usize = 64;

/// An alias: whoever asks for `owner` is led to `target`.
struct Alias<'a> {
    owner: &'a str,
    target: &'a str,
    /// By an HTTPS or SVCB record.
    service: bool,
}

/// Calls `found` for every address that the response names. `direct` is the source of names that an
/// address record bears out: [`NameSource::Dns`], `Mdns` or `Llmnr`.
pub(super) fn read(
    message: &Message<'_>,
    direct: NameSource,
    found: &mut dyn FnMut(IpAddr, Arc<str>, NameSource),
) {
    let (_, at) = message.questions();
    let (records, _) = message.records(at);
    let aliases: Vec<Alias<'_>> = records.iter().filter_map(alias).take(ALIAS_LIMIT).collect();
    for record in &records {
        match &record.rdata {
            Rdata::A(address) => leading_to(&record.owner, direct, &aliases, &mut |name, source| {
                found((*address).into(), name, source);
            }),
            Rdata::Aaaa(address) => leading_to(&record.owner, direct, &aliases, &mut |name, source| {
                found((*address).into(), name, source);
            }),
            Rdata::Service { target, hints } => {
                let owner = if target.is_empty() { &record.owner } else { target };
                leading_to(owner, NameSource::DnsHttps, &aliases, &mut |name, source| {
                    hints.iter().for_each(|hint| found(*hint, name.clone(), source));
                });
            }
            Rdata::Ptr(name) => {
                let named = reversed(&record.owner).zip(host_name(name.as_bytes()));
                named.into_iter().for_each(|(address, name)| found(address, name, NameSource::DnsPtr));
            }
            Rdata::Alias(_) | Rdata::Other => {}
        }
    }
}

fn alias(record: &Record) -> Option<Alias<'_>> {
    let owner = record.owner.as_str();
    match &record.rdata {
        Rdata::Alias(target) => Some(Alias { owner, target, service: false }),
        Rdata::Service { target, .. } if !target.is_empty() => Some(Alias { owner, target, service: true }),
        _ => None,
    }
}

/// `owner` and all names whose aliases lead to it. One that no alias leads to was asked for; the
/// others are canonical names on the way.
fn leading_to(
    owner: &str,
    direct: NameSource,
    aliases: &[Alias<'_>],
    found: &mut dyn FnMut(Arc<str>, NameSource),
) {
    let mut way = vec![(owner, direct)];
    let mut next = 0;
    while let Some(&(name, reached_by)) = way.get(next) {
        next += 1;
        let before = way.len();
        for alias in aliases.iter().filter(|alias| alias.target == name) {
            if way.len() < ALIAS_LIMIT && way.iter().all(|(seen, _)| *seen != alias.owner) {
                way.push((alias.owner, if alias.service { NameSource::DnsHttps } else { reached_by }));
            }
        }
        let source = match (way.len() == before, reached_by) {
            (true, asked_for) => asked_for,
            (false, NameSource::DnsHttps) => NameSource::DnsHttps,
            (false, _) => NameSource::DnsCname,
        };
        if let Some(name) = host_name(without_service_labels(name).as_bytes()) {
            found(name, source);
        }
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
        read(&Message::new(bytes).unwrap(), NameSource::Dns, &mut |address, name, source| {
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
