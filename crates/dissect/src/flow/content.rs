//! What a flow's payload showed.

use overheard_model::{Measure, NameSource, Protocol, Visibility};
use std::sync::Arc;

/// A name that the flow said of its responder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) name: Arc<str>,
    pub(super) source: NameSource,
    pub(super) packet: u64,
}

/// Names kept of one flow; a flow that says more says nothing new.
const MAX_NAMES: usize = 256;

/// What is known of a flow beyond its headers. Kept aside: a settled flow's packets never touch it.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) protocol: Option<Protocol>,
    pub(super) visibility: Option<Visibility>,
    pub(super) measure: Option<Measure>,
    pub(super) names: Vec<Said>,
    /// Bytes of `names` beyond the vector.
    spelt: usize,
    pub(super) ja4: Option<(Arc<str>, Arc<str>)>,
    pub(super) gap_bytes: u64,
    pub(super) conflicting_bytes: u64,
}

impl Content {
    /// All that it takes, bytes.
    pub(super) fn footprint(&self) -> usize {
        size_of::<Self>() + self.names.capacity() * size_of::<Said>() + self.spelt
    }

    pub(super) fn add_name(&mut self, name: Arc<str>, source: NameSource, packet: u64) {
        let known = self.names.iter().any(|said| said.name == name && said.source == source);
        if !known && self.names.len() < MAX_NAMES {
            self.spelt += name.len();
            self.names.push(Said { name, source, packet });
        }
    }

    /// A recognised protocol stands; a judgement of unknown bytes gives way to it.
    pub(super) fn recognised(&mut self, protocol: Protocol, visibility: Visibility) {
        if self.protocol.is_none() || self.measure.is_some() {
            self.protocol = Some(protocol);
            self.visibility = Some(visibility);
            self.measure = None;
        }
    }

    /// Unknown bytes, measured; says nothing where a protocol was recognised before.
    pub(super) fn measured(&mut self, said: [&[u8]; 2]) {
        if self.protocol.is_none() && said.iter().any(|bytes| !bytes.is_empty()) {
            let (measure, protocol, visibility) = super::measure::judge(said);
            self.protocol = Some(protocol);
            self.visibility = Some(visibility);
            self.measure = Some(measure);
        }
    }
}
