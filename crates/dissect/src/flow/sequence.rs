//! TCP sequence numbers: 32 bits that wrap around (RFC 9293 §3.4).

/// How far `to` lies ahead of `from`; negative when it lies behind.
#[inline]
pub(super) fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from).cast_signed())
}

/// The sequence space that payload bytes take.
#[inline]
pub(super) fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_cross_the_wrap() {
        assert_eq!(distance(u32::MAX, 4), 5);
        assert_eq!(distance(4, u32::MAX), -5);
        assert_eq!(distance(7, 7), 0);
    }
}
