//! Flows made of packets stated by hand.

mod stream;
mod table;

use crate::flow::Record;
use crate::flow::content::Content;
use overheard_model::{NameSource, Visibility};

/// The record of a flow between two hosts, one packet each way, the first of them number `packet`.
pub(crate) fn record(src: &str, dst: &str, packet: u64) -> Record {
    table::exchange(src, dst, packet)
}

impl Record {
    /// Lets the flow have said a name.
    pub(crate) fn say(&mut self, name: &str, source: NameSource, visibility: Visibility) {
        let mut content = Content::of(None, Some(visibility));
        content.add_name(name.into(), source, self.first_packet);
        self.settle(content);
    }
}
