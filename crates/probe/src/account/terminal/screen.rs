//! What a text-mode client shows, as a terminal would show it, and what is new there.
//!
//! Clients draw lines anew, scroll them and shift them about. What is new are the lines at the end that cannot have been
//! there before: the lines of before, less some at their beginning, are where the lines of now begin.

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
        let known = overlap(&self.shown, &now);
        let new = now[known..].to_vec();
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
            if !screen.row_wrapped(row) {
                lines.push(String::new());
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }
}

/// How many of the first lines of now are the last ones of before.
fn overlap(before: &[Said], now: &[Said]) -> usize {
    (0..=before.len().min(now.len())).rev().find(|count| before.ends_with(&now[..*count])).unwrap_or(0)
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
    fn wide_characters_that_wrap_are_one_line() {
        let mut screen = screen(5, 9);
        screen.draw("<bob> 你好世界 🙂\r\nnext".as_bytes());
        assert_eq!(texts(&mut screen), ["你好世界 🙂"]);
        assert!(screen.shows("next") && !screen.shows("nothing"));
    }
}
