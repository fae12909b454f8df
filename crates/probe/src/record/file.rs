//! The file that a recording grows in.
//!
//! Promises: it holds whole blocks at any instant, but for one that is being written, which every reader of the
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
        if let Err(error) = self.file.write_all_at(blocks, self.end) {
            // Where even this fails, the next write begins at the same place all the same.
            let _ = self.file.set_len(self.end);
            return Err(error);
        }
        self.end += blocks.len() as u64;
        Ok(())
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
