//! Captures stated byte by byte.
