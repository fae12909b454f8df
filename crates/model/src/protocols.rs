//! A set of protocols, such as those of an endpoint's flows: a bit each, since endpoints are many.
//!
//! Promises: sorted, without repeats; serialises as the plain list.

use crate::Protocol;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Protocols, each once, in the order of [`Protocol`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Protocols(u64);

const _: () = assert!(Protocol::ALL.len() <= u64::BITS as usize);

impl Protocols {
    pub fn insert(&mut self, protocol: Protocol) {
        self.0 |= bit(protocol);
    }

    pub fn contains(self, protocol: Protocol) -> bool {
        self.0 & bit(protocol) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL.into_iter().filter(move |&protocol| self.contains(protocol))
    }
}

fn bit(protocol: Protocol) -> u64 {
    1 << protocol as u8
}

impl FromIterator<Protocol> for Protocols {
    fn from_iter<I: IntoIterator<Item = Protocol>>(protocols: I) -> Self {
        Self(protocols.into_iter().fold(0, |set, protocol| set | bit(protocol)))
    }
}

impl<const N: usize> From<[Protocol; N]> for Protocols {
    fn from(protocols: [Protocol; N]) -> Self {
        protocols.into_iter().collect()
    }
}

/// Their names, with a space between.
impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, protocol) in self.iter().enumerate() {
            let space = if at > 0 { " " } else { "" };
            write!(f, "{space}{protocol}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Protocols {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As a whole, so that a format that counts is told how many there are.
        self.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Protocols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Protocol>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_protocols_are_in_their_order() {
        assert!(Protocol::ALL.iter().enumerate().all(|(at, &protocol)| protocol as usize == at));
        assert!(Protocol::ALL.iter().copied().eq(Protocols::from(Protocol::ALL).iter()));
    }

    #[test]
    fn each_is_kept_once_and_in_order() {
        let mut set = Protocols::from([Protocol::Http, Protocol::Tls]);
        set.insert(Protocol::Http);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Protocol::Tls, Protocol::Http]);
        assert!(!set.contains(Protocol::Quic));
        assert_eq!(set.to_string(), "tls http");
    }
}
