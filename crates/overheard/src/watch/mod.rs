//! Watching: whom an app talks to, while it does.
//!
//! The path of a packet: a [`source`] hears it and puts it into a queue; the [`listener`] takes it from there
//! and makes of all packets so far a [`view::Sight`] a few times a second, which the [`screen`] draws or
//! [`lines`] writes down. The sources are an [`app`] in a room, and what needs no privilege: the [`replay`] of a
//! capture file, or a pipe.
//! Promises: a source is never held up by a view; the terminal is left as it was, however it ends.

pub mod app;
pub mod leave;
pub mod lines;
pub mod listener;
pub mod replay;
pub mod screen;
pub mod source;
pub mod view;
