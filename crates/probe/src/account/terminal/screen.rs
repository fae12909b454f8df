//! What a text-mode client shows, as a terminal would show it, and what is new there.
//!
//! Clients draw lines anew, scroll them and shift them about. What is new are the lines that cannot have been there before:
//! those of now without the longest sequence that they share with those of before.

use super::pattern::{Pattern, Said};

pub(super) struct Screen {
    parser: vt100::Parser,
    columns: u16,
    pattern: Pattern,
    shown: Vec<Said>,
}

impl Screen {
    pub(super) fn new(rows: u16, columns: u16, pattern: Pattern) -> Self {
        Self { parser: vt100::Parser::new(rows, columns, 0), columns, pattern, shown: Vec::new() }
    }

    pub(super) fn draw(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
    }

    pub(super) fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    /// What has arrived since it was looked at before.
    pub(super) fn arrived(&mut self) -> Vec<Said> {
        let now: Vec<Said> = self.lines().iter().filter_map(|line| self.pattern.of(line)).collect();
        let new = beyond(&self.shown, &now);
        self.shown = now;
        new
    }

    /// Lines as the client wrote them: those that the terminal wrapped are put together.
    fn lines(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let mut lines = vec![String::new()];
        for (row, text) in (0..).zip(screen.rows(0, self.columns)) {
            if let Some(line) = lines.last_mut() {
                line.push_str(&text);
            }
            if !self.wraps(row) {
                lines.push(String::new());
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Whether a row goes on in the next. The emulator does not say so where one column was left and a wide character
    /// came, which takes two.
    fn wraps(&self, row: u16) -> bool {
        let screen = self.parser.screen();
        let cell = |row, column| screen.cell(row, column);
        let last = self.columns - 1;
        screen.row_wrapped(row)
            || cell(row, last).is_some_and(|cell| !cell.has_contents())
                && cell(row, last - 1).is_some_and(vt100::Cell::is_wide_continuation)
                && cell(row + 1, 0).is_some_and(vt100::Cell::is_wide)
    }
}

/// What is in `now` beside its longest common subsequence with `before`; both are a screen's lines, and few.
fn beyond(before: &[Said], now: &[Said]) -> Vec<Said> {
    // Length of the longest one of what stands from here on, of both.
    let mut longest = vec![vec![0_usize; now.len() + 1]; before.len() + 1];
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in now.iter().enumerate().rev() {
            longest[i][j] = match old == new {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut beyond) = (0, Vec::new());
    for (j, new) in now.iter().enumerate() {
        // Lines of before that lead to nothing more are gone.
        while i < before.len() && before[i] != *new && longest[i + 1][j] == longest[i][j] {
            i += 1;
        }
        match before.get(i) {
            Some(old) if old == new => i += 1,
            _ => beyond.push(new.clone()),
        }
    }
    beyond
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(rows: u16, columns: u16) -> Screen {
        Screen::new(rows, columns, Pattern::parse("<{from}> {text}").unwrap())
    }

    fn texts(screen: &mut Screen) -> Vec<String> {
        screen.arrived().into_iter().map(|said| said.text).collect()
    }

    #[test]
    fn lines_that_scroll_are_told_once() {
        let mut screen = screen(3, 40);
        screen.draw(b"<bob> one\r\n<bob> two\r\n");
        assert_eq!(texts(&mut screen), ["one", "two"]);
        screen.draw("<bob> 三\r\n<bob> four".as_bytes());
        assert_eq!(texts(&mut screen), ["三", "four"]);
        screen.draw(b"\x1b[2J\x1b[H<bob> two\r\n<bob> \xe4\xb8\x89\r\n<bob> four");
        assert!(texts(&mut screen).is_empty(), "it was only drawn anew");
        screen.draw(b"\r\n<bob> four");
        assert_eq!(texts(&mut screen), ["four"], "said again");
    }

    #[test]
    fn a_line_that_comes_in_between_is_told_alone() {
        let mut screen = screen(5, 40);
        screen.draw(b"<bob> one\r\n<notes> below");
        assert_eq!(texts(&mut screen), ["one", "below"]);
        screen.draw(b"\x1b[2J\x1b[H<bob> one\r\n<bob> two\r\n<notes> below");
        assert_eq!(texts(&mut screen), ["two"]);
        screen.draw(b"\x1b[2J\x1b[H<bob> two\r\n<bob> three\r\n<notes> below");
        assert_eq!(texts(&mut screen), ["three"]);
    }

    #[test]
    fn wide_characters_that_wrap_are_one_line() {
        let mut screen = screen(5, 9);
        screen.draw("<bob> 你好世界 🙂\r\nnext".as_bytes());
        assert_eq!(texts(&mut screen), ["你好世界 🙂"]);
        assert!(screen.shows("next") && !screen.shows("nothing"));
    }
}
