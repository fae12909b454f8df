//! How often each capture is taken, so that the whole resembles real links.
//!
//! Promises: every capture is taken. Among all weights that give the wanted means it takes those
//! nearest to equal ones (least relative entropy, Csiszár 1975): each is the exponential of a linear
//! form of what the capture is short of. Where no weights give the means, they come as near as
//! [`STEEPEST`] allows.

use super::Counts;

/// What large captures of mixed application traffic have.
const BYTES_PER_PACKET: f64 = 350.0;
const PACKETS_PER_FLOW: f64 = 13.0;

/// The largest coefficient of the linear form.
const STEEPEST: f64 = 20.0;

/// The weights' unit: an equal share would be about this.
const UNIT: f64 = 1000.0;

pub(super) fn towards_real_links(captures: &[Counts]) -> Vec<u32> {
    // What each capture has too much of, relative to its size.
    let excess: Vec<[f64; 2]> = captures
        .iter()
        .map(|capture| {
            let (bytes, packets, flows) =
                (capture.bytes as f64, capture.packets as f64, capture.flows as f64);
            let bytes_wanted = packets * BYTES_PER_PACKET;
            let packets_wanted = flows * PACKETS_PER_FLOW;
            [
                (bytes - bytes_wanted) / mean(captures, |c| c.packets) / BYTES_PER_PACKET,
                (packets - packets_wanted) / mean(captures, |c| c.flows) / PACKETS_PER_FLOW,
            ]
        })
        .collect();
    let mut slope = [0.0; 2];
    // Each coefficient in turn, until both means fit: the sums rise with their coefficient.
    for _ in 0..100 {
        for axis in 0..2 {
            slope[axis] = bisect(|value| {
                let mut trial = slope;
                trial[axis] = value;
                excess.iter().map(|excess| excess[axis] * weight(excess, trial)).sum()
            });
        }
    }
    let weights: Vec<f64> = excess.iter().map(|excess| weight(excess, slope)).collect();
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    weights.iter().map(|weight| (weight / mean * UNIT).round().max(1.0) as u32).collect()
}

fn weight(excess: &[f64; 2], slope: [f64; 2]) -> f64 {
    (slope[0] * excess[0] + slope[1] * excess[1]).exp()
}

fn mean(captures: &[Counts], what: impl Fn(&Counts) -> u64) -> f64 {
    captures.iter().map(what).sum::<u64>() as f64 / captures.len() as f64
}

/// Where a rising function is zero.
fn bisect(rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (-STEEPEST, STEEPEST);
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if rising(middle) < 0.0 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::{Counts, towards_real_links};

    #[test]
    fn the_weighted_means_are_the_wanted_ones() {
        let captures = [(4000, 20, 2), (40_000, 60, 3), (90_000, 300, 40), (30_000, 100, 5)]
            .map(|(bytes, packets, flows)| Counts { bytes, packets, flows });
        let weights = towards_real_links(&captures);
        let sum = |what: fn(&Counts) -> u64| {
            captures.iter().zip(&weights).map(|(c, w)| (what(c) * u64::from(*w)) as f64).sum::<f64>()
        };
        let (bytes, packets, flows) = (sum(|c| c.bytes), sum(|c| c.packets), sum(|c| c.flows));
        assert!((bytes / packets - 350.0).abs() < 2.0, "{}", bytes / packets);
        assert!((packets / flows - 13.0).abs() < 0.1, "{}", packets / flows);
    }
}
