//! What an IRC message may hold, and how long it may be.
//!
//! A line is at most 512 bytes with its end (RFC 2812, 2.3), and the server puts the sender's name before it when it
//! passes it on: `:nick!user@host PRIVMSG to :text`. Servers cut what is longer without a word, so room is left for the
//! longest name that there can be.

/// Bytes of a line without CR LF.
const LINE: usize = 510;
/// Longest user name with its `~`, and longest host (RFC 2812, 2.3.1).
const USER: usize = 11;
const HOST: usize = 63;

/// Bytes of text in one message from `nick` to `to`.
fn room(nick: &str, to: &str) -> usize {
    let before = ":!@ PRIVMSG  :".len() + nick.len() + USER + HOST + to.len();
    LINE.saturating_sub(before)
}

/// The lines that carry a text; one, unless it may be split. The error says why there are none.
pub(super) fn lines<'a>(nick: &str, to: &str, text: &'a str, split: bool) -> Result<Vec<&'a str>, String> {
    if !is_name(to) {
        return Err("no nick or channel: one word, without a comma".into());
    }
    let room = room(nick, to);
    let ends = |c: char| matches!(c, '\r' | '\n');
    if text.contains('\0') || !split && text.contains(ends) {
        return Err("IRC carries neither line ends nor NUL in a message".into());
    }
    if !split && text.len() > room {
        return Err(format!("{} bytes: IRC carries {room} in a message to {to}", text.len()));
    }
    let lines: Vec<&str> = text.split(ends).flat_map(|line| pieces(line, room)).collect();
    if lines.is_empty() { Err("an empty text".into()) } else { Ok(lines) }
}

/// Whether it is one parameter and one target.
fn is_name(to: &str) -> bool {
    !to.is_empty() && !to.starts_with(':') && !to.contains([' ', ',', '\r', '\n', '\0'])
}

/// Cut between characters, so that no piece is longer than `room`.
fn pieces(mut line: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !line.is_empty() {
        let first = line.chars().next().map_or(1, char::len_utf8);
        let (piece, rest) = line.split_at(line.floor_char_boundary(room).max(first));
        pieces.push(piece);
        line = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_too_long_is_refused_unless_it_may_be_split() {
        let room = room("alice", "bob");
        let fits = "x".repeat(room);
        assert_eq!(lines("alice", "bob", &fits, false), Ok(vec![&*fits]));
        let long = fits + "y";
        assert!(lines("alice", "bob", &long, false).unwrap_err().contains(&format!("IRC carries {room}")));
        assert_eq!(lines("alice", "bob", &long, true).unwrap()[1], "y");
        assert_eq!(lines("alice", "bob", "a\r\nb", true), Ok(vec!["a", "b"]));
    }

    #[test]
    fn nothing_but_a_message_to_one_is_ever_sent() {
        for (to, text) in [
            ("bob", "a\nQUIT"),
            ("bob", "\0"),
            ("", "a"),
            ("b c", "a"),
            ("b,c", "a"),
            (":b", "a"),
            ("b\rc", "a"),
            ("bob", ""),
        ] {
            assert!(lines("alice", to, text, false).is_err(), "{to:?} {text:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_fit_and_are_the_whole(text in "[^\\x00\\r\\n]{1,300}") {
            let pieces = lines("alice", "#channel", &text, true).unwrap();
            prop_assert_eq!(pieces.concat(), &*text);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= room("alice", "#channel")));
        }
    }
}
