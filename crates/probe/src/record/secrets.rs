//! TLS secrets in a capture, ahead of the packets that they decrypt.
//!
//! A reader that goes through a capture once, as Wireshark does, can use a secret only if its block comes before the
//! ServerHello that it belongs to. But a client knows its secrets, and logs them, only after that packet has crossed.
//! So a block of blank lines, which a key log may hold, is reserved first, and secrets are written over them as they
//! are learned. Before it is full another one is reserved, while there is still [`SPARE`] room for the connections
//! that are under way. That needs neither a second pass nor packets held back, and holds up if we are killed.
//!
//! Source: draft-ietf-opsawg-pcapng, Decryption Secrets Block; that tshark 4.0 decrypts nothing of a connection whose
//! block comes one packet after its ServerHello was tried.

use super::block;
use super::file::CaptureFile;
use super::key_log::KeyLog;
use std::collections::VecDeque;
use std::io;

/// Bytes that a block reserves, which is so large with them that packets behind it keep their place within a page
/// ([`super::file::PAGE`]). A connection of TLS 1.3 takes about 900.
const RESERVED: usize = (64 << 10) - block::AROUND_SECRETS;
/// Bytes left in a block at which the next is reserved.
const SPARE: usize = 16 << 10;

/// The blocks that secrets are written into.
#[derive(Debug)]
pub(super) struct Secrets {
    key_log: KeyLog,
    places: VecDeque<Place>,
    lines: u64,
}

/// Blank lines in the file.
#[derive(Debug)]
struct Place {
    offset: u64,
    left: usize,
}

impl Secrets {
    /// Reserves the first block.
    pub(super) fn new(key_log: KeyLog, file: &mut CaptureFile) -> io::Result<Self> {
        let mut secrets = Self { key_log, places: VecDeque::new(), lines: 0 };
        secrets.reserve(RESERVED, file)?;
        Ok(secrets)
    }

    /// Secrets that were written, one for each line of the key log.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Writes what was logged since; to be called before packets are appended.
    pub(super) fn follow(&mut self, file: &mut CaptureFile) -> io::Result<()> {
        let secrets = self.key_log.more()?;
        for line in secrets.split_inclusive(|byte| *byte == b'\n') {
            self.write(line, file)?;
        }
        match &mut self.places.make_contiguous() {
            [last] if last.left < SPARE => self.reserve(RESERVED, file),
            _ => Ok(()),
        }
    }

    fn write(&mut self, line: &[u8], file: &mut CaptureFile) -> io::Result<()> {
        while self.places.front().is_some_and(|place| place.left < line.len()) {
            self.places.pop_front();
        }
        if self.places.is_empty() {
            self.reserve(RESERVED.max(line.len()), file)?;
        }
        if let Some(place) = self.places.front_mut() {
            file.overwrite(line, place.offset)?;
            place.offset += line.len() as u64;
            place.left -= line.len();
            self.lines += 1;
        }
        Ok(())
    }

    fn reserve(&mut self, length: usize, file: &mut CaptureFile) -> io::Result<()> {
        let mut blank = Vec::new();
        block::secrets(&mut blank, &vec![b'\n'; length]);
        let offset = file.end() + block::BEFORE_SECRETS;
        file.append(&blank)?;
        self.places.push_back(Place { offset, left: length });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_block_is_reserved_while_there_is_room_in_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, capture) = (folder.path().join("keys"), folder.path().join("capture"));
        let mut file = CaptureFile::over(crate::record::create(&capture).unwrap());
        let mut secrets = Secrets::new(KeyLog::new(keys.clone()), &mut file).unwrap();
        let one = file.end();
        let line = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
        let mut log = String::new();
        while file.end() == one {
            log.push_str(&line);
            std::fs::write(&keys, &log).unwrap();
            secrets.follow(&mut file).unwrap();
        }
        assert!(log.len() < RESERVED && log.len() + SPARE > RESERVED, "{}", log.len());
        let at = usize::try_from(block::BEFORE_SECRETS).unwrap();
        let bytes = std::fs::read(&capture).unwrap();
        assert_eq!(&bytes[at..at + log.len()], log.as_bytes());
        assert_eq!(bytes[at + log.len()], b'\n');

        log.push_str(&line.repeat(SPARE / line.len() + 2));
        std::fs::write(&keys, &log).unwrap();
        secrets.follow(&mut file).unwrap();
        let bytes = std::fs::read(&capture).unwrap();
        let found = bytes.windows(line.len()).filter(|window| *window == line.as_bytes()).count();
        assert_eq!((found, secrets.lines()), (log.len() / line.len(), found as u64));
        assert_eq!(file.end(), 2 * one);
    }
}
