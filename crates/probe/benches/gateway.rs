//! How fast the gateway is, beside `slirp4netns` and `pasta`, in one run: `cargo bench -p overheard-probe`.
//!
//! The same app and the same servers for each, in network namespaces without an uplink; only what joins them differs.
//! Ours records every packet to a file, the others record nothing. Rounds alternate between the ways; figures are
//! medians. Needs root; a program that is not installed has no row. Prints the table for `docs/performance.md`.

#[path = "../tests/gateway/fixture.rs"]
#[allow(dead_code)]
mod fixture;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use fixture::{Namespace, SERVER_V4, Tape, World};
use overheard_probe::gateway::{Direction, Options, Recorder};
use overheard_probe::record::{Recording, Section, Sources};

const ROUNDS: usize = 5;
const BULK: usize = 1 << 28;
const CONNECTIONS: usize = 4000;
const CLIENTS: usize = 4;
const TURNS: usize = 5000;
const LIMIT: Duration = Duration::from_secs(60);

const COLUMNS: usize = 8;

/// One round's, in the order of the table.
type Figures = [f64; COLUMNS];

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
}

const WAYS: [(Way, &str); 6] = [
    (Way::Loopback, "none (loopback)"),
    (Way::Recording, "overheard, recording"),
    (Way::Unrecorded, "overheard, not recording"),
    (Way::Slirp, "slirp4netns"),
    (Way::Pasta, "pasta"),
    (Way::PastaRecording, "pasta, recording"),
];

