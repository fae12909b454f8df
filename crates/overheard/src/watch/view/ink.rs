//! Colours, which never say anything alone.

use super::State;
use super::row::Severity;
use ratatui::style::{Color, Modifier, Style};

/// What stands back.
pub(super) const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// Where one is: the title, the chosen row.
pub(super) const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

impl State {
    pub(super) fn ink(&self, severity: Severity) -> Style {
        match severity {
            Severity::Concern => self.alarm(),
            Severity::Suspect | Severity::Tried => self.notice(),
            Severity::Readable | Severity::Plain => Style::new(),
            Severity::Local => FAINT,
        }
    }

    /// A reason for concern.
    pub(super) fn alarm(&self) -> Style {
        if self.color { STRONG.fg(Color::Red) } else { STRONG }
    }

    /// Worth a second look.
    pub(super) fn notice(&self) -> Style {
        if self.color { Style::new().fg(Color::Yellow) } else { Style::new() }
    }
}
