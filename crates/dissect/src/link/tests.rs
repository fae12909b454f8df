//! Frames stated byte by byte.
