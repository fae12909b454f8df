//! `overheard confine`: holds an app to a proxy, and proves that nothing else got out.

mod apart;

use super::app::{self, AppArgs};
use super::lens::LensArgs;
use super::verify::{LIMITS, signer, summary};
use super::watch::interrupted;
use crate::draft;
use crate::exit::{Exit, Failure, Result};
use crate::input;
use crate::output::print;
use crate::pipeline::{self, Lens};
use crate::progress::Progress;
use crate::proxy::ProxyArgs;
use apart::keep_apart;
use clap::Args;
use overheard_model::{Flow, FlowState, Transport};
use overheard_probe::confine::{
    Attempted, Certificate, Doorway, Execution, FORMAT, Kept, Left, Order, Passed, Phase, Program, Proxy,
    SigningKey, Statement, default_path, execute, places, ways,
};
use overheard_probe::digest;
use overheard_probe::door::{ROOM_V4, ROOM_V6};
use overheard_probe::execute::KEY_LOG;
use overheard_probe::gateway::{Login, Upstream};
use overheard_probe::record::Section;
use overheard_probe::room::{self, Command, Streams};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

const EXAMPLES: &str = "\
Examples:
  overheard confine --proxy socks5://127.0.0.1:1080 -- ./app
  overheard confine --proxy socks5://198.18.0.1:1080 --proxy-login login.txt -- ./app
  overheard confine --proxy http://198.18.0.1:8080 --capture app.pcapng -- curl -sS https://example.org

The app finds the proxy where it stands, or, if that is this machine's own loopback, at 10.219.0.1 and the same port.
ALL_PROXY, HTTP_PROXY and HTTPS_PROXY say so. If the proxy asks for a login the app is told it there and logs in, so it
is in the capture.

Ends with 0 where the app tried nothing else, with 1 where it did: it was stopped, and what it tried is listed.";

const STREAMS: [&str; 3] = ["standard input", "standard output", "standard error"];

/// Hold an app to a proxy, and prove that nothing else got out
#[derive(Args, Debug)]
#[command(
    after_help = EXAMPLES,
    mut_arg("app", |app| app.required(true)),
    mut_arg("proxy", |proxy| proxy.required(true)),
)]
pub struct ConfineArgs {
    #[command(flatten)]
    proxy: ProxyArgs,

    /// Where to keep all packets (default: the app's name, in this folder); the certificate is written beside it
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,

    /// Keep the TLS secrets of programs that honour SSLKEYLOGFILE in the capture, so that Wireshark decrypts it
    #[arg(long)]
    secrets: bool,

    #[command(flatten)]
    lens: LensArgs,

    #[command(flatten)]
    app: AppArgs,
}

/// How shells end that could not run, or did not find, a program (POSIX, "Exit Status for Commands").
const UNFOUND: [i32; 2] = [126, 127];

impl ConfineArgs {
    pub fn run(self) -> Result<Exit> {
        let proxy = held(self.proxy.upstream()?)?;
        let program = self.app.program()?;
        let capture = self
            .capture
            .clone()
            .unwrap_or_else(|| PathBuf::from(app::name(&program)).with_extension("pcapng"));
        let certificate = capture.with_extension("certificate.json");
        must_be_new(&capture)?;
        must_be_new(&certificate)?;
        streams_must_be_plain()?;
        let place = key_place()?;
        let key = key(&place)?;
        let ran = described(&program, self.app.arguments())?;
        let spec = self.app.spec(&program);
        let command = self.command(&program, &proxy);
        keep_apart(&spec, &capture, &place)?;
        let name = app::name(&program);
        let lens = self.lens.lens()?;
        let interrupted = interrupted()?;
        let order = Order {
            spec: &spec,
            command: &command,
            ways: ways(proxy.address),
            capture: &capture,
            key_log: self.secrets.then_some(Path::new(KEY_LOG)),
            section: Section { vantage: &proxy.url, build: &name, run: "confined", interface: "room" },
            interrupted: &interrupted,
            begins,
            planter,
        };
        let execution = execute(&order).map_err(|error| app::refused(&error))?;
        let statement = statement(&execution, ran, &proxy, &capture, &lens)?;
        let tried = !statement.attempted.is_empty() || statement.unlisted_attempts > 0;
        let signed = Certificate::sign(statement, &key).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
            Failure::new(format!("there is no certificate:{}", faults.concat()))
                .hint(format!("what crossed is in {}", capture.display()))
        })?;
        draft::write(&certificate, |out| out.write_all(&signed.bytes()))
            .map_err(|error| unwritable(&certificate, &error))?;
        let seen = format!("kept in {}", capture.display());
        let mut text = summary(signed.statement(), &seen, &signer(signed.key()));
        text += &execution.status.map(|status| format!("  app        {status}\n")).unwrap_or_default();
        if execution.status.and_then(|status| status.code()).is_some_and(|code| UNFOUND.contains(&code)) {
            text += "  hint       a program was not found: --read shows the app what lies in your home or in /tmp\n";
        }
        if proxy.login.is_some() {
            text +=
                "  login      the app was told the proxy's login: where it logged in, the capture holds it\n";
        }
        if interrupted.load(Ordering::Relaxed) {
            text += "  app        the app was ended by Ctrl-C, or by another signal to end\n";
        }
        print(|out| write!(out, "{text}  written    {}\n{LIMITS}", certificate.display()))?;
        Ok(if tried { Exit::Findings } else { Exit::Clear })
    }

    fn command(&self, program: &Path, proxy: &Held) -> Command {
        let proxies = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy"];
        let mut env: Vec<(OsString, OsString)> =
            proxies.map(|name| (name.into(), proxy.in_the_room().into())).into();
        env.extend(self.secrets.then(|| ("SSLKEYLOGFILE".into(), KEY_LOG.into())));
        Command {
            program: program.into(),
            args: self.app.arguments().to_vec(),
            env,
            streams: Streams::Ours,
            ..Command::default()
        }
    }
}

