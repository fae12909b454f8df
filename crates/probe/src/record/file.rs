//! The file that a recording grows in.
//!
//! Promises: the file holds whole blocks at any instant, but for one that is being written, which every reader of the
//! format tolerates at the end; what could not be written leaves nothing behind; others may not read it, since
//! captures hold people's secrets.

use std::fs::{File, OpenOptions};
use std::io;
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

    /// Adds whole blocks; all or none of them.
    pub(super) fn append(&mut self, blocks: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(blocks, self.end);
        match written {
            Ok(()) => self.end += blocks.len() as u64,
            // Where even this fails, the next write begins at the same place all the same.
            Err(_) => drop(self.file.set_len(self.end)),
        }
        written
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
}
