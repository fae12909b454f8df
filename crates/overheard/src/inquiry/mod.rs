//! Inquiries: what `overheard uploads` and `overheard keywords` share.
//!
//! [`clients`] are the options that say who talks to whom and how; [`trials`] makes one act after another with them, each
//! booked first; [`files`] reads what people wrote. A [`comparison`] has its order from [`design`], its texts from
//! [`wording`] (those that nobody gave from [`neutral`], none of them with what is [`avoided`]), and [`verdict`] says what its acts come to. A [`calibration`] is
//! the comparison before a search for words, [`hunt`] the search, [`quest`] carries it out, [`noise`] says whether its
//! noise was taken right. [`copies`] looks for the texts in what was recorded ([`heard`]), but for those that were on
//! their way by [`carriers`]. What was [`booked`] becomes the report, which [`output`] writes.
//! Promises: nothing that was measured is lost, however an inquiry ends: it is in the book, and the report says why it
//! ended. Texts are never written down.

pub mod avoided;
pub mod booked;
pub mod calibration;
pub mod carriers;
pub mod clients;
pub mod comparison;
pub mod copies;
pub mod design;
pub mod files;
pub mod heard;
pub mod hunt;
pub mod neutral;
pub mod noise;
pub mod output;
pub mod quest;
pub mod trials;
pub mod verdict;
pub mod wording;
