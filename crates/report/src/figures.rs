//! Numbers as people read them: p-values, percentages, counts, sizes, dates.
//!
//! Promises: a number that is not finite prints as `–`, never as `NaN`; a p-value is never rounded to 0.

use overheard_model::Timestamp;
pub(crate) use overheard_model::probability::{probability, probability_of};

/// What stands where there is no number.
pub(crate) const NONE: &str = "–";

/// A share from 0 to 1: `86 %`, `9.5 %`, with a no-break space.
pub(crate) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if !percent.is_finite() => NONE.into(),
        percent if (0.0..9.95).contains(&percent) => format!("{}\u{a0}%", trimmed(&format!("{percent:.1}"))),
        percent => format!("{percent:.0}\u{a0}%"),
    }
}

/// An estimate: `181`, `4.5`.
pub(crate) fn estimate(value: f64) -> String {
    match value {
        value if !value.is_finite() => NONE.into(),
        value if value.abs() < 10.0 => trimmed(&format!("{value:.1}")).into(),
        value => format!("{value:.0}"),
    }
}

/// Milliseconds: `0.4 ms`, `182 ms`.
pub fn milliseconds(value: f64) -> String {
    format!("{} ms", estimate(value))
}

/// Groups of three: `12 345` with a no-break space.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun: `1 run`, `20 runs`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Some of all: `2 of the 5 servers`, `all 5 servers`, `the only server`.
pub(crate) fn some_of(some: u64, all: u64, noun: &str) -> String {
    match (some, all) {
        (1, 1) => format!("the only {noun}"),
        (some, all) if some == all => format!("all {}", counted(all, noun)),
        (some, all) => format!("{} of the {}", count(some), counted(all, noun)),
    }
}

/// A size in decimal units: `512 B`, `1.4 MB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if unit > 0 && value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{digits} {}", UNITS[unit])
}

/// `2015-08-05 to 2015-08-06`, or one date.
pub(crate) fn dates(first: Option<Timestamp>, last: Option<Timestamp>) -> Option<String> {
    let (first, last) = (first?.date(), last?.date());
    Some(if first == last { first } else { format!("{first} to {last}") })
}

/// `a, b and c`.
pub(crate) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn trimmed(digits: &str) -> &str {
    digits.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_sizes_keep_two_figures() {
        assert_eq!(percent(0.095), "9.5\u{a0}%");
        assert_eq!(percent(0.95), "95\u{a0}%");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_449), "1.4 kB");
        assert_eq!(bytes(999_600), "1.0 MB");
        assert_eq!(some_of(1, 1, "server"), "the only server");
        assert_eq!(some_of(2, 2, "server"), "all 2 servers");
        assert_eq!(some_of(1, 2, "server"), "1 of the 2 servers");
        assert_eq!(count(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
