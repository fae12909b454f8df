//! Reads an upstream from its URL, and writes it.
//!
//! Promises: what is not understood is refused with what was expected; a password is never part of the message.
//! Sources: RFC 3986 (authority).

use std::net::ToSocketAddrs;
use std::str::FromStr;

use super::{Login, Proxy, Upstream};

/// Why a text names no upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    #[error(
        "`{0}` is no upstream: expected direct, socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ before \
         HOST if it asks for a login"
    )]
    Form(String),
    #[error("the proxy's name `{0}` has no address: write its IP address, or check the name")]
    Name(String),
    #[error("nobody listens at port 0: write the proxy's port, such as 1080 for SOCKS or 8080 for HTTP")]
    Port,
    #[error(
        "the proxy's login cannot be read: write each `@`, `:`, `/` and `%` in it as %40, %3A, %2F and %25; name and \
         password have up to 255 bytes"
    )]
    Login,
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    /// Looks the proxy's name up, if it has one, by the system's resolver.
    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        if text == "direct" {
            return Ok(Self::Direct);
        }
        let shown = || UpstreamError::Form(without_login(text));
        let (scheme, rest) = text.split_once("://").ok_or_else(shown)?;
        let with = match scheme {
            "socks5" | "socks5h" => Self::Socks5,
            "http" => Self::Http,
            _ => return Err(shown()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(Login::of_url(login).ok_or(UpstreamError::Login)?), place),
            None => (None, authority),
        };
        let (_, port) = place.rsplit_once(':').ok_or_else(shown)?;
        if port.parse::<u16>().map_err(|_| shown())? == 0 {
            return Err(UpstreamError::Port);
        }
        let mut addresses = place.to_socket_addrs().map_err(|_| UpstreamError::Name(place.into()))?;
        let address = addresses.next().ok_or_else(|| UpstreamError::Name(place.into()))?;
        Ok(with(Proxy { address, login }))
    }
}

impl Upstream {
    /// As it is read, with its login.
    pub fn url(&self) -> String {
        let url = |scheme, Proxy { address, login }: &Proxy| {
            format!("{scheme}://{}{address}", login.as_ref().map(Login::in_url).unwrap_or_default())
        };
        match self {
            Self::Direct => "direct".into(),
            Self::Socks5(proxy) => url("socks5", proxy),
            Self::Http(proxy) => url("http", proxy),
        }
    }
}

/// A text in which a URL may stand, or what was meant to be one.
pub(crate) fn without_login(text: &str) -> String {
    let Some((before, place)) = text.rsplit_once('@') else { return text.into() };
    let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://"));
    format!("{}…@{place}", scheme.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_proxy_and_a_login() {
        let read = |text: &str| text.parse::<Upstream>();
        assert_eq!(read("direct"), Ok(Upstream::Direct));
        let address = "127.0.0.1:1080".parse().expect("an address");
        let login = Some(Login { name: "a@b".into(), password: "p:%".into() });
        assert_eq!(
            read("socks5://a%40b:p%3A%25@127.0.0.1:1080"),
            Ok(Upstream::Socks5(Proxy { address, login }))
        );
        assert_eq!(read("http://127.0.0.1:1080/"), Ok(Upstream::Http(Proxy { address, login: None })));
        let v6 = read("http://[::1]:8080").expect("an upstream");
        assert!(matches!(v6, Upstream::Http(proxy) if proxy.address.is_ipv6()));
    }

    #[test]
    fn a_login_joins_a_proxy_that_has_none() {
        let with = |url: &str| {
            let login = "bob:word".parse().expect("a login");
            url.parse::<Upstream>().expect("an upstream").with_login(login)
        };
        assert_eq!(with("http://127.0.0.1:1"), "http://bob:word@127.0.0.1:1".parse().ok());
        assert_eq!(with("socks5://127.0.0.1:1"), "socks5://bob:word@127.0.0.1:1".parse().ok());
        assert_eq!([with("http://a:b@127.0.0.1:1"), with("direct")], [None, None]);
        let urls = ["direct", "http://127.0.0.1:1", "socks5://a%40b:p%3A@[::1]:1"];
        assert_eq!(urls.map(|url| url.parse::<Upstream>().expect("an upstream").url()), urls);
    }

    #[test]
    fn nobody_listens_at_port_0() {
        for text in ["http://127.0.0.1:0", "socks5://u:secret@127.0.0.1:0/"] {
            assert_eq!(text.parse::<Upstream>(), Err(UpstreamError::Port));
        }
    }

    #[test]
    fn what_is_no_upstream_is_refused_without_its_password() {
        let secret = ["socks4://u:secret@h:1", "http://u:secret@127.0.0.1", "http://u:secr%et@127.0.0.1:1"];
        for text in secret.into_iter().chain(["u:secret@h:1", "socks5:/u:secret@h:1", ""]) {
            let error = text.parse::<Upstream>().expect_err("no upstream").to_string();
            assert!(!error.contains("secr"), "{error}");
        }
    }
}
