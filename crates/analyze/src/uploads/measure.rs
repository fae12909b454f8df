//! What is measured of a trial at an endpoint.
//!
//! Promises: pure functions of one trial; nothing here knows an arm.
//! To extend: what could show an upload is a line in [`TOTALS`], or a width in [`WIDTHS`].

use overheard_model::{Traffic, UploadStatistic};

/// Windows, seconds from the act: at once, soon, late.
pub(super) const WINDOWS: [usize; 4] = [2, 6, 20, LATE_S];
/// An upload is looked for up to this many seconds from the act.
pub(super) const LATE_S: usize = 60;
/// What is summed over a window.
pub(super) const TOTALS: [UploadStatistic; 3] =
    [UploadStatistic::Contacted, UploadStatistic::Flows, UploadStatistic::BytesOut];

/// Sizes of bursts are told apart from this many bytes, in steps of four hundredths, up to about a hundred thousand.
const SMALLEST: f64 = 32.0;
const STEP: f64 = 1.04;
const STEPS: i32 = 205;
/// Steps that a class spans: uploads of one length differ by an eighth, or by a fifth.
const WIDTHS: [i32; 2] = [3, 5];

/// Every class of bursts. Copies of messages of one length have nearly one size, whatever encrypts them, and so stand out
/// from bursts of all sizes although they are small among the bytes of a minute.
pub(super) fn bursts() -> impl Iterator<Item = UploadStatistic> {
    let class = |step, width| UploadStatistic::Bursts { from: edge(step), to: edge(step + width) };
    WIDTHS.into_iter().flat_map(move |width| (0..STEPS).map(move |step| class(step, width)))
}

fn edge(step: i32) -> u64 {
    (SMALLEST * STEP.powi(step)) as u64
}

/// 0 where the endpoint was sent nothing.
pub(super) fn of(traffic: Option<&Traffic>, statistic: UploadStatistic, window_s: usize) -> u64 {
    let Some(traffic) = traffic else { return 0 };
    let sum = |series: &[u64]| series.iter().take(window_s).sum::<u64>();
    match statistic {
        UploadStatistic::Contacted => u64::from(sum(&traffic.bytes_out) > 0),
        UploadStatistic::Flows => sum(&traffic.flows),
        UploadStatistic::BytesOut => sum(&traffic.bytes_out),
        UploadStatistic::Bursts { .. } => burst_sizes(traffic, statistic, window_s).count() as u64,
    }
}

/// The seconds in which something was sent, with their bytes: what classes are counted in, over and over.
pub(super) fn seconds(traffic: Option<&Traffic>) -> Vec<(usize, u64)> {
    let series = traffic.map_or(&[][..], |traffic| &traffic.bytes_out).iter().copied();
    series.take(LATE_S).enumerate().filter(|(_, bytes)| *bytes > 0).collect()
}

/// [`of`] the seconds of [`LATE_S`], for a class of bursts or for all bytes.
pub(super) fn of_seconds(seconds: &[(usize, u64)], statistic: UploadStatistic) -> u64 {
    let bytes = seconds.iter().map(|(_, bytes)| *bytes);
    match statistic {
        UploadStatistic::Bursts { from, to } => {
            bytes.filter(|bytes| (from..to).contains(bytes)).count() as u64
        }
        _ => bytes.sum(),
    }
}

/// Bytes of the seconds that a class of bursts counts.
pub(super) fn burst_sizes(
    traffic: &Traffic,
    statistic: UploadStatistic,
    window_s: usize,
) -> impl Iterator<Item = u64> + '_ {
    let class = match statistic {
        UploadStatistic::Bursts { from, to } => from..to,
        _ => 0..0,
    };
    traffic.bytes_out.iter().take(window_s).copied().filter(move |bytes| class.contains(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_is_in_a_class_of_each_width() {
        for size in [32, 33, 100, 340, 5000, 90_000] {
            let holds = |class: &UploadStatistic| match class {
                UploadStatistic::Bursts { from, to } => (*from..*to).contains(&size),
                _ => false,
            };
            assert!(bursts().filter(holds).count() >= 2, "{size}");
        }
    }

    #[test]
    fn bursts_are_counted_by_the_second() {
        let traffic = Traffic { flows: vec![0; 4], bytes_out: vec![310, 0, 900, 330] };
        let class = UploadStatistic::Bursts { from: 300, to: 340 };
        assert_eq!(
            (of(Some(&traffic), class, 4), of(Some(&traffic), class, 2), of(None, class, 4)),
            (2, 1, 0)
        );
        assert_eq!(of(Some(&traffic), UploadStatistic::BytesOut, 3), 1210);
        let seconds = seconds(Some(&traffic));
        assert_eq!(seconds, [(0, 310), (2, 900), (3, 330)]);
        assert_eq!((of_seconds(&seconds, class), of_seconds(&seconds, UploadStatistic::BytesOut)), (2, 1540));
    }
}
