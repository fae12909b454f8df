//! Text from outside: names out of captures, file names, comments.
//!
//! Promises: what [`safe`] and [`quoted`] return cannot act on a terminal, reorder what is read or hide in it, and what
//! [`quoted`] returns is that of no other text; what [`escaped`] returns is text wherever it stands in HTML, between tags or in a quoted attribute; what
//! [`Inert`] passes on is the same document, inert where it is printed. Host names, which may also pass for
//! another, have a module of their own: [`crate::hostname`].

use std::borrow::Cow;
use std::fmt::Write;
use std::io;

/// Whether a character does something rather than being seen: controls, line and paragraph separators,
/// and what Unicode calls ignorable by default (DerivedCoreProperties, 16.0), which holds the
/// bidirectional formatting characters of UAX #9, those without width, blank letters and tags.
fn acts(character: char) -> bool {
    character.is_control()
        || (character >= '\u{ad}'
            && matches!(
                character,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
                    | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                    | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                    | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            ))
}

/// Whether a text in UTF-8 cannot hold what [`acts`], but for line ends: most is of these bytes alone, and
/// is passed quickly, eight at a time.
fn is_plain(text: &[u8]) -> bool {
    let plain = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\n' | 0x20..=0x7e));
    let (words, rest) = text.as_chunks();
    words.iter().all(|word| is_printable(u64::from_ne_bytes(*word)) || plain(word)) && plain(rest)
}

/// Whether all eight bytes are printable ASCII: the highest bit of each says so.
fn is_printable(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES << 7;
    let from_space_on = (word | HIGHEST) - ONES * 0x20;
    let delete = (word & !HIGHEST) + ONES;
    from_space_on & !delete & !word & HIGHEST == HIGHEST
}

/// Without characters that act: each is replaced by one that shows that something stood there.
pub fn safe(text: &str) -> Cow<'_, str> {
    if (is_plain(text.as_bytes()) && !text.contains('\n')) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(acts, "\u{fffd}"))
}

/// Exactly this text, to be told from any other: what [`acts`] is written as Rust and Swift write it, `\u{200c}`, and so is
/// a backslash that would begin as much. Once only: quoted again it would be another text.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match acts(character) || text[at..].starts_with("\\u{") {
            true => quoted.extend(character.escape_unicode()),
            false => quoted.push(character),
        }
    }
    quoted
}

/// Bytes of a document that are looked at together.
const PIECE: usize = 4096;

/// Passes a JSON document on, or lines of one, with what [`acts`] written as an escape (RFC 8259 §7): only
/// strings can hold it, and they mean the same. Line ends stay. It must be flushed at the end.
pub(crate) struct Inert<'a> {
    out: &'a mut dyn io::Write,
    held: Vec<u8>,
}

impl<'a> Inert<'a> {
    pub(crate) fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, held: Vec::with_capacity(2 * PIECE) }
    }

    /// Passes on what is held, up to a character that is not whole.
    fn pass(&mut self) -> io::Result<()> {
        if is_plain(&self.held) {
            self.out.write_all(&self.held)?;
            self.held.clear();
            return Ok(());
        }
        let whole = self.held.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        self.out.write_all(inert(whole).as_bytes())?;
        self.held.drain(..whole.len());
        Ok(())
    }
}

impl io::Write for Inert<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    // A record is some two hundred pieces, most of a byte or two.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < PIECE { Ok(()) } else { self.pass() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass()?;
        self.out.flush()
    }
}

fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if character == '\n' || !acts(character) {
            inert.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(inert, "\\u{unit:04x}");
        }
    }
    inert
}

/// [`safe`], with the five characters that mean something to HTML written as references.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in safe(text).chars() {
        match character {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_told_of_every_byte_at_every_place() {
        for (byte, at) in (0..=u8::MAX).flat_map(|byte| (0..19).map(move |at| (byte, at))) {
            let mut text = [b'~'; 19];
            (text[at], text[18 - at / 2]) = (byte, b' ');
            let expected = text.iter().all(|byte| *byte == b'\n' || (0x20..0x7f).contains(byte));
            assert_eq!(is_plain(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_name_cannot_act_on_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}c");
    }

    #[test]
    fn what_is_quoted_is_no_other_text() {
        assert_eq!(
            quoted("\u{6cc}\u{200c}\u{200d}b\u{202e}\u{1b}"),
            "\u{6cc}\\u{200c}\\u{200d}b\\u{202e}\\u{1b}"
        );
        assert_eq!(quoted("a\\u{200c}\\n"), "a\\u{5c}u{200c}\\n");
        assert_eq!(safe(&quoted("a\u{200c}")), quoted("a\u{200c}"));
    }

    #[test]
    fn a_json_string_means_the_same_and_acts_on_nothing() {
        let said = "a\u{7f}\u{9b}\u{202e}\u{200b}\u{e0041}ü\u{1b}";
        let text = passed(serde_json::to_string(said).expect("a string").as_bytes(), 7);
        assert!(!text.contains(acts), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).expect("the same string"), said);
    }

    #[test]
    fn every_length_of_document_passes_in_pieces_of_any_size() {
        let document = format!("{}\u{202e}{}\n", "a".repeat(PIECE - 2), "ü".repeat(PIECE));
        for size in [1, 2, 3, PIECE, 3 * PIECE] {
            assert_eq!(passed(document.as_bytes(), size), document.replace('\u{202e}', "\\u202e"), "{size}");
        }
    }

    /// What comes out where the document is written in pieces of this size.
    fn passed(document: &[u8], size: usize) -> String {
        let mut bytes = Vec::new();
        let mut out = Inert::new(&mut bytes);
        for piece in document.chunks(size) {
            io::Write::write_all(&mut out, piece).expect("memory takes all");
        }
        io::Write::flush(&mut out).expect("memory takes all");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(escaped("<a b='c'>\"&"), "&lt;a b=&#39;c&#39;&gt;&quot;&amp;");
    }
}
