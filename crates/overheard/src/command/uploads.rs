//! `overheard uploads`: is what I write dropped, or copied away?
//!
//! Randomized trials between two accounts of the user's own: a message that may be filtered, a harmless one of the same
//! length and script, or none; and what the sender's client then did.

use super::run::interruption;
use crate::exit::{Exit, Failure, Result};
use crate::inquiry::clients::{ClientArgs, without_rooms};
use crate::inquiry::comparison::Comparison;
use crate::inquiry::copies;
use crate::inquiry::design::{self, Factor, Size};
use crate::inquiry::files;
use crate::inquiry::output::ReportArgs;
use crate::inquiry::trials::{Trials, located, refused, unopened};
use crate::inquiry::verdict;
use crate::inquiry::wording;
use crate::output::{inquiry, print};
use clap::Args;
use overheard_model::{Arm, Fate, Inquiry, Outcome, Signal};
use overheard_probe::trial::{Book, Opening};
use std::path::{Path, PathBuf};

/// Triggers, and as many harmless messages, of which at least one way to deal the arms is rare enough to show something.
const FEWEST: usize = 6;

const EXAMPLES: &str = "\
Examples:
  overheard uploads --sender './driver alice' --receiver './driver bob' --trigger words.txt --benign plain.txt
  overheard uploads … --factor user=alice,carol --sender './driver {user}'     # is the user a trigger?
  overheard uploads … --dry-run                                               # what would be spent

A driver is a program that speaks JSON lines for one account: see `overheard keywords --help`.

Each client runs in a room of its own, whose every packet is kept. Interrupted or killed, the same command goes on; acts
are booked, and captures kept, in the folder of --trials-folder. The book holds no texts; the captures hold what crossed.";

/// Find out whether what you write is dropped, or copied away
///
/// Sends messages that may be filtered, and harmless ones of the same length and script, between two accounts of your
/// own, in random order, and tells by what arrives and by what the sender's client sends afterwards: dropped, copied,
/// both or neither.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UploadsArgs {
    #[command(flatten)]
    clients: ClientArgs,

    /// Texts that may be filtered, one a line
    #[arg(long, value_name = "FILE")]
    trigger: PathBuf,

    /// Harmless text in the same scripts, which is cut to the lengths that are needed (default: letters that the triggers
    /// lack)
    #[arg(long, value_name = "FILE")]
    benign: Option<PathBuf>,

    /// Triggers to be sent, and as many harmless messages, at each combination of levels
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trials: u32,

    /// Acts that send nothing, at each combination of levels: they show what the client sends anyway
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    sham: u32,

    /// What else may make a difference: NAME=LEVEL,LEVEL, where commands say {NAME}; or time, the hour as it comes; may
    /// be given again
    #[arg(long, value_name = "FACTOR")]
    factor: Vec<Factor>,

    #[command(flatten)]
    report: ReportArgs,
}

impl UploadsArgs {
    pub fn run(self) -> Result<Exit> {
        self.clients.check()?;
        self.report.check()?;
        let watched = self.clients.rooms();
        let design = self.design(watched.is_ok())?;
        if self.clients.dry_run {
            return self.rehearse(&design);
        }
        without_rooms(&watched);
        let folder = self.clients.folder(&self.trigger);
        let terms = self.clients.terms(watched.is_ok())?;
        let opening = Opening::of(&format!("{:?} {:?} {terms}", design.pairs, design.order));
        let book = Book::open(&folder, &opening, self.clients.budget).map_err(refused)?;
        let interrupted = interruption()?;
        let mut trials = Trials::new(&self.clients, book, &folder, watched.is_ok(), &interrupted);
        trials.hours = self.factor.contains(&Factor::Time);
        let broken_off = design.conduct(&mut trials);
        let begun = !trials.book.acts().is_empty();
        let watched = trials.watched;
        let book = trials.close();
        match broken_off {
            Some(why) if !begun => Err(unopened(&why)),
            broken_off => {
                let (copies, searched) =
                    copies::find(&folder, book.acts(), book.deliveries(), &design.texts());
                let searched = watched.then_some(searched);
                self.conclude(Inquiry {
                    broken_off,
                    copies,
                    searched,
                    ..self.inquiry(&book, &folder, watched)
                })
            }
        }
    }

