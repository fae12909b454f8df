//! What keys do.

use super::{Page, State};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The keys, for the help page.
pub(super) const HELP: [(&str, &str); 11] = [
    ("q, Ctrl-C", "quit; the terminal is left as it was"),
    ("↑ ↓, j k", "choose an endpoint; scroll"),
    ("PgUp PgDn", "ten at a time"),
    ("Home End", "the first, the last"),
    ("Enter", "the endpoint with its names, places and flows; Esc goes back"),
    ("s", "sort by bytes, country, name, last seen"),
    ("r", "the other way round"),
    ("/", "filter by anything that is shown; Enter keeps it, Esc clears it"),
    ("Space, p", "pause the view; listening goes on"),
    ("o", "what the app wrote"),
    ("?", "this page"),
];

/// Rows that a page key passes.
const PAGE: isize = 10;

/// What is left to do when a key was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Go,
    Quit,
}

impl State {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Next {
        if key.kind == KeyEventKind::Release {
            return Next::Go;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Next::Quit } else { Next::Go };
        }
        if self.typing {
            self.type_filter(key.code);
            return Next::Go;
        }
        match key.code {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Char('?') => self.turn_to(Page::Help),
            KeyCode::Char('o') => self.turn_to(Page::Lines),
            KeyCode::Char(' ' | 'p') => self.pause(),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-PAGE),
            KeyCode::PageDown => self.step(PAGE),
            KeyCode::Home => self.step(isize::MIN),
            KeyCode::End => self.step(isize::MAX),
            KeyCode::Esc if self.page == Page::Endpoints => self.filter.clear(),
            KeyCode::Esc => self.turn_to(Page::Endpoints),
            code if self.page == Page::Endpoints => self.press_in_table(code),
            KeyCode::Enter => self.turn_to(Page::Endpoints),
            _ => {}
        }
        Next::Go
    }

    fn press_in_table(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.open(),
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('r') => self.reversed = !self.reversed,
            KeyCode::Char('/') => self.typing = true,
            _ => {}
        }
    }

    fn type_filter(&mut self, code: KeyCode) {
        match code {
            KeyCode::Char(character) => self.filter.push(character),
            KeyCode::Backspace => _ = self.filter.pop(),
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            _ => {}
        }
    }

    /// To a page, and from it back to the endpoints.
    fn turn_to(&mut self, page: Page) {
        self.page = if self.page == page { Page::Endpoints } else { page };
        self.scrolled = 0;
        self.flows.clear();
    }

    fn open(&mut self) {
        let rows = self.rows();
        let Some(id) = rows.get(self.cursor(&rows)).map(|row| row.id()) else { return };
        self.chosen = Some(id);
        self.turn_to(Page::Detail(id));
    }

    fn pause(&mut self) {
        self.paused = !self.paused;
        if let Some(sight) = self.waiting.take() {
            self.sight = sight;
        }
    }

    fn step(&mut self, by: isize) {
        match self.page {
            Page::Endpoints => {}
            Page::Help => return self.scroll(by, super::draw::HELP_LINES),
            Page::Detail(_) => return self.scroll(by, super::detail::length(self)),
            // These are read from their end.
            Page::Lines => return self.scroll(by.saturating_neg(), self.sight.lines.len()),
        }
        let rows = self.rows();
        let last = rows.len().saturating_sub(1);
        let to = self.cursor(&rows).saturating_add_signed(by).min(last);
        // The first row is whichever is the first.
        self.chosen = rows.get(to).filter(|_| to > 0).map(|row| row.id());
    }

    fn scroll(&mut self, by: isize, length: usize) {
        self.scrolled = self.scrolled.saturating_add_signed(by).min(length.saturating_sub(1));
    }
}
