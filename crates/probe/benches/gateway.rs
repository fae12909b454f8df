//! How fast the gateway is, beside `slirp4netns`, `pasta` and `tun2proxy`, in one run:
//! `cargo bench -p overheard-probe --bench gateway`, with words of names behind `--` for some ways alone.
//!
//! The same app and the same servers for each, in network namespaces without an uplink; only what joins them differs.
//! Rounds go through all ways, each beginning with another one, so that what else the machine does meets all alike.
//! Prints medians, and in brackets the least and the most; a round that fails is told, with what failed, and is not in
//! the figures. Processor time, that of app, servers and what joins them, is what to compare on a busy machine.
//! Needs root; a program that is not installed has no row. `tun2proxy` is found on the PATH or by `TUN2PROXY`, and
//! its row holds the cost of the SOCKS5 proxy that it needs, `microsocks`.
//! To extend: a variant of [`Way`], and how it is started.

#[path = "../tests/gateway/fixture.rs"]
#[allow(dead_code)]
mod fixture;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fixture::{Namespace, SERVER_V4, Tape, World};
use overheard_probe::gateway::{Direction, Options, Recorder};
use overheard_probe::record::{Recording, Section, Sources};

const ROUNDS: usize = 7;
const BULK: usize = 1 << 29;
const CONNECTIONS: usize = 4000;
const CLIENTS: usize = 4;
const TURNS: usize = 5000;
const LIMIT: Duration = Duration::from_secs(60);

const COLUMNS: [&str; 8] =
    ["up MB/s", "CPU s/GB", "down MB/s", "CPU s/GB", "connections/s", "CPU µs each", "connect µs", "turn µs"];

/// One round's, in the order of the table.
type Figures = [f64; COLUMNS.len()];

/// What joins the room and the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The room is the host: what the kernel alone can do.
    Loopback,
    Recording,
    Unrecorded,
    Slirp,
    Pasta,
    /// Pasta that writes a capture too.
    PastaRecording,
    Tun2proxy,
}

const WAYS: [(Way, &str); 7] = [
    (Way::Loopback, "none (loopback)"),
    (Way::Recording, "overheard, recording"),
    (Way::Unrecorded, "overheard, not recording"),
    (Way::Slirp, "slirp4netns"),
    (Way::Pasta, "pasta"),
    (Way::PastaRecording, "pasta, recording"),
    (Way::Tun2proxy, "tun2proxy and microsocks"),
];

