//! Flows made of packets stated by hand.

mod stream;
mod table;
