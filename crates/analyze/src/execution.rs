//! Executions: which captures are runs of their own, and which are pieces of one.
//!
//! For: the unit of replication. A capture tool that rotates its files (`tcpdump -G`, `editcap -i`)
//! cuts one execution into many; its pieces are dependent and are never counted as replicates.
//! Promises: two captures of one build are joined only where one begins within [`CUT`] of the other's
//! end, no other capture began between, and a TCP connection goes on from one to the other.

use overheard_model::{BeganBy, Flow, Run, Timestamp, Transport};
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
    let open: HashSet<_> = connections(earlier).map(|flow| ends(&flow)).collect();
    let mut without_beginning = connections(later).filter(|flow| flow.began_by != BeganBy::Syn);
    without_beginning.any(|flow| open.contains(&ends(&flow)))
}

fn connections(run: &Run) -> impl Iterator<Item = Flow> {
    run.reading.flows.iter().filter(|flow| flow.transport == Transport::Tcp)
}

/// Both ends, in an order that does not depend on who began.
fn ends(flow: &Flow) -> [(IpAddr, u16); 2] {
    let mut ends = [(flow.src, flow.src_port), (flow.dst, flow.dst_port)];
    ends.sort();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{Capture, FlowState, LocalRule, Protocol, Reading, Side, Visibility};

    /// A connection from `port`, in a piece that spans these seconds.
    fn flow(port: u16, began_by: BeganBy, from: i64, to: i64) -> Flow {
        Flow {
            capture: "piece".into(),
            transport: Transport::Tcp,
            src: [10, 0, 0, 1].into(),
            src_port: port,
            dst: [198, 18, 0, 1].into(),
            dst_port: 443,
            began_by,
            ours: Side::Src,
            state: FlowState::Established,
            packets_out: 1,
            packets_in: 1,
            bytes_out: 60,
            bytes_in: 60,
            first: Timestamp::from_parts(from, 0),
            last: Timestamp::from_parts(to, 0),
            first_packet: 1,
            last_packet: 2,
            retransmissions: 0,
            gap_bytes: 0,
            conflicting_bytes: 0,
            rtt_ms: None,
            names: Vec::new(),
            protocol: Protocol::Tls,
            measure: None,
            visibility: Visibility::Encrypted,
            ja4: None,
            ja4_normalised: None,
            community_id: String::new(),
            tunnel: None,
            country: None,
            asn: None,
            process: None,
        }
    }

    fn piece(build: usize, name: &str, from: i64, to: i64, began_by: BeganBy) -> Run {
        let flow = flow(40_000, began_by, from, to);
        let capture = Capture {
            path: name.into(),
            sha256: None,
            bytes: 0,
            format: "pcap".into(),
            packets: 2,
            undecoded: 0,
            complete: true,
            first: Some(flow.first),
            last: Some(flow.last),
            local_rule: LocalRule::Private,
            local: Vec::new(),
            comments: Vec::new(),
            dropped: None,
            secrets: 0,
            problems: Vec::new(),
        };
        let began = capture.first;
        Run {
            build,
            name: name.into(),
            began,
            reading: Reading {
                capture,
                flows: vec![flow].into(),
                endpoints: Vec::new(),
                attempts: Vec::new(),
            },
        }
    }

    fn pieces(runs: &[Run]) -> Vec<Vec<usize>> {
        of(runs).into_iter().map(|execution| execution.pieces).collect()
    }

    #[test]
    fn rotated_files_of_one_execution_are_one_run() {
        let runs = [
            piece(0, "c", 40, 59, BeganBy::KnownPort),
            piece(0, "a", 0, 19, BeganBy::Syn),
            piece(0, "b", 20, 39, BeganBy::FirstPacket),
        ];
        assert_eq!(pieces(&runs), [[1, 2, 0]]);
        assert_eq!(of(&runs)[0].name, "a + 2 more");
    }

    #[test]
    fn a_new_handshake_a_pause_or_another_build_is_another_run() {
        let first = piece(0, "a", 0, 19, BeganBy::Syn);
        for second in [
            piece(0, "b", 20, 39, BeganBy::Syn),
            piece(0, "b", 80, 99, BeganBy::KnownPort),
            piece(1, "b", 20, 39, BeganBy::KnownPort),
        ] {
            assert_eq!(pieces(&[first.clone(), second]), [[0], [1]]);
        }
    }

    #[test]
    fn runs_without_a_time_stand_alone() {
        let mut undated = piece(0, "a", 0, 19, BeganBy::KnownPort);
        undated.began = None;
        assert_eq!(pieces(&[undated.clone(), undated]), [[0], [1]]);
    }
}