fn main() {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let only: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word.as_str()));
    let asked: Vec<_> = WAYS.into_iter().filter(|(_, name)| is_asked(name)).collect();
    let mut figures = vec![Vec::new(); asked.len()];
    let mut failures = Vec::new();
    for round in 0..ROUNDS {
        for at in 0..asked.len() {
            let at = (at + round) % asked.len();
            let (way, name) = asked[at];
            match measure(way).transpose() {
                Some(Ok(round)) => figures[at].push(round),
                Some(Err(failure)) => failures.push(format!("{name}, round {round}: {failure}")),
                None => {}
            }
        }
        eprintln!("round {round}, load {}", load());
    }
    println!("| way | {} |", COLUMNS.join(" | "));
    println!("|---|{}", "---:|".repeat(COLUMNS.len()));
    for ((_, name), rounds) in asked.iter().zip(figures).filter(|(_, rounds)| !rounds.is_empty()) {
        let cells: Vec<_> = (0..COLUMNS.len()).map(|column| cell(&rounds, column)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    failures.iter().for_each(|failure| println!("{failure}"));
}

/// The median of a column, with the least and the most.
fn cell(rounds: &[Figures], column: usize) -> String {
    let mut figures: Vec<_> = rounds.iter().map(|round| round[column]).collect();
    figures.sort_by(f64::total_cmp);
    let digits = if COLUMNS[column].contains("s/GB") { 2 } else { 0 };
    let [median, least, most] = [figures.len() / 2, 0, figures.len() - 1].map(|at| figures[at]);
    format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Of the last minute.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().into()
}

/// What failed, in words.
type Failure = String;

/// Says what was being done when an error came.
fn during<T>(what: &str, result: io::Result<T>) -> Result<T, Failure> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// One round of one way; nothing where it cannot be had.
fn measure(way: Way) -> Result<Option<Figures>, Failure> {
    match way {
        Way::Loopback => {
            let host = fixture::host();
            figures(&host, &host, &[]).map(Some)
        }
        Way::Recording => {
            let folder = tempfile::tempdir().expect("a folder");
            let section = Section { vantage: "direct", build: "bench", run: "1", interface: "room" };
            let capture = folder.path().join("capture.pcapng");
            let recording = Recording::create(&capture, &section, Sources::default()).expect("a recording");
            through(Box::new(Kept(recording)))
        }
        Way::Unrecorded => through(Box::new(Nothing)),
        Way::Slirp | Way::Pasta | Way::PastaRecording | Way::Tun2proxy => {
            let (room, host) = (Namespace::new(), fixture::host());
            host.ip("link add name uplink type veth peer name nowhere");
            host.ip("addr add 198.18.9.1/24 dev uplink");
            host.ip("link set uplink up");
            host.ip("link set nowhere up");
            host.ip("route add default via 198.18.9.2");
            let capture = tempfile::NamedTempFile::new().expect("a file");
            let Some(programs) = programs(way, &room, &host, capture.path()) else { return Ok(None) };
            if !room.is_reached(SERVER_V4) {
                return Err("it makes no way out of the room".into());
            }
            figures(&room, &host, &programs).map(Some)
        }
    }
}

/// A round through our own gateway.
fn through(recorder: Box<dyn Recorder + Send>) -> Result<Option<Figures>, Failure> {
    let Some(world) = World::recorded(Options::default(), recorder, Tape::default()) else { return Ok(None) };
    figures(&world.room, &world.host, &[]).map(Some)
}

/// All that joins the two; nothing where it is not installed.
fn programs(way: Way, room: &Namespace, host: &Namespace, capture: &std::path::Path) -> Option<Vec<Program>> {
    // Both find the room by their standard input: they give up the right to look at our file descriptors.
    const SLIRP: &str = "slirp4netns --configure --mtu=65520 --netns-type=path /proc/self/fd/0 tap0";
    const PASTA: &str = "pasta -f -q -4 --runas 0 --config-net -t none -u none -T none -U none --netns-only --netns \
                         /proc/self/fd/0";
    let of_room = |words: &str| Program::start(host, words, room.file().into());
    match way {
        Way::Slirp => Some(vec![of_room(SLIRP)?]),
        Way::Pasta => Some(vec![of_room(PASTA)?]),
        Way::PastaRecording => Some(vec![of_room(&format!("{PASTA} --pcap {}", capture.display()))?]),
        Way::Tun2proxy => tun2proxy(room, host),
        Way::Loopback | Way::Recording | Way::Unrecorded => None,
    }
}

/// It stands in the room, whence a wire of its own leads to its proxy on the host.
fn tun2proxy(room: &Namespace, host: &Namespace) -> Option<Vec<Program>> {
    let file = room.file();
    host.ip("link add name wire type veth peer name wire0");
    host.ip(&format!("link set wire0 netns /proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
    for (namespace, name, address) in [(host, "wire", "198.18.8.1"), (room, "wire0", "198.18.8.2")] {
        namespace.ip(&format!("addr add {address}/24 dev {name}"));
        namespace.ip(&format!("link set {name} mtu 65520 up"));
    }
    room.ip("tuntap add dev tun0 mode tun");
    room.ip("addr add 10.219.0.2/24 dev tun0");
    room.ip("link set tun0 mtu 65520 up");
    room.ip("route add default dev tun0");
    let program = std::env::var("TUN2PROXY").unwrap_or_else(|_| "tun2proxy-bin".into());
    let words = format!(
        "{program} --tun tun0 --proxy socks5://198.18.8.1:1080 --mtu 65520 --max-sessions 10000 -v error"
    );
    let proxy = Program::start(host, "microsocks -i 198.18.8.1 -p 1080", file.try_clone().ok()?.into())?;
    Some(vec![proxy, Program::start(room, &words, file.into())?])
}

/// A program that ends with its round.
struct Program(Child);

impl Program {
    fn start(namespace: &Namespace, words: &str, stdin: OwnedFd) -> Option<Self> {
        let mut words = words.split_ascii_whitespace();
        let mut command = Command::new(words.next()?);
        command.args(words).stdin(stdin).stdout(Stdio::null()).stderr(Stdio::null());
        namespace.run(|| command.spawn()).ok().map(Self)
    }

    /// Seconds of processor time so far, with the system's.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
        let ticks = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
        // USER_HZ is 100 on all that Linux runs on.
        ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// Seconds of processor time of everybody: app, servers and what joins them.
fn cpu(programs: &[Program]) -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).expect("usage");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time()) + programs.iter().map(Program::cpu).sum::<f64>()
}

fn figures(room: &Namespace, host: &Namespace, programs: &[Program]) -> Result<Figures, Failure> {
    // It does not wait for the other side's end, which not all ways carry.
    let sink = serve(host, "sink", |stream| {
        is_all(drain(stream, BULK)?)?;
        stream.write_all(&[1])
    });
    let source = serve(host, "source", |stream| fill(stream, BULK));
    let echo = serve(host, "echo", |stream| {
        let mut byte = [0];
        while stream.read(&mut byte)? > 0 {
            stream.write_all(&byte)?;
        }
        Ok(())
    });
    let turns = during("turns", room.run(|| turns(echo)))?;
    let connect = during("connecting", room.run(|| (0..500).map(|_| connecting(echo)).collect()))?;
    let (rate, rate_cpu) = spent(programs, || during("connections", room.run(|| connections(echo))))?;
    let (up, up_cpu) = spent(programs, || during("up", room.run(|| upload(sink))))?;
    let (down, down_cpu) = spent(programs, || during("down", room.run(|| download(source))))?;
    let (megabytes, gigabytes) = (BULK as f64 / 1e6, BULK as f64 / 1e9);
    let connections = CONNECTIONS as f64;
    Ok([
        megabytes / up,
        up_cpu / gigabytes,
        megabytes / down,
        down_cpu / gigabytes,
        connections / rate,
        rate_cpu / connections * 1e6,
        median(connect),
        turns,
    ])
}

/// Seconds that something took by the clock, and of processors.
fn spent(programs: &[Program], act: impl FnOnce() -> Result<(), Failure>) -> Result<(f64, f64), Failure> {
    let (start, before) = (Instant::now(), cpu(programs));
    act()?;
    Ok((start.elapsed().as_secs_f64(), cpu(programs) - before))
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, LIMIT)?;
    prepare(&stream)?;
    Ok(stream)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)
}

