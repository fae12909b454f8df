//! The file that a recording grows in.
//!
//! Promises: it holds whole blocks at any instant, but for one that is being written, which every reader of the
//! format tolerates at the end; what could not be written leaves nothing behind; others may not read it, since
//! captures hold people's secrets.

use nix::errno::Errno;
use nix::sys::uio::pwritev;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A file of which we know where its last whole block ends.
#[derive(Debug)]
pub(super) struct CaptureFile {
    file: File,
    end: u64,
}

impl CaptureFile {
    /// An empty file.
    pub(super) fn over(file: File) -> Self {
        Self { file, end: 0 }
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds whole blocks, which may lie in several pieces; all or none of them.
    pub(super) fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        match self.write(pieces) {
            Ok(end) => self.end = end,
            Err(error) => {
                // Where even this fails, the next write begins at the same place all the same.
                let _ = self.file.set_len(self.end);
                return Err(error);
            }
        }
        Ok(())
    }

    /// All pieces in one call where the system takes them so. Gives where they end.
    fn write(&self, pieces: &[&[u8]]) -> io::Result<u64> {
        let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let offset = i64::try_from(self.end).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut written = match pwritev(&self.file, &slices, offset) {
            Err(Errno::EINTR) => 0,
            written => written?,
        };
        let mut at = self.end;
        for piece in pieces {
            let skipped = written.min(piece.len());
            written -= skipped;
            self.file.write_all_at(&piece[skipped..], at + skipped as u64)?;
            at += piece.len() as u64;
        }
        Ok(at)
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
    fn pieces_lie_one_behind_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture");
        let mut file = CaptureFile::over(create(&path).unwrap());
        file.append(&[b"one", b"", b"two"]).unwrap();
        file.append(&[b"three"]).unwrap();
        assert_eq!(file.end(), 11);
        assert_eq!(std::fs::read(&path).unwrap(), b"onetwothree");
    }
}
