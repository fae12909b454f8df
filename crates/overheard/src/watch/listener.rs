//! The listener: takes what the source says, and makes sights of it.
//!
//! Promises: shown time goes on while nothing comes, at the pace of the source, so that the picture of what
//! was said lately empties; memory stays within the bounds of the reader's options.

use super::replay::Speed;
use super::source::{Crossing, Heard, Queue};
use super::view::{Row, Sight};
use crate::pipeline::{self, Lens, Live};
use overheard_model::{Concern, Endpoint, Flow, Process, Reading, Timestamp, Transport};
use overheard_probe::gateway::Carried;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

/// Lines that are kept to be read.
const LINES: usize = 500;

/// Ends whose processes are kept; what comes beyond has none.
const MOST_NAMED: usize = 1 << 16;

/// Processes of one end that are told, of one name one.
const PROCESSES: usize = 16;

/// Flows of one endpoint that are told.
const FLOWS: usize = 200;

/// Time between two words of a source that ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// One end of a flow.
type End = (IpAddr, u16, Transport);

/// What listening takes.
#[derive(Debug)]
pub struct Listener {
    name: Arc<str>,
    queue: Queue,
    live: Live,
    processes: HashMap<End, Vec<Arc<Process>>>,
    lines: VecDeque<String>,
    clock: Clock,
    carried: Option<Carried>,
    ended: Option<String>,
    failed: bool,
}

impl Listener {
    /// `name` is what the source is called in a report.
    pub fn new(queue: Queue, name: Arc<str>, speed: Speed, lens: &Lens) -> Self {
        Self {
            name: name.clone(),
            queue,
            live: Live::new(name, &lens.options),
            processes: HashMap::new(),
            lines: VecDeque::new(),
            clock: Clock { speed, latest: None },
            carried: None,
            ended: None,
            failed: false,
        }
    }

    /// Asks the gateway at each look to whom nothing was carried so far.
    pub fn ask(&mut self, carried: Carried) {
        self.carried = Some(carried);
    }

    /// What the source is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why nothing more will come, once that is so.
    pub fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// Packets that came too fast to be looked at.
    pub fn missed(&self) -> u64 {
        self.queue.missed()
    }

    /// Whether the source went without a word: it panicked.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// What the source says next; nothing where it is silent for that long, or has ended.
    pub fn next(&mut self, wait: Duration) -> Option<Heard> {
        if self.ended.is_some() {
            std::thread::sleep(wait);
            return None;
        }
        match self.queue.heard.recv_timeout(wait) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.failed = true;
                Some(Heard::Ended("its source failed".into()))
            }
        }
    }

    pub fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Packet(packet) => self.packet(packet),
            Heard::Ours(address) => self.live.add_address(address),
            Heard::Name(address, name) => self.live.add_name(address, name),
            Heard::Uncarried(uncarried) => self.live.set_uncarried(uncarried),
            Heard::Line(line) => {
                self.lines.push_back(line);
                self.lines.drain(..self.lines.len().saturating_sub(LINES));
            }
            Heard::Ended(why) => {
                self.live.end();
                self.ended = Some(why);
            }
        }
    }

    fn packet(&mut self, packet: Crossing) {
        self.clock.set(packet.time);
        let Crossing { time, link, wire_len, bytes, process } = packet;
        let ends = self.live.frame(time, link, wire_len, &bytes);
        let (Some(ends), Some(process)) = (ends, process) else { return };
        for (address, port) in [ends.src, ends.dst] {
            if self.processes.len() >= MOST_NAMED {
                break;
            }
            let known = self.processes.entry((address, port, ends.transport)).or_default();
            if known.len() < PROCESSES && known.iter().all(|other| other.name != process.name) {
                known.push(process.clone());
            }
        }
        self.live.add_owner(process);
    }

    /// What is to be seen of all that was said so far.
    pub fn sight(&mut self, lens: &Lens, concerns: &[Concern]) -> Sight {
        self.learn_uncarried();
        let Reading { capture, endpoints, attempts, .. } = pipeline::look(&mut self.live, lens);
        let met = [(endpoints, true), (attempts, false)];
        let met = met.into_iter().flat_map(|(met, carried)| met.into_iter().map(move |it| (it, carried)));
        let rows = met.map(|(endpoint, carried)| {
            let contact = pipeline::closest([&endpoint], concerns);
            let end = (endpoint.address, endpoint.port, endpoint.transport);
            let processes = self.processes.get(&end).cloned().unwrap_or_default();
            Row { endpoint, carried, contact, processes, trend: Vec::new() }
        });
        Sight {
            rows: rows.collect(),
            packets: capture.packets,
            problems: capture.problems,
            missed: self.queue.missed(),
            began: capture.first,
            now: self.clock.now(self.ended.is_some()),
            lines: self.lines.iter().cloned().collect(),
            ended: self.ended.clone(),
        }
    }

    /// The latest flows of an endpoint.
    pub fn flows(&mut self, endpoint: &Endpoint) -> Vec<Flow> {
        self.live.flows(endpoint, FLOWS)
    }

    /// Ends it: what there is to report. Nothing is left to look at.
    pub fn finish(&mut self, lens: &Lens) -> Reading {
        self.learn_uncarried();
        let live = std::mem::replace(&mut self.live, Live::new("".into(), &lens.options));
        let mut reading = live.finish();
        pipeline::place([&mut reading], lens);
        reading
    }

    /// Hears all that a source which was asked to end still has to say.
    pub fn hear_out(&mut self) {
        while self.ended.is_none() {
            if let Some(heard) = self.next(FAREWELL) {
                self.take(heard);
            }
        }
    }

    fn learn_uncarried(&mut self) {
        if let Some(carried) = &self.carried {
            self.live.set_uncarried(carried.uncarried());
        }
    }
}

/// Time as the source has it.
#[derive(Debug)]
struct Clock {
    speed: Speed,
    /// The latest time that was told, and when.
    latest: Option<(Timestamp, Instant)>,
}

impl Clock {
    fn set(&mut self, time: Timestamp) {
        // Packets may be out of order.
        if self.latest.is_none_or(|(latest, _)| time >= latest) {
            self.latest = Some((time, Instant::now()));
        }
    }

    fn now(&self, ended: bool) -> Option<Timestamp> {
        let (time, told) = self.latest?;
        Some(match self.speed {
            Speed::Times(times) if !ended => {
                let gone = (told.elapsed().as_nanos() as f64 * times) as i64;
                Timestamp(time.0.saturating_add(gone))
            }
            _ => time,
        })
    }
}