/// The proxy that the app is held to.
struct Held {
    scheme: &'static str,
    address: SocketAddr,
    login: Option<Login>,
    /// Without the login.
    url: String,
}

impl Held {
    /// As the app is told.
    fn in_the_room(&self) -> String {
        let at = match self.address.ip() {
            ip if ip.is_loopback() => {
                SocketAddr::new(overheard_probe::door::GATEWAY_V4.into(), self.address.port())
            }
            _ => self.address,
        };
        format!("{}://{}{at}", self.scheme, self.login.as_ref().map(Login::in_url).unwrap_or_default())
    }
}

fn held(upstream: Upstream) -> Result<Held> {
    // With the `h`, programs leave names to the proxy: in the room there is nobody else to ask.
    let url = upstream.to_string();
    let (scheme, proxy) = match upstream {
        Upstream::Socks5(proxy) => ("socks5h", proxy),
        Upstream::Http(proxy) => ("http", proxy),
        Upstream::Direct => {
            return Err(Failure::new("--proxy direct: there would be nothing to hold the app to")
                .hint("give a proxy as --proxy socks5://127.0.0.1:1080"));
        }
    };
    Ok(Held { scheme, address: proxy.address, login: proxy.login, url })
}

fn must_be_new(path: &Path) -> Result<()> {
    match path.exists() {
        true => Err(Failure::new(format!("{}: there is such a file already", path.display()))
            .hint("give another one with --capture: what was recorded is never written over")),
        false => Ok(()),
    }
}

/// The app inherits our streams. Through a socket it would talk past its room, through a folder it would reach files
/// outside of it; of what is let through, the other end is known.
fn streams_must_be_plain() -> Result<()> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    for (name, stream) in STREAMS.into_iter().zip([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]) {
        let found = stream.try_clone_to_owned().map(File::from).and_then(|file| file.metadata());
        let kind = found.map_err(|error| Failure::new(format!("{name}: {error}")))?.file_type();
        if !(kind.is_file() || kind.is_fifo() || kind.is_char_device()) {
            let what = if kind.is_socket() { "a socket" } else { "neither a file, a pipe nor a terminal" };
            return Err(Failure::new(format!(
                "{name} is {what}: the app would reach past its room through it"
            ))
            .hint("put a pipe or a file in between, such as `cat | overheard confine … | cat`"));
        }
    }
    Ok(())
}

fn key_place() -> Result<PathBuf> {
    default_path(|name| std::env::var_os(name)).ok_or_else(|| {
        Failure::new("there is no place for the key that signs").hint("set HOME or XDG_DATA_HOME")
    })
}

fn key(path: &Path) -> Result<SigningKey> {
    SigningKey::open(path).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()))
            .hint("the key that signs is a file of yours alone (chmod 600); without one, a new one is made")
    })
}

fn described(program: &Path, arguments: &[OsString]) -> Result<Program> {
    let hash = File::open(program).and_then(digest::of).map_err(|error| {
        Failure::new(format!("{}: {error}", program.display()))
            .hint("the app's file is read so that its hash stands in the certificate")
    })?;
    let arguments: Vec<u8> =
        arguments.iter().flat_map(|argument| [argument.as_encoded_bytes(), b"\0"].concat()).collect();
    let arguments_sha256 = digest::of_bytes(&arguments);
    Ok(Program { path: program.to_string_lossy().into_owned(), sha256: hash.0, arguments_sha256 })
}

/// Says on the standard error why the app is waited for, or has ended and nothing seems to happen.
fn begins(phase: Phase) {
    eprintln!(
        "{}",
        match phase {
            Phase::Test => "the room tests itself: a leak of every class is planted",
            Phase::Search => "the app has ended; its room is searched for doors that are not the network",
        }
    );
}

