//! What dissectors and readers are shown in their tests.

use super::{Appetite, Chunk, Notes, Opening, Reader};
use overheard_model::{Side, Timestamp, Transport};

/// What a client said last, and what the server had said before.
pub(super) fn opening<'a>(transport: Transport, dst_port: u16, src: &'a [u8], dst: &'a [u8]) -> Opening<'a> {
    Opening { transport, src_port: 40_000, dst_port, from: Side::Src, src, dst, earlier: &[] }
}

/// Bytes of one side, in the capture's first packet.
pub(super) fn chunk(transport: Transport, dst_port: u16, from: Side, bytes: &[u8]) -> Chunk<'_> {
    Chunk { transport, from, src_port: 40_000, dst_port, bytes, gap: 0, packet: 1, time: Timestamp(0) }
}

/// Lets a reader read until it is sated.
pub(super) fn read<'a>(
    reader: &mut dyn Reader,
    chunks: impl IntoIterator<Item = Chunk<'a>>,
) -> (Notes, Appetite) {
    let mut notes = Notes::default();
    let sated = chunks.into_iter().any(|chunk| reader.read(&chunk, &mut notes) == Appetite::Sated);
    (notes, if sated { Appetite::Sated } else { Appetite::More })
}
