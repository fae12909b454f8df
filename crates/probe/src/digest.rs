//! SHA-256 of plans, builds' files, apps and captures, as `sha256sum` prints it.

use crate::hex::hex;
use ring::digest::{Context, SHA256, digest};
use std::io::{self, Read};

/// Of bytes in memory: 64 hexadecimal digits.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Of everything that can be read, and how many bytes that was.
///
/// # Errors
/// Reading fails.
pub fn of(mut source: impl Read) -> io::Result<(String, u64)> {
    let mut context = Context::new(&SHA256);
    let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok((hex(context.finish().as_ref()), total)),
            Ok(length) => {
                context.update(&buffer[..length]);
                total += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's example of one block, and nothing at all.
    #[test]
    fn known_hashes_come_out() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of_bytes(b"abc"), abc);
        assert_eq!(of(&b"abc"[..]).unwrap(), (abc.into(), 3));
        assert_eq!(of(io::empty()).unwrap(), (nothing.into(), 0));
    }
}
