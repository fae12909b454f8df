//! Confinement from outside: planted leaks on a wire of the test's own, and certificates that somebody changed.

mod certificate;
mod plant;
