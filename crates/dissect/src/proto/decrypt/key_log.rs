//! The secrets that clients log where `SSLKEYLOGFILE` says.
//!
//! Source: RFC 9850 (the format is NSS's: a label, the client's random and a secret in each line); pcapng's Decryption
//! Secrets Block keeps such a file in a capture.
//! Promises: lines that are something else are passed over; of two secrets for the same the first counts; `Debug` tells how
//! many there are and nothing else.

use std::collections::HashMap;
use std::fmt;

/// Type of a Decryption Secrets Block that holds a key log of TLS.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    /// The master secret of TLS 1.2 and before.
    Master,
    ClientEarly,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

/// The random of a ClientHello, by which secrets are found.
pub(crate) type Random = [u8; 32];

/// Secrets by whose they are and what they are for.
#[derive(Default)]
pub(crate) struct KeyLog(HashMap<(Random, Label), Vec<u8>>);

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog({} secrets)", self.0.len())
    }
}

impl KeyLog {
    /// Reads the Decryption Secrets Blocks of a capture: type and bytes.
    pub(crate) fn read(blocks: &[(u32, Vec<u8>)]) -> Self {
        let mut log = Self::default();
        let texts = blocks.iter().filter(|(kind, _)| *kind == TLS_KEY_LOG);
        for line in texts.flat_map(|(_, text)| text.split(|byte| *byte == b'\n')) {
            if let Some((random, label, secret)) = read_line(line) {
                log.0.entry((random, label)).or_insert(secret);
            }
        }
        log
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn secret(&self, random: &Random, label: Label) -> Option<&[u8]> {
        self.0.get(&(*random, label)).map(Vec::as_slice)
    }
}

fn read_line(line: &[u8]) -> Option<(Random, Label, Vec<u8>)> {
    let mut words = line.trim_ascii().split(|byte| *byte == b' ');
    let label = match words.next()? {
        b"CLIENT_RANDOM" => Label::Master,
        b"CLIENT_EARLY_TRAFFIC_SECRET" => Label::ClientEarly,
        b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
        b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
        b"CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
        b"SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
        _ => return None,
    };
    let random = hex(words.next()?)?.try_into().ok()?;
    let secret = hex(words.next()?)?;
    words.next().is_none().then_some((random, label, secret))
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = digits.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let bytes: Option<Vec<u8>> = pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
    bytes.filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_among_lines_of_all_kinds() {
        let (ours, other) = ("0a".repeat(32), "0B".repeat(32));
        let text = format!(
            "# made by hand\n\n\nCLIENT_RANDOM {ours} 00ff\r\nCLIENT_RANDOM {ours} 01\nCLIENT_RANDOM {ours} 0\n\
             CLIENT_TRAFFIC_SECRET_0 {other} 02\nEXPORTER_SECRET {other} 03\nCLIENT_TRAFFIC_SECRET_0 0a 04\n\
             SERVER_TRAFFIC_SECRET_0 {ours} xx\nSERVER_TRAFFIC_SECRET_0 {ours} 05 06\nCLIENT_EARLY_TRAFFIC_SECRET"
        );
        let log = KeyLog::read(&[(1, text.replace("00ff", "07").into()), (TLS_KEY_LOG, text.into())]);
        assert_eq!(log.secret(&[10; 32], Label::Master), Some(&[0, 255][..]));
        assert_eq!(log.secret(&[11; 32], Label::ClientTraffic), Some(&[2][..]));
        assert_eq!(format!("{log:?}"), "KeyLog(2 secrets)");
    }
}
