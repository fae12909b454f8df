//! Executions: which captures are runs of their own, and which are pieces of one.
//!
//! For: the unit of replication. A capture tool that rotates its files (`tcpdump -G`, `editcap -i`)
//! cuts one execution into many; its pieces are dependent and are never counted as replicates.
//! Promises: two captures of one build are joined only where one begins within [`CUT`] of the other's
//! end, no other capture began between, and a TCP connection goes on from one to the other.

use overheard_model::{Flow, FlowState, Run, Timestamp, Transport};
use std::collections::HashSet;
use std::net::IpAddr;

/// Longest pause between the last packet of one piece and the first of the next, milliseconds.
const CUT: f64 = 10_000.0;

/// One execution of one build.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    pub build: usize,
    /// Of its first piece; `first + 8 more` where there are more.
    pub name: String,
    pub began: Option<Timestamp>,
    /// Indices of its pieces among the study's runs, in time order.
    pub pieces: Vec<usize>,
}

/// The executions behind `runs`, in the order of the runs that began them.
pub(crate) fn of(runs: &[Run]) -> Vec<Execution> {
    let mut dated: Vec<usize> = (0..runs.len()).filter(|&run| runs[run].began.is_some()).collect();
    dated.sort_by_key(|&run| runs[run].began);
    let mut chains: Vec<Vec<usize>> = Vec::new();
    for run in dated {
        match chains
            .last_mut()
            .filter(|chain| chain.last().is_some_and(|&last| goes_on(&runs[last], &runs[run])))
        {
            Some(chain) => chain.push(run),
            None => chains.push(vec![run]),
        }
    }
    chains.extend((0..runs.len()).filter(|&run| runs[run].began.is_none()).map(|run| vec![run]));
    chains.sort();
    chains.into_iter().map(|pieces| execution(runs, pieces)).collect()
}

fn execution(runs: &[Run], pieces: Vec<usize>) -> Execution {
    let first = &runs[pieces[0]];
    let name = match pieces.len() {
        1 => first.name.clone(),
        many => format!("{} + {} more", first.name, many - 1),
    };
    Execution { build: first.build, name, began: first.began, pieces }
}

fn goes_on(earlier: &Run, later: &Run) -> bool {
    let (Some(end), Some(start)) = (earlier.reading.capture.last, later.began) else {
        return false;
    };
    if earlier.build != later.build || start.ms_since(end).abs() > CUT {
        return false;
    }
    let open: HashSet<_> = connections(earlier).map(ends).collect();
    let mut cut = connections(later).filter(|flow| flow.state == FlowState::Midstream);
    cut.any(|flow| open.contains(&ends(flow)))
}

fn connections(run: &Run) -> impl Iterator<Item = &Flow> {
    run.reading.flows.iter().filter(|flow| flow.transport == Transport::Tcp)
}

/// Both ends, in an order that does not depend on who began.
fn ends(flow: &Flow) -> [(IpAddr, u16); 2] {
    let mut ends = [(flow.src, flow.src_port), (flow.dst, flow.dst_port)];
    ends.sort();
    ends
}
