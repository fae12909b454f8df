//! Packets and fragments stated byte by byte.
