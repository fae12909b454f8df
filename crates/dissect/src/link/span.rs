//! A stretch of a packet: its captured bytes and its length on the wire.

/// Captured bytes of a stretch that is `wire` bytes long; what the snapshot length cut off is missing
/// at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) wire: u32,
}

impl<'a> Span<'a> {
    /// `bytes` of which nothing is missing.
    #[inline]
    pub(crate) fn whole(bytes: &'a [u8]) -> Self {
        Self::partial(bytes, 0)
    }

    /// `bytes` after which so many are missing.
    #[inline(always)]
    pub(crate) fn partial(bytes: &'a [u8], missing: u32) -> Self {
        Self { bytes, wire: u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(missing) }
    }

    /// The first `N` bytes, and what follows them.
    #[inline(always)]
    pub(crate) fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (head, rest) = self.bytes.split_first_chunk()?;
        Some((head, Self { bytes: rest, wire: self.wire.saturating_sub(N as u32) }))
    }

    /// What follows `count` bytes, all of which were captured.
    #[inline(always)]
    pub(crate) fn after(self, count: usize) -> Option<Self> {
        let rest = self.bytes.get(count..)?;
        Some(Self { bytes: rest, wire: self.wire.saturating_sub(u32::try_from(count).ok()?) })
    }

    /// No more than the first `length` bytes: what follows is padding.
    #[inline(always)]
    pub(crate) fn up_to(self, length: u32) -> Self {
        let wire = self.wire.min(length);
        let captured = self.bytes.len().min(wire as usize);
        Self { bytes: self.bytes.get(..captured).unwrap_or_default(), wire }
    }

    /// Bytes that the snapshot length cut off.
    #[inline(always)]
    pub(crate) fn missing(self) -> u32 {
        self.wire.saturating_sub(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX))
    }
}
