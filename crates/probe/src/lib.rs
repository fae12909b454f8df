//! Acts on the machine: the only crate with privilege, sockets, child processes and `unsafe`.
//!
//! Nearly empty until live runs: reading captures needs none of it.
