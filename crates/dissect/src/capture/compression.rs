//! Compressed captures: gzip (RFC 1952) and zstd (RFC 8878), recognised by their first bytes.
//!
//! Promises: members and frames that follow each other read as one stream, as their tools write them.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

/// The source with the bytes put back that were read to recognise it.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Where the capture's bytes come from.
pub(crate) enum Source<R> {
    Plain(Whole<R>),
    Gzip(Box<MultiGzDecoder<Whole<R>>>),
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
            Some([0x1f, 0x8b, ..]) => Self::Gzip(Box::new(MultiGzDecoder::new(whole))),
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

/// Zstandard frames one after the other, skippable ones left out.
pub(crate) struct Zstd<R> {
    source: BufReader<R>,
    decoder: FrameDecoder,
    within_frame: bool,
}

impl<R: Read> Zstd<R> {
    fn new(source: R) -> Self {
        Self { source: BufReader::new(source), decoder: FrameDecoder::new(), within_frame: false }
    }

    /// A frame's magic number, or a skippable frame's.
    fn begins_with(magic: [u8; 4]) -> bool {
        magic == [0x28, 0xb5, 0x2f, 0xfd] || Self::is_skippable(magic)
    }

    fn is_skippable([low, rest @ ..]: [u8; 4]) -> bool {
        low & 0xf0 == 0x50 && rest == [0x2a, 0x4d, 0x18]
    }

    /// The decoder does not tell a source that ended from one that is damaged.
    fn explain(&mut self, error: FrameDecoderError) -> io::Error {
        match self.source.fill_buf() {
            Ok([]) => io::ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::other(error),
            Err(cause) => cause,
        }
    }

    /// Goes to the next frame; `false` at the end of the source.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let mut magic = Vec::with_capacity(4);
            (&mut self.source).take(4).read_to_end(&mut magic)?;
            if magic.is_empty() {
                return Ok(false);
            }
            let magic: [u8; 4] = magic.try_into().map_err(|_| io::ErrorKind::UnexpectedEof)?;
            if !Self::is_skippable(magic) {
                let begun = self.decoder.init(Cursor::new(magic).chain(&mut self.source));
                return begun.map(|()| true).map_err(|error| self.explain(error));
            }
            let mut length = [0; 4];
            self.source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within_frame {
                self.within_frame = self.next_frame()?;
                if !self.within_frame {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one_block = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.source, one_block);
                decoded.map_err(|error| self.explain(error))?;
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            self.within_frame = false;
        }
    }
}
