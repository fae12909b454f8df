//! `overheard watch`: whom an app talks to, while it does.

use super::app::{self, AppArgs};
use super::lens::LensArgs;
use crate::exit::{Exit, Failure, Result};
use crate::input;
use crate::output::{FORMATS, Style, counted, print, safe, terminal_style};
use crate::pipeline::{self, Contact, Lens};
use crate::proxy::ProxyArgs;
use crate::watch::app::App;
use crate::watch::leave::Leave;
use crate::watch::listener::Listener;
use crate::watch::replay::{Replay, Speed};
use crate::watch::source::{self, Feed};
use crate::watch::view::State;
use crate::watch::{lines, screen};
use clap::{ArgGroup, Args};
use overheard_model::Concern;
use overheard_probe::gateway::{Dns, Options, Policy};
use overheard_probe::record::{self, Section};
use overheard_probe::room::{Command, Streams};
use overheard_probe::tapped::Order;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, stdout};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const EXAMPLES: &str = "\
Examples:
  overheard watch -- curl -sS https://example.org
  overheard watch --door x11 -- chromium https://example.org
  overheard watch --proxy socks5://127.0.0.1:1080 --dns 9.9.9.9 --keep app.pcapng -- ./app --its-option
  overheard watch --from run1.pcapng --concern CN
  overheard watch --from run1.pcapng --speed 10
  ssh router tcpdump -U -w - | overheard watch --from - --keep router.pcap
  overheard watch --from run1.pcapng --speed max --plain | grep readable

The app starts in a room of its own, whose one door is watched. Nothing is typed into it; what it writes goes to the
standard error in lines, on the screen to the page behind o. It ends when the view is left, all that it started with it.

On the screen, ? lists the keys. When the view is left, the ordinary report is printed.";

/// Watch whom an app talks to, in a full-screen view or line by line.
#[derive(Args, Debug)]
// One thread listens; what an app is given is of no use without one.
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("source").required(true).args(["from", "app"])),
    mut_arg("threads", |threads| threads.hide(true)),
    mut_arg("proxy", |proxy| proxy.conflicts_with("from")),
    mut_arg("home", |home| home.conflicts_with("from")),
    mut_arg("read", |read| read.conflicts_with("from")),
    mut_arg("write", |write| write.conflicts_with("from")),
    mut_arg("door", |door| door.conflicts_with("from")),
)]
pub struct WatchArgs {
    /// Replay this capture; - for packets that come through a pipe, as `tcpdump -U -w -` writes them
    #[arg(long, value_name = "FILE")]
    from: Option<String>,

    /// How much faster than it was recorded, or max; a pipe has its own pace
    #[arg(long, value_name = "TIMES", default_value = "1", conflicts_with = "app")]
    speed: Speed,

    #[command(flatten)]
    proxy: ProxyArgs,

    /// The name server that answers the app, through the proxy if there is one (default: this machine's)
    #[arg(long, value_name = "ADDRESS", conflicts_with = "from")]
    dns: Option<IpAddr>,

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

    #[command(flatten)]
    app: AppArgs,
}

impl WatchArgs {
    pub fn run(self) -> Result<Exit> {
        let until = until(self.seconds)?;
        let lens = self.lens.lens()?;
        let (feed, queue) = source::queue();
        let Some(from) = &self.from else {
            let program = self.app.program()?;
            let name = app::name(&program);
            // Before anything is there to be left behind.
            let interrupted = interrupted()?;
            let app = self.start(&program, feed)?;
            let mut listener = Listener::new(queue, name.into(), Speed::Times(1.0), &lens);
            listener.ask(app.carried());
            let leave = Leave { until, interrupted: &interrupted, app: Some(&app) };
            let exit = self.show(&mut listener, &lens, leave)?;
            let told = listener.ended().is_some();
            drop(listener);
            let closing = app.end().map_err(|error| app::refused(&error))?;
            if !told {
                eprintln!("{}", safe(&closing.how));
            }
            if let Some(proxy) = closing.proxy.filter(|proxy| !proxy.failed.is_empty()) {
                let failed = proxy.all() - proxy.carried;
                eprintln!("{} failed at the proxy: {}", counted(failed, "connection"), proxy.reasons());
            }
            return match (&self.keep, closing.lost) {
                (Some(keep), lost @ 1..) => {
                    Err(Failure::new(format!("{}: {lost} packets are not in it", keep.display()))
                        .hint("the disk refused them: it may be full"))
                }
                (Some(keep), 0) => {
                    eprintln!("kept in {}", safe(&keep.to_string_lossy()));
                    Ok(exit)
                }
                (None, _) => Ok(exit),
            };
        };
        let [input] = &input::inputs(from)?[..] else {
            return Err(Failure::new(format!("--from {from}: more than one file"))
                .hint("give one capture, or - for a pipe"));
        };
        let replay = Replay::open(input, self.speed, self.keep.as_deref())?;
        let name: Arc<str> = if input.is_stdin() { "standard input".into() } else { input.path() };
        let mut listener = Listener::new(queue, name, self.speed, &lens);
        replay.start(feed);
        let interrupted = interrupted()?;
        self.show(&mut listener, &lens, Leave { until, interrupted: &interrupted, app: None })
    }

