//! Tunnels stated byte by byte.
