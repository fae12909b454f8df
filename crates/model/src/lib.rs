//! The nouns of Overheard: study, build, run, artifact, flow, endpoint, observation, finding.
//!
//! For: every other crate, which speaks to its neighbours in these types alone.
//! Promises: no I/O, no clock, no dependency on another crate of ours; plain values that can be
//! compared, cloned and serialised.
//! To extend: add the noun in a file of its own, named by subject, and re-export it here.

#![forbid(unsafe_code)]

pub mod artifact;
pub mod capture;
pub mod comparison;
pub mod country;
pub mod delivery;
pub mod design;
pub mod destination;
pub mod endpoint;
pub mod finding;
pub mod flow;
pub mod flows;
pub mod indices;
mod inquiry;
pub mod name;
pub mod observation;
pub mod place;
pub mod plan;
pub mod probability;
pub mod process;
pub mod protocol;
pub mod protocols;
pub mod rule;
pub mod study;
pub mod time;
pub mod trial;
pub mod uncarried;

pub use artifact::Artifact;
pub use capture::{Capture, LocalRule, Problem};
pub use comparison::{
    Absence, BuildRuns, Cell, Comparison, ConcernTest, Control, Distinguishable, FromVantage, Key, Level,
    Relation, RelationResult, Unseen, Warning,
};
pub use country::Country;
pub use delivery::{Delivery, Fate, Strays};
pub use design::Design;
pub use destination::Destination;
pub use endpoint::Endpoint;
pub use finding::{Finding, Support, Verdict};
pub use flow::{BeganBy, Flow, FlowState, Side, Transport};
pub use flows::{Flows, Tell};
pub use indices::Indices;
pub use inquiry::{Act, Inquiry, NAMES_ASKED, PacketRange, ReadableCopy, Searched, Signal};
pub use name::{Learned, Name, NameSource};
pub use observation::{Observation, Reading};
pub use place::{Asn, Claim, Coordinates, Place, PlaceSource, Reach};
pub use plan::{Plan, Power};
pub use process::{Parent, Process};
pub use protocol::{Measure, Protocol, Visibility};
pub use protocols::Protocols;
pub use rule::{Candidates, Found, Others, Rule, SearchWarning};
pub use study::{
    Build, Bundle, Concern, RegisteredBuild, RegisteredFile, RegisteredVantage, Registration, Run, Study,
    Vantage,
};
pub use time::Timestamp;
pub use trial::{
    Arm, Detectable, DropTest, Effect, HINT, Outcome, Traffic, Trial, Upload, UploadStatistic, Uploads,
};
pub use uncarried::Uncarried;
