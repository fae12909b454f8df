//! HPACK (RFC 7541): a header block becomes the authority it names.
//!
//! For: the names of requests; of all other fields only their sizes matter, which decide what the table
//! still holds.
//! Promises: never panics; what is kept is bounded, however much a block unfolds to: values of authorities
//! alone, and of every other field its sizes.

use super::huffman;
use std::collections::VecDeque;

/// Authorities kept of one block, and the longest of them. A byte may stand for 4 KiB (RFC 7541 §7.3), and
/// a request has one authority, of a host name, a port and perhaps who asks.
const AUTHORITIES: usize = 8;
const LONGEST: usize = 1 << 10;

/// The table's size before anybody sets it (RFC 9113 §6.5.2), and the largest that a client may ask for:
/// servers offer 4 to 64 KiB.
const TABLE: usize = 4 << 10;
const LARGEST_TABLE: usize = 64 << 10;

/// What a field takes of the table beside name and value (RFC 7541 §4.1).
const OVERHEAD: usize = 32;

/// Names of the static table (RFC 7541 appendix A).
const STATIC: [&str; 61] = [
    ":authority",
    ":method",
    ":method",
    ":path",
    ":path",
    ":scheme",
    ":scheme",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];

/// What matters of a field's name.
#[derive(Clone, Copy, Debug)]
struct FieldName {
    length: usize,
    /// Its value is an authority.
    tells: bool,
}

impl FieldName {
    fn of(name: &[u8]) -> Self {
        Self { length: name.len(), tells: matches!(name, b":authority" | b"host") }
    }
}

/// A field of the table.
#[derive(Debug)]
struct Field {
    name: FieldName,
    /// The length of its value.
    length: usize,
    /// Its value, where that is an authority of a length that is kept.
    authority: Option<Box<[u8]>>,
}

impl Field {
    fn size(&self) -> usize {
        self.name.length + self.length + OVERHEAD
    }
}

/// The header table of one side of a connection.
#[derive(Debug)]
pub(super) struct HeaderTable {
    /// The latest first.
    fields: VecDeque<Field>,
    size: usize,
    limit: usize,
}

impl Default for HeaderTable {
    fn default() -> Self {
        Self { fields: VecDeque::new(), size: 0, limit: TABLE }
    }
}

impl HeaderTable {
    /// Values of `:authority` and `host`, in order; `None` when the block cannot be read, after which the
    /// connection's table is lost.
    pub(super) fn authorities(&mut self, mut block: &[u8]) -> Option<Vec<Box<[u8]>>> {
        let mut found = Vec::new();
        while let Some(&first) = block.first() {
            let told = match first {
                0x80.. => self.indexed(integer(&mut block, 7)?)?,
                0x40.. => {
                    let field = self.literal(&mut block, 6)?;
                    let told = field.authority.clone();
                    self.insert(field);
                    told
                }
                0x20.. => {
                    self.limit = integer(&mut block, 5).filter(|&limit| limit <= LARGEST_TABLE)?;
                    self.evict(0);
                    None
                }
                _ => self.literal(&mut block, 4)?.authority,
            };
            found.extend(told.filter(|_| found.len() < AUTHORITIES));
        }
        Some(found)
    }

    /// Bytes held beyond the struct itself.
    pub(super) fn held(&self) -> usize {
        self.fields.capacity() * size_of::<Field>() + self.size
    }

    /// A field of either table by its index, from 1 (RFC 7541 §2.3.3).
    fn dynamic(&self, index: usize) -> Option<&Field> {
        self.fields.get(index.checked_sub(STATIC.len() + 1)?)
    }

    fn name(&self, index: usize) -> Option<FieldName> {
        match STATIC.get(index.checked_sub(1)?) {
            Some(name) => Some(FieldName::of(name.as_bytes())),
            None => self.dynamic(index).map(|field| field.name),
        }
    }

    /// The authority that an indexed field tells. Those of the static table have no value.
    fn indexed(&self, index: usize) -> Option<Option<Box<[u8]>>> {
        match STATIC.get(index.checked_sub(1)?) {
            Some(_) => Some(None),
            None => self.dynamic(index).map(|field| field.authority.clone()),
        }
    }

    /// A field whose value, and perhaps name, is spelt out.
    fn literal(&self, block: &mut &[u8], prefix: u32) -> Option<Field> {
        let name = match integer(block, prefix)? {
            0 => {
                let mut spelt = Vec::new();
                let length = string(block, &mut spelt, b":authority".len())?;
                FieldName { length, tells: FieldName::of(&spelt).tells && length == spelt.len() }
            }
            index => self.name(index)?,
        };
        let mut value = Vec::new();
        let length = string(block, &mut value, if name.tells { LONGEST } else { 0 })?;
        let authority = (name.tells && length <= LONGEST).then(|| value.into_boxed_slice());
        Some(Field { name, length, authority })
    }

    fn insert(&mut self, field: Field) {
        self.evict(field.size());
        if field.size() <= self.limit {
            self.size += field.size();
            self.fields.push_front(field);
        }
    }

