//! Who opens the real connections: this host itself, or a proxy.
//!
//! For: `direct`, `socks5://user:pass@host:port` and `http://user:pass@host:port`.
//! Promises: with a proxy, nothing is ever opened past it; where it cannot be reached, the app's network is
//! unreachable. Logins are shown nowhere.
//! To extend: a variant of [`Upstream`], its scheme, and a file that opens a connection through it.

mod http;
pub mod line;
mod login;
mod socks5;
mod url;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use nix::errno::Errno;
use tokio::net::TcpStream;

pub use login::Login;
pub use url::UpstreamError;
pub(crate) use url::without_login;

use super::outlet::Origin;
use super::refusal::Refusal;
use super::tcp::connect;
use line::Line;

/// A proxy that has not answered by then has lost the connection; servers far behind it have answered or timed out.
const PATIENCE: Duration = Duration::from_secs(130);

/// Who opens the real connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upstream {
    #[default]
    Direct,
    /// RFC 1928, with UDP; login by RFC 1929.
    Socks5(Proxy),
    /// CONNECT of RFC 9110, TCP alone; login by RFC 7617.
    Http(Proxy),
}

impl fmt::Display for Upstream {
    /// `direct`, or the proxy without its login.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => out.write_str("direct"),
            Self::Socks5(proxy) => write!(out, "socks5://{}", proxy.address),
            Self::Http(proxy) => write!(out, "http://{}", proxy.address),
        }
    }
}

/// Where a proxy stands, and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub address: SocketAddr,
    pub login: Option<Login>,
}

/// Why a connection did not come to be.
#[derive(Debug)]
pub enum Failure {
    /// The network's word, or the proxy's, about the server.
    Server(io::Error),
    /// The proxy does not carry it.
    Proxy(ProxyFault),
}

/// Why a proxy does not carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProxyFault {
    Unreachable,
    Silent,
    Login,
    /// By its rules.
    NotAllowed,
    /// It offers no such service, as many do for datagrams.
    Unsupported,
    /// It speaks otherwise, or broke off.
    Broken,
    /// Login or rules, as HTTP says it.
    Status(u16),
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => out.write_str("it could not be reached"),
            Self::Silent => out.write_str("it did not answer"),
            Self::Login => out.write_str("it refused the login"),
            Self::NotAllowed => out.write_str("it does not allow that"),
            Self::Unsupported => out.write_str("it does not offer that"),
            Self::Broken => out.write_str("it spoke otherwise than a proxy, or broke off"),
            Self::Status(407) => out.write_str("it refused the login (407)"),
            Self::Status(status) => write!(out, "it does not allow that ({status})"),
        }
    }
}

impl Failure {
    /// The error that a host would have seen: one whose proxy is all its network is cut off without it.
    pub fn seen(self) -> io::Error {
        match self {
            Self::Server(error) => error,
            Self::Proxy(ProxyFault::NotAllowed | ProxyFault::Status(401 | 403 | 405)) => Errno::EACCES.into(),
            Self::Proxy(_) => Errno::ENETUNREACH.into(),
        }
    }
}

impl Upstream {
    /// With this login; nothing where there is no proxy, or one that has a login already.
    pub fn with_login(self, login: Login) -> Option<Self> {
        let with = |address| Proxy { address, login: Some(login) };
        match self {
            Self::Socks5(Proxy { address, login: None }) => Some(Self::Socks5(with(address))),
            Self::Http(Proxy { address, login: None }) => Some(Self::Http(with(address))),
            _ => None,
        }
    }

    /// A connection to a server, established at its end too.
    pub async fn dial(&self, to: SocketAddr) -> Result<TcpStream, Failure> {
        match self {
            Self::Direct => connect(to).await.map_err(Failure::Server),
            Self::Socks5(proxy) => within(proxy, |stream| socks5::connect(stream, proxy, to)).await,
            Self::Http(proxy) => within(proxy, |stream| http::connect(stream, proxy, to)).await,
        }
    }

    /// Whether something has gone out to a server though the connection failed in this way. A proxy says in one way
    /// only that the server was there; where this host has no way to it, nothing was sent.
    pub fn went_out(&self, error: &io::Error) -> bool {
        let refusal = Refusal::of(error);
        match self {
            Self::Direct => !matches!(refusal, Refusal::Network | Refusal::Prohibited),
            Self::Socks5(_) | Self::Http(_) => refusal == Refusal::Port,
        }
    }

    /// Whether datagrams, or echoes, can be carried at all.
    pub fn carries(&self, is_echo: bool) -> bool {
        match self {
            Self::Direct => true,
            Self::Socks5(_) => !is_echo,
            Self::Http(_) => false,
        }
    }

    /// A way for the datagrams of one socket of the app.
    pub async fn line(&self, origin: Origin) -> Result<Line, Failure> {
        match self {
            Self::Direct => Line::direct(origin).map_err(Failure::Server),
            Self::Socks5(proxy) => within(proxy, |stream| socks5::associate(stream, proxy)).await,
            Self::Http(_) => Err(Failure::Server(Errno::EACCES.into())),
        }
    }
}

/// Speaks to a proxy over a new connection.
async fn within<T, F>(proxy: &Proxy, speak: impl FnOnce(TcpStream) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let stream = connect(proxy.address).await.map_err(|_| Failure::Proxy(ProxyFault::Unreachable))?;
    let spoken = tokio::time::timeout(PATIENCE, speak(stream)).await;
    spoken.unwrap_or(Err(Failure::Proxy(ProxyFault::Silent)))
}

impl From<io::Error> for Failure {
    /// An error while speaking to the proxy is the proxy's.
    fn from(_: io::Error) -> Self {
        Self::Proxy(ProxyFault::Broken)
    }
}

impl From<Errno> for Failure {
    /// An errno is what the proxy said of the server.
    fn from(error: Errno) -> Self {
        Self::Server(error.into())
    }
}
