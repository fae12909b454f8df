//! New addresses: of the same kind as the old ones, so that whose side is ours can still be told.
//!
//! Promises: an address with a meaning of its own (multicast, loopback, unspecified) stays.

use rand::{Rng, RngExt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What becomes of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It means the same everywhere.
    Kept,
    /// It becomes another one of its link (`fe80::/64`).
    Link,
    /// It becomes a private one.
    Private,
    /// It becomes one of the internet.
    Public,
}

impl Kind {
    /// `client`: no other address of its capture began more. In captures of benchmarking networks
    /// (RFC 2544, RFC 5180), as the corpus has them, its side is ours, though its address does not say so.
    pub(super) fn of(address: IpAddr, client: bool) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4, client),
            IpAddr::V6(v6) => Self::of_v6(v6, client),
        }
    }

    fn of_v4(v4: Ipv4Addr, client: bool) -> Self {
        let ours = client && v4.octets()[0] == 198 && v4.octets()[1] & 0xfe == 18;
        if v4.is_private() || ours {
            return Self::Private;
        }
        let kept = v4.is_multicast() || v4.is_broadcast() || v4.is_loopback() || v4.is_unspecified();
        if kept || v4.is_link_local() { Self::Kept } else { Self::Public }
    }

    fn of_v6(v6: Ipv6Addr, client: bool) -> Self {
        let ours = client && v6.segments()[..3] == [0x2001, 2, 0];
        if v6.is_unique_local() || ours {
            return Self::Private;
        }
        if v6.is_unicast_link_local() {
            return Self::Link;
        }
        let kept = v6.is_multicast() || v6.is_loopback() || v6.is_unspecified();
        if kept { Self::Kept } else { Self::Public }
    }

    /// A new address in place of `old`.
    pub(super) fn draw(self, old: IpAddr, random: &mut impl Rng) -> IpAddr {
        match (self, old) {
            (Self::Kept, _) | (Self::Link, IpAddr::V4(_)) => old,
            (Self::Link, IpAddr::V6(_)) => {
                let mut octets = random.random::<[u8; 16]>();
                octets[..8].copy_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
                Ipv6Addr::from(octets).into()
            }
            (Self::Private, IpAddr::V4(_)) => {
                let [_, b, c, d] = random.random::<[u8; 4]>();
                Ipv4Addr::new(10, b, c, d).into()
            }
            (Self::Public, IpAddr::V4(_)) => {
                let [_, b, c, d] = random.random::<[u8; 4]>();
                // First bytes of networks without special blocks (RFC 6890).
                let first = random.random_range(11..100);
                Ipv4Addr::new(first, b, c, d).into()
            }
            (Self::Private, IpAddr::V6(_)) => v6(0xfd, random),
            (Self::Public, IpAddr::V6(_)) => v6(0x2a, random),
        }
    }
}

fn v6(first: u8, random: &mut impl Rng) -> IpAddr {
    let mut octets = random.random::<[u8; 16]>();
    octets[0] = first;
    octets[1] &= 0x0f;
    Ipv6Addr::from(octets).into()
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::net::IpAddr;

    #[test]
    fn an_address_becomes_one_of_its_kind() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let cases = [
            ("192.168.1.2", Kind::Private),
            ("8.8.8.8", Kind::Public),
            ("224.0.0.251", Kind::Kept),
            ("0.0.0.0", Kind::Kept),
            ("fd00::1", Kind::Private),
            ("fe80::1", Kind::Link),
            ("ff02::fb", Kind::Kept),
            ("2001:db8::1", Kind::Public),
        ];
        for (text, kind) in cases {
            let old: IpAddr = text.parse().expect("an address");
            assert_eq!(Kind::of(old, false), kind, "{old}");
            let new = kind.draw(old, &mut random);
            assert_eq!(Kind::of(new, false), kind, "{old} became {new}");
            assert_eq!(new == old, kind == Kind::Kept, "{old} became {new}");
        }
    }

    #[test]
    fn only_the_client_of_a_benchmarking_network_becomes_private() {
        let address: IpAddr = "198.18.0.10".parse().expect("an address");
        assert_eq!(Kind::of(address, true), Kind::Private);
        assert_eq!(Kind::of(address, false), Kind::Public);
    }
}
