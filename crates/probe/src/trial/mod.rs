//! Trials between two accounts of one's own: a message is sent, and the other client says whether it arrived.
//!
//! For: `overheard uploads` and `overheard keywords`. The [`Line`] is the two clients, each behind a driver of JSON lines on a stage of its
//! own; the [`Book`] is where every act is booked before it is done, and [`Spending`] what accounts spent in all books; the [`Pace`] is the time between messages.
//! Promises: nothing is sent that is not on disk as spent; what was answered once is never asked again; no wait is
//! without a limit; a client that dies, falls silent or says that its account is banned ends
//! the trials and is named, and is no evidence of a filter.
//! To extend: what else follows from an act is a field of [`Outcome`] and of the book's entry.

mod book;
mod complaint;
mod line;
mod pace;
mod spending;

pub use book::{Book, BookFault, Booked, Crossed, Intent, Opening};
pub use line::{Broken, Line, Message, Order, Outcome, Role};
pub use pace::Pace;
pub use spending::Spending;
