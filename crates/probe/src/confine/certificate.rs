//! A statement, signed.
//!
//! A certificate is a JSON file that can be written in one way only: indented by two blanks, fields in the order of
//! [`Statement`], a line's end at its end. A file that says the same in other bytes is refused, and so is one whose
//! signature does not fit: a changed byte is found wherever it is. The signature is Ed25519 (RFC 8032) over a line that
//! says what it is for, followed by the statement in JSON without blanks.
//!
//! Promises: signs nothing that has a fault; [`Certificate::read`] gives nothing that it did not check. A certificate
//! names the key that signed it; whose key that is, it cannot say.

use super::key::SigningKey;
use super::statement::{FORMAT, Fault, Statement};
use crate::hex::{hex, unhex};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Keeps this signature from meaning anything elsewhere.
const PURPOSE: &[u8] = b"overheard: certificate of confinement, format 1\n";

/// Why writing a statement cannot fail.
const PLAIN: &str = "numbers, texts and lists of them are JSON";

/// A statement whose signature was made or checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    statement: Statement,
    /// 64 hexadecimal digits.
    key: String,
    /// 128 hexadecimal digits.
    signature: String,
}

/// Why a certificate is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It is no certificate, or one of another version; why.
    Unknown(String),
    /// It says what a certificate may say, but not in its bytes.
    Rewritten,
    /// The signature is not this key's over this statement.
    Signature,
    /// It is signed, and certifies nothing.
    Faulty(Vec<Fault>),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(why) => write!(f, "not a certificate that this version knows: {why}"),
            Self::Rewritten => f.write_str("the file was changed: its bytes are not those of a certificate"),
            Self::Signature => f.write_str("the file was changed: its signature does not fit"),
            Self::Faulty(faults) => {
                f.write_str("signed, but it certifies nothing:")?;
                faults.iter().try_for_each(|fault| write!(f, " {fault};"))
            }
        }
    }
}

impl std::error::Error for Broken {}

impl Certificate {
    /// Signs a statement.
    ///
    /// # Errors
    /// The statement certifies nothing; all of why.
    pub fn sign(statement: Statement, key: &SigningKey) -> Result<Self, Vec<Fault>> {
        let faults = statement.faults();
        if !faults.is_empty() {
            return Err(faults);
        }
        let signature = hex(&key.sign(&signed_bytes(&statement)));
        Ok(Self { statement, key: key.public_hex(), signature })
    }

    /// Checks a file's bytes.
    ///
    /// # Errors
    /// Anything in it is not as it was signed.
    pub fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let certificate: Self =
            serde_json::from_slice(bytes).map_err(|error| Broken::Unknown(error.to_string()))?;
        let statement = &certificate.statement;
        if statement.format != FORMAT {
            return Err(Broken::Unknown(format!("format {}, where {FORMAT} is known", statement.format)));
        }
        if certificate.bytes() != bytes {
            return Err(Broken::Rewritten);
        }
        let (key, signature) =
            unhex(&certificate.key).zip(unhex(&certificate.signature)).ok_or(Broken::Signature)?;
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&signed_bytes(statement), &signature)
            .map_err(|_| Broken::Signature)?;
        match statement.faults() {
            faults if faults.is_empty() => Ok(certificate),
            faults => Err(Broken::Faulty(faults)),
        }
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect(PLAIN);
        bytes.push(b'\n');
        bytes
    }

    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The key that signed it: 64 hexadecimal digits.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What is signed.
fn signed_bytes(statement: &Statement) -> Vec<u8> {
    [PURPOSE, &serde_json::to_vec(statement).expect(PLAIN)].concat()
}
