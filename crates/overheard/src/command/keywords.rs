//! `overheard keywords`: which words keep a message from arriving?
//!
//! Messages go from one account of the user's own to another. A calibration says first by what a filtered one is known;
//! each message is booked before it is sent, and what was answered is kept, so that the same command goes on where it was
//! broken off.

use super::run::interruption;
use crate::exit::{Exit, Failure, Result};
use crate::inquiry::calibration::{self, Calibrated, Given, LEAK, LOSS};
use crate::inquiry::clients::{ClientArgs, without_rooms};
use crate::inquiry::comparison::Comparison;
use crate::inquiry::copies;
use crate::inquiry::design;
use crate::inquiry::files;
use crate::inquiry::hunt::{Hunt, LONGEST_REHEARSAL, Limit, Noise, Options, Others, Question, rehearse};
use crate::inquiry::noise::Answers;
use crate::inquiry::output::ReportArgs;
use crate::inquiry::quest::Quest;
use crate::inquiry::trials::{Trials, located, refused, unopened};
use crate::inquiry::verdict;
use crate::output::{inquiry, print};
use clap::{Args, ValueEnum};
use overheard_model::{Inquiry, Outcome, SearchWarning};
use overheard_probe::trial::{Book, Opening};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  overheard keywords --sender './driver alice' --receiver './driver bob' --text blocked.txt
  overheard keywords … --words candidates.txt --budget 2000
  overheard keywords … --text blocked.txt --dry-run      # what would be spent

A driver is a program that speaks JSON lines for one account; `overheard driver` has some, for IRC, XMPP and others:
  it reads   {\"op\":\"send\",\"id\":\"m1\",\"to\":\"bob\",\"text\":\"…\"}   {\"op\":\"quit\"}
  it prints  {\"event\":\"ready\",\"account\":\"alice\"}   {\"event\":\"sent\",\"id\":\"m1\"}
             {\"event\":\"received\",\"from\":\"alice\",\"text\":\"…\"}   {\"event\":\"error\",\"id\":\"m1\",\"message\":\"…\"}

With --no-room deliveries alone are judged: a message that arrives may still be copied away. Interrupted or killed,
the same command goes on; the messages that were spent are booked in the folder of --trials-folder, without their texts.";

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

    /// Harmless text to compare with, which is cut to length (default: letters that what is asked lacks)
    #[arg(long, value_name = "FILE")]
    benign: Option<PathBuf>,

    /// Harmless messages to begin with, which measure how many are lost anyway, and as many of a blocked text, which measure
    /// how many the filter lets pass and show in rooms whether it is copied. Without rooms --loss and --leak stand for them
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(0..=1000))]
    calibration: u32,

    /// Share of messages that is lost without a filter (default: as measured)
    #[arg(long, value_name = "RATE")]
    loss: Option<f64>,

    /// Share of messages that the filter lets pass although it should not (default: as measured, 0.05 where it cannot be)
    #[arg(long, value_name = "RATE")]
    leak: Option<f64>,

    /// Which further words are looked for: none, those that share no word with what was found, or all. Of a list: none is
    /// single words, apart also pairs, all also words that another one hides
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Further::All)]
    others: Further,

    /// Of a list: do not look for the part of a candidate that does it, which takes about as many messages as each that
    /// triggers has characters
    #[arg(long, conflicts_with = "text")]
    as_listed: bool,

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

/// [`Others`], as the command line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Further {
    None,
    Apart,
    All,
}

impl From<Further> for Others {
    fn from(further: Further) -> Self {
        match further {
            Further::None => Self::Ignored,
            Further::Apart => Self::Apart,
            Further::All => Self::All,
        }
    }
}

