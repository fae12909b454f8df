//! An XML stream of XMPP (RFC 6120, 4): opened, secured, opened anew.

use super::element::{Element, Growing, Grown, escaped};
use crate::account::fault::line;
use crate::account::wire::{Writer, lost, secure};
use crate::account::{Fault, Roots, Wire};
use rxml::AsyncReader;
use std::fmt;
use tokio::io::{BufReader, ReadHalf, split};

const STREAMS: &str = "http://etherx.jabber.org/streams";

pub(super) struct Stream {
    reader: AsyncReader<BufReader<ReadHalf<Box<dyn Wire>>>>,
    growing: Growing,
    writer: Writer,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(wire: Box<dyn Wire>) -> Self {
        let (reader, writer) = split(wire);
        Self {
            reader: AsyncReader::new(BufReader::new(reader)),
            growing: Growing::default(),
            writer: Writer::new(writer),
        }
    }

    /// Begins the stream, anew after a login, and returns what the server offers.
    pub(super) async fn open(self, domain: &str) -> Result<(Self, Element), Fault> {
        let (reader, _) = self.reader.into_inner();
        let (growing, writer) = (Growing::default(), self.writer);
        let mut stream = Self { reader: AsyncReader::new(reader), growing, writer };
        let domain = escaped(domain);
        stream.put(&format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xml:lang='en' xmlns='jabber:client' \
             xmlns:stream='{STREAMS}'>"
        ));
        let features = stream.read().await?;
        if !features.is("features", STREAMS) {
            return Err(Fault::Lost("the server speaks no XMPP 1.0".into()));
        }
        Ok((stream, features))
    }

    /// Goes on in TLS. What came before, unread, is nothing that can be believed.
    pub(super) async fn secure(self, name: &str, roots: &Roots) -> Result<Self, Fault> {
        let (reader, _) = self.reader.into_inner();
        let wire = reader.into_inner().unsplit(self.writer.into_half());
        Ok(Self::new(Box::new(secure(wire, name, roots).await?)))
    }

    pub(super) fn put(&mut self, xml: &str) {
        self.writer.put(xml);
    }

    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        self.writer.flush().await
    }

    /// The next whole element. An error of the stream, and its end, are faults.
    pub(super) async fn read(&mut self) -> Result<Element, Fault> {
        loop {
            self.writer.flush().await?;
            let Some(event) = self.reader.read().await.map_err(lost)? else { return Err(closed()) };
            match self.growing.grow(event) {
                None | Some(Grown::Opened) => {}
                Some(Grown::Whole(element)) if element.is("error", STREAMS) => {
                    return Err(Fault::Lost(condition(&element)));
                }
                Some(Grown::Whole(element)) => return Ok(element),
                Some(Grown::Ended) => return Err(closed()),
                Some(Grown::TooLarge) => {
                    return Err(Fault::Lost("the server sent an endless element".into()));
                }
            }
        }
    }

    pub(super) async fn close(mut self) {
        self.put("</stream:stream>");
        let _ = self.flush().await;
        self.writer.close().await;
    }
}

fn closed() -> Fault {
    Fault::Lost("the server closed it".into())
}

/// What an error says: its condition, and the text beside it.
pub(super) fn condition(error: &Element) -> String {
    let name = error.children.iter().map(|child| child.name.as_str()).find(|name| *name != "text");
    let text = error.child("text").map(|text| line(&text.text)).filter(|text| !text.is_empty());
    [name.unwrap_or("error").to_owned()].into_iter().chain(text).collect::<Vec<_>>().join(": ")
}
