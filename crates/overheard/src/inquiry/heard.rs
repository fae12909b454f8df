//! A capture of a client's room, as whoever looks for texts needs it: what was sent and received, by endpoint.
//!
//! Promises: a stream that the capture's secrets open is there twice, as it was sent and as it was meant.

use crate::pipeline::name;
use overheard_dissect::payloads::{Payload, Payloads, Way};
use overheard_dissect::{Options, copies, read_with_payloads};
use overheard_model::{Endpoint, Flow, Reading, Searched, Visibility};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::net::IpAddr;
use std::path::Path;

pub struct Heard {
    reading: Reading,
    said: Payloads,
    names: HashMap<(IpAddr, u16), String>,
}

impl Heard {
    /// Nothing where there is no such file.
    pub fn read(path: &Path) -> Option<Self> {
        let source = BufReader::new(File::open(path).ok()?);
        let options = Options { hash: false, ..Options::default() };
        let (reading, said) = read_with_payloads(source, path.to_string_lossy().into(), &options);
        let named = reading.endpoints.iter();
        let names = named.map(|endpoint| ((endpoint.address, endpoint.port), name(endpoint))).collect();
        Some(Self { reading, said, names })
    }

    /// What the client sent, and to which endpoint.
    pub fn sent(&self) -> impl Iterator<Item = (String, &Payload)> {
        let ours = self.said.payloads.iter().filter(|payload| self.is_ours(payload.way.from.0));
        ours.map(|payload| (self.name(payload.way.to), payload))
    }

    /// What the client was sent, and by which endpoint.
    pub fn received(&self) -> impl Iterator<Item = (String, &Payload)> {
        let ours = self.said.payloads.iter().filter(|payload| self.is_ours(payload.way.to.0));
        ours.map(|payload| (self.name(payload.way.from), payload))
    }

    /// How much of what the client sent can be searched: not what TLS keeps closed, nor what another protocol encrypts, nor
    /// what was too much to keep.
    pub fn searched(&self) -> Searched {
        let sent = self.sent().map(|(_, payload)| payload).filter(|payload| !payload.decrypted);
        let left_out = self.said.left_out.iter().filter(|(way, _)| self.is_ours(way.from.0));
        let left_out = left_out.map(|(_, bytes)| bytes).sum();
        let mut searched = Searched { sent: left_out, sealed: 0, left_out };
        let mut ways = Vec::new();
        for payload in sent {
            let bytes = payload.bytes.len() as u64;
            searched.sent += bytes;
            match self.said.sealed.get(&payload.way) {
                // Of all streams of a port that was used again.
                Some(sealed) if !ways.contains(&payload.way) => {
                    ways.push(payload.way);
                    searched.sealed += sealed;
                }
                Some(_) => {}
                None if self.is_closed(&payload.way) => searched.sealed += bytes,
                None => {}
            }
        }
        searched
    }

    /// All addresses of the endpoint.
    pub fn endpoints<'a>(&'a self, called: &'a str) -> impl Iterator<Item = &'a Endpoint> {
        self.reading.endpoints.iter().filter(move |endpoint| name(endpoint) == called)
    }

    /// The Community ID of the flow.
    pub fn flow(&self, way: &Way) -> String {
        self.flow_of(way).map(|flow| flow.community_id).unwrap_or_default()
    }

    fn flow_of(&self, way: &Way) -> Option<Flow> {
        let ends = |src, dst| [(way.from, way.to), (way.to, way.from)].contains(&(src, dst));
        let mut flows = self.reading.flows.iter();
        flows.find(|flow| {
            flow.transport == way.transport && ends((flow.src, flow.src_port), (flow.dst, flow.dst_port))
        })
    }

    /// Whether a protocol encrypts it that no secret opens.
    fn is_closed(&self, way: &Way) -> bool {
        let opened = || self.said.payloads.iter().any(|payload| payload.decrypted && payload.way == *way);
        self.flow_of(way).is_some_and(|flow| flow.visibility == Visibility::Encrypted) && !opened()
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
