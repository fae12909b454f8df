//! A reader of pcapng, small enough to be checked against the draft by eye, and independent of the writer.
//!
//! Source: draft-ietf-opsawg-pcapng, figures 1 to 16. Refuses by panicking whatever the draft does not allow.

/// A block between its two lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub kind: u32,
    pub body: Vec<u8>,
}

/// A packet as its Enhanced Packet Block gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    pub nanos: u64,
    pub bytes: Vec<u8>,
    pub options: Vec<(u16, Vec<u8>)>,
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

/// All whole blocks; a block that is cut off ends the reading.
pub fn blocks(mut file: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    while file.len() >= 12 && file.len() >= u32_at(file, 4) as usize {
        let (kind, length) = (u32_at(file, 0), u32_at(file, 4) as usize);
        assert!(length >= 12 && length.is_multiple_of(4), "block of {length} bytes");
        assert_eq!(u32_at(file, length - 4) as usize, length, "both lengths");
        blocks.push(Block { kind, body: file[8..length - 4].to_vec() });
        file = &file[length..];
    }
    blocks
}

/// Options up to the end mark, which must be the last; a block may have none.
pub fn options(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut options = Vec::new();
    if bytes.is_empty() {
        return options;
    }
    loop {
        let (code, length) = (u16_at(bytes, 0), usize::from(u16_at(bytes, 2)));
        let padded = 4 + length.next_multiple_of(4);
        if code == 0 {
            assert_eq!((length, bytes.len()), (0, 4), "end of options");
            return options;
        }
        options.push((code, bytes[4..4 + length].to_vec()));
        bytes = &bytes[padded..];
    }
}

pub fn packets(blocks: &[Block]) -> Vec<Packet> {
    let packet = |Block { body, .. }: &Block| {
        let captured = u32_at(body, 12) as usize;
        assert_eq!(
            (u32_at(body, 0), u32_at(body, 16) as usize),
            (0, captured),
            "interface 0, nothing cut off"
        );
        Packet {
            nanos: u64::from(u32_at(body, 4)) << 32 | u64::from(u32_at(body, 8)),
            bytes: body[20..20 + captured].to_vec(),
            options: options(&body[20 + captured.next_multiple_of(4)..]),
        }
    };
    blocks.iter().filter(|block| block.kind == 6).map(packet).collect()
}

/// The number in the option with this code of the statistics at the file's end.
pub fn count(blocks: &[Block], code: u16) -> u64 {
    let Block { kind, body } = blocks.last().unwrap();
    assert_eq!(*kind, 5, "statistics are the last block");
    let (_, value) = options(&body[12..]).into_iter().find(|(option, _)| *option == code).unwrap();
    u64::from_le_bytes(value.try_into().unwrap())
}