fn main() {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let only: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let mut figures = vec![Vec::new(); WAYS.len()];
    for _ in 0..ROUNDS {
        for (at, (way, name)) in WAYS.iter().enumerate() {
            if only.is_empty() || only.iter().any(|word| name.contains(word.as_str())) {
                figures[at].extend(measure(*way));
            }
        }
    }
    println!(
        "| way | up MB/s | CPU s/GB | down MB/s | CPU s/GB | connections/s | CPU µs each | connect µs | turn µs |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for ((_, name), rounds) in WAYS.iter().zip(figures).filter(|(_, rounds)| !rounds.is_empty()) {
        let column = |column: usize| median(rounds.iter().map(|round: &Figures| round[column]).collect());
        let cells: Vec<_> = (0..COLUMNS)
            .map(|at| {
                if matches!(at, 1 | 3) { format!("{:.2}", column(at)) } else { format!("{:.0}", column(at)) }
            })
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One round of one way; nothing where it cannot be had.
fn measure(way: Way) -> Option<Figures> {
    match way {
        Way::Loopback => {
            let host = fixture::host();
            Some(figures(&host, &host, None))
        }
        Way::Recording => {
            let folder = tempfile::tempdir().expect("a folder");
            let section = Section { vantage: "direct", build: "bench", run: "1", interface: "room" };
            let capture = folder.path().join("capture.pcapng");
            let recording = Recording::create(&capture, &section, Sources::default()).expect("a recording");
            let recorder = Box::new(Kept(recording));
            let world = World::recorded(Options::default(), recorder, Tape::default())?;
            Some(figures(&world.room, &world.host, None))
        }
        Way::Unrecorded => {
            let world = World::recorded(Options::default(), Box::new(Nothing), Tape::default())?;
            Some(figures(&world.room, &world.host, None))
        }
        Way::Slirp | Way::Pasta | Way::PastaRecording => {
            let (room, host) = (Namespace::new(), fixture::host());
            host.ip("link add name uplink type veth peer name nowhere");
            host.ip("addr add 198.18.9.1/24 dev uplink");
            host.ip("link set uplink up");
            host.ip("link set nowhere up");
            host.ip("route add default via 198.18.9.2");
            let program = Program::start(way, &room, &host)?;
            let is_reached = room.is_reached(SERVER_V4);
            is_reached.then(|| figures(&room, &host, Some(&program)))
        }
    }
}

/// A program that ends with its round.
struct Program(Child, #[allow(dead_code)] tempfile::NamedTempFile);

impl Program {
    fn start(way: Way, room: &Namespace, host: &Namespace) -> Option<Self> {
        // Both find the room by their standard input: they give up the right to look at our file descriptors.
        let words = match way {
            Way::Slirp => "slirp4netns --configure --mtu=65520 --netns-type=path /proc/self/fd/0 tap0",
            _ => {
                "pasta -f -q -4 --runas 0 --config-net -t none -u none -T none -U none --netns-only --netns \
                 /proc/self/fd/0"
            }
        };
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut words = words.split(' ');
        let mut command = Command::new(words.next()?);
        command.args(words).stdin(room.file()).stdout(Stdio::null()).stderr(Stdio::null());
        if way == Way::PastaRecording {
            command.arg("--pcap").arg(file.path());
        }
        host.run(|| command.spawn()).ok().map(|child| Self(child, file))
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
fn cpu(program: Option<&Program>) -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).expect("usage");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time()) + program.map_or(0.0, Program::cpu)
}

fn figures(room: &Namespace, host: &Namespace, program: Option<&Program>) -> Figures {
    let sink = serve(host, |mut stream| {
        let length = drain(&mut stream, usize::MAX);
        drop(stream.write_all(&length.to_be_bytes()));
    });
    let source = serve(host, |mut stream| fill(&mut stream, BULK));
    let echo = serve(host, |mut stream| {
        let mut byte = [0];
        while stream.read_exact(&mut byte).and_then(|()| stream.write_all(&byte)).is_ok() {}
    });
    let turns = room.run(|| turns(echo));
    let connect = room.run(|| median((0..500).map(|_| timed(|| drop(connect(echo))) * 1e6).collect()));
    let (rate, rate_cpu) = spent(program, || room.run(|| connections(echo)));
    let (up, up_cpu) = spent(program, || {
        room.run(|| {
            let mut stream = self::connect(sink);
            fill(&mut stream, BULK);
            stream.shutdown(std::net::Shutdown::Write).expect("an end");
            let mut length = [0; 8];
            stream.read_exact(&mut length).expect("a length");
            assert_eq!(usize::from_be_bytes(length), BULK);
        })
    });
    let (down, down_cpu) =
        spent(program, || room.run(|| assert_eq!(drain(&mut self::connect(source), BULK), BULK)));
    let (megabytes, gigabytes) = (BULK as f64 / 1e6, BULK as f64 / 1e9);
    let connections = CONNECTIONS as f64;
    [
        megabytes / up,
        up_cpu / gigabytes,
        megabytes / down,
        down_cpu / gigabytes,
        connections / rate,
        rate_cpu / connections * 1e6,
        connect,
        turns,
    ]
}

/// Seconds that something took by the clock, and of processors.
fn spent(program: Option<&Program>, act: impl FnOnce()) -> (f64, f64) {
    let before = cpu(program);
    let seconds = timed(act);
    (seconds, cpu(program) - before)
}

fn timed(act: impl FnOnce()) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64()
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&to, LIMIT).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    stream.set_nodelay(true).expect("an option");
    stream
}

/// Microseconds of a byte there and back over one connection.
fn turns(to: SocketAddr) -> f64 {
    let mut stream = connect(to);
    let turn = |_| timed(|| exchange(&mut stream)) * 1e6;
    median((0..TURNS).map(turn).collect())
}

fn exchange(stream: &mut TcpStream) {
    stream.write_all(&[1]).expect("a byte");
    stream.read_exact(&mut [0]).expect("a byte");
}

/// Short connections by several clients at once, each with a byte there and back.
fn connections(to: SocketAddr) {
    let left = AtomicUsize::new(CONNECTIONS);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    // The threads are of this one's network namespace.
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while take() {
                    exchange(&mut connect(to));
                }
            });
        }
    });
}

fn fill(stream: &mut TcpStream, length: usize) {
    let piece = vec![7; 1 << 17];
    for _ in 0..length / piece.len() {
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}

fn drain(stream: &mut TcpStream, most: usize) -> usize {
    let mut piece = vec![0; 1 << 17];
    let mut length = 0;
    while length < most {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => length += read,
            _ => break,
        }
    }
    length
}

fn serve(host: &Namespace, treat: fn(TcpStream)) -> SocketAddr {
    let listener = host.run(|| TcpListener::bind((SERVER_V4, 0))).expect("a listener");
    // More than wait at a time.
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXALLOWABLE).expect("a queue");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            stream.set_nodelay(true).expect("an option");
            std::thread::spawn(move || treat(stream));
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