impl KeywordsArgs {
    pub fn run(self) -> Result<Exit> {
        self.check()?;
        self.report.check()?;
        let (question, file) = self.question.read()?;
        let lexicon = self.lexicon.as_deref().map(files::lines).transpose()?.unwrap_or_default();
        let rooms = self.clients.rooms();
        let watched = rooms.is_ok();
        let calibration = self.calibration(&question, watched)?;
        let folder = self.clients.folder(file);
        let terms = self.clients.terms(watched)?;
        let rates = (self.loss, self.leak, self.error, self.calibration, self.others, self.as_listed);
        let opening =
            Opening::of(&format!("{question:?} {lexicon:?} {rates:?} {:?} {terms}", calibration.pairs));
        if self.clients.dry_run {
            let known = Book::open_known(&folder, &[opening], self.clients.budget).map_err(refused)?;
            let kept = known.as_ref().map(|(book, _)| (book, &*folder));
            return self.rehearse(&question, lexicon, &calibration, watched, kept);
        }
        // Refused before anything is sent.
        Hunt::new(&question, &self.options(lexicon.clone(), Noise::NONE), self.clients.seed)?;
        without_rooms(&rooms);
        let book = Book::open(&folder, &opening, self.clients.budget).map_err(refused)?;
        let book = book.sharing(self.clients.spending());
        // After the first signal the message under way is still answered.
        let interrupted = interruption()?;
        let trials = Trials::new(&self.clients, book, &folder, watched, &interrupted);
        let inquiry = self.conduct(&question, lexicon, &calibration, trials, &folder)?;
        self.report.write(&inquiry)?;
        Ok(match inquiry::outcome(&inquiry) {
            Some(Outcome::Neither) => Exit::Clear,
            Some(_) => Exit::Findings,
            None => Exit::Abstained,
        })
    }

    fn check(&self) -> Result<()> {
        let (loss, leak) = (self.loss.unwrap_or_default(), self.leak.unwrap_or_default());
        for (option, value, most) in
            [("--loss", loss, 0.45), ("--leak", leak, 0.45), ("--error", self.error, 0.5)]
        {
            if !(0.0..=most).contains(&value) || option == "--error" && value == 0.0 {
                return Err(Failure::new(format!("{option} {value}: no proportion up to {most}"))
                    .hint("give a number such as 0.02"));
            }
        }
        design::check(&[], &self.clients.commands())?;
        self.clients.check()
    }

    fn calibration(&self, question: &Question, watched: bool) -> Result<Comparison> {
        let ClientArgs { longest, seed, .. } = &self.clients;
        let (trials, given) = (self.calibration as usize, self.given());
        let benign = self.benign.as_deref().map(files::lines).transpose()?;
        calibration::comparison(question, benign.as_deref(), trials, watched, *longest, given, *seed)
    }

    fn given(&self) -> Given {
        Given { loss: self.loss, leak: self.leak }
    }

    fn options(&self, lexicon: Vec<String>, noise: Noise) -> Options {
        Options {
            noise,
            target: self.error,
            others: self.others.into(),
            lexicon,
            limit: Some(Limit::Characters(self.clients.longest)),
            parts: !self.as_listed,
            // The book alone keeps the budget, so that a search goes on with a larger one.
            most_messages: u64::MAX,
        }
    }

    fn rehearse(
        &self,
        question: &Question,
        lexicon: Vec<String>,
        calibration: &Comparison,
        watched: bool,
        kept: Option<(&Book, &Path)>,
    ) -> Result<Exit> {
        let ClientArgs { seed, pace, budget, .. } = &self.clients;
        let (loss, leak) = (self.loss.unwrap_or(LOSS), self.leak.unwrap_or(LEAK));
        let options = self.options(lexicon.clone(), Noise::new(loss, leak));
        let (median, most) = rehearse(question, &options, loss, *seed)?;
        let first = calibration.messages() as u64;
        let (done, asked, spent) = match kept {
            None => (0, 0, 0),
            Some((book, _)) => {
                let asked = book.acts().iter().filter(|act| act.arm.is_none()).count();
                let done = verdict::counted(book, watched).len();
                (done as u64, asked as u64, book.deliveries().len() as u64)
            }
        };
        let answered = match kept {
            Some(kept) => self.is_answered(question, lexicon, calibration, watched, kept)?,
            None => false,
        };
        let left = if answered { 0 } else { first.saturating_sub(done) + median.saturating_sub(asked) };
        let hours = |messages: u64| messages as f64 * (pace.mean_s() + 1.0) / 3600.0;
        let sent = left.min(budget.saturating_sub(spent));
        let takes = match median {
            LONGEST_REHEARSAL.. => format!("more than {LONGEST_REHEARSAL} messages as a rule"),
            _ => format!("{median} messages as a rule, {} at most", at_most(most)),
        };
        let before = match (spent, answered) {
            (0, _) => String::new(),
            (_, false) => format!("{spent} were spent in earlier calls, {asked} of them by the search.\n"),
            (_, true) => format!("{spent} were spent in earlier calls, and the search has its answer.\n"),
        };
        let spent_before = self.clients.spent_before()?;
        print(|out| {
            writeln!(
                out,
                "Against imagined filters the search takes {takes}, and {first} before it.\n{before}{spent_before}\
                 The sender's account would send {sent} of the {} that --budget allows, in some {:.1} hours, and never more than {}.\n\
                 Nothing was sent.",
                budget.saturating_sub(spent),
                hours(sent),
                budget.saturating_sub(spent)
            )
        })?;
        Ok(Exit::Clear)
    }

