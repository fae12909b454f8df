//! `overheard watch`: whom an app talks to, while it does.

use super::lens::LensArgs;
use crate::exit::{Exit, Failure, Result};
use crate::input;
use crate::output::{print, terminal_style};
use crate::pipeline::{self, Contact, Lens};
use crate::watch::listener::Listener;
use crate::watch::replay::{Replay, Speed};
use crate::watch::source;
use crate::watch::view::State;
use crate::watch::{lines, screen};
use clap::Args;
use overheard_model::Concern;
use overheard_report::{FORMATS, Style, safe};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, IsTerminal, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  overheard watch --from run1.pcapng --concern CN
  overheard watch --from run1.pcapng --speed 10
  ssh router tcpdump -U -w - | overheard watch --from - --keep router.pcap
  overheard watch --from run1.pcapng --speed max --plain | grep readable

On the screen, ? lists the keys. When the view is left, the ordinary report is printed.";

/// Watch whom an app talks to, in a full-screen view or line by line.
#[derive(Args, Debug)]
// One thread listens.
#[command(after_help = EXAMPLES, mut_arg("threads", |threads| threads.hide(true)))]
pub struct WatchArgs {
    /// Replay this capture; - for packets that come through a pipe, as `tcpdump -U -w -` writes them
    #[arg(long, value_name = "FILE")]
    from: String,

    /// How much faster than it was recorded, or max; a pipe has its own pace
    #[arg(long, value_name = "TIMES", default_value = "1")]
    speed: Speed,

    /// A country, network or name feared beforehand: CN, AS4134, example.org; may be given again
    #[arg(long, value_name = "CONCERN")]
    concern: Vec<Concern>,

    /// Keep what comes in this file, which must be new
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,

    /// One line for each new endpoint, and whenever what is known of it changes; so it is in a pipe
    #[arg(long)]
    plain: bool,

    /// Stop after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,

    #[command(flatten)]
    lens: LensArgs,
}

impl WatchArgs {
    pub fn run(self) -> Result<Exit> {
        let until = until(self.seconds)?;
        let lens = self.lens.lens()?;
        let [input] = &input::inputs(&self.from)?[..] else {
            return Err(Failure::new(format!("--from {}: more than one file", self.from))
                .hint("give one capture, or - for a pipe"));
        };
        let replay = Replay::open(input, self.speed, self.keep.as_deref())?;
        let name: Arc<str> = if input.is_stdin() { "standard input".into() } else { input.path() };
        let (feed, queue) = source::queue();
        let mut listener = Listener::new(queue, name.clone(), self.speed, &lens);
        replay.start(feed);
        let interrupted = interrupted()?;
        if self.plain || !stdout().is_terminal() {
            let concerns = &self.concern;
            let out = &mut stdout().lock();
            let written = lines::write(&mut listener, &lens, concerns, until, &interrupted, out);
            let met = written.or_else(|error| match error.kind() {
                // Whoever read the lines has gone away (`| head`).
                io::ErrorKind::BrokenPipe => Ok(false),
                _ => Err(Failure::new(format!("standard output: {error}"))),
            })?;
            return exit(&listener, met);
        }
        let style = terminal_style();
        let state = State::new(name.to_string(), style.color);
        let shown = screen::show(&mut listener, &lens, &self.concern, state, until, &interrupted);
        shown
            .map_err(|error| Failure::new(format!("the view: {error}")).hint("--plain needs no terminal"))?;
        report(listener, &self.concern, &lens, style)
    }
}

/// When to stop.
fn until(seconds: Option<f64>) -> Result<Option<Instant>> {
    let Some(seconds) = seconds else { return Ok(None) };
    let whole = Duration::try_from_secs_f64(seconds).ok().and_then(|span| Instant::now().checked_add(span));
    whole.map(Some).ok_or_else(|| {
        Failure::new(format!("--seconds {seconds}: not a time to wait")).hint("give a number such as 60")
    })
}

/// Set when somebody interrupts or ends the program, or hangs up.
fn interrupted() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, flag.clone())
            .map_err(|error| Failure::new(format!("signals cannot be caught: {error}")))?;
    }
    Ok(flag)
}

/// The ordinary report of what was heard, on the terminal that the view has left.
fn report(mut listener: Listener, concerns: &[Concern], lens: &Lens, style: Style) -> Result<Exit> {
    let reading = listener.finish(lens);
    let met = pipeline::closest(&reading.endpoints, concerns) == Contact::Certain;
    let mut readings = std::iter::once(reading);
    print(|out| FORMATS[0].readings(&mut readings, &lens.atlas.sources(), style, out))?;
    if let Some(why) = listener.ended() {
        eprintln!("{}", safe(why));
    }
    exit(&listener, met)
}

/// What was met decides, unless it is not known to be all.
fn exit(listener: &Listener, met: bool) -> Result<Exit> {
    match listener.failed() {
        true => Err(Failure::new("what was listened to failed").hint("what was shown is not all")),
        false if met => Ok(Exit::Findings),
        false => Ok(Exit::Clear),
    }
}
