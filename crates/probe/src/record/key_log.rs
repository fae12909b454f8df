//! Follows the file into which a client logs its TLS secrets.
//!
//! Source: `SSLKEYLOGFILE`, draft-ietf-tls-keylogfile: one secret a line, a label and two hexadecimal numbers.
//! Promises: whole lines of that form alone are taken, so that the file, which the app may replace by anything,
//! brings nothing else into a capture; a link, a pipe or a device there is not read; at most [`MOST`] bytes are.

use nix::fcntl::OFlag;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes read at a time.
const AT_ONCE: u64 = 1 << 20;
/// Bytes read in all: several hundred thousand secrets.
const MOST: u64 = 64 << 20;

/// A key log that grows, and how far it was read.
#[derive(Debug)]
pub(super) struct KeyLog {
    path: PathBuf,
    offset: u64,
}

impl KeyLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// The secrets that were logged since the last call, a line each. A log that is not there yet has none.
    pub(super) fn more(&mut self) -> io::Result<Vec<u8>> {
        match open(&self.path).and_then(|file| self.read_on(&file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))),
        }
    }

    fn read_on(&mut self, file: &File) -> io::Result<Vec<u8>> {
        let about = file.metadata()?;
        if !about.is_file() {
            return Ok(Vec::new());
        }
        let mut secrets = Vec::new();
        let end = about.len().min(MOST);
        while self.offset < end {
            let mut bytes = vec![0; (end - self.offset).min(AT_ONCE) as usize];
            file.read_exact_at(&mut bytes, self.offset)?;
            let whole = whole_lines(&bytes);
            if whole == 0 {
                break;
            }
            self.offset += whole as u64;
            for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n').filter(|line| is_secret(line)) {
                secrets.extend_from_slice(line);
            }
        }
        Ok(secrets)
    }
}

/// Neither follows a link nor waits for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

/// Bytes up to the last line's end. Bytes without any are no line, if they are so many.
fn whole_lines(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte == b'\n');
    let endless = if bytes.len() as u64 == AT_ONCE { bytes.len() } else { 0 };
    last.map_or(endless, |last| last + 1)
}

fn is_secret(line: &[u8]) -> bool {
    let mut fields = line.trim_ascii_end().split(|byte| *byte == b' ');
    let label = |field: &[u8]| {
        !field.is_empty()
            && field.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
    };
    let number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_hexdigit);
    line.ends_with(b"\n")
        && fields.next().is_some_and(label)
        && fields.next().is_some_and(number)
        && fields.next().is_some_and(number)
        && fields.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn whole_lines_are_taken_once_and_others_never() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let mut log = KeyLog::new(path.clone());
        assert_eq!(log.more().unwrap(), b"");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"# a comment\nCLIENT_RANDOM 0aF0 11\npassword hunter2 x\nEXPORTER_SE").unwrap();
        assert_eq!(log.more().unwrap(), b"CLIENT_RANDOM 0aF0 11\n");
        file.write_all(b"CRET 22 33\n").unwrap();
        assert_eq!(log.more().unwrap(), b"EXPORTER_SECRET 22 33\n");
        assert_eq!(log.more().unwrap(), b"");
    }

    #[test]
    fn a_line_without_end_does_not_hold_up_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let long = vec![b'a'; AT_ONCE as usize + 10];
        std::fs::write(&path, [&long[..], b"\nCLIENT_RANDOM 01 02\n"].concat()).unwrap();
        assert_eq!(KeyLog::new(path).more().unwrap(), b"CLIENT_RANDOM 01 02\n");
    }

    #[test]
    fn a_link_and_a_device_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(KeyLog::new(link).more().is_err());
        assert_eq!(KeyLog::new("/dev/zero".into()).more().unwrap(), b"");
    }
}
