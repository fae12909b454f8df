//! Inquiries: what `overheard uploads` and `overheard keywords` share.
//!
//! [`clients`] are the options that say who talks to whom and how; [`trials`] makes one act after another with them, each
//! booked first; [`files`] reads what people wrote; [`design`] is the order of acts of a comparison, [`wording`] its
//! texts, [`verdict`] what its acts come to; [`hunt`] is the search for words.
//! Promises: nothing that was measured is lost, however an inquiry ends: it is in the book, and the report says why it
//! ended. Texts are never written down.

pub mod clients;
pub mod design;
pub mod files;
pub mod hunt;
pub mod output;
pub mod trials;
pub mod verdict;
pub mod wording;
