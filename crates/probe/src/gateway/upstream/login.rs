//! Who we are to a proxy: a name and a password.
//!
//! For: a line of a file, in which they stand as they are, and a URL, in which they are encoded.
//! Promises: shown nowhere; what is written into a URL is read from it again.
//! Sources: RFC 1929 and RFC 7617 (what a login may be), RFC 3986, section 2.1 (percent-encoding).

use std::fmt;
use std::str::FromStr;

/// A name and a password, which are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub name: String,
    pub password: String,
}

/// Why a text is no login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds no login: expected USER:PASSWORD in one line, of up to 255 bytes each")]
pub struct LoginError;

impl fmt::Debug for Login {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Login")
    }
}

impl FromStr for Login {
    type Err = LoginError;

    /// `USER:PASSWORD` as they are, in one line; the name ends at the first colon.
    fn from_str(text: &str) -> Result<Self, LoginError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (name, password) = line.split_once(':').ok_or(LoginError)?;
        let is_line = !name.is_empty() && !line.contains(['\n', '\r', '\0']);
        Self::of(name.into(), password.into()).filter(|_| is_line).ok_or(LoginError)
    }
}

impl Login {
    /// RFC 1929 counts the bytes of each in one.
    fn of(name: String, password: String) -> Option<Self> {
        (name.len() <= 255 && password.len() <= 255).then_some(Self { name, password })
    }

    /// `USER:PASSWORD@`, as it stands before the host in a URL.
    pub fn in_url(&self) -> String {
        format!("{}:{}@", encoded(&self.name), encoded(&self.password))
    }

    /// What stands before the `@` in a URL.
    pub(super) fn of_url(text: &str) -> Option<Self> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        Self::of(decoded(name)?, decoded(password)?)
    }
}

/// Everything but letters and digits as `%xx`.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_login_is_one_line_as_it_is() {
        let read = |text: &str| text.parse::<Login>().ok().map(|login| (login.name, login.password));
        let login = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(read("alice:p@ss:%20 word\r\n"), login("alice", "p@ss:%20 word"));
        assert_eq!(read("alice:"), login("alice", ""));
        let long = format!("alice:{}", "x".repeat(256));
        for text in ["", "alice", ":secret", "alice:secret\nbob:other\n", &long] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_into_a_url_is_read_again(name in ".{1,60}", password in ".{0,60}") {
            let login = Login { name, password };
            let written = login.in_url();
            prop_assert_eq!(written.matches(['@', ':', '/']).count(), 2);
            prop_assert_eq!(Login::of_url(written.strip_suffix('@').unwrap_or_default()), Some(login));
        }
    }
}
