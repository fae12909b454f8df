//! What crossed, and what was not let through.
//!
//! Promises: every denied packet is counted in its class; the list of where they were bound for is bounded by
//! [`Counts::MOST`], beyond which only the class counts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use overheard_model::{Destination, Uncarried};

use super::Direction;
use super::upstream::ProxyFault;
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
    /// Connections, and associations for datagrams, that were asked of the upstream.
    pub asked: u64,
    /// Those among them that were made, or not for a reason of their server's: whatever carries them out was at work.
    pub answered: u64,
    /// Those that the proxy did not carry, by why.
    pub proxy_faults: BTreeMap<ProxyFault, u64>,
    /// To whom the app sent something and nothing was carried; told once the gateway has ended.
    pub uncarried: Uncarried,
    /// Packets to destinations beyond those that are told apart.
    pub uncarried_beyond: u64,
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
    pub fn remarks(&self) -> Vec<String> {
        let Self { lost_out, lost_in, uncarried_beyond: beyond, .. } = self;
        let lost = (lost_out + lost_in > 0).then(|| {
            format!(
                "lost at a device, as on any wire: outbound {lost_out} (recorded, but not arrived), inbound {lost_in} (not \
                 recorded, since they did not cross)"
            )
        });
        let further =
            (*beyond > 0).then(|| format!("perhaps not carried: {beyond} packets to further places"));
        let each = |word: &'static str, of: &BTreeSet<Destination>| -> Vec<String> {
            of.iter().map(|to| format!("{word}: {to}")).collect()
        };
        let uncarried = each("not carried", &self.uncarried.listed);
        let carried = self.uncarried.all_but.iter().flat_map(|carried| each("carried", carried));
        lost.into_iter().chain(further).chain(uncarried).chain(carried).collect()
    }

    /// Connections and associations that the proxy did not carry, or has not answered, by why, in words.
    pub fn unserved(&self) -> BTreeMap<String, u64> {
        let faults = self.proxy_faults.iter().map(|(fault, times)| (fault.to_string(), *times));
        let known = self.answered + self.proxy_faults.values().sum::<u64>();
        let waiting = Some(self.asked.saturating_sub(known)).filter(|waiting| *waiting > 0);
        faults.chain(waiting.map(|waiting| ("it had not answered by then".into(), waiting))).collect()
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
