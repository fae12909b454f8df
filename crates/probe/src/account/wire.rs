//! A connection to a server: plain or TLS, with the machine's authorities or with those of a file.
//!
//! Promises: a certificate is always checked, for the name that was asked for.

use super::Fault;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(20);

/// Whose signature under a server's certificate is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    #[default]
    System,
    /// Certificates in PEM form, and no others.
    File(PathBuf),
}

/// A connection that bytes go through.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug> Wire for T {}

/// Connects to `host:port`.
pub(super) async fn connect(server: &str) -> Result<TcpStream, Fault> {
    let unreachable = |error| Fault::Unreachable { server: server.to_owned(), error };
    let connected = timeout(CONNECT, TcpStream::connect(server)).await;
    let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

/// Secures a connection to the server of this name.
pub(super) async fn secure<W: Wire>(wire: W, name: &str, roots: &Roots) -> Result<TlsStream<W>, Fault> {
    let insecure = |error| Fault::Insecure { server: name.to_owned(), error };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| insecure(io::Error::other(error)))?
        .with_root_certificates(store(roots)?)
        .with_no_client_auth();
    let host = ServerName::try_from(name.to_owned()).map_err(|error| insecure(io::Error::other(error)))?;
    let shaken = timeout(CONNECT, TlsConnector::from(Arc::new(config)).connect(host, wire)).await;
    shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(insecure)
}

fn store(roots: &Roots) -> Result<RootCertStore, Fault> {
    let mut store = RootCertStore::empty();
    let file = match roots {
        Roots::System => {
            // One that cannot be read is one authority less, no reason to fail.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            PathBuf::from("the machine's certificates")
        }
        Roots::File(file) => {
            let fault = |why: String| Fault::Roots { file: file.clone(), why };
            for certificate in
                CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?
            {
                let certificate = certificate.map_err(|error| fault(error.to_string()))?;
                store.add(certificate).map_err(|error| fault(error.to_string()))?;
            }
            file.clone()
        }
    };
    if store.is_empty() {
        return Err(Fault::Roots { file, why: "no certificates".into() });
    }
    Ok(store)
}

/// The half of a connection that is written to. What is put in is written in full, although a write is broken off.
#[derive(Debug)]
pub(super) struct Writer {
    half: WriteHalf<Box<dyn Wire>>,
    left: VecDeque<u8>,
}

impl Writer {
    pub(super) fn new(half: WriteHalf<Box<dyn Wire>>) -> Self {
        Self { half, left: VecDeque::new() }
    }

    pub(super) fn put(&mut self, text: &str) {
        self.left.extend(text.as_bytes());
    }

    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        self.half.write_all_buf(&mut self.left).await.map_err(lost)?;
        self.half.flush().await.map_err(lost)
    }

    pub(super) async fn close(&mut self) {
        let _ = self.half.shutdown().await;
    }

    pub(super) fn into_half(self) -> WriteHalf<Box<dyn Wire>> {
        self.half
    }
}

pub(super) fn lost(error: io::Error) -> Fault {
    Fault::Lost(error.to_string())
}

/// The host in `host:port`, without the brackets of an IPv6 address.
pub(super) fn host(server: &str) -> Option<&str> {
    let (host, port) = server.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    (!host.is_empty()).then_some(host)
}
