//! Conversation by conversation against tshark: packets and bytes of each direction.
//!
//! For: every capture of others beside which tshark's answers lie (`../shared/data`, where it is
//! present), and our own corpus, which tshark is asked about where it is installed.
//! Promises: whatever differs is explained by a rule of [`disagreements`], with its reason, or fails the
//! test; and no packet is lost by a difference: both count as many, elsewhere.
//! `cargo test -p overheard-dissect --test differential -- --nocapture` prints the totals.

mod answers;
mod disagreements;
#[path = "../shared/files.rs"]
mod files;
#[path = "../shared/mod.rs"]
mod shared;

use answers::{Conversations, Counts, Tuple};
use disagreements::{DISAGREEMENTS, Difference};
use files::files;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a comparison came to.
#[derive(Default)]
struct Totals {
    captures: usize,
    conversations: usize,
    packets: u64,
    /// Conversations by the rule that explains them.
    explained: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Totals {
    fn compare(&mut self, label: &str, capture: &Path, theirs: &Conversations) {
        let (ours, tunnels) = answers::ours(capture);
        let tuples: BTreeSet<&Tuple> = ours.keys().chain(theirs.keys()).collect();
        self.captures += 1;
        self.conversations += tuples.len();
        self.packets += theirs.values().map(|counts| counts[0] + counts[2]).sum::<u64>();
        let differing = tuples.into_iter().filter(|tuple| ours.get(*tuple) != theirs.get(*tuple));
        let differences: Vec<Difference> = differing
            .map(|tuple| Difference {
                tuple: tuple.clone(),
                theirs: theirs.get(tuple).copied(),
                ours: ours.get(tuple).copied(),
                tunnel: tunnels.get(tuple).cloned(),
            })
            .collect();
        for difference in &differences {
            match DISAGREEMENTS.iter().find(|rule| (rule.explains)(difference, &differences)) {
                Some(rule) => *self.explained.entry(rule.name).or_default() += 1,
                None => self.unexplained.push(format!("{label}: {difference:?}")),
            }
        }
        let sum = |counts: fn(&Difference) -> Option<Counts>| {
            let counts = differences.iter().filter_map(counts);
            counts.fold((0, 0), |(packets, bytes), [a, b, c, d]| (packets + a + c, bytes + b + d))
        };
        let (told, counted) = (sum(|difference| difference.theirs), sum(|difference| difference.ours));
        if told != counted {
            self.unexplained.push(format!("{label}: packets and bytes {told:?}, ours {counted:?}"));
        }
    }

    /// Prints all; fails for what no rule explains, and where rules explain more than one in so many.
    fn hold(&self, what: &str, few: usize) {
        let differing: usize = self.explained.values().sum();
        println!(
            "{what}: {} captures, {} packets, {} conversations, of which {differing} are counted otherwise",
            self.captures, self.packets, self.conversations
        );
        for rule in DISAGREEMENTS {
            let count = self.explained.get(rule.name).unwrap_or(&0);
            println!("  {count:5} {}: {}", rule.name, rule.reason);
        }
        assert_eq!(self.unexplained, [""; 0], "{what}");
        assert!(self.captures > 0 && differing * few <= self.conversations, "{what}: one in {few} at most");
    }
}

/// The captures of a folder, by file name.
fn captures(folder: &Path) -> BTreeMap<String, PathBuf> {
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
    files(folder).into_iter().filter_map(named).collect()
}

#[test]
fn conversations_of_others_captures_are_those_that_tshark_counts() {
    let Some(data) = shared::folder("") else { return };
    let mut totals = Totals::default();
    for folder in std::fs::read_dir(&data).expect("a folder").flatten().map(|entry| entry.path()) {
        let captures = captures(&folder);
        for answer in files(&folder.join("tshark_expected")) {
            let name = answer.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(name) = name.strip_suffix(".tshark.json") else { continue };
            let capture = captures.get(name).unwrap_or_else(|| panic!("{name}: no such capture"));
            totals.compare(name, capture, &answers::kept(&answer));
        }
    }
    totals.hold("captures of others", 10);
}

#[test]
fn conversations_of_the_corpus_are_those_that_tshark_counts() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    if !answers::tshark_is_here() {
        eprintln!("skipped: tshark is not installed");
        return;
    }
    let mut totals = Totals::default();
    let is_capture = |path: &PathBuf| {
        let name = path.to_string_lossy();
        [".pcap", ".pcapng", ".pcap.gz"].iter().any(|ending| name.ends_with(ending))
    };
    for capture in files(&corpus).into_iter().filter(is_capture) {
        let name = capture.display().to_string();
        totals.compare(&name, &capture, &answers::asked(&capture));
    }
    totals.hold("the corpus", 100);
}