    fn design(&self, watched: bool) -> Result<Comparison> {
        let ClientArgs { sender, receiver, to, longest, seed, budget, .. } = &self.clients;
        design::check(&self.factor, &[sender, receiver, to.as_deref().unwrap_or_default()])?;
        let triggers = files::lines(&self.trigger)?;
        if let Some(at) = triggers.iter().position(|text| text.chars().count() > *longest) {
            return Err(Failure::new(format!(
                "{}, text {}: longer than the {longest} characters of --longest",
                self.trigger.display(),
                at + 1
            ))
            .hint("give a shorter text, or a larger --longest if the platform takes it"));
        }
        let combinations = design::combinations(&self.factor).len();
        let messages = self.trials as usize * combinations;
        let benign = self.benign.as_deref().map(files::lines).transpose()?;
        let pairs = wording::pairs(&triggers, benign.as_deref(), messages, *seed)?;
        // Without traffic an act that sends nothing shows nothing.
        let sham = if watched { self.sham as usize } else { 0 };
        let size = Size { trials: self.trials as usize, sham };
        let order = design::order(size, &self.factor, *seed);
        if 2 * messages as u64 > *budget && !self.clients.dry_run {
            return Err(Failure::new(format!(
                "--budget {budget}: {} messages are wanted, {} at each of {combinations} combinations of levels",
                2 * messages,
                2 * self.trials
            ))
            .hint("give a larger --budget, or fewer --trials; --dry-run says what would be spent"));
        }
        Ok(Comparison { pairs, order })
    }

    fn rehearse(&self, design: &Comparison) -> Result<Exit> {
        let ClientArgs { pace, lag, washout, budget, .. } = &self.clients;
        let messages = design.messages();
        let few =
            if messages < 2 * FEWEST { "So few could show a readable copy and nothing else.\n" } else { "" };
        let hours = design.order.len() as f64 * (pace.mean_s() + lag + washout) / 3600.0;
        print(|out| {
            writeln!(
                out,
                "{messages} messages would be sent, half of them triggers, and {} acts would send nothing, in some {hours:.1} hours.\n\
                 {few}--budget allows {budget}. Messages that are not answered are sent again and cost one more.\n\
                 Nothing was sent.",
                design.order.len() - messages,
            )
        })?;
        Ok(Exit::Clear)
    }

    /// What the acts come to.
    fn inquiry(&self, book: &Book, folder: &Path, watched: bool) -> Inquiry {
        let acts = verdict::counted(book, watched);
        let judged = verdict::judge(book, &acts, self.clients.seed);
        let (lost, of) = verdict::benign_loss(book, &acts);
        let dropped =
            judged.as_ref().is_some_and(|it| matches!(it.outcome, Outcome::Dropped | Outcome::Both));
        let through = verdict::share(book, &acts, Arm::Trigger, |fate| fate == Fate::Delivered);
        Inquiry {
            found: None,
            judged,
            signal: Signal::Delivery,
            watched,
            broken_off: None,
            budget: self.clients.budget,
            target: 0.0,
            loss: rate((lost, of)),
            leak: if dropped { rate(through) } else { 0.0 },
            measured: of > 0,
            window_s: self.clients.window,
            lag_s: if watched { self.clients.lag } else { 0.0 },
            acts: located(book, folder),
            deliveries: book.deliveries().to_vec(),
            strays: book.strays(),
            copies: Vec::new(),
            searched: None,
            asks_more: verdict::asks_more(book, &acts, self.clients.seed),
        }
    }

    fn conclude(&self, inquiry: Inquiry) -> Result<Exit> {
        self.report.write(&inquiry)?;
        Ok(match inquiry::outcome(&inquiry) {
            Some(Outcome::Neither) if inquiry.broken_off.is_none() => Exit::Clear,
            Some(Outcome::Neither) | None => Exit::Abstained,
            Some(_) => Exit::Findings,
        })
    }
}

/// 0 of 0 is nothing.
fn rate((some, all): (u64, u64)) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}
