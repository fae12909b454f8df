//! The cookies that an X server asks its clients for, as an app in a room can use them.
//!
//! A cookie is kept under the name of the machine that the server runs on, and a client looks for its own machine's.
//! A room has a name of its own, so the app is given a file in which the cookies of this one display hold for any name.
//!
//! Promises: no cookie of another display or another machine is shown; a file that is cut short gives what comes before.
//! Source: Xau(3) for the format, Xsecurity(7) for its use.

/// The display's server runs on the machine that is named.
const LOCAL: u16 = 256;
/// The cookie holds whatever the machine is called.
const WILD: u16 = u16::MAX;

/// The cookies for a display of the machine of this name.
pub(super) fn of_display(mut file: &[u8], display: &str, machine: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    while let Some((entry, rest)) = Entry::first(file) {
        file = rest;
        let ours = entry.family == WILD || (entry.family == LOCAL && entry.address == machine);
        if ours && (entry.number.is_empty() || entry.number == display.as_bytes()) {
            entry.write_for_any_name(&mut kept);
        }
    }
    kept
}

struct Entry<'a> {
    family: u16,
    address: &'a [u8],
    /// Of the display; empty for every one.
    number: &'a [u8],
    method: &'a [u8],
    secret: &'a [u8],
}

impl<'a> Entry<'a> {
    fn first(file: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (family, mut file) = file.split_first_chunk()?;
        let mut counted = || {
            let (length, rest) = file.split_first_chunk()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            file = rest;
            Some(text)
        };
        let family = u16::from_be_bytes(*family);
        let (address, number, method, secret) = (counted()?, counted()?, counted()?, counted()?);
        Some((Self { family, address, number, method, secret }, file))
    }

    fn write_for_any_name(&self, out: &mut Vec<u8>) {
        out.extend(WILD.to_be_bytes());
        for text in [b"", self.number, self.method, self.secret] {
            // Each was read with such a length.
            out.extend((text.len() as u16).to_be_bytes());
            out.extend(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(family: u16, address: &str, number: &str, secret: &str) -> Vec<u8> {
        let mut bytes = family.to_be_bytes().to_vec();
        for text in [address, number, "MIT-MAGIC-COOKIE-1", secret] {
            bytes.extend((text.len() as u16).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes
    }

    #[test]
    fn the_displays_own_cookies_hold_for_any_name() {
        let file = [
            entry(LOCAL, "here", "7", "ours"),
            entry(LOCAL, "here", "8", "another display"),
            entry(LOCAL, "there", "7", "another machine"),
            entry(0, "\u{1}\u{2}\u{3}\u{4}", "7", "over the network"),
            entry(WILD, "", "", "every display"),
        ];
        let expected = [entry(WILD, "", "7", "ours"), entry(WILD, "", "", "every display")];
        assert_eq!(of_display(&file.concat(), "7", b"here"), expected.concat());
    }

    #[test]
    fn what_is_cut_short_gives_what_comes_before() {
        let whole = entry(LOCAL, "here", "7", "ours");
        let cut = [&whole[..], &whole[..whole.len() - 1]].concat();
        assert_eq!(of_display(&cut, "7", b"here"), entry(WILD, "", "7", "ours"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(file: Vec<u8>) {
            let kept = of_display(&file, "7", b"here");
            prop_assert!(kept.len() <= file.len());
        }
    }
}
