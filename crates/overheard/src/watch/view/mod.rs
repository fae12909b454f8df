//! The view: what is shown, and how keys change it.
//!
//! For: [`super::screen`], which shows it to a person, and tests, which show it to nobody.
//! Promises: pure. A [`State`] is made of sights ([`State::see`]) and keys ([`State::press`]) alone, and drawn by
//! [`draw()`]; nothing here reads a clock, a terminal or a packet. What captures hold is made safe by the report's
//! own cells.
//! To extend: a column is one line in [`table`]; a key one in [`keys`], and one in the help there.

mod detail;
mod draw;
mod ink;
mod keys;
mod order;
mod pulse;
mod row;
mod table;

#[cfg(test)]
pub(super) mod tests;

pub use draw::draw;
pub use keys::Next;
pub use row::{Id, Row, Sight};

use order::Sort;
use overheard_model::{Endpoint, Flow};
use pulse::Pulse;
use std::collections::HashMap;

/// What fills the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    #[default]
    Endpoints,
    /// One endpoint with its flows.
    Detail(Id),
    /// What the app wrote.
    Lines,
    Help,
}

/// What the view remembers.
#[derive(Debug, Default)]
pub struct State {
    /// What is watched, for the first line.
    title: String,
    /// Whether colours are wanted; signs are there in any case.
    color: bool,
    sight: Sight,
    /// What came while the view was paused.
    waiting: Option<Sight>,
    paused: bool,
    pulses: HashMap<Id, Pulse>,
    page: Page,
    sort: Sort,
    reversed: bool,
    filter: String,
    /// Keys go into the filter.
    typing: bool,
    /// The first row where nobody chose one.
    chosen: Option<Id>,
    /// Lines that are scrolled past, of the pages that can be scrolled.
    scrolled: usize,
    flows: Vec<Flow>,
}

impl State {
    pub fn new(title: String, color: bool) -> Self {
        Self { title, color, ..Self::default() }
    }

    /// Takes what is to be seen now; shown later where the view is paused.
    pub fn see(&mut self, mut sight: Sight) {
        let second = sight.now.map_or(0, |now| now.0.div_euclid(1_000_000_000));
        let mut pulses = HashMap::with_capacity(sight.rows.len());
        for row in &mut sight.rows {
            let mut pulse = self.pulses.remove(&row.id()).unwrap_or_else(|| Pulse::new(second));
            pulse.beat(row.volume(), second);
            row.trend = pulse.cells();
            pulses.insert(row.id(), pulse);
        }
        self.pulses = pulses;
        if self.paused {
            self.waiting = Some(sight);
        } else {
            self.sight = sight;
        }
    }

    /// The endpoint whose flows are shown.
    pub fn opened(&self) -> Option<&Endpoint> {
        let Page::Detail(id) = self.page else { return None };
        self.row(id).map(|row| &row.endpoint)
    }

    /// Takes the flows of the opened endpoint, in the order of their first packets.
    pub fn tell(&mut self, flows: Vec<Flow>) {
        self.flows = flows;
    }

    fn row(&self, id: Id) -> Option<&Row> {
        self.sight.rows.iter().find(|row| row.id() == id)
    }

    /// The rows that pass the filter, in order.
    fn rows(&self) -> Vec<&Row> {
        let wanted = self.filter.to_lowercase();
        let mut rows: Vec<&Row> = self.sight.rows.iter().filter(|row| row.has(&wanted)).collect();
        rows.sort_by(|one, other| self.sort.compare(one, other));
        if self.reversed {
            rows.reverse();
        }
        rows
    }

    /// Where the chosen row stands.
    fn cursor(&self, rows: &[&Row]) -> usize {
        let chosen = self.chosen.and_then(|id| rows.iter().position(|row| row.id() == id));
        chosen.unwrap_or(0)
    }
}
