//! Whose side is ours.
//!
//! The rules, the first that decides a flow wins: the addresses that the user gave; the end that has an address
//! which the capture states of its own interface; the private end, or of two private ends the one that more flows
//! share; the one address of its family that all remaining flows share; the originator. A multicast or broadcast address is never ours, and an address
//! that never answers gains no share. The capture names the rule that decided most of its flows, those
//! with the internet first, and the addresses that this rule found.

use crate::flow::Record;
use crate::packet::Host;
use crate::place::scope::{is_local, is_multicast, is_private};
use foldhash::fast::RandomState;
use overheard_model::{LocalRule, Side};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// How many flows each address sent packets in.
type Shares = HashMap<Host, usize, RandomState>;

/// Source and destination address of a flow.
fn ends(flow: &Record) -> [IpAddr; 2] {
    [Side::Src, Side::Dst].map(|side| flow.address(side))
}

/// What is known before any flow is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// By the user (`--local`).
    pub(crate) given: &'a [IpAddr],
    /// By the capture, of its interfaces.
    pub(crate) stated: &'a [IpAddr],
}

/// Decides for every flow which end is ours; returns the rule that decided most flows and the
/// addresses that it found, sorted.
pub(crate) fn decide(flows: &mut [Record], known: Known<'_>) -> (LocalRule, Vec<IpAddr>) {
    let shares = shares_of_private(flows);
    let by_address = |ends| known.side(ends).or_else(|| private_side(ends, &shares));
    let shared = [true, false].map(|v4| {
        let family = flows.iter().map(ends).filter(|[src, _]| src.is_ipv4() == v4);
        shared_by_all(family.filter(|&ends| by_address(ends).is_none()))
    });
    let by_share = |ends| Some((LocalRule::Shared, only(ends, |end| shared.contains(&Some(end)))?));
    let mut decided = {
        use LocalRule::{Given, Interface, Originator, Private, Shared};
        [Given, Interface, Private, Shared, Originator]
    }
    .map(|rule| (rule, (0_usize, 0_usize), HashSet::<Host, RandomState>::default()));
    for flow in flows.iter_mut() {
        let ends @ [src, dst] = ends(flow);
        let (rule, side) =
            by_address(ends).or_else(|| by_share(ends)).unwrap_or_else(|| originator_side(src));
        flow.ours = side;
        let (ours, remote) = if side == Side::Src { (src, dst) } else { (dst, src) };
        for (_, flows, found) in decided.iter_mut().filter(|(other, ..)| *other == rule) {
            *flows = (flows.0 + usize::from(!is_local(remote)), flows.1 + 1);
            found.extend((!ours.is_unspecified()).then_some(Host(ours)));
        }
    }
    // Of equal rules the surer one: the last maximum of the reversed order.
    let used = decided.into_iter().rev().filter(|&(_, flows, _)| flows.1 > 0);
    let most = used.max_by_key(|&(_, flows, _)| flows);
    let sorted = |found: HashSet<Host, _>| {
        let mut found: Vec<IpAddr> = found.into_iter().map(|Host(address)| address).collect();
        found.sort_unstable();
        found
    };
    most.map_or((LocalRule::Originator, Vec::new()), |(rule, _, found)| (rule, sorted(found)))
}

/// The given addresses that stand at no end of a flow.
pub(crate) fn absent(flows: &[Record], given: &[IpAddr]) -> Vec<IpAddr> {
    let occurs = |address: IpAddr| flows.iter().any(|flow| ends(flow).contains(&address));
    given.iter().copied().filter(|&address| !occurs(address)).collect()
}

/// The side whose address alone fits.
fn only([src, dst]: [IpAddr; 2], fits: impl Fn(IpAddr) -> bool) -> Option<Side> {
    match (fits(src), fits(dst)) {
        (true, false) => Some(Side::Src),
        (false, true) => Some(Side::Dst),
        _ => None,
    }
}

impl Known<'_> {
    fn side(self, [src, dst]: [IpAddr; 2]) -> Option<(LocalRule, Side)> {
        let rules = [(LocalRule::Given, self.given), (LocalRule::Interface, self.stated)];
        rules.into_iter().find_map(|(rule, ours)| match (ours.contains(&src), ours.contains(&dst)) {
            (true, _) => Some((rule, Side::Src)),
            (false, true) => Some((rule, Side::Dst)),
            (false, false) => None,
        })
    }
}

fn private_side([src, dst]: [IpAddr; 2], shares: &Shares) -> Option<(LocalRule, Side)> {
    let share = |address: IpAddr| shares.get(&Host(address)).copied().unwrap_or(0);
    let side = match (is_private(src), is_private(dst)) {
        (true, true) if share(dst) > share(src) => Side::Dst,
        (true, _) => Side::Src,
        (false, true) => Side::Dst,
        (false, false) => return None,
    };
    Some((LocalRule::Private, side))
}

fn originator_side(src: IpAddr) -> (LocalRule, Side) {
    let side = if is_multicast(src) { Side::Dst } else { Side::Src };
    (LocalRule::Originator, side)
}

/// How many flows each private address sent packets in.
fn shares_of_private(flows: &[Record]) -> Shares {
    let mut shares = Shares::default();
    for flow in flows {
        for side in [Side::Src, Side::Dst] {
            let address = flow.address(side);
            if flow.sent(side).0 > 0 && is_private(address) {
                *shares.entry(Host(address)).or_default() += 1;
            }
        }
    }
    shares
}