    /// Starts the app, in a room whose door is tapped.
    fn start(&self, program: &Path, feed: Feed) -> Result<App> {
        let upstream = self.proxy.upstream()?;
        let server = self.dns.map(|address| SocketAddr::new(address, 53));
        let dns = Dns::by(server, &upstream);
        if dns == Dns::None {
            return Err(Failure::new("--proxy: there is no name server behind it").hint(
                "give one that is reached through the proxy as --dns ADDRESS: this machine's own would hear every \
                 name that the app asks for",
            ));
        }
        let unwritable = |path: &Path, error: io::Error| {
            Failure::new(format!("--keep {}: {error}", path.display()))
                .hint("give a new file in a folder that you may write to")
        };
        let capture = match &self.keep {
            Some(path) => record::create(path).map_err(|error| unwritable(path, error))?,
            None => OpenOptions::new()
                .write(true)
                .open("/dev/null")
                .map_err(|error| unwritable(Path::new("/dev/null"), error))?,
        };
        let (name, spec) = (app::name(program), self.app.spec(program));
        let command = Command {
            program: program.into(),
            args: self.app.arguments().to_vec(),
            streams: Streams::Pipes,
            ..Command::default()
        };
        let vantage = upstream.to_string();
        let order = Order {
            spec: &spec,
            options: Options { upstream, dns, policy: Policy::Open },
            capture,
            section: Section { vantage: &vantage, build: &name, run: "watched", interface: "room" },
            key_log: None,
            listener: None,
        };
        App::start(&name, &command, order, feed).map_err(|error| {
            if let Some(empty) = &self.keep {
                // Nothing was recorded; where it stays it harms nobody.
                let _ = std::fs::remove_file(empty);
            }
            app::refused(&error)
        })
    }

    fn show(&self, listener: &mut Listener, lens: &Lens, leave: Leave<'_>) -> Result<Exit> {
        let concerns = &self.concern;
        if self.plain || !stdout().is_terminal() {
            let streams: [&mut dyn io::Write; 2] = [&mut stdout().lock(), &mut io::stderr()];
            let written = lines::write(listener, lens, concerns, leave, streams);
            let met = written.or_else(|error| match error.kind() {
                // Whoever read the lines has gone away (`| head`).
                io::ErrorKind::BrokenPipe => Ok(false),
                _ => Err(Failure::new(format!("standard output: {error}"))),
            })?;
            return exit(listener, met);
        }
        let style = terminal_style();
        let state = State::new(listener.name().to_owned(), style.color);
        screen::show(listener, lens, concerns, state, leave)
            .map_err(|error| Failure::new(format!("the view: {error}")).hint("--plain needs no terminal"))?;
        if leave.ends_app() {
            listener.hear_out();
        }
        // What the screen showed of them has gone with it.
        leave.app.iter().flat_map(|app| app.doors()).for_each(|door| eprintln!("{}", safe(door)));
        report(listener, concerns, lens, style)
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
pub(super) fn interrupted() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, flag.clone())
            .map_err(|error| Failure::new(format!("signals cannot be caught: {error}")))?;
    }
    Ok(flag)
}

/// The ordinary report of what was heard, on the terminal that the view has left.
fn report(listener: &mut Listener, concerns: &[Concern], lens: &Lens, style: Style) -> Result<Exit> {
    let reading = listener.finish(lens);
    let met = pipeline::closest(&reading.endpoints, concerns) == Contact::Certain;
    let mut readings = std::iter::once(Arc::new(reading));
    print(|out| FORMATS[0].readings(&mut readings, &lens.atlas.sources(), style, out))?;
    if let Some(why) = listener.ended() {
        eprintln!("{}", safe(why));
    }
    exit(listener, met)
}

/// What was met decides, unless it is not known to be all.
fn exit(listener: &Listener, met: bool) -> Result<Exit> {
    if listener.missed() > 0 {
        eprintln!("{} came too fast to be shown", counted(listener.missed(), "packet"));
    }
    match listener.failed() {
        true => Err(Failure::new("what was listened to failed").hint("what was shown is not all")),
        false if met => Ok(Exit::Findings),
        false => Ok(Exit::Clear),
    }
}
