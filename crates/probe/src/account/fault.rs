//! Why a driver ends before it was asked to.

use std::io;
use std::path::PathBuf;
use tokio_rustls::rustls::{self, CertificateError, OtherError};

/// Why an account cannot be used, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{server}: {error}")]
    Unreachable { server: String, error: io::Error },
    #[error("{server}: the secure connection failed: {error}")]
    Insecure { server: String, error: io::Error },
    #[error("{}: {why}", file.display())]
    Roots { file: PathBuf, why: String },
    #[error("the login did not stand within {0} s")]
    Slow(u64),
    #[error("the login was refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Unfit(String),
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("standard output: {0}")]
    Unheard(io::Error),
}

impl Fault {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check --server HOST:PORT, and that the network lets it through",
            Self::Insecure { error, .. } => distrust(error),
            Self::Roots { .. } => "give certificates in PEM form",
            Self::Slow(_) => {
                "check that the service is the one that you mean, and look at it with another client"
            }
            Self::Refused(_) => "check the account, its password and whether it is banned",
            Self::Unfit(_) => "`overheard driver --help` has examples",
            Self::Lost(_) => "look whether the account was banned, and whether the service still runs",
            Self::Unheard(_) => "the program that started this driver must read it until it ends",
        }
    }
}

/// What to do about a secure connection that failed.
fn distrust(error: &io::Error) -> &'static str {
    use CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, Other, UnknownIssuer,
    };
    let fault = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(certificate)) = fault else {
        return "check the port and the host's name; --ca FILE trusts an authority of your own";
    };
    // What webpki alone knows has no other form.
    let is = |other: &OtherError, name: &str| format!("{other:?}").contains(name);
    match certificate {
        Other(other) if is(other, "CaUsedAsEndEntity") => {
            "the server's certificate says that it is an authority (CA:TRUE): have the server show one with CA:FALSE, as \
             openssl makes it with -addext basicConstraints=critical,CA:FALSE, or one that its authority signed"
        }
        Other(other) if is(other, "EndEntityUsedAsCa") => {
            "the server's certificate was signed with one that says that it is no authority (CA:FALSE): sign it with one \
             that has CA:TRUE, and give that as --ca"
        }
        // An authority of the same name and another key signed it.
        UnknownIssuer | BadSignature => {
            "give the certificate of the authority that signed the server's as --ca FILE, or the server's own if it signed \
             itself and has CA:FALSE"
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "connect to the name that the certificate is for, or have it made for this one"
        }
        Expired | ExpiredContext { .. } => {
            "have the server's certificate made anew, or set this machine's clock"
        }
        _ => "look at the server's certificate, such as with openssl s_client",
    }
}

/// What the service says, made fit for one line.
pub(crate) fn line(said: &str) -> String {
    said.split(|c: char| c.is_control())
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
