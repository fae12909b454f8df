//! Holds an app to a proxy, and proves that nothing else got out.
//!
//! Every packet that the app sends has a [`Class`]. Before the app starts, one leak of every class is planted
//! ([`plant`]); afterwards a [`Certificate`] states what was run, planted and attempted, and what got through, which
//! must be the proxy alone. `docs/methods/confine.md` says what such a certificate proves and what it does not.
//!
//! Promises: a certificate is only signed where every class was stopped and seen, nothing but the proxy was reached
//! and no packet was lost; a changed byte of it or of its capture is found.
//! To extend: a class in [`class`], with its leak in [`plant`].

mod certificate;
pub mod class;
mod execution;
mod key;
pub mod plant;
mod statement;

pub use crate::tapped::Error;
pub use certificate::{Broken, Certificate};
pub use class::Class;
pub use execution::{Execution, Order, Phase, execute, places, ways};
pub use key::{SigningKey, default_path};
pub use statement::{
    Attempted, Doorway, FORMAT, Fault, Kept, Left, Passed, Planted, Program, Proxy, Sha256, Statement,
};
