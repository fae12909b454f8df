//! The screen: a title, a summary, the page, and what the keys do.

use super::ink::{CHOSEN, FAINT, STRONG};
use super::keys::HELP;
use super::row::Row;
use super::{Page, State, detail, table};
use overheard_report::{cell, safe};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::collections::BTreeSet;

/// Signs and keys that the help page explains.
pub(super) const HELP_LINES: usize = SIGNS.len() + HELP.len();

/// What the signs mean.
const SIGNS: [(&str, &str); 4] = [
    ("●", "of concern"),
    ("?", "may be of concern: its place is unknown, anycast or disputed"),
    ("!", "whoever holds the wire can read it"),
    ("○", "tried, not carried: no contact"),
];

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, state: &State) {
    let lines = [Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
    let [title, summary, page, foot] = frame.area().layout(&Layout::vertical(lines));
    let width = usize::from(frame.area().width);
    frame.render_widget(Paragraph::new(title_line(state, width)).style(CHOSEN), title);
    frame.render_widget(Paragraph::new(summary_line(state, width)), summary);
    frame.render_widget(Paragraph::new(foot_line(state, width)), foot);
    let height = usize::from(page.height);
    match state.page {
        Page::Endpoints => table::draw(frame, state, page),
        Page::Detail(_) => {
            let lines: Vec<Line<'_>> = detail::lines(state, width).into_iter().skip(state.scrolled).collect();
            frame.render_widget(Paragraph::new(lines), page);
        }
        Page::Lines => frame.render_widget(Paragraph::new(said(state, width, height)), page),
        Page::Help => {
            let lines: Vec<Line<'_>> = help(state, width).into_iter().skip(state.scrolled).collect();
            frame.render_widget(Paragraph::new(lines), page);
        }
    }
}

/// What is watched, and whether it goes on.
fn title_line(state: &State, width: usize) -> Line<'static> {
    let now = match (&state.sight.ended, state.paused) {
        (Some(_), _) => "■ ended",
        (None, true) => "‖ paused",
        (None, false) => "▶ listening",
    };
    let room = width.saturating_sub(now.chars().count() + 1);
    let title = cell::text(&format!("overheard watch: {}", state.title), room);
    let gap = " ".repeat(room.saturating_sub(Span::raw(title.as_str()).width()) + 1);
    Line::from(format!("{title}{gap}{now}"))
}

/// The most important first: a narrow screen cuts the end.
fn summary_line(state: &State, width: usize) -> Line<'static> {
    let sight = &state.sight;
    let concerns = sight.rows.iter().filter(|row| row.is_concern()).count() as u64;
    let (met, tried): (Vec<&Row>, Vec<&Row>) = sight.rows.iter().partition(|row| row.carried);
    let countries: BTreeSet<_> = met.iter().filter_map(|row| row.endpoint.place.agreed()).collect();
    let volume = sight.rows.iter().map(Row::volume).fold(0, u64::saturating_add);
    let mut parts = Vec::new();
    if concerns > 0 {
        parts.push(Span::styled(format!("● {concerns} of concern"), state.alarm()));
    }
    if let Some(why) = &sight.ended {
        parts.push(Span::styled(safe(why).into_owned(), STRONG));
    }
    if sight.missed > 0 {
        parts.push(Span::styled(cell::counted(sight.missed, "packet") + " not shown", state.notice()));
    }
    parts.push(Span::raw(cell::counted(met.len() as u64, "endpoint")));
    if !tried.is_empty() {
        parts.push(Span::styled(format!("{} tried, not carried", tried.len()), state.notice()));
    }
    if !countries.is_empty() {
        let noun = if countries.len() == 1 { "country" } else { "countries" };
        parts.push(Span::raw(format!("{} {noun}", countries.len())));
    }
    parts.push(Span::raw(format!("{} in {}", cell::bytes(volume), cell::counted(sight.packets, "packet"))));
    if let (Some(began), Some(now)) = (sight.began, sight.now) {
        parts.push(Span::raw(format!("{:.0} s", now.ms_since(began).max(0.0) / 1000.0)));
    }
    if let Some(problem) = sight.problems.last() {
        parts.push(Span::styled(safe(&problem.to_string()).into_owned(), state.notice()));
    }
    fitting(parts, ", ", width)
}

fn foot_line(state: &State, width: usize) -> Line<'static> {
    if state.typing || (!state.filter.is_empty() && state.page == Page::Endpoints) {
        let cursor = if state.typing { "▏  Enter keeps it, Esc clears it" } else { "  (Esc clears it)" };
        return Line::from(cell::text(&format!("/ {}{cursor}", state.filter), width));
    }
    let hints: &[&str] = match state.page {
        Page::Endpoints => {
            &["q quit", "Enter detail", "s sort", "/ filter", "Space pause", "o output", "? help"]
        }
        _ => &["q quit", "Esc back", "↑ ↓ scroll"],
    };
    let mut hints: Vec<String> = hints.iter().map(|hint| (*hint).to_owned()).collect();
    if let (Page::Endpoints, Some(sort)) = (state.page, hints.get_mut(2)) {
        *sort = format!("s sort: {}", state.sort.label());
    }
    fitting(hints.into_iter().map(|hint| Span::styled(hint, FAINT)).collect(), "  ", width)
}

/// As many parts as there is room for; a first one that is too wide is cut.
fn fitting(parts: Vec<Span<'static>>, gap: &'static str, width: usize) -> Line<'static> {
    let mut line = Line::default();
    for part in parts {
        let before = if line.spans.is_empty() { "" } else { gap };
        if !line.spans.is_empty() && line.width() + before.len() + part.width() > width {
            break;
        }
        line.push_span(Span::raw(before));
        line.push_span(Span::styled(cell::text(&part.content, width), part.style));
    }
    line
}

/// The lines that are read from their end.
fn said(state: &State, width: usize, height: usize) -> Vec<Line<'static>> {
    let lines = &state.sight.lines;
    if lines.is_empty() {
        return vec![Line::styled("Nothing was written so far.", FAINT)];
    }
    let end = lines.len().saturating_sub(state.scrolled);
    let shown = &lines[end.saturating_sub(height)..end];
    shown.iter().map(|line| Line::from(cell::text(line, width))).collect()
}

fn help(state: &State, width: usize) -> Vec<Line<'static>> {
    let inks = [state.alarm(), state.notice(), state.alarm(), state.notice()];
    let signs = SIGNS.into_iter().zip(inks).map(|((sign, meaning), ink)| (sign, meaning, ink));
    let keys = HELP.iter().map(|(key, meaning)| (*key, *meaning, STRONG));
    let line = |(what, meaning, style): (&'static str, &str, _)| {
        let meaning = cell::text(meaning, width.saturating_sub(12));
        Line::from(vec![Span::styled(format!("{what:<12}"), style), Span::raw(meaning)])
    };
    signs.chain(keys).map(line).collect()
}
