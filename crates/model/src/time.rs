//! An instant: nanoseconds since the Unix epoch, as capture files record it.
//!
//! Promises: never reads a clock; every instant prints as RFC 3339 in UTC.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

/// Nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1678 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The instant `seconds` and `nanos` after the epoch; saturates at the ends of the range.
    pub const fn from_parts(seconds: i64, nanos: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// Milliseconds from `earlier` to `self`; negative where the clock went back.
    pub fn ms_since(self, earlier: Self) -> f64 {
        (self.0 as i128 - earlier.0 as i128) as f64 / 1e6
    }

    /// The UTC calendar date, `YYYY-MM-DD`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Written::of(*self).as_str())
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let instant: jiff::Timestamp = text.parse().map_err(|e: jiff::Error| e.to_string())?;
        i64::try_from(instant.as_nanosecond()).map(Self).map_err(|e| e.to_string())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Written::of(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// `2012-11-04`, of a day after the epoch.
type Date = [u8; 10];

thread_local! {
    /// The day that was written last: instants of one capture are of few days.
    static LAST_DAY: Cell<Option<(i64, Date)>> = const { Cell::new(None) };
}

fn date(day: i64) -> Date {
    if let Some((_, date)) = LAST_DAY.get().filter(|(last, _)| *last == day) {
        return date;
    }
    let midnight = jiff::Timestamp::from_second(day * (DAY / SECOND)).map(|midnight| midnight.to_string());
    let date =
        midnight.ok().and_then(|text| text.as_bytes().first_chunk().copied()).unwrap_or(*b"0000-00-00");
    LAST_DAY.set(Some((day, date)));
    date
}

/// An instant in RFC 3339, with as many digits of the second as it has.
struct Written {
    text: [u8; Self::LONGEST],
    len: usize,
}

impl Written {
    const LONGEST: usize = "2012-11-04T03:33:20.123456789Z".len();

    fn of(Timestamp(nanos): Timestamp) -> Self {
        let mut written = Self { text: [0; Self::LONGEST], len: 0 };
        written.push(&date(nanos.div_euclid(DAY)));
        let seconds = nanos.rem_euclid(DAY) / SECOND;
        for (before, number) in [(b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
            written.push(&[before, digit(number / 10), digit(number)]);
        }
        written.push_fraction(nanos.rem_euclid(SECOND));
        written.push(b"Z");
        written
    }

    /// Without the zeros at its end.
    fn push_fraction(&mut self, nanos: i64) {
        if nanos == 0 {
            return;
        }
        let (mut digits, mut left) = ([b'0'; 9], nanos);
        for place in digits.iter_mut().rev() {
            *place = digit(left);
            left /= 10;
        }
        let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
        self.push(b".");
        self.push(digits.get(..digits.len() - zeros).unwrap_or_default());
    }

    fn push(&mut self, bytes: &[u8]) {
        if let Some(room) = self.text.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    fn as_str(&self) -> &str {
        self.text.get(..self.len).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
    }
}

/// The last digit of a number that is not negative.
fn digit(number: i64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_calendar_does() {
        let ends =
            [i64::MIN, i64::MAX, 0, -1, 1, DAY, DAY - 1, -DAY, -DAY - 1, SECOND, 951_827_696_000_100_000];
        let spread = (-500..500).map(|step: i64| step.wrapping_mul(18_446_744_073_709_551));
        for nanos in ends.into_iter().chain(spread) {
            let instant = jiff::Timestamp::from_nanosecond(nanos.into()).unwrap();
            assert_eq!(Timestamp(nanos).to_string(), instant.to_string());
        }
    }

    #[test]
    fn prints_rfc_3339_and_reads_it_back() {
        let instant = Timestamp::from_parts(1_352_000_000, 123_456_000);
        assert_eq!(instant.to_string(), "2012-11-04T03:33:20.123456Z");
        assert_eq!(instant.to_string().parse(), Ok(instant));
    }

    #[test]
    fn a_clock_that_goes_back_gives_a_negative_span() {
        assert_eq!(Timestamp(0).ms_since(Timestamp(2_500_000)), -2.5);
    }
}
