//! Confinement from outside: planted leaks on a wire of the test's own, certificates that somebody changed, and owners
//! of flows in a real room.

mod certificate;
mod owners;
mod plant;
mod statement;
