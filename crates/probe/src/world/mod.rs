//! Worlds: emulated internets with a planted truth, to test against.
//!
//! For: running a command at a vantage inside a world that a file describes ([`World`]): hosts in named countries,
//! names drawn from pools, real servers, links that delay, lose and cut.
//! Promises: no packet can leave the machine, for there is no uplink; when the command ends, or this program does,
//! everything ends ([`ground`]). The same seed makes the same draws ([`chance`]).
//! How it is built: two network namespaces with the [`wire`] between them, all hosts in one of them, the vantage in
//! the other ([`network`]); `docs/decisions/0010-worlds.md` says why.
//! To extend: what a link can do is in [`wire`], what a file can say in [`plan`]; a new kind of server needs no code.

mod chance;
mod dns;
mod error;
mod ground;
mod network;
mod packet;
mod plan;
mod server;
mod template;
mod wire;

pub use error::Error;
pub use plan::World;

use dns::Names;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use plan::Vantage;
use server::Running;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use wire::Wire;

/// What a command finds in its environment: the folder that servers share with it, its vantage, the table of places.
pub const SHARED: &str = "OVERHEARD_WORLD";
pub const VANTAGE: &str = "OVERHEARD_VANTAGE";
pub const PLACES: &str = "OVERHEARD_PLACES";

/// Runs a command at a vantage (the only one, unless named) and ends the world with it. Gives the command's exit
/// code; 128 and its number where a signal ended it. The calling program must have one thread, and end soon after.
pub fn run(world: &World, vantage: Option<&str>, command: &[OsString]) -> Result<i32, Error> {
    let (name, vantage) = world.vantage_named(vantage)?;
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::new("a world without a command", "give one: overheard world FILE -- COMMAND"));
    };
    server::installed(world)?;
    ground::enter(|| {
        ground::interruptible(true)?;
        let home = network::Network::here()?;
        let hosts_end = network::hosts(world)?;
        let (place, vantage_end) = network::vantage(vantage)?;
        home.enter()?;
        let shared = Path::new(ground::FOLDER).join("shared");
        fs::create_dir_all(&shared).map_err(|why| Error::step("make its folder", why))?;
        let wire = Wire::new(world, vantage);
        lasting("wire", move || wire.carry(vantage_end, hosts_end));
        resolve(world)?;
        let servers = server::start(world, Path::new(ground::FOLDER), &shared)?;
        place.enter()?;
        let mut command = Command::new(program);
        command.args(arguments).env(SHARED, &shared).env(VANTAGE, name);
        command.envs(world.places.iter().map(|places| (PLACES, world.folder.join(places))));
        let child = command.spawn().map_err(|why| {
            let what = format!("{}: {why}", program.display());
            Error::new(what, "the command after -- must be a program that is installed here")
        })?;
        ground::interruptible(false)?;
        attend(Pid::from_raw(child.id().cast_signed()), &servers)
    })
}

impl World {
    fn vantage_named(&self, wanted: Option<&str>) -> Result<(&str, &Vantage), Error> {
        let known: Vec<&str> = self.vantage.keys().map(String::as_str).collect();
        let found = match (wanted, &known[..]) {
            (Some(wanted), _) => self.vantage.get_key_value(wanted),
            (None, [only]) => self.vantage.get_key_value(*only),
            (None, _) => None,
        };
        let what =
            wanted.map_or("this world has several vantages".into(), |name| format!("no vantage {name:?}"));
        let hint = format!("choose one with --vantage: {}", known.join(", "));
        found.map(|(name, at)| (name.as_str(), at)).ok_or_else(|| Error::new(what, hint))
    }
}

/// The name server, and the files that lead there.
fn resolve(world: &World) -> Result<(), Error> {
    let addresses: Vec<IpAddr> = world.addresses(std::slice::from_ref(&world.dns)).collect();
    let names = Arc::new(Names::of(world));
    for address in &addresses {
        let refused = |why| Error::step("start its name server", why);
        let udp = UdpSocket::bind((*address, 53)).map_err(refused)?;
        let tcp = TcpListener::bind((*address, 53)).map_err(refused)?;
        let (by_udp, by_tcp) = (Arc::clone(&names), Arc::clone(&names));
        lasting("dns", move || by_udp.serve_udp(&udp));
        lasting("dns", move || by_tcp.serve_tcp(&tcp));
    }
    let servers: String = addresses.iter().map(|address| format!("nameserver {address}\n")).collect();
    ground::replace("/etc/resolv.conf", &format!("{servers}options timeout:2 attempts:2\n"))?;
    ground::replace("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
}

/// A thread without which the world is none: if it ends, all ends.
fn lasting(what: &'static str, work: impl FnOnce() -> std::io::Error + Send + 'static) {
    thread::spawn(move || {
        let why = work();
        eprintln!("error: the world's {what} failed: {why}");
        std::process::exit(2);
    });
}

/// Reaps, as the first process must, until the command ends. A server that ended before makes the world untrue.
fn attend(command: Pid, servers: &[Running]) -> Result<i32, Error> {
    let mut broken = None;
    loop {
        let (pid, code) = match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) => (pid, code),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, 128 + signal as i32),
            Ok(_) | Err(nix::errno::Errno::EINTR) => continue,
            Err(why) => return Err(Error::step("wait for the command", why)),
        };
        if pid == command {
            return broken.map_or(Ok(code), Err);
        }
        broken = servers.iter().find(|server| server.pid == pid).map(Running::ended).or(broken);
    }
}
