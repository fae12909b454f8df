//! How the content of an HTTP/1 request is delimited (RFC 9112 §6), so that it is not taken for
//! another request.
//!
//! Promises: what contradicts itself is [`Framing::Unclear`], never a guess.

/// What the fields of a head say about the content that follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    #[default]
    Empty,
    Length(u64),
    Chunked,
    Unclear,
}

impl Framing {
    /// With one more field. A transfer coding outranks a length.
    pub(super) fn with(self, name: &[u8], value: &[u8]) -> Self {
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let coding = value.rsplit(|&byte| byte == b',').next().unwrap_or_default().trim_ascii();
            return if coding.eq_ignore_ascii_case(b"chunked") { Self::Chunked } else { Self::Unclear };
        }
        if !name.eq_ignore_ascii_case(b"content-length") {
            return self;
        }
        match (self, number(value, 10)) {
            (Self::Empty, Some(length)) => Self::Length(length),
            (Self::Length(known), Some(length)) if known == length => self,
            (Self::Chunked, _) => self,
            _ => Self::Unclear,
        }
    }
}

/// The length that a chunk's first line says, before its extensions (RFC 9112 §7.1).
pub(super) fn chunk_length(line: &[u8]) -> Option<u64> {
    number(line.split(|&byte| byte == b';').next()?.trim_ascii(), 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::super::line::field;
    use super::*;

    fn framing(lines: &[&str]) -> Framing {
        let fields = lines.iter().filter_map(|line| field(line.as_bytes()));
        fields.fold(Framing::default(), |framing, (name, value)| framing.with(name, value))
    }

    #[test]
    fn fields_delimit_the_content() {
        assert_eq!(framing(&["Host: a"]), Framing::Empty);
        assert_eq!(framing(&["content-length : 35", "Content-Length: 35"]), Framing::Length(35));
        assert_eq!(framing(&["Content-Length: 1", "Transfer-Encoding: gzip, Chunked"]), Framing::Chunked);
        assert_eq!(framing(&["Transfer-Encoding: chunked", "Content-Length: 1"]), Framing::Chunked);
        for unclear in [["Content-Length: 1", "Content-Length: 2"], ["Content-Length: +1", ""]] {
            assert_eq!(framing(&unclear), Framing::Unclear);
        }
        assert_eq!(framing(&["Transfer-Encoding: gzip"]), Framing::Unclear);
    }

    #[test]
    fn chunks_say_their_length() {
        assert_eq!(chunk_length(b"1A;name=value\r"), Some(26));
        assert_eq!(chunk_length(b"GET / HTTP/1.1\r"), None);
    }
}
