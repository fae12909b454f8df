//! The key that this machine signs certificates with: Ed25519 (RFC 8032), made on first use.
//!
//! Promises: the file is its owner's alone from its first byte on, and a key in a file that others can read is not
//! used; two programs that make it at once end up with the same one.

use crate::hex::hex;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A key that signs.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key in this file, which is made where there is none.
    ///
    /// # Errors
    /// It cannot be read or made, is no Ed25519 key, or others may read it.
    pub fn open(path: &Path) -> io::Result<Self> {
        match Self::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path)?;
                Self::read(path)
            }
            read => read,
        }
    }

    /// # Errors
    /// There is none, it cannot be read, is no Ed25519 key, or others may read it.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mode = std::fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("others may read this key (mode {:o})", mode & 0o777),
            ));
        }
        let key = Ed25519KeyPair::from_pkcs8(&std::fs::read(path)?).map_err(|rejected| {
            io::Error::new(io::ErrorKind::InvalidData, format!("no Ed25519 key in PKCS #8: {rejected}"))
        })?;
        Ok(Self(key))
    }

    /// The half that checks: 64 hexadecimal digits.
    pub fn public_hex(&self) -> String {
        hex(self.0.public_key().as_ref())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }
}

/// Where the key lies: `overheard/signing-key.pk8` below `$XDG_DATA_HOME`, or below `~/.local/share`. `None` without
/// either variable.
pub fn default_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(data.join("overheard/signing-key.pk8"))
}

/// Makes a key, unless another program was faster.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    // Temporary files are their owner's alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(key.as_ref())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/key");
        let made = SigningKey::open(&path).unwrap();
        assert_eq!(SigningKey::open(&path).unwrap().public_hex(), made.public_hex());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(SigningKey::open(&path).unwrap_err().to_string().contains("others may read"));
    }

    #[test]
    fn what_is_no_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "precious").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(SigningKey::open(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn programs_that_make_it_at_once_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let open = || SigningKey::open(&path).unwrap().public_hex();
        let keys = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn it_lies_where_the_environment_says() {
        let home = |name: &str| (name == "HOME").then(|| "/home/alice".into());
        let both = |name: &str| Some(if name == "HOME" { "/home/alice" } else { "/data" }.into());
        let relative = |name: &str| Some(if name == "HOME" { "/home/alice" } else { "data" }.into());
        assert_eq!(default_path(home), Some("/home/alice/.local/share/overheard/signing-key.pk8".into()));
        assert_eq!(default_path(both), Some("/data/overheard/signing-key.pk8".into()));
        assert_eq!(default_path(relative), default_path(home));
        assert_eq!(default_path(|_| None), None);
    }
}
