//! Anycast: addresses that are answered from many places at once, so that no country is a fair answer.
//!
//! For: marking a place as `anycast` instead of giving it a bare country.
//! Promises: the built-in list (`data/anycast.txt`) holds only what an operator or an RFC says of its
//! own service; it is short and knows it. `--anycast FILE` adds any list of prefixes.
//! To extend: a line in `data/anycast.txt`, below the publication that says so.

use super::scope::unwrapped;
use overheard_model::Asn;
use std::net::IpAddr;
use std::sync::LazyLock;

/// Prefixes, and networks all of whose prefixes are anycast.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anycast {
    v4: Vec<Span<u32>>,
    v6: Vec<Span<u128>>,
    networks: Vec<Asn>,
}

/// The first and last address of a prefix. Once a list is read its spans ascend and are disjoint.
type Span<K> = (K, K);

const LIST: &str = include_str!("../../data/anycast.txt");

static DOCUMENTED: LazyLock<Anycast> =
    LazyLock::new(|| Anycast::parse(LIST).expect("the built-in list is well-formed"));

impl Anycast {
    /// The built-in list.
    pub(crate) fn documented() -> &'static Self {
        &DOCUMENTED
    }

    /// When the built-in list was compiled, `YYYY-MM-DD`.
    pub(crate) fn compiled() -> &'static str {
        LIST.lines().find_map(|line| line.strip_prefix("# Compiled ")).unwrap_or_default()
    }

    /// Reads a list: one prefix, address or AS number (`AS13335`) a line. What follows white space, a
    /// comma or `#` is left aside, as is a CSV's header line, so that published lists can be used as
    /// they are. Says which line is none of these.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let end = line.find(|c: char| c == '#' || c == ',' || c.is_whitespace()).unwrap_or(line.len());
            let entry = line[..end].trim_matches('"');
            if entry.is_empty() || (number == 1 && line.contains(',') && !entry.contains(['.', ':'])) {
                continue;
            }
            list.add(entry).ok_or_else(|| {
                format!("line {number}: {entry:?} is no prefix, such as 192.0.2.0/24 or 2001:db8::/32, and no AS number, such as AS64496")
            })?;
        }
        if list.v4.is_empty() && list.v6.is_empty() && list.networks.is_empty() {
            return Err("no prefix in it: expected one a line, such as 192.0.2.0/24".into());
        }
        list.networks.sort_unstable();
        Ok(Self { v4: disjoint(list.v4), v6: disjoint(list.v6), networks: list.networks })
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        if let Some(number) = entry.strip_prefix("AS") {
            self.networks.push(Asn(number.parse().ok()?));
            return Some(());
        }
        let (address, length) = match entry.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (entry, None),
        };
        match address.parse().ok()? {
            IpAddr::V4(v4) => {
                let hosts = u32::BITS.checked_sub(length.unwrap_or(u32::BITS))?;
                let mask = u32::MAX.checked_shl(hosts).unwrap_or(0);
                self.v4.push((v4.to_bits() & mask, v4.to_bits() | !mask));
            }
            IpAddr::V6(v6) => {
                let hosts = u128::BITS.checked_sub(length.unwrap_or(u128::BITS))?;
                let mask = u128::MAX.checked_shl(hosts).unwrap_or(0);
                self.v6.push((v6.to_bits() & mask, v6.to_bits() | !mask));
            }
        }
        Some(())
    }

    /// Whether the address, or the network that announces it, is on the list.
    pub(crate) fn contains(&self, address: IpAddr, asn: Option<Asn>) -> bool {
        let listed = match unwrapped(address) {
            IpAddr::V4(v4) => within(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => within(&self.v6, v6.to_bits()),
        };
        listed || asn.is_some_and(|asn| self.networks.binary_search(&asn).is_ok())
    }
}

fn within<K: Ord>(spans: &[Span<K>], key: K) -> bool {
    let begun = spans.partition_point(|(first, _)| *first <= key);
    begun.checked_sub(1).and_then(|span| spans.get(span)).is_some_and(|(_, last)| key <= *last)
}

/// The spans in order, those that overlap made one.
fn disjoint<K: Copy + Ord>(mut spans: Vec<Span<K>>) -> Vec<Span<K>> {
    spans.sort_unstable();
    spans.dedup_by(|next, before| {
        let overlap = next.0 <= before.1;
        if overlap {
            before.1 = before.1.max(next.1);
        }
        overlap
    });
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_built_in_list_knows_the_documented_services() {
        let list = Anycast::documented();
        for text in ["1.1.1.1", "8.8.8.8", "198.41.0.4", "2001:503:ba3e::2:30", "2606:4700:4700::1111"] {
            assert!(list.contains(address(text), None), "{text}");
        }
        assert!(!list.contains(address("8.8.9.9"), None));
        assert!(!list.contains(address("2001:db8::1"), None));
    }

    #[test]
    fn the_built_in_list_has_a_date() {
        assert_eq!(Anycast::compiled().len(), "2026-11-23".len());
    }

    #[test]
    fn lists_are_read_as_they_are_published() {
        let text =
            "prefix,sites\n192.0.2.0/24,25,x\n# comment\n\n\"2001:db8::/32\",3\n198.51.100.7 one\nAS64496\n";
        let list = Anycast::parse(text).unwrap();
        assert!(list.contains(address("192.0.2.200"), None));
        assert!(list.contains(address("64:ff9b::192.0.2.200"), None));
        assert!(list.contains(address("2001:db8:ffff::1"), None));
        assert!(list.contains(address("198.51.100.7"), None));
        assert!(!list.contains(address("198.51.100.8"), None));
        assert!(list.contains(address("203.0.113.1"), Some(Asn(64496))));
        assert!(!list.contains(address("203.0.113.1"), Some(Asn(64497))));
        assert!(Anycast::parse("0.0.0.0/0").unwrap().contains(address("203.0.113.1"), None));
    }

    #[test]
    fn prefixes_may_lie_within_one_another() {
        let list = Anycast::parse("192.0.2.0/30\n192.0.2.0/24\n192.0.2.128/25\n192.0.2.8/29\n").unwrap();
        for host in ["192.0.2.0", "192.0.2.7", "192.0.2.100", "192.0.2.255"] {
            assert!(list.contains(address(host), None), "{host}");
        }
        assert!(!list.contains(address("192.0.1.255"), None));
        assert!(!list.contains(address("192.0.3.0"), None));
        let all = Anycast::parse("::/0\n2001:db8::/32").unwrap();
        assert!(all.contains(address("ffff::"), None) && !all.contains(address("192.0.2.1"), None));
    }

    #[test]
    fn a_bad_line_is_named() {
        assert!(Anycast::parse("192.0.2.0/24\nhello\n").unwrap_err().starts_with("line 2: \"hello\""));
        assert!(Anycast::parse("192.0.2.0/33").unwrap_err().starts_with("line 1"));
        assert!(Anycast::parse("\n# nothing\n").unwrap_err().starts_with("no prefix"));
    }
}
