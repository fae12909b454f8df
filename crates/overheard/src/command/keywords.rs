//! `overheard keywords`: which words keep a message from arriving?
//!
//! Messages go from one account of the user's own to another. Each is booked before it is sent; what was answered is
//! kept, so that the same command goes on where it was broken off.

use super::run::interruption;
use crate::exit::{Exit, Failure, Result};
use crate::hunt::{Hunt, Limit, Next, Noise, Options, Others, Question, rehearse};
use crate::output::{inquiry, print};
use crate::progress::Progress;
use clap::{Args, ValueEnum};
use overheard_model::design::{Home, VantageDesign};
use overheard_model::{Fate, Found, Inquiry, Outcome, Signal};
use overheard_probe::clock::now;
use overheard_probe::digest;
use overheard_probe::execute::{Bare, Setting};
use overheard_probe::trial::{Book, BookFault, Broken, Line, Opening, Order, Pace};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  overheard keywords --sender './driver alice' --receiver './driver bob' --text blocked.txt
  overheard keywords … --words candidates.txt --budget 2000
  overheard keywords … --text blocked.txt --dry-run      # what would be spent

A driver is a program that speaks JSON lines for one account; `overheard driver` has some, for IRC, XMPP and others:
  it reads   {\"op\":\"send\",\"id\":\"m1\",\"to\":\"bob\",\"text\":\"…\"}   {\"op\":\"quit\"}
  it prints  {\"event\":\"ready\",\"account\":\"alice\"}   {\"event\":\"sent\",\"id\":\"m1\"}
             {\"event\":\"received\",\"from\":\"alice\",\"text\":\"…\"}   {\"event\":\"error\",\"id\":\"m1\",\"message\":\"…\"}

Deliveries alone are judged: a message that arrives may still be copied away. Interrupted or killed, the same
command goes on; the messages that were spent are booked in the folder of --trials, without their texts.";

/// Find the words that keep a message from arriving
///
/// Sends messages between two accounts of your own and finds, by what arrives, the smallest combinations of words that
/// a filter drops, with a bound on the chance that each is wrong.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct KeywordsArgs {
    /// The driver of the account that sends, as the shell would run it
    #[arg(long, value_name = "COMMAND")]
    sender: String,

    /// The driver of the account that receives
    #[arg(long, value_name = "COMMAND")]
    receiver: String,

    /// To whom messages go, if not to the name that the receiver's driver gives
    #[arg(long, value_name = "NAME")]
    to: Option<String>,

    #[command(flatten)]
    question: QuestionArgs,

    /// Words known from elsewhere, one a line: they save messages where they are right
    #[arg(long, value_name = "FILE", conflicts_with = "words")]
    lexicon: Option<PathBuf>,

    /// Most messages to be spent in all, with those of earlier calls
    #[arg(long, value_name = "N", default_value_t = 200)]
    budget: u64,

    /// Say what would be spent, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Seconds between messages, drawn at random within these limits
    #[arg(long, value_name = "SHORTEST-LONGEST", default_value = "5-60")]
    pace: Pace,

    /// How many seconds an arrival is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    window: f64,

    /// Share of messages that is lost without a filter
    #[arg(long, value_name = "RATE", default_value_t = 0.02)]
    loss: f64,

    /// Share of messages that the filter lets pass although it should not
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    leak: f64,

    /// Most characters that the platform takes in a message
    #[arg(long, value_name = "CHARACTERS", default_value_t = 1000)]
    longest: usize,

    /// Chance of error allowed for each rule
    #[arg(long, value_name = "P", default_value_t = 0.005)]
    error: f64,

    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Where the messages are booked (default: the file's name with .trials)
    #[arg(long, value_name = "FOLDER")]
    trials: Option<PathBuf>,

    /// How to write the report
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Text)]
    format: Form,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl KeywordsArgs {
    pub fn run(self) -> Result<Exit> {
        self.check()?;
        let (question, file) = self.question.read()?;
        let options = self.options()?;
        let hunt = Hunt::new(&question, &options, self.seed)?;
        if self.dry_run {
            return self.rehearse(&question, &options);
        }
        let folder = self.trials.clone().unwrap_or_else(|| file.with_extension("trials"));
        let opening = Opening::of(&format!("{question:?} {options:?} {}", self.seed));
        let book = Book::open(&folder, &opening, self.budget).map_err(refused)?;
        let inquiry = self.conduct(hunt, book, &folder)?;
        print(|out| match self.format {
            Form::Text => inquiry::text(&inquiry, out),
            Form::Json => inquiry::json(&inquiry, out),
        })?;
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
        if !(0.01..=3600.0).contains(&self.window) {
            return Err(Failure::new(format!("--window {}: no time to wait", self.window))
                .hint("give seconds, such as 20"));
        }
        Ok(())
    }

    fn options(&self) -> Result<Options> {
        let lexicon = self.lexicon.as_deref().map(lines).transpose()?.unwrap_or_default();
        Ok(Options {
            noise: Noise::new(self.loss, self.leak),
            target: self.error,
            others: Others::Apart,
            lexicon,
            limit: Some(Limit::Characters(self.longest)),
            // The book alone keeps the budget, so that a search goes on with a larger one.
            most_messages: u64::MAX,
        })
    }

    fn rehearse(&self, question: &Question, options: &Options) -> Result<Exit> {
        let (median, most) = rehearse(question, options, self.loss, self.seed)?;
        let hours = |messages: u64| messages as f64 * (self.pace.mean_s() + 1.0) / 3600.0;
        let (budget, spent) = (self.budget, median.min(self.budget));
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
    fn conduct(&self, mut hunt: Hunt, mut book: Book, folder: &Path) -> Result<Inquiry> {
        let (found, broken_off) = match replay(&mut hunt, &book, folder)? {
            Some(found) => (found, None),
            None => self.ask(&mut hunt, &mut book)?,
        };
        Ok(Inquiry {
            found: Some(found),
            judged: None,
            signal: Signal::Delivery,
            watched: false,
            broken_off,
            budget: self.budget,
            target: self.error,
            loss: self.loss,
            leak: self.leak,
            measured: false,
            window_s: self.window,
            lag_s: 0.0,
            acts: Vec::new(),
            copies: Vec::new(),
            deliveries: book.deliveries().to_vec(),
            strays: book.strays(),
        })
    }

    fn ask(&self, hunt: &mut Hunt, book: &mut Book) -> Result<(Found, Option<String>)> {
        // After the first signal the message under way is still answered.
        let interrupted = interruption()?;
        let mut trials = match self.open(&interrupted) {
            Ok(line) => Trials { args: self, line, last: None, interrupted: &interrupted },
            Err(broken) if book.deliveries().is_empty() => return Err(unopened(&broken)),
            Err(broken) => return Ok((hunt.so_far(), Some(broken.to_string()))),
        };
        let progress = Progress::lines();
        let ended = loop {
            let text = match hunt.ask() {
                Next::Done(found) => break (found, None),
                Next::Ask { text } => text,
            };
            match trials.make(book, &text) {
                Ok(fate) => hunt.answer(fate),
                Err(why) => break (hunt.so_far(), Some(why)),
            }
            let spent = book.deliveries().len();
            if spent.is_multiple_of(10) {
                progress.say(&format!("{spent} of at most {} messages", self.budget));
            }
        };
        // What was answered is kept already; a client that does not end well changes nothing of it.
        let _ = trials.line.close();
        Ok(ended)
    }

    fn open(&self, interrupted: &AtomicBool) -> std::result::Result<Line, Broken> {
        let home = Home::Keep;
        let vantage = VantageDesign { name: "here".into(), proxy: None, dns: None, place: None };
        let folder = Path::new(".");
        let setting = |build| Setting {
            folder,
            base: folder,
            build,
            run: "keywords",
            vantage: &vantage,
            home: &home,
            doors: &[],
        };
        let shell = |command: &str| ["sh".to_owned(), "-c".to_owned(), command.to_owned()];
        let (sender, receiver) = (shell(&self.sender), shell(&self.receiver));
        let sender = Order { setting: setting("sender"), command: &sender };
        let receiver = Order { setting: setting("receiver"), command: &receiver };
        Line::open(&mut Bare, &sender, &receiver, interrupted)
    }
}

/// One message after another.
struct Trials<'a> {
    args: &'a KeywordsArgs,
    line: Line,
    /// When the message before was answered.
    last: Option<Instant>,
    interrupted: &'a AtomicBool,
}

impl Trials<'_> {
    /// Books a message, sends it when it is time, and keeps the answer. The error says why there is none.
    fn make(&mut self, book: &mut Book, text: &str) -> std::result::Result<Fate, String> {
        let (KeywordsArgs { pace, seed, .. }, next) = (self.args, book.deliveries().len() as u64 + 1);
        if next <= self.args.budget {
            let pause = self.last.map_or(Duration::ZERO, |_| pace.before(next, *seed));
            self.pass(pause)?;
        }
        let to = self.args.to.clone().unwrap_or_else(|| self.line.receiver().to_owned());
        let number = book.book(self.line.sender(), text, now()).map_err(|fault| fault.to_string())?;
        let window = Duration::from_secs_f64(self.args.window);
        let outcome = self.line.act(number, &to, text, window).map_err(|broken| broken.to_string())?;
        book.answer(number, outcome).map_err(|fault| fault.to_string())?;
        self.last = Some(Instant::now());
        Ok(outcome.fate)
    }

    fn pass(&self, time: Duration) -> std::result::Result<(), String> {
        let until = Instant::now() + time;
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err("it was interrupted".into());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

impl QuestionArgs {
    fn read(&self) -> Result<(Question, &Path)> {
        match (&self.text, &self.words) {
            (Some(path), _) => {
                let text = read(path)?;
                Ok((Question::Text(text.trim_end_matches(['\r', '\n']).to_owned()), path))
            }
            (None, Some(path)) => {
                let words = lines(path)?;
                if words.is_empty() {
                    return Err(Failure::new(format!("{}: no words", path.display()))
                        .hint("give a file with one candidate a line"));
                }
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
            .hint("the messages were sent by another version: begin anew in another folder with --trials"));
        }
        hunt.answer(fate);
    }
    Ok(match hunt.ask() {
        Next::Done(found) => Some(found),
        Next::Ask { .. } => None,
    })
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let text = read(path)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn read(path: &Path) -> Result<String> {
    let text = fs::read(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display())).hint("give a text file in UTF-8")
    })?;
    let text = String::from_utf8(text).map_err(|_| {
        Failure::new(format!("{}: not UTF-8", path.display())).hint("convert it first, such as with iconv")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn unopened(broken: &Broken) -> Failure {
    Failure::new(broken.to_string())
        .hint("start the command by itself: it must print {\"event\":\"ready\",\"account\":\"…\"}")
}

fn refused(fault: BookFault) -> Failure {
    Failure::new(fault.to_string()).hint(fault.hint())
}
