//! Compressed captures: gzip (RFC 1952) and zstd (RFC 8878), recognised by their first bytes.
//!
//! Promises: members and frames that follow each other read as one stream, as their tools write them.
//! What comes before a damage or an early end is given; a checksum that does not match is an error.
//! In which pieces the source gives its bytes, and in which they are asked for, changes nothing.

use flate2::bufread::MultiGzDecoder;
use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::ops::Range;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

/// The source with the bytes put back that were read to recognise it.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Where the capture's bytes come from.
pub(crate) enum Source<R> {
    Plain(Whole<R>),
    Gzip(Box<Gzip<Whole<R>>>),
    Zstd(Box<Zstd<Whole<R>>>),
}

impl<R: Read> Source<R> {
    /// Recognises the compression by the first four bytes. What ails the source shows when it is read.
    pub(crate) fn new(mut source: R) -> Self {
        let mut magic = Vec::with_capacity(4);
        let sniffed = (&mut source).take(4).read_to_end(&mut magic);
        let compression = sniffed.is_ok().then(|| magic.first_chunk::<4>().copied()).flatten();
        let whole = Cursor::new(magic).chain(source);
        match compression {
            Some([0x1f, 0x8b, ..]) => Self::Gzip(Box::new(Gzip::new(whole))),
            Some(magic) if Zstd::<R>::begins_with(magic) => Self::Zstd(Box::new(Zstd::new(whole))),
            _ => Self::Plain(whole),
        }
    }

    /// What a format's name ends with: `+gzip`, `+zstd` or nothing.
    pub(crate) fn suffix(&self) -> &'static str {
        match self {
            Self::Plain(_) => "",
            Self::Gzip(_) => "+gzip",
            Self::Zstd(_) => "+zstd",
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(into),
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
        }
    }
}

impl<R> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

/// Gzip members one after the other. A call of the decoder that fails gives nothing of what it decoded: it
/// works in small steps of one size, so that little is lost, and always the same.
pub(crate) struct Gzip<R> {
    decoder: MultiGzDecoder<Blocks<R>>,
    decoded: Box<[u8; DECODED]>,
    ready: Range<usize>,
}

/// Bytes that the decoder gives in one call, at most.
const DECODED: usize = 4096;

impl<R: Read> Gzip<R> {
    fn new(source: R) -> Self {
        let decoder = MultiGzDecoder::new(Blocks { source, block: [0; _], ready: 0..0 });
        Self { decoder, decoded: Box::new([0; _]), ready: 0..0 }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.ready = 0..self.decoder.read(&mut self.decoded[..])?;
        }
        let given = (&self.decoded[self.ready.clone()]).read(into)?;
        self.ready.start += given;
        Ok(given)
    }
}

/// Gives its source in blocks of one size, but for the last.
struct Blocks<R> {
    source: R,
    block: [u8; 512],
    ready: Range<usize>,
}

impl<R: Read> BufRead for Blocks<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ready.is_empty() {
            let mut filled = 0;
            while let Some(free) = self.block.get_mut(filled..).filter(|free| !free.is_empty()) {
                match self.source.read(free) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // What came before it comes first: a source that is broken says so again.
                    Err(error) if filled == 0 => return Err(error),
                    Err(_) => break,
                }
            }
            self.ready = 0..filled;
        }
        Ok(&self.block[self.ready.clone()])
    }

    fn consume(&mut self, used: usize) {
        self.ready.start += used;
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let given = self.fill_buf()?.read(into)?;
        self.consume(given);
        Ok(given)
    }
}

/// Zstandard frames one after the other, skippable ones left out.
pub(crate) struct Zstd<R> {
    source: BufReader<R>,
    /// There from the first read on.
    decoder: Option<Decoder<'static>>,
    /// Bytes that the decoder asks for; none between frames.
    wanted: usize,
}

impl<R: Read> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source: BufReader::new(source), decoder: None, wanted: 0 }
    }

    /// A frame's magic number, or one of the skippable frames'.
    fn begins_with(magic: [u8; 4]) -> bool {
        let magic = u32::from_le_bytes(magic);
        magic == 0xfd2f_b528 || magic & 0xffff_fff0 == 0x184d_2a50
    }
}

/// How much the decoder is given at once. A call that fails gives nothing of what it decoded: so that
/// no good block goes with a bad one, each comes alone, without the next one's header.
fn portion(wanted: usize) -> usize {
    const BLOCK_HEADER: usize = 3;
    match wanted {
        0..=BLOCK_HEADER => wanted.max(1),
        block_and_header => block_and_header - BLOCK_HEADER,
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let decoder = match &mut self.decoder {
                Some(decoder) => decoder,
                none => none.insert(Decoder::new()?),
            };
            let portion = portion(self.wanted);
            let ready = self.source.fill_buf()?;
            if ready.is_empty() && self.wanted == 0 {
                return Ok(0);
            }
            let ended = ready.is_empty();
            let mut input = InBuffer::around(ready.get(..portion).unwrap_or(ready));
            let mut output = OutBuffer::around(&mut *into);
            self.wanted = decoder.run(&mut input, &mut output)?;
            let (used, written) = (input.pos(), output.pos());
            self.source.consume(used);
            if written > 0 {
                return Ok(written);
            }
            if ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
