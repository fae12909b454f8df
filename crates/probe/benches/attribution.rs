//! What it costs to find the process of a new connection, by how many descriptors it holds:
//! `cargo bench -p overheard-probe --bench attribution`.
//!
//! This process connects to itself in a network namespace of its own and asks as a recording does. It does not count
//! what the kernel does for the connection. Prints medians with the least and the most. Needs root.

use std::error::Error;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};
use overheard_model::Transport;
use overheard_probe::record::{Attribution, Ends, SocketDiagnosis};

const CONNECTIONS: usize = 201;
/// Connections that are open at the same time.
const OPEN: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo test --all-targets` starts this too.
    if !std::env::args().any(|word| word == "--bench") {
        return Ok(());
    }
    unshare(CloneFlags::CLONE_NEWNET)?;
    Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    let server = TcpListener::bind("127.0.0.1:0")?;
    let mut others = Vec::new();
    println!("| descriptors | parents | µs |\n|---:|---:|---:|");
    for descriptors in [5, 50, 200, 800] {
        while others.len() < descriptors {
            others.push(File::open("/dev/null")?);
        }
        let (parents, mut micros) = measure(&server)?;
        micros.sort_by(f64::total_cmp);
        let [least, median, most] = [0, CONNECTIONS / 2, CONNECTIONS - 1].map(|at| micros[at]);
        println!("| {descriptors} | {parents} | {median:.0} ({least:.0}–{most:.0}) |");
    }
    Ok(())
}

/// How many parents this process has, and how long each look-up took.
fn measure(server: &TcpListener) -> Result<(usize, Vec<f64>), Box<dyn Error>> {
    let mut attribution = Attribution::new(Some(SocketDiagnosis::open()?), "/proc".into(), 1);
    let (mut open, mut micros, mut parents) = (Vec::new(), Vec::new(), 0);
    for _ in 0..CONNECTIONS {
        let dst = server.local_addr()?;
        let client = TcpStream::connect(dst)?;
        server.accept()?;
        let ends = Ends { transport: Transport::Tcp, src: client.local_addr()?, dst };
        let begun = Instant::now();
        let owner = attribution.owner(&ends);
        micros.push(begun.elapsed().as_secs_f64() * 1e6);
        let owner = owner.filter(|owner| owner.pid == std::process::id()).ok_or("another's connection")?;
        parents = owner.parents.len();
        open.push(client);
        if open.len() > OPEN {
            open.remove(0);
        }
    }
    Ok((parents, micros))
}