/// The one address that stands at an end of each of the flows; those between a multicast and an
/// unspecified address (RFC 4862's duplicate address detection) have no say.
fn shared_by_all(flows: impl Iterator<Item = [IpAddr; 2]>) -> Option<IpAddr> {
    let is_somebody = |address: &IpAddr| !is_multicast(*address) && !address.is_unspecified();
    let mut flows = flows.filter(|ends| ends.iter().any(is_somebody));
    let mut shared = Vec::from(flows.next()?);
    shared.retain(is_somebody);
    for ends in flows {
        shared.retain(|address| ends.contains(address));
    }
    match shared[..] {
        [one] => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::tests::record;

    fn decided(ends: &[(&str, &str)], given: &[&str]) -> (LocalRule, Vec<Side>, Vec<String>) {
        decided_with(ends, given, &[])
    }

    fn decided_with(
        ends: &[(&str, &str)],
        given: &[&str],
        stated: &[&str],
    ) -> (LocalRule, Vec<Side>, Vec<String>) {
        let mut flows: Vec<Record> = ends.iter().map(|(src, dst)| record(src, dst, 1)).collect();
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let (given, stated) = (addresses(given), addresses(stated));
        let (rule, ours) = decide(&mut flows, Known { given: &given, stated: &stated });
        let sides = flows.iter().map(|flow| flow.ours).collect();
        (rule, sides, ours.iter().map(IpAddr::to_string).collect())
    }

    #[test]
    fn the_given_address_outranks_the_private_one() {
        let ends = [("10.0.0.1", "192.0.2.1")];
        assert_eq!(decided(&ends, &["192.0.2.1"]).0, LocalRule::Given);
        assert_eq!(decided(&ends, &["192.0.2.1"]).1, [Side::Dst]);
        assert_eq!(decided(&ends, &["203.0.113.9"]).0, LocalRule::Private, "no flow has the given address");
    }

    /// The busier of two private ends would be the server.
    #[test]
    fn what_the_capture_says_of_its_interface_outranks_the_private_end() {
        let ends = [("10.219.0.2", "10.0.0.9"), ("10.0.0.9", "10.0.0.8"), ("10.219.0.2", "10.0.0.9")];
        let (rule, sides, ours) = decided_with(&ends, &[], &["10.219.0.2"]);
        assert_eq!((rule, sides), (LocalRule::Interface, vec![Side::Src; 3]));
        assert_eq!(ours, ["10.219.0.2"]);
        let (rule, sides, _) = decided_with(&ends[..1], &["10.0.0.9"], &["10.219.0.2"]);
        assert_eq!((rule, sides), (LocalRule::Given, vec![Side::Dst]), "the user knows better");
    }

    #[test]
    fn of_two_private_ends_the_busier_is_ours() {
        let ends = [("10.0.0.1", "192.0.2.1"), ("10.0.0.9", "10.0.0.1"), ("10.0.0.1", "10.0.0.255")];
        let (rule, sides, ours) = decided(&ends, &[]);
        assert_eq!((rule, sides), (LocalRule::Private, vec![Side::Src, Side::Dst, Side::Src]));
        assert_eq!(ours, ["10.0.0.1"]);
    }

    #[test]
    fn among_public_addresses_the_shared_one_is_ours() {
        let ends = [("192.0.2.1", "198.51.100.1"), ("198.51.100.2", "192.0.2.1")];
        let (rule, sides, ours) = decided(&ends, &[]);
        assert_eq!((rule, sides), (LocalRule::Shared, vec![Side::Src, Side::Dst]));
        assert_eq!(ours, ["192.0.2.1"]);
    }

    #[test]
    fn each_family_has_a_shared_address() {
        let ends = [
            ("192.0.2.1", "198.51.100.1"),
            ("192.0.2.1", "198.51.100.2"),
            ("2001:db8::1", "2001:db8:1::1"),
            ("2001:db8:1::2", "2001:db8::1"),
            ("::", "ff02::1:ff00:1"),
        ];
        let (rule, sides, ours) = decided(&ends, &[]);
        assert_eq!((rule, sides[3]), (LocalRule::Shared, Side::Dst));
        assert_eq!(ours, ["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn only_what_the_named_rule_found_is_listed() {
        let ends = [("10.0.0.1", "192.0.2.1"), ("10.0.0.1", "192.0.2.2"), ("198.51.100.1", "198.51.100.2")];
        let (rule, _, ours) = decided(&ends, &[]);
        assert_eq!((rule, ours), (LocalRule::Private, vec!["10.0.0.1".to_string()]));
        assert_eq!(decided(&[], &["10.0.0.1"]), (LocalRule::Originator, vec![], vec![]));
    }

    #[test]
    fn neighbours_do_not_outvote_the_internet() {
        let neighbour = ("fe80::1", "ff02::16");
        let ends = [neighbour, neighbour, ("192.0.2.1", "198.51.100.1"), ("192.0.2.1", "198.51.100.2")];
        let (rule, _, ours) = decided(&ends, &[]);
        assert_eq!((rule, ours), (LocalRule::Shared, vec!["192.0.2.1".to_owned()]));
    }

    #[test]
    fn else_the_originator_and_never_a_multicast_address() {
        let ends = [("192.0.2.1", "198.51.100.1"), ("192.0.2.2", "198.51.100.2")];
        assert_eq!(decided(&ends, &[]).0, LocalRule::Originator);
        let multicast = [("192.0.2.1", "224.0.0.251"), ("192.0.2.2", "224.0.0.251")];
        assert_eq!(decided(&multicast, &[]).2, ["192.0.2.1", "192.0.2.2"]);
    }
}
