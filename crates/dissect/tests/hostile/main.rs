//! Captures that mean harm, each held to a bound on time and memory.
//!
//! For: proving that what a stranger puts into a file costs no more than its bytes are worth. One file
//! for each surface; [`wire`] builds packets, [`source`] streams them, [`cost`] measures.
//! Promises: no wall clock. Memory is what the allocator gave out, counted exactly; time is processor
//! time, held to a line through the origin that quadratic behaviour crosses a hundredfold.
//! To extend: a test that states its bound and the reason for it.

mod compression;
mod cost;
mod dns;
mod fragments;
mod http;
mod lengths;
mod nesting;
mod pcapng;
mod quic;
mod scans;
mod source;
mod tables;
mod tls;
mod wire;
