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

/// What a flow said. Most flows say one name, which takes no memory besides: a third of all flows say one.
#[derive(Clone, Debug, Default)]
pub(super) enum Names {
    #[default]
    None,
    One(Said),
    Several(Vec<Said>),
}

impl Names {
    pub(super) fn as_slice(&self) -> &[Said] {
        match self {
            Self::None => &[],
            Self::One(said) => std::slice::from_ref(said),
            Self::Several(said) => said,
        }
    }

    fn push(&mut self, said: Said) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(said),
            Self::One(first) => Self::Several(vec![first, said]),
            Self::Several(mut all) => {
                all.push(said);
                Self::Several(all)
            }
        };
    }

    /// Bytes held beyond the struct itself.
    fn held(&self) -> usize {
        match self {
            Self::None | Self::One(_) => 0,
            Self::Several(said) => said.capacity() * size_of::<Said>(),
        }
    }
}

const _: () = assert!(size_of::<Content>() <= 96, "every third flow has one");

/// What is known of a flow beyond its headers. Kept aside: a settled flow's packets never touch it.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) protocol: Option<Protocol>,
    pub(super) visibility: Option<Visibility>,
    /// Of the few flows that nobody recognised.
    pub(super) measure: Option<Box<Measure>>,
    pub(super) names: Names,
    /// Bytes of the names' texts.
    spelt: u32,
    pub(super) ja4: Option<(Arc<str>, Arc<str>)>,
    pub(super) gap_bytes: u64,
    pub(super) conflicting_bytes: u64,
}

impl Content {
    /// What is known of a flow whose protocol was told before.
    pub(super) fn of(protocol: Option<Protocol>, visibility: Option<Visibility>) -> Self {
        Self { protocol, visibility, ..Self::default() }
    }

    /// Whether there is more to tell than protocol and visibility.
    pub(super) fn says_more(&self) -> bool {
        let Self { protocol: _, visibility: _, measure, names, spelt: _, ja4, gap_bytes, conflicting_bytes } =
            self;
        measure.is_some()
            || !names.as_slice().is_empty()
            || ja4.is_some()
            || *gap_bytes > 0
            || *conflicting_bytes > 0
    }

    /// All that it takes, bytes; names are shared by the flows that say them, yet charged to each.
    pub(super) fn footprint(&self) -> usize {
        let measure = self.measure.as_deref().map_or(0, size_of_val);
        size_of::<Self>() + measure + self.names.held() + self.spelt as usize
    }

    pub(super) fn add_name(&mut self, name: Arc<str>, source: NameSource, packet: u64) {
        let said = self.names.as_slice();
        let known = said.iter().any(|said| said.name == name && said.source == source);
        if !known && said.len() < MAX_NAMES {
            self.spelt += name.len() as u32;
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
            self.measure = Some(Box::new(measure));
        }
    }
}
