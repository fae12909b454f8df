//! The file that a recording grows in.
//!
//! Much at once is written past the page cache (`O_DIRECT`) where the file system can: few read a capture while it grows,
//! and filling fresh pages costs up to twenty times as much (`docs/performance.md`). That wants bytes that lie within
//! pages of memory as they will within those of the file; the rest goes the usual way.
//! Promises: the file holds whole blocks at any instant, but for one that is being written, which every reader of the
//! format tolerates at the end; what could not be written leaves nothing behind; others may not read it, since
//! captures hold people's secrets.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::uio::pwrite;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What `O_DIRECT` asks of places and lengths, bytes: as much as any disk that is in use, and mostly more.
pub(super) const PAGE: usize = 4096;
/// Bytes that are worth a direct write: it takes as long as the disk does.
const MUCH: usize = 128 << 10;

/// A file of which we know where its last whole block ends.
#[derive(Debug)]
pub(super) struct CaptureFile {
    file: File,
    end: u64,
    /// Whether the file system has not refused yet.
    direct: bool,
}

impl CaptureFile {
    /// An empty file.
    pub(super) fn over(file: File) -> Self {
        Self { file, end: 0, direct: true }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds whole blocks; all or none of them.
    pub(super) fn append(&mut self, blocks: &[u8]) -> io::Result<()> {
        let written = match self.pages(blocks) {
            Some((head, pages, tail)) => self.write_pages(head, pages, tail),
            None => self.file.write_all_at(blocks, self.end),
        };
        match written {
            Ok(()) => self.end += blocks.len() as u64,
            Err(error) => {
                // Where even this fails, the next write begins at the same place all the same.
                let _ = self.file.set_len(self.end);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The bytes before, in and behind whole pages of the file, if those can go there directly.
    fn pages<'a>(&self, blocks: &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
        let head = (self.end.next_multiple_of(PAGE as u64) - self.end) as usize;
        let (head, rest) = blocks.split_at_checked(head)?;
        let fits = self.direct && rest.len() >= MUCH && rest.as_ptr().align_offset(PAGE) == 0;
        let (pages, tail) = rest.split_at(rest.len() / PAGE * PAGE);
        fits.then_some((head, pages, tail))
    }

    fn write_pages(&mut self, head: &[u8], pages: &[u8], tail: &[u8]) -> io::Result<()> {
        self.file.write_all_at(head, self.end)?;
        let at = self.end + head.len() as u64;
        let written = self.write_directly(pages, at)?;
        self.file.write_all_at(&pages[written..], at + written as u64)?;
        self.file.write_all_at(tail, at + pages.len() as u64)
    }

    /// Gives how much of it was written: nothing where the file system refuses.
    fn write_directly(&mut self, pages: &[u8], at: u64) -> io::Result<usize> {
        let flags = OFlag::from_bits_retain(fcntl(&self.file, FcntlArg::F_GETFL)?);
        if fcntl(&self.file, FcntlArg::F_SETFL(flags | OFlag::O_DIRECT)).is_err() {
            self.direct = false;
            return Ok(0);
        }
        let at = i64::try_from(at).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let written = pwrite(&self.file, pages, at);
        fcntl(&self.file, FcntlArg::F_SETFL(flags))?;
        // What is wrong with the disk shows where the rest is written the usual way.
        self.direct = written.is_ok();
        Ok(written.unwrap_or(0))
    }

    /// Writes over what was appended before.
    pub(super) fn overwrite(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }
}

/// A new file, readable by its owner alone; one that is there already is left alone, and an error.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_lie_one_behind_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let mut file = CaptureFile::over(create(&path).unwrap());
        file.append(b"one").unwrap();
        file.append(b"three").unwrap();
        assert_eq!(file.end(), 8);
        assert_eq!(std::fs::read(&path).unwrap(), b"onethree");
    }

    /// Whether the file system takes them directly or not.
    #[test]
    fn many_pages_lie_where_few_bytes_would() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let mut file = CaptureFile::over(create(&path).unwrap());
        let mut expected = Vec::new();
        for length in [3, MUCH, 0, 5000, 3 * MUCH + 17, MUCH + PAGE, 1, 2 * MUCH] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ length as u8).collect();
            let mut memory = vec![0; length + 2 * PAGE];
            let start = memory.as_ptr().align_offset(PAGE) + file.end() as usize % PAGE;
            memory[start..][..length].copy_from_slice(&bytes);
            file.append(&memory[start..][..length]).unwrap();
            expected.extend(bytes);
            assert!(std::fs::read(&path).unwrap() == expected, "{length}");
        }
        assert_eq!(file.end() as usize, expected.len());
    }
}
