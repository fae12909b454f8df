//! `overheard keywords`: which words keep a message from arriving?
//!
//! Messages go from one account of the user's own to another. A calibration says first by what a filtered one is known;
//! each message is booked before it is sent, and what was answered is kept, so that the same command goes on where it was
//! broken off.

mod rehearsal;

use super::run::interruption;
use crate::exit::{Exit, Failure, Result};
use crate::inquiry::booked;
use crate::inquiry::calibration::{self, Calibrated, Given};
use crate::inquiry::clients::{ClientArgs, without_rooms};
use crate::inquiry::comparison::Comparison;
use crate::inquiry::design;
use crate::inquiry::files;
use crate::inquiry::hunt::{Hunt, Limit, Noise, Options, Others, Question};
use crate::inquiry::noise::Answers;
use crate::inquiry::output::ReportArgs;
use crate::inquiry::quest::Quest;
use crate::inquiry::trials::{Trials, refused, unopened};
use crate::output::inquiry;
use clap::{Args, ValueEnum};
use overheard_model::{Found, Inquiry, Outcome, SearchWarning};
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

/// What is asked, and the comparison that goes before.
struct Asked {
    question: Question,
    lexicon: Vec<String>,
    calibration: Comparison,
}

impl KeywordsArgs {
    pub fn run(self) -> Result<Exit> {
        self.check()?;
        self.report.check()?;
        let (question, file) = self.question.read()?;
        let lexicon = self.lexicon.as_deref().map(files::lines).transpose()?.unwrap_or_default();
        // Refused before a message is made of it.
        Hunt::new(&question, &self.options(lexicon.clone(), Noise::NONE), self.clients.seed)?;
        let rooms = self.clients.rooms();
        let watched = rooms.is_ok();
        let calibration = self.calibration(&question, watched)?;
        let asked = Asked { question, lexicon, calibration };
        let folder = self.clients.folder(file);
        let opening = self.opening(&asked, watched)?;
        if self.clients.dry_run {
            let known = Book::open_known(&folder, &[opening], self.clients.budget).map_err(refused)?;
            let kept = known.as_ref().map(|(book, _)| (book, &*folder));
            return self.rehearse(&asked, watched, kept);
        }
        without_rooms(&rooms);
        let book = Book::open(&folder, &opening, self.clients.budget).map_err(refused)?;
        let book = book.sharing(self.clients.spending());
        // After the first signal the message under way is still answered.
        let interrupted = interruption()?;
        let trials = Trials::new(&self.clients, book, &folder, watched, &interrupted);
        let inquiry = self.conduct(&asked, trials, &folder)?;
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
        let (trials, given) = (self.calibration as usize, Given { loss: self.loss, leak: self.leak });
        let benign = self.benign.as_deref().map(files::lines).transpose()?;
        calibration::comparison(question, benign.as_deref(), trials, watched, *longest, given, *seed)
    }

    /// How the book of such a search begins.
    fn opening(&self, asked: &Asked, watched: bool) -> Result<Opening> {
        let Asked { question, lexicon, calibration } = asked;
        let rates = (self.loss, self.leak, self.error, self.calibration, self.others, self.as_listed);
        let terms = self.clients.terms(watched)?;
        Ok(Opening::of(&format!("{question:?} {lexicon:?} {rates:?} {:?} {terms}", calibration.pairs)))
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

    /// Goes on where the book ends, until there is an answer or a reason to stop.
    fn conduct(&self, asked: &Asked, mut trials: Trials, folder: &Path) -> Result<Inquiry> {
        let (seed, watched) = (self.clients.seed, trials.watched);
        let mut texts = asked.calibration.texts();
        let uncalibrated = asked.calibration.conduct(&mut trials);
        let calibrated = self.calibrated(asked, &trials.book, watched);
        let options = self.options(asked.lexicon.clone(), Noise::new(calibrated.loss, calibrated.leak));
        let begin = || Hunt::new(&asked.question, &options, seed);
        let kept = (&trials.book, folder);
        let (mut quest, answered) = Quest::resumed(begin, &calibrated.sense, &mut texts, kept)?;
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
        if let Some(why) = broken_off.as_ref().filter(|_| book.acts().is_empty()) {
            return Err(unopened(why));
        }
        if let Some(found) = &mut found {
            let answers = Answers::of(&book, &calibrated.sense, &texts, &unheard);
            let doubts = self.doubts(found, &answers, &calibrated);
            found.warnings.extend(doubts);
        }
        Ok(Inquiry {
            found,
            broken_off,
            judged: calibrated.judged,
            signal: calibrated.sense.signal(),
            target: self.error,
            loss: calibrated.loss,
            leak: calibrated.leak,
            measured: calibrated.measured,
            ..booked::inquiry(&self.clients, &book, folder, &texts, watched, 1)
        })
    }

    fn calibrated(&self, asked: &Asked, book: &Book, watched: bool) -> Calibrated {
        let given = Given { loss: self.loss, leak: self.leak };
        calibration::conclude(book, &asked.question, watched, given, self.clients.seed)
    }

    /// What the answers say against the rates that the search took for granted.
    fn doubts(&self, found: &Found, answers: &Answers, calibrated: &Calibrated) -> Vec<SearchWarning> {
        let leaky = answers.are_leaky(found, calibrated.leak).then_some(SearchWarning::Leaky);
        let all = self.others != Further::None;
        let lossy = all && answers.are_lossy(found, calibrated.loss);
        leaky.into_iter().chain(lossy.then_some(SearchWarning::Lossy)).collect()
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
