//! The flows of a reading: many, and most of them never shown.
//!
//! For: keeping a flow in whatever form is small where it was made (a record of the reader's, a row of
//! a kept study), and making a [`Flow`] of it only when somebody asks.
//! Promises: a flow is told alike however often it is asked for; serialises as the plain list of flows.
//! To extend: whoever keeps flows in a form of its own implements [`Tell`].

use crate::{Flow, Place, Process};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Debug;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// Whoever keeps flows and can tell each of them, by its index from 0.
pub trait Tell: Debug + Send + Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// A flow as it was read; nothing from [`Tell::len`] on, and where it cannot be told.
    fn tell(&self, index: usize) -> Option<Flow>;

    /// The process that a flow belongs to, where it is known. To be answered by itself where a whole flow costs more.
    fn process(&self, index: usize) -> Option<Arc<Process>> {
        self.tell(index)?.process
    }

    /// What kept a flow from being told so far, such as a damaged file.
    fn failure(&self) -> Option<String> {
        None
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tell for Vec<Flow> {
    fn len(&self) -> usize {
        self.len()
    }

    fn tell(&self, index: usize) -> Option<Flow> {
        self.get(index).cloned()
    }

    fn process(&self, index: usize) -> Option<Arc<Process>> {
        self.get(index)?.process.clone()
    }
}

/// Flows that were counted and not kept.
#[derive(Debug)]
struct Untold(usize);

impl Tell for Untold {
    fn len(&self) -> usize {
        self.0
    }

    fn tell(&self, _: usize) -> Option<Flow> {
        None
    }
}

/// Flows, told one at a time: a full [`Flow`] takes about a kilobyte, what it is told from a tenth.
/// Cloning copies none of them.
#[derive(Clone, Debug)]
pub struct Flows {
    told_by: Arc<dyn Tell>,
    /// Sorted by remote address; they may cover more than these flows.
    places: Arc<[(IpAddr, Arc<Place>)]>,
}

impl Flows {
    pub fn new(told_by: impl Tell + 'static) -> Self {
        Self { told_by: Arc::new(told_by), places: Arc::default() }
    }

    /// So many, none of which can be told.
    pub fn untold(flows: usize) -> Self {
        Self::new(Untold(flows))
    }

    /// From now on every flow whose remote address is among these, which are sorted, is told with its
    /// place.
    pub fn set_places(&mut self, places: Arc<[(IpAddr, Arc<Place>)]>) {
        self.places = places;
    }

    pub fn len(&self) -> usize {
        self.told_by.len()
    }

    pub fn is_empty(&self) -> bool {
        self.told_by.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<Flow> {
        let flow = self.told_by.tell(index)?;
        let remote = flow.remote().0;
        let Ok(at) = self.places.binary_search_by_key(&remote, |(address, _)| *address) else {
            return Some(flow);
        };
        let place = &self.places[at].1;
        Some(Flow { country: place.label().map(Arc::from), asn: place.asn(), ..flow })
    }

    /// The process that a flow belongs to, where it is known: cheaper than the flow.
    pub fn process(&self, index: usize) -> Option<Arc<Process>> {
        self.told_by.process(index)
    }

    /// What kept a flow from being told so far, such as a damaged file.
    pub fn failure(&self) -> Option<String> {
        self.told_by.failure()
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { flows: self, indices: 0..self.len() }
    }
}

/// The flows in order, made as they are asked for; it ends early where one cannot be told.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    flows: &'a Flows,
    indices: Range<usize>,
}

impl Iterator for Iter<'_> {
    type Item = Flow;

    fn next(&mut self) -> Option<Flow> {
        self.flows.get(self.indices.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.indices.len()))
    }
}

impl<'a> IntoIterator for &'a Flows {
    type Item = Flow;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Default for Flows {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<Flow>> for Flows {
    fn from(flows: Vec<Flow>) -> Self {
        Self::new(flows)
    }
}

impl FromIterator<Flow> for Flows {
    fn from_iter<I: IntoIterator<Item = Flow>>(flows: I) -> Self {
        flows.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Flows {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl Serialize for Flows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Flows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Flow>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Asn, BeganBy, Claim, FlowState, Protocol, Side, Timestamp, Transport, Visibility};

    fn flow(dst: [u8; 4]) -> Flow {
        Flow {
            capture: "test".into(),
            transport: Transport::Udp,
            src: [10, 0, 0, 1].into(),
            src_port: 40_000,
            dst: dst.into(),
            dst_port: 3478,
            began_by: BeganBy::FirstPacket,
            ours: Side::Src,
            state: FlowState::Unanswered,
            packets_out: 1,
            packets_in: 0,
            bytes_out: 60,
            bytes_in: 0,
            first: Timestamp(0),
            last: Timestamp(0),
            first_packet: 1,
            last_packet: 1,
            retransmissions: 0,
            gap_bytes: 0,
            conflicting_bytes: 0,
            rtt_ms: None,
            names: Vec::new(),
            protocol: Protocol::Stun,
            measure: None,
            visibility: Visibility::Unknown,
            ja4: None,
            ja4_normalised: None,
            community_id: String::new(),
            tunnel: None,
            country: None,
            asn: None,
            process: None,
        }
    }

    #[test]
    fn a_flow_is_told_with_the_place_of_its_remote_end() {
        let kept = vec![flow([198, 51, 100, 1]), flow([198, 51, 100, 2])];
        let mut flows = Flows::from(kept.clone());
        assert_eq!(flows.iter().collect::<Vec<_>>(), kept, "without places, as kept");
        let (source, country) = ("test".into(), "LU".parse().ok());
        let claim = Claim { source, country, asn: Some(Asn(64_496)), network: None };
        let known = Place { claims: [claim].into(), ..Place::default() };
        flows.set_places([([198, 51, 100, 2].into(), Arc::new(known))].into());
        let told: Vec<_> = flows.iter().map(|flow| (flow.country, flow.asn)).collect();
        assert_eq!(told, [(None, None), (Some("LU".into()), Some(Asn(64_496)))]);
        assert_eq!((flows.len(), flows.get(2)), (2, None));
        assert_ne!(flows, Flows::from(kept), "places count");
    }
}