    /// Whether the book holds all that the search asks for.
    fn is_answered(
        &self,
        question: &Question,
        lexicon: Vec<String>,
        calibration: &Comparison,
        watched: bool,
        (book, folder): (&Book, &Path),
    ) -> Result<bool> {
        let seed = self.clients.seed;
        let calibrated = calibration::conclude(book, question, watched, self.given(), seed);
        let options = self.options(lexicon, Noise::new(calibrated.loss, calibrated.leak));
        let (begin, mut texts) = (|| Hunt::new(question, &options, seed), calibration.texts());
        let (_, answered) = Quest::resumed(begin, &calibrated.sense, &mut texts, (book, folder))?;
        Ok(answered.is_some())
    }

    /// Goes on where the book ends, until there is an answer or a reason to stop.
    fn conduct(
        &self,
        question: &Question,
        lexicon: Vec<String>,
        calibration: &Comparison,
        mut trials: Trials,
        folder: &Path,
    ) -> Result<Inquiry> {
        let (seed, watched) = (self.clients.seed, trials.watched);
        let given = self.given();
        let mut texts = calibration.texts();
        let uncalibrated = calibration.conduct(&mut trials);
        let calibrated = calibration::conclude(&trials.book, question, watched, given, seed);
        let Calibrated { judged, sense, loss, leak, measured } = calibrated;
        let options = self.options(lexicon, Noise::new(loss, leak));
        let begin = || Hunt::new(question, &options, seed);
        let kept = (&trials.book, folder);
        let (mut quest, answered) = Quest::resumed(begin, &sense, &mut texts, kept)?;
        let (mut found, broken_off) = match (uncalibrated, answered) {
            (Some(why), _) => (None, Some(why)),
            (None, Some(found)) => (Some(found), None),
            (None, None) => {
                let (found, broken_off) = quest.ask(&mut trials);
                (Some(found), broken_off)
            }
        };
        let unheard = quest.unheard;
        let book = trials.close();
        if let Some(found) = &mut found {
            let answers = Answers::of(&book, &sense, &texts, &unheard);
            let (leaky, lossy) = (answers.are_leaky(found, leak), answers.are_lossy(found, loss));
            found.warnings.extend(leaky.then_some(SearchWarning::Leaky));
            let all = self.others != Further::None;
            found.warnings.extend((lossy && all).then_some(SearchWarning::Lossy));
        }
        if let Some(why) = broken_off.as_ref().filter(|_| book.acts().is_empty()) {
            return Err(unopened(why));
        }
        let (copies, searched) = copies::find(folder, book.acts(), book.deliveries(), &texts);
        let asks_more = verdict::asks_more(&book, &verdict::counted(&book, watched), 1, seed);
        Ok(Inquiry {
            found,
            judged,
            signal: sense.signal(),
            watched,
            broken_off,
            budget: self.clients.budget,
            target: self.error,
            loss,
            leak,
            measured,
            window_s: self.clients.window,
            lag_s: if watched { self.clients.lag } else { 0.0 },
            acts: located(&book, folder),
            copies,
            searched: watched.then_some(searched),
            asks_more,
            deliveries: book.deliveries().to_vec(),
            strays: book.strays(),
        })
    }
}

/// A rehearsal that was broken off took more than it had.
fn at_most(messages: u64) -> String {
    if messages < LONGEST_REHEARSAL { messages.to_string() } else { format!("more than {LONGEST_REHEARSAL}") }
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
