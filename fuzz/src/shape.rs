//! How inputs fall into parts, so that a change of one part leaves the others readable.
//!
//! For: bytes inserted into a packet would otherwise shift all packets behind it, and be lost there.
//! To extend: a function from input to [`Parts`], named in [`crate::TARGETS`].

/// An input in parts.
#[derive(Clone, Debug)]
pub struct Parts {
    pub(crate) head: Vec<u8>,
    pub(crate) parts: Vec<Part>,
    /// What follows the last whole part.
    pub(crate) tail: Vec<u8>,
    /// Writes a part's length into the bytes before it and, where the format has any, behind it.
    seal: fn(&Part, &mut Vec<u8>),
}

/// One packet, block or chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The bytes before it, in which its length stands.
    pub(crate) before: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Parts {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone();
        for part in &self.parts {
            (self.seal)(part, &mut bytes);
        }
        bytes.extend(&self.tail);
        bytes
    }
}

/// Records of a pcap (little endian, as ours are), blocks of a pcapng.
pub(crate) fn of_capture(input: &[u8]) -> Option<Parts> {
    match input.first_chunk::<4>()? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => {
            Some(parts(input, 24, record, |part, bytes| {
                let length = u32::try_from(part.body.len()).unwrap_or(0).to_le_bytes();
                bytes.extend(part.before.iter().take(8).chain(&length).chain(&length).chain(&part.body));
            }))
        }
        [0x0a, 0x0d, 0x0d, 0x0a] => Some(parts(input, 0, block, |part, bytes| {
            let length = u32::try_from(part.body.len() + 12).unwrap_or(0).to_le_bytes();
            bytes.extend(part.before.iter().take(4).chain(&length).chain(&part.body).chain(&length));
        })),
        _ => None,
    }
}

/// Chunks of a [`crate::payload::Script`].
pub(crate) fn of_payload(input: &[u8]) -> Option<Parts> {
    Some(parts(input, 3, chunk, |part, bytes| {
        let side = part.before.first().copied().unwrap_or(0) & 0x80;
        let body = part.body.get(..0x7fff).unwrap_or(&part.body);
        let [high, low] = u16::try_from(body.len()).unwrap_or(0).to_be_bytes();
        bytes.extend([side | high, low]);
        bytes.extend(body);
    }))
}

/// The lengths before, within and behind a part.
type Lengths = (usize, usize, usize);

/// Cuts parts off until `next` finds none.
fn parts(
    input: &[u8],
    head: usize,
    next: fn(&[u8]) -> Option<Lengths>,
    seal: fn(&Part, &mut Vec<u8>),
) -> Parts {
    let (head, mut rest) = input.split_at(head.min(input.len()));
    let mut parts = Vec::new();
    while let Some((before, within, behind)) = next(rest) {
        let Some(after) = rest.get(before + within + behind..) else { break };
        parts.push(Part { before: rest[..before].to_vec(), body: rest[before..before + within].to_vec() });
        rest = after;
    }
    Parts { head: head.to_vec(), parts, tail: rest.to_vec(), seal }
}

fn record(bytes: &[u8]) -> Option<Lengths> {
    let length = bytes.get(8..12)?.first_chunk::<4>()?;
    Some((16, usize::try_from(u32::from_le_bytes(*length)).ok()?, 0))
}

fn block(bytes: &[u8]) -> Option<Lengths> {
    let length = u32::from_le_bytes(*bytes.get(4..8)?.first_chunk::<4>()?);
    Some((8, usize::try_from(length).ok()?.checked_sub(12)?, 4))
}

fn chunk(bytes: &[u8]) -> Option<Lengths> {
    let [high, low] = *bytes.first_chunk::<2>()?;
    Some((2, usize::from(u16::from_be_bytes([high & 0x7f, low])), 0))
}

#[cfg(test)]
mod tests {
    use crate::TARGETS;

    #[test]
    fn what_is_put_together_again_is_what_was_taken_apart() {
        for target in &TARGETS {
            for seed in (target.seeds)() {
                if let Some(parts) = (target.shape)(&seed) {
                    assert!(parts.to_bytes() == seed, "{}: a seed of {} bytes", target.name, seed.len());
                }
            }
        }
    }
}
