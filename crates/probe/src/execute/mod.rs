//! Making runs: one is a stage opened, an app started, its steps performed, everything ended, the capture closed.
//!
//! For: `overheard run`. The [`Stage`] is where an app lives: a room behind the gateway with its recording
//! ([`Rooms`]), or, where no network is watched, [`Bare`] processes.
//! Promises: a run never outlasts its limit by more than the time to end its app; an app that crashes, hangs or never
//! gets ready fails its run, with its last output kept; a run that was interrupted counts for nothing; what the app
//! started is ended with the stage.
//! To extend: a step is an arm in `steps.rs`, a place for apps an implementation of [`Stages`].

mod bare;
mod rooms;
mod run;
mod stage;
mod steps;
mod study;
mod version;

pub use bare::Bare;
pub use rooms::{KEY_LOG, Rooms};
pub use run::{Performed, Script, perform};
pub use stage::{Closed, Launch, Launched, Process, Setting, Stage, Stages};
pub use study::{Conduct, Ended, Watch, conduct};
pub use version::versions;
