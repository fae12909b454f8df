//! Host names as they may be shown: what a wire says becomes one spelling or is refused.
//!
//! Promises: lower case, no trailing dot, no port, nothing but what a host name or an address literal
//! may hold, 253 bytes at most (RFC 1035 §2.3.4 in presentation form). A name in ASCII, which nearly
//! all are, costs one pass over its bytes, and one allocation where it is kept.

use std::sync::Arc;

const LONGEST: usize = 253;

/// The lower case of each byte that an ASCII host name may hold; 0 for the others.
static LOWER: [u8; 256] = {
    let mut lower = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'*') {
            lower[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    lower
};

/// A host name in the spelling of this module; nothing where it is none.
pub fn host_name(bytes: &[u8]) -> Option<Arc<str>> {
    spelt(bytes, |name| name.into())
}

/// What is made of a host name in the spelling of this module; nothing where it is none.
pub(super) fn spelt<T>(bytes: &[u8], make: impl FnOnce(&str) -> T) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    if is_spelt(text) {
        return Some(make(text));
    }
    let host = bare(text)?;
    if host.is_empty() || host.len() > LONGEST {
        return None;
    }
    if !host.is_ascii() {
        let allowed = |c: char| c.is_alphanumeric() || LOWER.get(c as usize).is_some_and(|&byte| byte != 0);
        return host.chars().all(allowed).then(|| make(&host.to_lowercase()));
    }
    let mut name = [0; LONGEST];
    let name = name.get_mut(..host.len())?;
    let mut refused = false;
    for (to, from) in name.iter_mut().zip(host.as_bytes()) {
        *to = LOWER[usize::from(*from)];
        refused |= *to == 0;
    }
    let name = std::str::from_utf8(name).ok()?;
    (!refused).then(|| make(name))
}

/// Whether it is in this module's spelling as it came, as most names of DNS and TLS are.
fn is_spelt(text: &str) -> bool {
    let spelt = |&byte: &u8| !matches!(byte, 0 | b':') && LOWER[usize::from(byte)] == byte;
    (1..=LONGEST).contains(&text.len()) && !text.ends_with('.') && text.as_bytes().iter().all(spelt)
}

/// Without white space around it, brackets, port and last dot.
fn bare(text: &str) -> Option<&str> {
    let text = text.trim();
    let host = match text.strip_prefix('[') {
        Some(literal) => literal.split_once(']')?.0,
        None => text.split_once(':').map_or(text, |(host, _)| host),
    };
    Some(host.strip_suffix('.').unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn host_names_are_normalised_or_refused() {
        assert_eq!(host_name(b"Example.ORG.:8080").as_deref(), Some("example.org"));
        assert_eq!(host_name(b"[2001:2::1]:443").as_deref(), Some("2001:2::1"));
        assert_eq!(host_name("\u{a0}BÜCHER.example\n".as_bytes()).as_deref(), Some("bücher.example"));
        assert_eq!(host_name(b"bad name"), None);
        assert_eq!(host_name(b""), None);
        assert_eq!(host_name(&[0xff, 0xfe]), None);
        assert_eq!(host_name(&[b'a'; LONGEST]).map(|name| name.len()), Some(LONGEST));
        assert_eq!(host_name(&[b'a'; LONGEST + 1]), None);
    }

    /// The same rules, character by character.
    fn by_characters(bytes: &[u8]) -> Option<String> {
        let host = bare(std::str::from_utf8(bytes).ok()?)?;
        let allowed = |c: char| c.is_alphanumeric() || "-_.:*".contains(c);
        let fits = !host.is_empty() && host.len() <= LONGEST && host.chars().all(allowed);
        fits.then(|| host.to_lowercase())
    }

    proptest! {
        #[test]
        fn ascii_is_no_case_of_its_own(text in "[ \t\\[]?[a-cA-C0-9._:*é\u{130}\0 -]{0,12}[\\].:é]{0,3}") {
            let (ours, expected) = (host_name(text.as_bytes()), by_characters(text.as_bytes()));
            prop_assert_eq!(ours.as_deref(), expected.as_deref());
        }
    }
}
