//! Times and sizes as people write them: `30 s`, `2 min`, `100 MB`.
//!
//! Promises: a number without its unit is refused.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lasting(pub Duration);

impl Lasting {
    pub const fn of_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl TryFrom<String> for Lasting {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let duration = text.parse::<jiff::SignedDuration>().ok();
        let positive = duration.and_then(|duration| Duration::try_from(duration).ok());
        positive.map(Self).ok_or_else(|| format!("{text:?} is no time such as \"30 s\" or \"2 min\""))
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            _ if !ms.is_multiple_of(1000) => write!(f, "{ms} ms"),
            _ if ms == 0 || !ms.is_multiple_of(60_000) => write!(f, "{} s", ms / 1000),
            _ => write!(f, "{} min", ms / 60_000),
        }
    }
}

impl From<Lasting> for String {
    fn from(lasting: Lasting) -> Self {
        lasting.to_string()
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub u64);

/// Units by name, the largest first: what divides a size is how it prints.
const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

impl TryFrom<String> for Bytes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || format!("{text:?} is no size such as \"100 MB\" or \"2 GiB\"");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = UNITS.iter().find(|(name, _)| *name == &text[digits.len()..]).ok_or_else(refused)?;
        let number: u64 = digits.trim().parse().map_err(|_| refused())?;
        number.checked_mul(unit.1).map(Self).ok_or_else(refused)
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        let whole = UNITS.iter().find(|(_, size)| bytes.0 > 0 && bytes.0.is_multiple_of(*size));
        let (name, size) = whole.unwrap_or(&UNITS[6]);
        format!("{} {name}", bytes.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_a_unit() {
        let read = |text: &str| Lasting::try_from(text.to_owned());
        assert_eq!(read("30 s"), Ok(Lasting::of_seconds(30)));
        assert_eq!(read("2 min"), Ok(Lasting::of_seconds(120)));
        assert_eq!(read("500 ms").map(|it| it.0.as_millis()), Ok(500));
        for wrong in ["30", "-30 s", "soon", "", "99999999999999999999 h"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        let read = |text: &str| Bytes::try_from(text.to_owned());
        assert_eq!(read("100 MB"), Ok(Bytes(100_000_000)));
        assert_eq!(read("2GiB"), Ok(Bytes(2 << 30)));
        for wrong in ["100", "MB", "1.5 GB", "-1 B", "99999999999999 GB", "1 mb"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for lasting in ["30 s", "2 min", "1500 ms", "0 s"] {
            assert_eq!(Lasting::try_from(lasting.to_owned()).unwrap().to_string(), lasting);
        }
        for bytes in ["1 GiB", "100 MB", "7 B", "0 B"] {
            assert_eq!(String::from(Bytes::try_from(bytes.to_owned()).unwrap()), bytes);
        }
    }
}
