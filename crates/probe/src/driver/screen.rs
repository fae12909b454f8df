//! Text from a terminal: control sequences are left out (ECMA-48, xterm's `ctlseqs`).
//!
//! Promises: any bytes, cut anywhere, give text; a sequence that never ends swallows no more than [`LONGEST`] bytes.

/// Bytes after which a sequence is given up.
const LONGEST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Screen {
    state: State,
    swallowed: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// Behind ESC.
    Escape,
    /// Behind ESC and an intermediate byte, such as `ESC ( B`.
    Intermediate,
    /// Behind `ESC [`, up to a final byte.
    Control,
    /// Behind `ESC ]` and its like, up to BEL or `ESC \`.
    String,
    StringEscape,
}

impl Screen {
    /// The bytes that are text.
    pub(super) fn text(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.iter().copied().filter(|byte| self.is_text(*byte)).collect()
    }

    fn is_text(&mut self, byte: u8) -> bool {
        let before = self.state;
        self.state = match (before, byte) {
            (State::Text | State::Control, 0x1b) => State::Escape,
            (State::Text, _) => State::Text,
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'_' | b'^' | b'X') => State::String,
            (State::Escape | State::Intermediate, 0x20..=0x2f) => State::Intermediate,
            (State::Escape | State::Intermediate, _) => State::Text,
            (State::Control, 0x40..=0x7e) => State::Text,
            (State::Control, _) => State::Control,
            (State::String | State::StringEscape, 0x07) | (State::StringEscape, b'\\') => State::Text,
            (State::String | State::StringEscape, 0x1b) => State::StringEscape,
            (State::String | State::StringEscape, _) => State::String,
        };
        self.swallowed = if self.state == State::Text { 0 } else { self.swallowed + 1 };
        if self.swallowed > LONGEST {
            *self = Self::default();
        }
        let printable = byte >= 0x20 && byte != 0x7f || matches!(byte, b'\n' | b'\t');
        before == State::Text && self.state == State::Text && printable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(Screen::default().text(bytes)).unwrap()
    }

    #[test]
    fn control_sequences_are_left_out() {
        assert_eq!(text(b"\x1b[1;31mlogged\x1b[0m in\r\n"), "logged in\n");
        assert_eq!(text(b"\x1b]0;title\x07hi \x1b]8;;x\x1b\\there\x1b(B!"), "hi there!");
        assert_eq!(text("caf\u{e9}\x1b[K".as_bytes()), "caf\u{e9}");
    }

    #[test]
    fn a_sequence_without_an_end_is_given_up() {
        let endless = [b"\x1b]".to_vec(), vec![b'x'; 5000], b"ready".to_vec()].concat();
        assert!(text(&endless).ends_with("ready"));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let mut screen = Screen::default();
            let parts = [screen.text(&bytes[..cut]), screen.text(&bytes[cut..])].concat();
            prop_assert_eq!(parts, Screen::default().text(&bytes));
        }
    }
}
