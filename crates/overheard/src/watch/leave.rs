//! When a view is left, and what ends with it.

use super::app::App;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Why one stops looking.
#[derive(Clone, Copy, Debug)]
pub struct Leave<'a> {
    pub until: Option<Instant>,
    /// Set when somebody interrupts or ends the program.
    pub interrupted: &'a AtomicBool,
    /// An app ends with its view. A capture has an end of its own, which nobody waits for.
    pub app: Option<&'a App>,
}

impl Leave<'_> {
    pub fn is_due(&self) -> bool {
        let over = self.until.is_some_and(|until| Instant::now() >= until);
        over || self.interrupted.load(Ordering::Relaxed)
    }

    /// Asks the app to end, if there is one: then its end will be heard.
    pub fn ends_app(&self) -> bool {
        self.app.inspect(|app| app.ask_to_end()).is_some()
    }
}
