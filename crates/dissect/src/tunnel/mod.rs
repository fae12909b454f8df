//! Tunnels: packets within packets.
