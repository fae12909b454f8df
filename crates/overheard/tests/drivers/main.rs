//! `overheard driver` against real servers and clients on loopback. What is not installed is skipped, with a loud line.

mod client;
mod irc;
#[path = "../program/mod.rs"]
mod program;
mod server;
mod terminal;
mod web;
mod xmpp;
