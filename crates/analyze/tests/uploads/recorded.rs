//! Studies of real clients, as far as their chatter goes: what each sent by itself was recorded (`chatter/README.md`).
//!
//! A study starts anywhere in a recording and walks on as a real one does: a minute is watched, then some seconds pass,
//! then comes the next act; behind the end of the recording comes its beginning. So pauses, bursts and what they depend
//! on are the client's own. The message and the copy are added to it.
//!
//! Optimised builds draw the full number of studies, debug builds few.

use super::client::{Filter, Places, Sent, Upload, act, send};
use super::{TRIALS, upload};
use overheard_analyze::uploads::judge;
use overheard_model::{Arm, Outcome, Trial};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NULL_STUDIES: u64 = if cfg!(debug_assertions) { 12 } else { 1000 };
const STUDIES: u64 = if cfg!(debug_assertions) { 6 } else { 300 };

/// Tenths of a second in a minute, between one act's minute and the next at most, and until a client is past its start.
const MINUTE: usize = 600;
const PAUSE: usize = 150;
const SETTLED: usize = 1200;

const RECORDINGS: [(&str, &str); 6] = [
    ("poezio", include_str!("chatter/poezio.txt")),
    ("profanity", include_str!("chatter/profanity.txt")),
    ("irssi", include_str!("chatter/irssi.txt")),
    ("weechat", include_str!("chatter/weechat.txt")),
    ("converse", include_str!("chatter/converse.txt")),
    ("replayed", include_str!("chatter/replayed.txt")),
];

/// What one client sent, once it was past its start.
struct Recording {
    name: &'static str,
    places: Places,
    tenths: usize,
    lines: Vec<Line>,
}

struct Line {
    tenth: usize,
    endpoint: &'static str,
    bytes: u64,
    flows: u64,
}

impl Recording {
    fn all() -> Vec<Self> {
        RECORDINGS.into_iter().map(|(name, text)| Self::read(name, text)).collect()
    }

    fn read(name: &'static str, text: &'static str) -> Self {
        let number = |field: &str| -> usize { field.parse().unwrap_or_else(|_| panic!("{name}: {field}")) };
        let (head, lines) = text.split_once('\n').expect("a first line");
        let head: Vec<&str> = head.split(' ').collect();
        let ["#", seconds, messages, telemetry] = head[..] else { panic!("{name}: {head:?}") };
        let lines = lines.lines().filter_map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let [tenth, endpoint, bytes, flows] = fields[..] else { panic!("{name}: {line}") };
            let tenth = number(tenth).checked_sub(SETTLED)?;
            Some(Line { tenth, endpoint, bytes: number(bytes) as u64, flows: number(flows) as u64 })
        });
        let places = Places { messages, elsewhere: "log", telemetry };
        Self { name, places, tenths: 10 * number(seconds) - SETTLED, lines: lines.collect() }
    }

    /// As many trials with a trigger as with a benign message, in blocks of two of each.
    fn study(&self, each: usize, filter: &Filter, random: &mut impl Rng) -> Vec<Trial> {
        let mut at = random.random_range(0..self.tenths);
        let mut trials = Vec::new();
        for _ in 0..each / 2 {
            let mut arms = [Arm::Trigger, Arm::Trigger, Arm::Benign, Arm::Benign];
            arms.shuffle(random);
            for arm in arms {
                let own = self.minute(at);
                trials.push(act(arm, filter, arm == Arm::Trigger, own, &self.places, random));
                at = (at + MINUTE + random.random_range(0..PAUSE)) % self.tenths;
            }
        }
        trials
    }

    /// What was sent in the minute from this tenth on.
    fn minute(&self, from: usize) -> Sent {
        let mut sent = Sent::new();
        let after = |line: &Line| (line.tenth + self.tenths - from) % self.tenths;
        for one in self.lines.iter().filter(|line| after(line) < MINUTE) {
            send(&mut sent, one.endpoint, after(one) as f64 / 10.0, one.bytes, one.flows);
        }
        sent
    }
}

/// How many studies get this answer, the recordings taking turns; and what was found with each.
fn answers(filter: &Filter, studies: u64, wanted: Outcome) -> u64 {
    let recordings = Recording::all();
    let mut found = vec![(0, 0); recordings.len()];
    for seed in 0..studies {
        let at = seed as usize % recordings.len();
        let trials = recordings[at].study(TRIALS, filter, &mut ChaCha8Rng::seed_from_u64(seed));
        found[at].0 += u64::from(judge(&trials, seed + 1_000_000).outcome == wanted);
        found[at].1 += 1;
    }
    for (recording, (found, of)) in recordings.iter().zip(&found) {
        println!("    {}: {found} of {of}", recording.name);
    }
    found.iter().map(|(found, _)| found).sum()
}

#[test]
fn real_clients_raise_no_alarm() {
    let alarms = NULL_STUDIES - answers(&Filter::default(), NULL_STUDIES, Outcome::Neither);
    println!("recorded: {alarms} of {NULL_STUDIES} null studies raised an alarm");
    assert!(alarms * 100 <= NULL_STUDIES.max(100), "{alarms} of {NULL_STUDIES}");
}

#[test]
fn three_hundred_bytes_are_found_in_what_real_clients_send() {
    let cases = [
        (Upload::Unused, 1.0, "to an unused endpoint at once", 95),
        (Upload::Unused, 60.0, "to an unused endpoint up to 60 s late", 80),
        (Upload::Telemetry, 1.0, "to the busiest endpoint at once", 95),
        // Few studies of a debug build are too few to hold 80 % against.
        (
            Upload::Telemetry,
            60.0,
            "to the busiest endpoint up to 60 s late",
            if cfg!(debug_assertions) { 50 } else { 80 },
        ),
    ];
    for (to, latest_s, what, share) in cases {
        let found = answers(&upload(to, latest_s), STUDIES, Outcome::Copied);
        println!("recorded, {what}: {found} of {STUDIES}");
        assert!(found * 100 >= STUDIES * share, "{what}: {found} of {STUDIES}");
    }
}

#[test]
fn a_recording_ends_where_it_begins() {
    let recording = Recording::read("one", "# 200 chat log\n1100 chat 9 1\n1250 chat 20 0\n1990 log 7 1\n");
    assert_eq!((recording.tenths, recording.lines.len()), (800, 2), "the first two minutes are its start");
    let minute = recording.minute(780);
    assert_eq!((minute["log"].bytes_out[1], minute["log"].flows[1], minute["chat"].bytes_out[7]), (7, 1, 20));
    assert!(recording.minute(55).is_empty());
}
