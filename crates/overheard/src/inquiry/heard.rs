//! A capture of a client's room, as whoever looks for texts needs it: what was sent and received, by endpoint.
//!
//! Promises: a stream that the capture's secrets open is there twice, as it was sent and as it was meant.

use crate::pipeline::name;
use overheard_dissect::payloads::{self, Payload, Way};
use overheard_dissect::{Options, copies};
use overheard_model::{Endpoint, Reading};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::net::IpAddr;
use std::path::Path;

pub struct Heard {
    reading: Reading,
    payloads: Vec<Payload>,
    names: HashMap<(IpAddr, u16), String>,
}

impl Heard {
    /// Nothing where there is no such file.
    pub fn read(path: &Path) -> Option<Self> {
        let open = || File::open(path).ok().map(BufReader::new);
        let options = Options { hash: false, ..Options::default() };
        let reading = overheard_dissect::read(open()?, path.to_string_lossy().into(), &options);
        let payloads = payloads::read(open()?).payloads;
        let named = reading.endpoints.iter();
        let names = named.map(|endpoint| ((endpoint.address, endpoint.port), name(endpoint))).collect();
        Some(Self { reading, payloads, names })
    }

    /// What the client sent, and to which endpoint.
    pub fn sent(&self) -> impl Iterator<Item = (String, &Payload)> {
        let ours = self.payloads.iter().filter(|payload| self.is_ours(payload.way.from.0));
        ours.map(|payload| (self.name(payload.way.to), payload))
    }

    /// What the client was sent, and by which endpoint.
    pub fn received(&self) -> impl Iterator<Item = (String, &Payload)> {
        let ours = self.payloads.iter().filter(|payload| self.is_ours(payload.way.to.0));
        ours.map(|payload| (self.name(payload.way.from), payload))
    }

    /// All addresses of the endpoint.
    pub fn endpoints<'a>(&'a self, called: &'a str) -> impl Iterator<Item = &'a Endpoint> {
        self.reading.endpoints.iter().filter(move |endpoint| name(endpoint) == called)
    }

    /// The Community ID of the flow.
    pub fn flow(&self, way: &Way) -> String {
        let ends = |src, dst| [(way.from, way.to), (way.to, way.from)].contains(&(src, dst));
        let mut flows = self.reading.flows.iter();
        let flow = flows.find(|flow| {
            flow.transport == way.transport && ends((flow.src, flow.src_port), (flow.dst, flow.dst_port))
        });
        flow.map(|flow| flow.community_id).unwrap_or_default()
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        self.reading.capture.local.contains(&address)
    }

    fn name(&self, remote: (IpAddr, u16)) -> String {
        self.names.get(&remote).cloned().unwrap_or_else(|| format!("{}:{}", remote.0, remote.1))
    }
}

/// Copies of at least half of the text in one piece: the texts of an inquiry share parts.
pub fn copies_of<'a>(text: &'a str, bytes: &[u8]) -> impl Iterator<Item = copies::Copy> + use<'a> {
    copies::find(text, bytes).into_iter().filter(|copy| 2 * copy.length >= text.len())
}
