//! How lively an endpoint was in each of the last seconds.
//!
//! Promises: shown time decides, not the clock: a capture that is replayed ten times as fast looks as it did.

use std::collections::VecDeque;

/// Seconds that are kept.
const SECONDS: usize = 60;

/// Bytes of one endpoint, second by second.
#[derive(Clone, Debug)]
pub struct Pulse {
    total: u64,
    second: i64,
    cells: VecDeque<u64>,
}

impl Pulse {
    pub fn new(second: i64) -> Self {
        Self { total: 0, second, cells: VecDeque::from([0]) }
    }

    /// Takes what there was in all by the given second.
    pub fn beat(&mut self, total: u64, second: i64) {
        let gone = second.saturating_sub(self.second).clamp(0, SECONDS as i64);
        self.second = self.second.max(second);
        self.cells.extend((0..gone).map(|_| 0));
        if let Some(latest) = self.cells.back_mut() {
            *latest += total.saturating_sub(self.total);
        }
        self.total = total;
        self.cells.drain(..self.cells.len().saturating_sub(SECONDS));
    }

    pub fn cells(&self) -> Vec<u64> {
        self.cells.iter().copied().collect()
    }
}

/// The latest cells as bars, so many columns wide, the highest of them as high as can be.
pub fn bars(cells: &[u64], width: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = &cells[cells.len().saturating_sub(width)..];
    let highest = shown.iter().copied().max().unwrap_or(0).max(1);
    let bar = |cell: &u64| match cell {
        0 => ' ',
        cell => BARS[((u128::from(*cell) * BARS.len() as u128).div_ceil(u128::from(highest)) - 1) as usize],
    };
    let bars: String = shown.iter().map(bar).collect();
    format!("{}{bars}", " ".repeat(width - shown.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_what_came_in_it() {
        let mut pulse = Pulse::new(10);
        for (total, second) in [(100, 10), (150, 10), (150, 12), (200, 13), (210, 12)] {
            pulse.beat(total, second);
        }
        assert_eq!(pulse.cells(), [150, 0, 0, 60], "what is told late counts where it is told");
    }

    #[test]
    fn the_past_is_forgotten() {
        let mut pulse = Pulse::new(0);
        pulse.beat(5, 0);
        pulse.beat(6, i64::MAX);
        assert_eq!((pulse.cells().len(), pulse.cells().iter().sum::<u64>()), (SECONDS, 1));
    }

    #[test]
    fn bars_are_as_high_as_their_share() {
        assert_eq!(bars(&[0, 1, 4, 8, u64::MAX / 2], 3), "▁▁█");
        assert_eq!(bars(&[1, 4, 8], 5), "  ▁▄█");
        assert_eq!(bars(&[], 2), "  ");
        assert_eq!(bars(&[0, 0], 2), "  ");
    }
}
