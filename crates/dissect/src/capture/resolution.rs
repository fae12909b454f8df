//! Units of pcapng timestamps (`if_tsresol`, `if_tsoffset`).

use overheard_model::Timestamp;

/// What a unit of an interface's clock is, prepared so that a timestamp costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// A unit is this many nanoseconds.
    Nanos(u64),
    /// A nanosecond is this many units.
    PerNano(u64),
    /// A unit is 2 to the minus this of a second.
    Binary(u32),
}

impl Default for Resolution {
    /// Microseconds.
    fn default() -> Self {
        Self::Nanos(1000)
    }
}

impl Resolution {
    /// From the byte of `if_tsresol`: a power of two when the highest bit is set, else of ten.
    /// Units too fine for their 64 bits to reach one nanosecond are refused.
    pub(crate) fn from_option(byte: u8) -> Option<Self> {
        let exponent = u32::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            return (exponent < 64).then_some(Self::Binary(exponent));
        }
        match exponent {
            0..=9 => Some(Self::Nanos(10u64.pow(9 - exponent))),
            _ => 10u64.checked_pow(exponent - 9).map(Self::PerNano),
        }
    }

    /// The instant of a timestamp of an interface whose clock begins `offset` seconds after the epoch.
    pub(crate) fn instant(self, units: u64, offset: i64) -> Timestamp {
        let nanos = match self {
            Self::Nanos(length) => units.saturating_mul(length),
            Self::PerNano(count) => units / count,
            Self::Binary(exponent) => {
                let nanos = (u128::from(units) * 1_000_000_000) >> exponent;
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        };
        Timestamp::from_parts(offset, i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_and_of_two() {
        let second = Timestamp(1_000_000_000);
        let instant = |byte, units| Resolution::from_option(byte).unwrap().instant(units, 0);
        assert_eq!(instant(0, 1), second);
        assert_eq!(instant(6, 1_000_000), second);
        assert_eq!(instant(9, 1_000_000_000), second);
        assert_eq!(instant(12, 1_000_000_000_000), second);
        assert_eq!(instant(0x80, 1), second);
        assert_eq!(instant(0x80 | 20, 1 << 20), second);
        assert_eq!(instant(0x80 | 63, 1 << 63), second);
        assert_eq!(Resolution::from_option(0x80 | 64), None);
        assert_eq!(Resolution::from_option(127), None);
    }

    #[test]
    fn an_offset_is_added_in_seconds() {
        assert_eq!(Resolution::default().instant(5, -1), Timestamp(-1_000_000_000 + 5000));
        assert_eq!(Resolution::default().instant(u64::MAX, 1), Timestamp(i64::MAX));
    }
}
