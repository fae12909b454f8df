//! Open places: addresses of which it cannot be said that they do not stand in some country or network.
//!
//! For: claims of absence, which none of these may carry.
//! Promises: disputed, anycast and impossible places are open, as unknown ones are; a local one is not.

use crate::execution::Execution;
use crate::table::endpoints;
use overheard_model::{Level, Place, Run};

/// Whether an address may count under any key of the level.
pub(crate) fn is_open(level: Level, place: &Place) -> bool {
    match level {
        _ if place.local => false,
        Level::Country => place.agreed().is_none(),
        Level::Network => place.asn().is_none(),
        Level::Address | Level::Name => false,
    }
}

/// Whether an execution met an address whose place is open at the level.
pub(crate) fn met_open(level: Level, execution: &Execution, runs: &[Run]) -> bool {
    endpoints(execution, runs).any(|endpoint| is_open(level, &endpoint.place))
}