    /// Makes room for so many bytes, or empties the table (RFC 7541 §4.4).
    fn evict(&mut self, room: usize) {
        while self.size + room > self.limit {
            let Some(oldest) = self.fields.pop_back() else { return };
            self.size -= oldest.size();
        }
    }
}

/// Takes a string from the front; keeps the first `most` of its octets, and says how many it has.
fn string(block: &mut &[u8], kept: &mut Vec<u8>, most: usize) -> Option<usize> {
    const HUFFMAN: u8 = 0x80;
    let coded = block.first()? & HUFFMAN != 0;
    let length = integer(block, 7)?;
    let (string, rest) = block.split_at_checked(length)?;
    *block = rest;
    if !coded {
        kept.extend_from_slice(string.get(..most).unwrap_or(string));
        return Some(length);
    }
    let mut octets = 0;
    huffman::decode(string, &mut |octet| {
        octets += 1;
        kept.extend((octets <= most).then_some(octet));
    })?;
    Some(octets)
}

/// An integer of at most five octets (RFC 7541 §5.1), taken from the front.
fn integer(block: &mut &[u8], prefix: u32) -> Option<usize> {
    let (&first, mut rest) = block.split_first()?;
    let mask = (1_usize << prefix) - 1;
    let mut value = usize::from(first) & mask;
    let mut more = value == mask;
    for index in 0..4 {
        if !more {
            break;
        }
        let (&octet, after) = rest.split_first()?;
        value += usize::from(octet & 0x7f) << (7 * index);
        (more, rest) = (octet & 0x80 != 0, after);
    }
    *block = rest;
    (!more).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn authorities(table: &mut HeaderTable, block: &[u8]) -> Option<Vec<String>> {
        let found = table.authorities(block)?;
        Some(found.iter().map(|authority| String::from_utf8_lossy(authority).into_owned()).collect())
    }

    /// RFC 7541 appendix C.3.1 and C.4.1: the same request, plain and with Huffman codes.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let plain = b"\x82\x86\x84\x41\x0fwww.example.com";
        let huffman = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        for block in [&plain[..], huffman] {
            let mut table = HeaderTable::default();
            assert_eq!(authorities(&mut table, block), Some(vec!["www.example.com".to_owned()]));
            assert_eq!(table.size, 57, "as the RFC has it");
        }
    }

    /// RFC 7541 appendix C.4: three requests, the later ones by the table.
    #[test]
    fn the_table_is_kept_between_blocks() {
        let mut table = HeaderTable::default();
        let blocks: [&[u8]; 3] = [
            b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
            b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
            b"\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
        ];
        for (block, size) in blocks.into_iter().zip([57, 110, 164]) {
            assert_eq!(authorities(&mut table, block), Some(vec!["www.example.com".to_owned()]));
            assert_eq!(table.size, size);
        }
        assert_eq!(authorities(&mut table, b"\x20\xbe"), None, "a size of nothing empties the table");
    }

    #[test]
    fn what_is_larger_than_the_table_empties_it() {
        let mut table = HeaderTable::default();
        authorities(&mut table, b"\x41\x01a").unwrap();
        let long = [&b"\x40\x01x\x7f\x81\x1f"[..], &[b'y'; 4096]].concat();
        assert_eq!(authorities(&mut table, &long), Some(vec![]));
        assert_eq!((table.fields.len(), table.size), (0, 0));
    }

    #[test]
    fn a_name_is_read_however_it_is_spelt() {
        for (block, expected) in [
            (&b"\x00\x04host\x01a"[..], &["a"][..]),
            (b"\x00\x05hosts\x01a", &[]),
            (b"\x10\x0a:authority\x01b", &["b"]),
        ] {
            assert_eq!(authorities(&mut HeaderTable::default(), block).unwrap(), expected);
        }
        let long = [&b"\x00\x10:authority-extra\x01a"[..]].concat();
        assert_eq!(authorities(&mut HeaderTable::default(), &long), Some(vec![]));
    }

    /// RFC 7541 appendix C.1.2: 1337 with a prefix of five bits.
    #[test]
    fn integers_are_read() {
        let mut bytes: &[u8] = &[0x1f, 0x9a, 0x0a, 7];
        assert_eq!(integer(&mut bytes, 5), Some(1337));
        assert_eq!(bytes, [7]);
        assert_eq!(integer(&mut &[0x1f, 0xff, 0xff, 0xff, 0xff, 0][..], 5), None);
    }

    #[test]
    fn what_the_rfc_calls_an_error_is_refused() {
        for block in
            [&[0x3f][..], &[0x3f, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x3f, 0xff, 0xff, 0x7f], &[0x80], &[0xbe]]
        {
            assert_eq!(authorities(&mut HeaderTable::default(), block), None, "{block:?}");
        }
    }

    proptest! {
        #[test]
        fn no_block_panics_and_the_table_keeps_its_limit(
            blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 1..8),
        ) {
            let mut table = HeaderTable::default();
            for block in blocks {
                let _ = table.authorities(&block);
                prop_assert!(table.size <= table.limit && table.limit <= LARGEST_TABLE);
                prop_assert_eq!(table.size, table.fields.iter().map(Field::size).sum::<usize>());
            }
        }
    }
}
