//! `overheard uploads`: is what I write dropped, or copied away?
//!
//! Randomized trials between two accounts of the user's own: a message that may be filtered, a harmless one of the same
//! length and script, or none; and what the sender's client then did.

use super::run::interruption;
use crate::exit::{Exit, Failure, Result};
use crate::inquiry::booked;
use crate::inquiry::clients::{ClientArgs, without_rooms};
use crate::inquiry::comparison::Comparison;
use crate::inquiry::design::{self, Factor, Size};
use crate::inquiry::files;
use crate::inquiry::output::ReportArgs;
use crate::inquiry::trials::{Trials, refused, unopened};
use crate::inquiry::verdict;
use crate::inquiry::wording::{self, Pair};
use crate::output::{inquiry, print};
use crate::progress::Progress;
use clap::Args;
use overheard_model::{Arm, Fate, Inquiry, Outcome};
use overheard_probe::trial::{Book, Opening};
use std::path::PathBuf;

/// Triggers, and as many harmless messages, of which at least one way to deal the arms is rare enough to show something.
const FEWEST: usize = 6;

const EXAMPLES: &str = "\
Examples:
  overheard uploads --sender './driver alice' --receiver './driver bob' --trigger words.txt --benign plain.txt
  overheard uploads … --factor user=alice,carol --sender './driver {user}'     # is the user a trigger?
  overheard uploads … --trials 40      # 20 left it open: these go on from there
  overheard uploads … --dry-run        # what would be spent

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

    /// Triggers to be sent, and as many harmless messages, at each combination of levels. Twice as many as before, or four
    /// times, go on from there: each look at the trials is allowed half the error of the one before
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    trials: u32,

    /// Acts that send nothing, at each combination of levels: they show what the client sends anyway. Doubled where the
    /// trials are
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
        let study = self.study(watched.is_ok())?;
        let folder = self.clients.folder(&self.trigger);
        if self.clients.dry_run {
            let known = Book::open_known(&folder, &study.openings, self.clients.budget).map_err(refused)?;
            return self.rehearse(&study, known.as_ref().map(|(book, at)| (book, *at)));
        }
        without_rooms(&watched);
        let (book, at) = Book::open_any(&folder, &study.openings, self.clients.budget).map_err(refused)?;
        let book = book.sharing(self.clients.spending());
        let (design, looks) = study.gone_on_with(&book, at)?;
        let interrupted = interruption()?;
        let mut trials = Trials::new(&self.clients, book, &folder, watched.is_ok(), &interrupted);
        trials.hours = self.factor.contains(&Factor::Time);
        let broken_off = design.conduct(&mut trials);
        let watched = trials.watched;
        let book = trials.close();
        if let Some(why) = broken_off.as_ref().filter(|_| book.acts().is_empty()) {
            return Err(unopened(why));
        }
        let booked = booked::inquiry(&self.clients, &book, &folder, &design.texts(), watched, looks);
        let texts = design.numbers(&study.triggers);
        self.conclude(self.judged(&book, looks, Inquiry { broken_off, texts, ..booked }))
    }

    /// What is asked, refused where it cannot be.
    fn study(&self, watched: bool) -> Result<Study<'_>> {
        let ClientArgs { longest, budget, .. } = &self.clients;
        design::check(&self.factor, &self.clients.commands())?;
        let triggers = files::lines(&self.trigger)?;
        if let Some(at) = triggers.iter().position(|text| text.chars().count() > *longest) {
            return Err(Failure::new(format!(
                "{}, text {}: longer than the {longest} characters of --longest",
                self.trigger.display(),
                at + 1
            ))
            .hint("give a shorter text, or a larger --longest if the platform takes it"));
        }
        let benign = self.benign.as_deref().map(files::lines).transpose()?;
        // Without traffic an act that sends nothing shows nothing.
        let sham = if watched { self.sham as usize } else { 0 };
        let mut study = Study { args: self, triggers, benign, sham, watched, openings: Vec::new() };
        let terms = self.clients.terms(watched)?;
        let opening =
            |begun: &Comparison| Opening::of(&format!("{:?} {:?} {terms}", begun.pairs, begun.order));
        let begun: Result<Vec<Comparison>> =
            study.beginnings().map(|first| study.part(first, 0, &[])).collect();
        study.openings = begun?.iter().map(opening).collect();
        let combinations = design::combinations(&self.factor).len() as u64;
        let messages = 2 * u64::from(self.trials) * combinations;
        if messages > *budget && !self.clients.dry_run {
            return Err(Failure::new(format!(
                "--budget {budget}: {messages} messages are wanted, {} at each of {combinations} combinations of levels",
                2 * self.trials
            ))
            .hint("give a larger --budget, or fewer --trials; --dry-run says what would be spent"));
        }
        Ok(study)
    }

    fn rehearse(&self, study: &Study, known: Option<(&Book, usize)>) -> Result<Exit> {
        let ClientArgs { pace, lag, washout, budget, .. } = &self.clients;
        let (mut design, acts, spent) = match known {
            None => (study.design(self.trials as usize, 1)?, Vec::new(), 0),
            Some((book, at)) => {
                let acts = verdict::counted(book, study.watched);
                (study.gone_on_with(book, at)?.0, acts, book.deliveries().len() as u64)
            }
        };
        let done = acts.len();
        design.order = design.missing(&acts).into_iter().cloned().collect();
        let messages = design.messages();
        let few = if spent == 0 && messages < 2 * FEWEST {
            "So few could show a readable copy and nothing else.\n"
        } else {
            ""
        };
        let left = budget.saturating_sub(spent);
        let short = (messages as u64).saturating_sub(left);
        let short = if short > 0 { format!(", {short} too few") } else { String::new() };
        let kept = match spent {
            0 => String::new(),
            _ => format!("{spent} were spent in earlier calls, and {done} acts are done. "),
        };
        let hours = design.order.len() as f64 * (pace.mean_s() + lag + washout) / 3600.0;
        let spent_before = self.clients.spent_before()?;
        print(|out| {
            writeln!(
                out,
                "{messages} messages would be sent, half of them triggers, and {} acts would send nothing, in some {hours:.1} hours.\n\
                 {few}{spent_before}{kept}--budget allows {left}{short}. Messages that are not answered are sent again and cost one more.\n\
                 Nothing was sent.",
                design.order.len() - messages,
            )
        })?;
        Ok(Exit::Clear)
    }

    /// What the acts come to.
    fn judged(&self, book: &Book, looks: u32, booked: Inquiry) -> Inquiry {
        let acts = verdict::counted(book, booked.watched);
        let judged = verdict::judge(book, &acts, looks, self.clients.seed);
        let (lost, of) = verdict::benign_loss(book, &acts);
        let dropped =
            judged.as_ref().is_some_and(|it| matches!(it.outcome, Outcome::Dropped | Outcome::Both));
        let through = verdict::share(book, &acts, Arm::Trigger, |fate| fate == Fate::Delivered);
        Inquiry {
            judged,
            loss: rate((lost, of)),
            leak: if dropped { rate(through) } else { 0.0 },
            measured: of > 0,
            ..booked
        }
    }

    fn conclude(&self, inquiry: Inquiry) -> Result<Exit> {
        self.report.write(&inquiry)?;
        let outcome = inquiry::outcome(&inquiry);
        let otherwise = inquiry.strays.late + inquiry.strays.unknown;
        // What comes late or altered does so however often it is sent.
        if outcome.is_none() && inquiry.broken_off.is_none() && otherwise == 0 {
            Progress::lines().note(&format!(
                "the same command with --trials {} goes on from these trials, judged at half the error",
                2 * self.trials
            ));
        }
        Ok(match outcome {
            Some(Outcome::Neither) if inquiry.broken_off.is_none() => Exit::Clear,
            Some(Outcome::Neither) | None => Exit::Abstained,
            Some(_) => Exit::Findings,
        })
    }
}

