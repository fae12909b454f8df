//! Flows made of packets stated by hand.

mod stream;
mod table;

use overheard_model::Flow;

/// A flow between two hosts, one packet each way, the first of them number `packet`.
pub(crate) fn flow(src: &str, dst: &str, packet: u64) -> Flow {
    table::exchange(src, dst, packet)
}
