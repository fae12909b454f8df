//! The file that a recording grows in.
//!
//! Many bytes at once go past the page cache (O_DIRECT): the disk fetches them from where they lie, and no page of the
//! cache is found, filled and given back for them. Few go through it, as any other program's do.
//!
//! Promises: the file holds whole blocks at any instant, but for one that is being written, which every reader of the
//! format tolerates at the end; what could not be written leaves nothing behind; others may not read it, since
//! captures hold people's secrets.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::O_DIRECT;

/// What goes past the page cache begins at a multiple of this, in memory as in the file, and is one long. No disk that we
/// know of asks for more; one that does gets all through the cache.
pub(super) const PAGE: usize = 4096;
/// Bytes that are worth to go past it. A disk writes fewer no sooner than they are copied.
const MANY: usize = 1 << 20;

/// A file of which we know where its last whole block ends.
#[derive(Debug)]
pub(super) struct CaptureFile {
    file: File,
    /// The same file past the page cache, where its file system has a way there.
    past_cache: Option<File>,
    end: u64,
}

impl CaptureFile {
    /// An empty file.
    pub(super) fn over(file: File) -> Self {
        let again = format!("/proc/self/fd/{}", file.as_raw_fd());
        let past_cache = OpenOptions::new().write(true).custom_flags(O_DIRECT).open(again).ok();
        Self { file, past_cache, end: 0 }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds whole blocks; all or none of them.
    pub(super) fn append(&mut self, blocks: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(blocks, self.end);
        self.appended(blocks.len(), written)
    }

    /// Adds whole blocks, the pages among them past the cache if they are many and lie in memory as they will in the file.
    pub(super) fn append_many(&mut self, blocks: &[u8]) -> io::Result<()> {
        let written = self.write_many(blocks);
        self.appended(blocks.len(), written)
    }

    fn appended(&mut self, length: usize, written: io::Result<()>) -> io::Result<()> {
        match written {
            Ok(()) => self.end += length as u64,
            // Where even this fails, the next write begins at the same place all the same.
            Err(_) => drop(self.file.set_len(self.end)),
        }
        written
    }

    fn write_many(&self, blocks: &[u8]) -> io::Result<()> {
        let start = blocks.as_ptr().align_offset(PAGE).min(blocks.len());
        let (head, rest) = blocks.split_at(start);
        let (pages, tail) = rest.split_at(rest.len() / PAGE * PAGE);
        let at = self.end + head.len() as u64;
        let Some(past_cache) = &self.past_cache else { return self.file.write_all_at(blocks, self.end) };
        if pages.len() < MANY || !at.is_multiple_of(PAGE as u64) {
            return self.file.write_all_at(blocks, self.end);
        }
        self.file.write_all_at(head, self.end)?;
        // What the disk does not take so it may take otherwise, or says why.
        past_cache.write_all_at(pages, at).or_else(|_| self.file.write_all_at(pages, at))?;
        self.file.write_all_at(tail, at + pages.len() as u64)
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

    #[test]
    fn many_bytes_arrive_the_same_wherever_they_lie() {
        let bytes: Vec<u8> = (0..MANY + 5 * PAGE).map(|at| (at % 251) as u8).collect();
        let pages = bytes.as_ptr().align_offset(PAGE);
        for (before, from) in
            [(0, 0), (0, pages), (77, pages), (77, pages + 77), (PAGE - 1, pages + PAGE - 1)]
        {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("capture");
            let mut file = CaptureFile::over(create(&path).unwrap());
            file.append(&bytes[..before]).unwrap();
            file.append_many(&bytes[from..]).unwrap();
            file.append(b"end").unwrap();
            let expected = [&bytes[..before], &bytes[from..], b"end"].concat();
            assert!(std::fs::read(&path).unwrap() == expected, "{before} bytes before, from {from}");
        }
    }
}