/// A question, which may have been begun with fewer trials.
struct Study<'a> {
    args: &'a UploadsArgs,
    triggers: Vec<String>,
    benign: Option<Vec<String>>,
    sham: usize,
    /// Whether traffic is.
    watched: bool,
    /// How its book begins, for each of its beginnings.
    openings: Vec<Opening>,
}

impl Study<'_> {
    /// Trials of the first look: all of them, or a half, or a quarter … that was doubled since.
    fn beginnings(&self) -> impl Iterator<Item = usize> {
        let trials = self.args.trials as usize;
        (0..=trials.trailing_zeros()).map(move |doublings| trials >> doublings)
    }

    /// The study that a book holds: what was begun, doubled until it is what is asked, or what was done already. And how
    /// often it is looked at.
    fn gone_on_with(&self, book: &Book, beginning: usize) -> Result<(Comparison, u32)> {
        let first = self.args.trials as usize >> beginning;
        let done = verdict::counted(book, self.watched).len();
        let mut looks = beginning as u32 + 1;
        let mut design = self.design(first, looks)?;
        while design.order.len() < done {
            looks += 1;
            design = self.design(first, looks)?;
        }
        Ok((design, looks))
    }

    /// So many trials, doubled for each look after the first.
    fn design(&self, first: usize, looks: u32) -> Result<Comparison> {
        (1..looks).try_fold(self.part(first, 0, &[])?, |before, look| {
            let next = self.part(first, look, &before.pairs)?;
            Ok(before.then(next))
        })
    }

    /// What one look adds to these pairs.
    fn part(&self, first: usize, look: u32, known: &[Pair]) -> Result<Comparison> {
        let times = 1 << look.saturating_sub(1);
        let size = Size { trials: first * times, sham: self.sham * times };
        let seed = self.args.clients.seed.wrapping_add(u64::from(look) << 32);
        let order = design::order(size, &self.args.factor, seed);
        let messages = size.trials * design::combinations(&self.args.factor).len();
        let pairs = wording::pairs(&self.triggers, self.benign.as_deref(), messages, seed, known)?;
        Ok(Comparison { pairs, order })
    }
}

/// 0 of 0 is nothing.
fn rate((some, all): (u64, u64)) -> f64 {
    if all == 0 { 0.0 } else { some as f64 / all as f64 }
}
