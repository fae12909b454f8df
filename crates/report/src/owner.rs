//! Whose endpoint it is: the programs that talked to it, where whoever recorded the capture knew them.
//!
//! Promises: each name once, in the order of the flows; empty where nobody knew.

use overheard_model::{Endpoint, Reading};

/// `curl, bash`
pub(crate) fn names(reading: &Reading, endpoint: &Endpoint) -> String {
    let mut names: Vec<String> = Vec::new();
    for process in endpoint.flows.iter().filter_map(|flow| reading.flows.process(*flow as usize)) {
        if !names.contains(&process.name) {
            names.push(process.name.clone());
        }
    }
    names.join(", ")
}
