//! What a pcapng file says beside its packets, kept within a bound of memory.

use super::Summary;
use super::options::{COMMENT, Options, padding};
use super::order::{ByteOrder, Fields};
use crate::proto::host_name;
use overheard_model::{Destination, Problem, Process};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of comments, names and secrets that are kept of one file.
const CAPACITY: usize = 16 << 20;

/// Addresses of interfaces that are kept of one file.
const MAX_ADDRESSES: usize = 256;

/// Counts what is kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: usize,
}

impl Kept {
    /// Whether `length` more bytes may be kept; reports when not.
    fn admit(&mut self, length: usize, offset: u64, summary: &mut Summary) -> bool {
        self.bytes = self.bytes.saturating_add(length.saturating_add(64));
        let fits = self.bytes <= CAPACITY;
        if !fits {
            let text =
                format!("more than {CAPACITY} bytes of comments, names and secrets; the rest is left out");
            summary.report("metadata-dropped", text, offset);
        }
        fits
    }

    /// Keeps the comments among a packet's options; one that names the process of its flow is no longer a comment.
    pub(crate) fn packet_comments(&mut self, options: Options<'_>, offset: u64, summary: &mut Summary) {
        // Of the packet that comes next.
        let packet = summary.packets + 1;
        for (_, comment) in options.filter(|(code, _)| *code == COMMENT) {
            match owner(comment) {
                Some(owner) if self.admit(comment.len(), offset, summary) => {
                    if let Some(process) = owner {
                        summary.owners.add(packet, process.into());
                    }
                }
                Some(_) => {}
                None => self.comment(comment, offset, summary),
            }
        }
    }

    /// Keeps the comments beside an interface's counts. One that says what was lost on the way is a problem; one that
    /// says to whom something was carried or not is no longer a comment.
    pub(crate) fn statistics_comments(&mut self, options: Options<'_>, offset: u64, summary: &mut Summary) {
        for (_, comment) in options.filter(|(code, _)| *code == COMMENT) {
            let said = String::from_utf8_lossy(comment);
            let fits = self.admit(comment.len(), offset, summary);
            match Remark::of(&said) {
                Remark::Uncarried(to) if fits => _ = summary.uncarried.listed.insert(to),
                // Of one that cannot be kept it is not known either.
                Remark::Uncarried(_) | Remark::PerhapsUncarried => {
                    summary.leave_attempts_open(said.into_owned(), offset);
                }
                _ if !fits => {}
                Remark::Carried(to) => _ = summary.uncarried.all_but.get_or_insert_default().insert(to),
                Remark::Lost => summary.report(Problem::PACKETS_LOST, said.into_owned(), offset),
                Remark::Other => summary.comments.push(said.into_owned()),
            }
        }
    }

    /// Keeps the comments among a block's options.
    pub(crate) fn comments(&mut self, options: Options<'_>, offset: u64, summary: &mut Summary) {
        for (_, comment) in options.filter(|(code, _)| *code == COMMENT) {
            self.comment(comment, offset, summary);
        }
    }

    fn comment(&mut self, comment: &[u8], offset: u64, summary: &mut Summary) {
        if self.admit(comment.len(), offset, summary) {
            summary.comments.push(String::from_utf8_lossy(comment).into_owned());
        }
    }

    /// Keeps the addresses among an interface's options.
    pub(crate) fn addresses(&mut self, options: Options<'_>, offset: u64, summary: &mut Summary) {
        for address in options.filter_map(|(code, value)| interface_address(code, value)) {
            if summary.addresses.contains(&address) {
                continue;
            }
            if summary.addresses.len() == MAX_ADDRESSES {
                let text = format!("more than {MAX_ADDRESSES} addresses of interfaces; the rest is left out");
                summary.report("metadata-dropped", text, offset);
                return;
            }
            summary.addresses.push(address);
        }
    }

    /// Keeps the records of a Name Resolution Block.
    pub(crate) fn names(&mut self, order: ByteOrder, body: &[u8], offset: u64, summary: &mut Summary) {
        let mut fields = Fields::new(order, body);
        while let Some((kind @ 1.., length)) = fields.u16().zip(fields.u16()) {
            let Some(value) = fields.bytes(usize::from(length)) else { break };
            let _padding = fields.bytes(padding(value.len()));
            let Some((address, names)) = name_record(kind, value) else { continue };
            for name in names.split(|byte| *byte == 0).filter_map(host_name) {
                if self.admit(name.len(), offset, summary) {
                    summary.names.push((address, name));
                }
            }
        }
    }

    /// Keeps a Decryption Secrets Block.
    pub(crate) fn secrets(&mut self, order: ByteOrder, body: &[u8], offset: u64, summary: &mut Summary) {
        let mut fields = Fields::new(order, body);
        let Some((kind, length)) = fields.u32().zip(fields.u32()) else { return };
        let Some(secrets) = fields.bytes(length as usize) else { return };
        if self.admit(secrets.len(), offset, summary) {
            summary.secrets.push((kind, secrets.to_vec()));
        }
    }
}

/// What a recording of ours says beside its counts.
enum Remark {
    /// A device did not take every packet.
    Lost,
    /// Nothing was carried there.
    Uncarried(Destination),
    /// Something was carried there; said where there are others of which the recorder does not know.
    Carried(Destination),
    /// It may be that nothing was carried to others.
    PerhapsUncarried,
    Other,
}

impl Remark {
    fn of(said: &str) -> Self {
        let to = |begins| said.strip_prefix(begins).and_then(|to| to.parse().ok());
        match (to("not carried: "), to("carried: ")) {
            (Some(to), _) => Self::Uncarried(to),
            (None, Some(to)) => Self::Carried(to),
            (None, None) if said.starts_with("perhaps not carried: ") => Self::PerhapsUncarried,
            (None, None) if said.starts_with("lost at a device") => Self::Lost,
            (None, None) => Self::Other,
        }
    }
}

/// What our own recordings write with the first packet of a flow: its process, or that it is not known.
fn owner(comment: &[u8]) -> Option<Option<Process>> {
    let said = str::from_utf8(comment.strip_prefix(b"process: ")?).ok()?;
    match said {
        "unknown" => Some(None),
        said => said.parse().ok().map(Some),
    }
}

/// An address and the length of its network: `if_IPv4addr` with a mask, `if_IPv6addr` with a number.
fn interface_address(code: u16, value: &[u8]) -> Option<IpAddr> {
    const IF_IPV4ADDR: u16 = 4;
    const IF_IPV6ADDR: u16 = 5;
    match (code, value.len()) {
        (IF_IPV4ADDR, 8) => value.first_chunk::<4>().map(|address| Ipv4Addr::from(*address).into()),
        (IF_IPV6ADDR, 17) => value.first_chunk::<16>().map(|address| Ipv6Addr::from(*address).into()),
        _ => None,
    }
}

/// The address of a name record, and its names, each ended by a zero.
fn name_record(kind: u16, value: &[u8]) -> Option<(IpAddr, &[u8])> {
    match kind {
        1 => value.split_first_chunk::<4>().map(|(a, names)| (Ipv4Addr::from(*a).into(), names)),
        2 => value.split_first_chunk::<16>().map(|(a, names)| (Ipv6Addr::from(*a).into(), names)),
        _ => None,
    }
}
