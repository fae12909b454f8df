//! `overheard keywords`: which words keep a message from arriving?
//!
//! Messages go from one account of the user's own to another. Each is booked before it is sent; what was answered is
//! kept, so that the same command goes on where it was broken off.

use super::run::interruption;
use super::uploads::{refused, unopened};
use crate::exit::{Exit, Failure, Result};
use crate::inquiry::clients::ClientArgs;
use crate::inquiry::files;
use crate::inquiry::hunt::{Hunt, Limit, Next, Noise, Options, Others, Question, rehearse};
use crate::inquiry::output::ReportArgs;
use crate::inquiry::trials::{Levels, Trials, Wanted};
use crate::output::{inquiry, print};
use crate::progress::Progress;
use clap::Args;
use overheard_model::{Found, Inquiry, Outcome, Signal};
use overheard_probe::digest;
use overheard_probe::trial::{Book, Opening};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  overheard keywords --sender './driver alice' --receiver './driver bob' --text blocked.txt
  overheard keywords … --words candidates.txt --budget 2000
  overheard keywords … --text blocked.txt --dry-run      # what would be spent

A driver is a program that speaks JSON lines for one account:
  it reads   {\"op\":\"send\",\"id\":\"m1\",\"to\":\"bob\",\"text\":\"…\"}   {\"op\":\"quit\"}
  it prints  {\"event\":\"ready\",\"account\":\"alice\"}   {\"event\":\"sent\",\"id\":\"m1\"}
             {\"event\":\"received\",\"from\":\"alice\",\"text\":\"…\"}   {\"event\":\"error\",\"id\":\"m1\",\"message\":\"…\"}

Deliveries alone are judged: a message that arrives may still be copied away. Interrupted or killed, the same
command goes on; the messages that were spent are booked in the folder of --trials-folder, without their texts.";

/// Find the words that keep a message from arriving
///
/// Sends messages between two accounts of your own and finds, by what arrives, the smallest combinations of words that
/// a filter drops, with a bound on the chance that each is wrong.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KeywordsArgs {
    #[command(flatten)]
    clients: ClientArgs,

    #[command(flatten)]
    question: QuestionArgs,

    /// Words known from elsewhere, one a line: they save messages where they are right
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    lexicon: Option<PathBuf>,

    /// Share of messages that is lost without a filter
    #[arg(long, value_name = "RATE", default_value_t = 0.02)]
    loss: f64,

    /// Share of messages that the filter lets pass although it should not
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    leak: f64,

    /// Chance of error allowed for each rule
    #[arg(long, value_name = "P", default_value_t = 0.005)]
    error: f64,

    #[command(flatten)]
    report: ReportArgs,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct QuestionArgs {
    /// A text that is blocked: which words do it?
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,

    /// Candidates, one a line: which of them are blocked, alone or in pairs?
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
}

impl KeywordsArgs {
    pub fn run(self) -> Result<Exit> {
        self.check()?;
        let (question, file) = self.question.read()?;
        let options = self.options()?;
        let hunt = Hunt::new(&question, &options, self.clients.seed)?;
        if self.clients.dry_run {
            return self.rehearse(&question, &options);
        }
        let watched = self.clients.rooms().is_ok();
        let folder = self.clients.folder(file);
        let terms = self.clients.terms(watched)?;
        let opening = Opening::of(&format!("{question:?} {options:?} {terms}"));
        let book = Book::open(&folder, &opening, self.clients.budget).map_err(refused)?;
        let inquiry = self.conduct(hunt, book, &folder, watched)?;
        self.report.write(&inquiry)?;
        Ok(match inquiry::outcome(&inquiry) {
            Some(Outcome::Neither) => Exit::Clear,
            Some(_) => Exit::Findings,
            None => Exit::Abstained,
        })
    }

    fn check(&self) -> Result<()> {
        for (option, value, most) in
            [("--loss", self.loss, 0.45), ("--leak", self.leak, 0.45), ("--error", self.error, 0.5)]
        {
            if !(0.0..=most).contains(&value) || option == "--error" && value == 0.0 {
                return Err(Failure::new(format!("{option} {value}: no proportion up to {most}"))
                    .hint("give a number such as 0.02"));
            }
        }
        self.clients.check()
    }

    fn options(&self) -> Result<Options> {
        let lexicon = self.lexicon.as_deref().map(files::lines).transpose()?.unwrap_or_default();
        Ok(Options {
            noise: Noise::new(self.loss, self.leak),
            target: self.error,
            others: Others::Apart,
            lexicon,
            limit: Some(Limit::Characters(self.clients.longest)),
            // The book alone keeps the budget, so that a search goes on with a larger one.
            most_messages: u64::MAX,
        })
    }

    fn rehearse(&self, question: &Question, options: &Options) -> Result<Exit> {
        let ClientArgs { seed, pace, budget, .. } = &self.clients;
        let (median, most) = rehearse(question, options, self.loss, *seed)?;
        let hours = |messages: u64| messages as f64 * (pace.mean_s() + 1.0) / 3600.0;
        let spent = median.min(*budget);
        print(|out| {
            writeln!(
                out,
                "Against imagined filters the search takes {median} messages as a rule, {most} at most.\n\
                 The sender's account would send {spent} of the {budget} that --budget allows, in some {:.1} hours, and never more than {budget}.\n\
                 Nothing was sent.",
                hours(spent)
            )
        })?;
        Ok(Exit::Clear)
    }

    /// Goes on where the book ends, until there is an answer or a reason to stop.
    fn conduct(&self, mut hunt: Hunt, book: Book, folder: &Path, watched: bool) -> Result<Inquiry> {
        // After the first signal the message under way is still answered.
        let interrupted = interruption()?;
        let answered = replay(&mut hunt, &book, folder)?;
        let mut trials = Trials::new(&self.clients, book, folder, watched, &interrupted);
        let (found, broken_off) = match answered {
            Some(found) => (found, None),
            None => self.ask(&mut hunt, &mut trials),
        };
        let book = trials.close();
        if let Some(why) = broken_off.as_ref().filter(|_| book.acts().is_empty()) {
            return Err(unopened(why));
        }
        Ok(Inquiry {
            found: Some(found),
            judged: None,
            signal: Signal::Delivery,
            watched,
            broken_off,
            budget: self.clients.budget,
            target: self.error,
            loss: self.loss,
            leak: self.leak,
            measured: false,
            window_s: self.clients.window,
            lag_s: 0.0,
            acts: book.acts().to_vec(),
            copies: Vec::new(),
            deliveries: book.deliveries().to_vec(),
            strays: book.strays(),
        })
    }

    fn ask(&self, hunt: &mut Hunt, trials: &mut Trials) -> (Found, Option<String>) {
        let (progress, levels) = (Progress::lines(), Levels::new());
        loop {
            let text = match hunt.ask() {
                Next::Done(found) => return (found, None),
                Next::Ask { text } => text,
            };
            let wanted = Wanted { arm: None, text: Some(&text), levels: &levels, attend: false };
            match trials.make(&wanted) {
                Ok(Some(fate)) => hunt.answer(fate),
                Ok(None) => return (hunt.so_far(), Some("a message was not sent".into())),
                Err(why) => return (hunt.so_far(), Some(why)),
            }
            let spent = trials.book.deliveries().len();
            if spent.is_multiple_of(10) {
                progress.say(&format!("{spent} of at most {} messages", self.clients.budget));
            }
        }
    }
}

impl QuestionArgs {
    fn read(&self) -> Result<(Question, &Path)> {
        match (&self.text, &self.words) {
            (Some(path), _) => {
                let text = files::read(path)?;
                Ok((Question::Text(text.trim_end_matches(['\r', '\n']).to_owned()), path))
            }
            (None, Some(path)) => {
                let words = files::lines(path)?;
                Ok((Question::Words(words), path))
            }
            (None, None) => Err(Failure::new("nothing to ask").hint("give --text FILE or --words FILE")),
        }
    }
}

/// Gives the search the answers that were kept. The answer, if they are all that it needs.
fn replay(hunt: &mut Hunt, book: &Book, folder: &Path) -> Result<Option<Found>> {
    for delivery in book.deliveries() {
        // Without an answer it says nothing: its text is asked for again.
        let Some(fate) = delivery.fate else { continue };
        let asked = match hunt.ask() {
            Next::Done(found) => return Ok(Some(found)),
            Next::Ask { text } => text,
        };
        if digest::of_bytes(asked.as_bytes()) != delivery.text_sha256 {
            return Err(Failure::new(format!(
                "{}: message {} is not the one that this search asks for",
                folder.display(),
                delivery.number
            ))
            .hint("the messages were sent by another version: begin anew in another folder with --trials-folder"));
        }
        hunt.answer(fate);
    }
    Ok(match hunt.ask() {
        Next::Done(found) => Some(found),
        Next::Ask { .. } => None,
    })
}
