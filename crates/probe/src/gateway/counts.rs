//! What crossed, and what was not let through.
//!
//! Promises: every denied packet is counted in its class; the list of where they were bound for is bounded by
//! [`Counts::MOST`], beyond which only the class counts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Direction;
use crate::confine::Class;

/// Packets and bytes are those of IP at the room's device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub packets_out: u64,
    pub packets_in: u64,
    pub bytes_out: u64,
    pub bytes_in: u64,
    /// Packets that were recorded and went no further: of a protocol, or to an address, that is not carried.
    pub dropped: u64,
    /// Packets of the app that were recorded and did not arrive: the lobby's device did not take them.
    pub lost_out: u64,
    /// Packets for the app that its device did not take: they did not cross, and were not recorded.
    pub lost_in: u64,
    /// Connections and associations for which the proxy could not be reached or refused its service.
    pub proxy_failures: u64,
    /// Connections that were made or refused by their server: whatever carries them out was at work.
    pub answered: u64,
    /// Packets that the policy denied.
    pub denied: BTreeMap<Class, u64>,
    /// The same by where they were bound for.
    pub attempts: BTreeMap<Attempt, u64>,
}

/// Where a denied packet was bound for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    pub class: Class,
    /// The IP protocol number.
    pub protocol: u8,
    pub address: IpAddr,
    /// Zero where the protocol has none.
    pub port: u16,
}

impl Counts {
    pub const MOST: usize = 65_536;

    pub fn packets(&self) -> u64 {
        self.packets_out + self.packets_in
    }

    pub fn bytes(&self) -> u64 {
        self.bytes_out + self.bytes_in
    }

    /// What whoever reads the recording must know beside it; nothing on an ordinary day.
    pub fn remark(&self) -> Option<String> {
        let Self { lost_out, lost_in, .. } = self;
        (lost_out + lost_in > 0).then(|| {
            format!(
                "lost at a device, as on any wire: outbound {lost_out} (recorded, but not arrived), inbound {lost_in} (not \
                 recorded, since they did not cross)"
            )
        })
    }

    /// A device did not take it.
    pub(super) fn lost(&mut self, direction: Direction) {
        match direction {
            Direction::Outbound => self.lost_out += 1,
            Direction::Inbound => self.lost_in += 1,
        }
    }

    pub(super) fn crossed(&mut self, direction: Direction, length: usize) {
        let (packets, bytes) = match direction {
            Direction::Outbound => (&mut self.packets_out, &mut self.bytes_out),
            Direction::Inbound => (&mut self.packets_in, &mut self.bytes_in),
        };
        *packets += 1;
        *bytes += length as u64;
    }

    pub(super) fn denied(&mut self, attempt: Attempt) {
        *self.denied.entry(attempt.class).or_default() += 1;
        if self.attempts.len() < Self::MOST || self.attempts.contains_key(&attempt) {
            *self.attempts.entry(attempt).or_default() += 1;
        }
    }
}