/// This very program, as the planter.
fn planter(pid: u32, outside: &str) -> std::process::Command {
    let mut planter = std::process::Command::new("/proc/self/exe");
    planter.args(["plant", &pid.to_string(), outside]);
    planter
}

fn statement(
    execution: &Execution,
    ran: Program,
    proxy: &Held,
    capture: &Path,
    lens: &Lens,
) -> Result<Statement> {
    let unread = |error: io::Error| unwritable(capture, &error);
    let (hash, bytes) = File::open(capture).and_then(digest::of).map_err(unread)?;
    let outcome = &execution.recorded.outcome;
    let at = places(proxy.address);
    let Reached { passed, unanswered } = reached(capture, &at, lens)?;
    let attempted = execution.attempts.iter().map(|(attempt, packets)| Attempted {
        class: attempt.class,
        transport: Transport::from(attempt.protocol),
        address: attempt.address,
        port: attempt.port,
        country: pipeline::country(attempt.address, lens),
        packets: *packets,
        processes: execution.attempted_by(attempt),
    });
    Ok(Statement {
        format: FORMAT,
        overheard: env!("CARGO_PKG_VERSION").into(),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().into(),
        began: execution.began,
        ended: execution.ended,
        ran,
        proxy: Proxy { url: proxy.url.clone(), at, unanswered },
        planted: execution.planted.clone(),
        abstract_sockets_cut: execution.abstract_sockets_cut,
        attempted: attempted.collect(),
        unlisted_attempts: execution.unlisted,
        unseen: execution.unseen,
        passed,
        left: left(execution),
        doors: doors(execution),
        capture: Kept { sha256: hash, bytes, packets: outcome.kept, lost: outcome.lost },
    })
}

/// By what the capture shows, and not by what the gateway believes.
struct Reached {
    /// Whoever answered.
    passed: Vec<Passed>,
    /// Flows to the proxy that it refused or did not answer.
    unanswered: u64,
}

fn reached(capture: &Path, proxy: &[SocketAddr], lens: &Lens) -> Result<Reached> {
    let (mut reached, mut unanswered) = (BTreeMap::new(), 0);
    for input in input::inputs(&capture.to_string_lossy())? {
        let reading = pipeline::read(&input, lens, &Progress::lines())?;
        for flow in reading.iter().flat_map(|reading| reading.flows.iter()) {
            let to = (flow.transport, SocketAddr::new(flow.dst, flow.dst_port));
            match is_answered(&flow) {
                true => *reached.entry(to).or_default() += 1,
                false => unanswered += u64::from(to.0 == Transport::Tcp && proxy.contains(&to.1)),
            }
        }
    }
    let passed = reached.into_iter().map(|((transport, to), flows)| Passed { transport, to, flows });
    Ok(Reached { passed: passed.collect(), unanswered })
}

/// A flow of the room's that somebody answered otherwise than by refusing it.
fn is_answered(flow: &Flow) -> bool {
    let ours = [IpAddr::V4(ROOM_V4), IpAddr::V6(ROOM_V6)].contains(&flow.src);
    ours && flow.packets_in > 0 && flow.state != FlowState::Refused
}

fn left(execution: &Execution) -> Vec<Left> {
    let left = |(name, processes): (&String, &u64)| Left { name: name.clone(), processes: *processes };
    execution.left.iter().map(left).collect()
}

/// What the file system shows, and the standard streams: they are ours, and the only descriptors that the app inherits.
fn doors(execution: &Execution) -> Vec<Doorway> {
    let door = |way: &room::Way| Doorway { kind: kind(way.kind), path: way.path.to_string_lossy().into() };
    let streams = STREAMS.into_iter().zip(0..);
    execution
        .doors
        .iter()
        .map(door)
        .chain(streams.filter_map(|(name, number)| inherited(name, number)))
        .collect()
}

/// A stream that somebody else may hold the other end of, or that stays. What a program types into a terminal, its
/// owner's shell may read.
fn inherited(name: &str, number: u32) -> Option<Doorway> {
    let file = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    let file = file.to_string_lossy();
    let what = match &*file {
        "/dev/null" => return None,
        file if file.starts_with("/dev/pts/") || file.starts_with("/dev/tty") => "a terminal",
        file if file.starts_with("pipe:") => "a pipe",
        _ => "a file",
    };
    Some(Doorway { kind: "inherited".into(), path: format!("{name}, {what}") })
}

fn kind(kind: room::Kind) -> String {
    let kind = match kind {
        room::Kind::Desktop(socket) => return socket.name().to_lowercase(),
        room::Kind::Socket => "socket",
        room::Kind::DBus => "dbus",
        room::Kind::Pipe => "pipe",
        room::Kind::Folder => "folder",
        room::Kind::NetworkFileSystem => "network-file-system",
        room::Kind::Appeared => "appeared",
        room::Kind::Unwatched => "unwatched",
    };
    kind.into()
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
        .hint("--capture takes a new file, in a folder that you may write to, with space for it")
}

#[cfg(test)]
mod tests;