/// Microseconds until a connection is there.
fn connecting(to: SocketAddr) -> io::Result<f64> {
    let start = Instant::now();
    connect(to)?;
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

/// Microseconds of a byte there and back over one connection.
fn turns(to: SocketAddr) -> io::Result<f64> {
    let mut stream = connect(to)?;
    let turn = |_| {
        let start = Instant::now();
        exchange(&mut stream).map(|()| start.elapsed().as_secs_f64() * 1e6)
    };
    Ok(median((0..TURNS).map(turn).collect::<io::Result<_>>()?))
}

fn exchange(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[1])?;
    stream.read_exact(&mut [0])
}

/// Short connections by several clients at once, each with a byte there and back.
fn connections(to: SocketAddr) -> io::Result<()> {
    let left = AtomicUsize::new(CONNECTIONS);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let client = || {
        while take() {
            exchange(&mut connect(to)?)?;
        }
        Ok(())
    };
    // The threads are of this one's network namespace.
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("a client"))
    })
}

fn upload(sink: SocketAddr) -> io::Result<()> {
    let mut stream = connect(sink)?;
    fill(&mut stream, BULK)?;
    stream.read_exact(&mut [0])
}

fn download(source: SocketAddr) -> io::Result<()> {
    is_all(drain(&mut connect(source)?, BULK)?)
}

fn is_all(length: usize) -> io::Result<()> {
    match length {
        BULK => Ok(()),
        _ => Err(io::Error::new(ErrorKind::UnexpectedEof, format!("{length} of {BULK} bytes arrived"))),
    }
}

fn fill(stream: &mut TcpStream, length: usize) -> io::Result<()> {
    let piece = vec![7; 1 << 17];
    for at in 0..length / piece.len() {
        stream.write_all(&piece).map_err(|error| {
            io::Error::new(error.kind(), format!("{error}, after {} bytes", at * piece.len()))
        })?;
    }
    Ok(())
}

fn drain(stream: &mut TcpStream, most: usize) -> io::Result<usize> {
    let mut piece = vec![0; 1 << 17];
    let mut length = 0;
    while length < most {
        match stream.read(&mut piece)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

/// A server that treats each connection so, and says how the first one failed, if any does: where a way does not carry the
/// end of a connection, and takes long, thousands do.
fn serve(host: &Namespace, name: &'static str, treat: fn(&mut TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = host.run(|| TcpListener::bind((SERVER_V4, 0))).expect("a listener");
    // More than wait at a time.
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXALLOWABLE).expect("a queue");
    let address = listener.local_addr().expect("an address");
    let told = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let told = Arc::clone(&told);
            std::thread::spawn(move || {
                if let Err(error) = prepare(&stream).and_then(|()| treat(&mut stream))
                    && !told.swap(true, Ordering::Relaxed)
                {
                    eprintln!("{name}: {error}");
                }
            });
        }
    });
    address
}

/// Keeps everything, as a run does.
struct Kept(Recording);

impl Recorder for Kept {
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        self.0.packet(direction, time, ip)
    }
}

struct Nothing;

impl Recorder for Nothing {
    fn packet(&mut self, _: Direction, _: SystemTime, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}
