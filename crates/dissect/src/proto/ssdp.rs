//! SSDP (UPnP Device Architecture 2.0 §1): HTTP's form over multicast datagrams.

use super::http::{HttpReader, judge, may_begin};
use super::lines::{begins, holds};
use super::{Appetite, Chunk, Dissector, Notes, Opening, Reader, Recognition};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Ssdp;

impl Dissector for Ssdp {
    fn protocol(&self) -> Protocol {
        Protocol::Ssdp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        let bytes = opening.latest();
        let form = opening.transport == Transport::Udp && judge(bytes) == Recognition::Yes;
        let search = begins(bytes, b"M-SEARCH ") || begins(bytes, b"NOTIFY ");
        (form && (opening.on_port(1900) || search || holds(bytes, b"\nUSN:"))).into()
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Udp && may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(SsdpReader))
    }
}

struct SsdpReader;

impl Reader for SsdpReader {
    fn read(&mut self, chunk: &Chunk<'_>, notes: &mut Notes) -> Appetite {
        HttpReader::default().read(chunk, notes);
        if notes.names.is_empty() { Appetite::More } else { Appetite::Sated }
    }

    fn held(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{chunk, opening};
    use super::*;
    use overheard_model::Side;

    #[test]
    fn a_search_is_recognised_and_its_host_read() {
        let bytes = b"M-SEARCH * HTTP/1.1\r\nHost:239.255.255.250:1900\r\nST:upnp:rootdevice\r\n\r\n";
        assert_eq!(Ssdp.recognise(&opening(Transport::Udp, 1900, bytes, &[])), Recognition::Yes);
        let chunk = chunk(Transport::Udp, 1900, Side::Src, bytes);
        let mut notes = Notes::default();
        assert_eq!(SsdpReader.read(&chunk, &mut notes), Appetite::Sated);
        assert_eq!(&*notes.names[0].0, "239.255.255.250");
    }
}
