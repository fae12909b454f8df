//! The world's servers: real programs, started in the hosts' network.
//!
//! Promises: a program that is not installed is named with its Debian package before anything is started; a server
//! counts as started once its sockets are bound; one that ends by itself is told with its last words.

use super::error::Error;
use super::plan::{Server, Socket, World};
use super::template::Template;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that has not bound its sockets by then never will.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);

/// A server that runs.
#[derive(Debug)]
pub(super) struct Running {
    name: String,
    pub pid: Pid,
    log: PathBuf,
    awaits: Vec<(Socket, IpAddr)>,
}

impl Running {
    /// What its last lines said, for whoever must find out why it ended.
    pub fn ended(&self) -> Error {
        let last = last_words(&self.log);
        Error::new(
            format!("server {} ended: {last}", self.name),
            "see its command and files in the world's file",
        )
    }
}

/// The end of a log, in one line.
fn last_words(log: &Path) -> String {
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(600)..]).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" / ")
}

/// Names every program that this world needs and this machine lacks.
pub(super) fn installed(world: &World) -> Result<(), Error> {
    let mut wanted: Vec<(&str, &str)> = vec![("ip", "iproute2")];
    wanted.extend(world.programs.iter().map(|(program, package)| (program.as_str(), package.as_str())));
    let own = world.server.values().filter_map(|server| server.command.first());
    wanted.extend(
        own.filter(|program| !world.programs.contains_key(*program)).map(|program| (program.as_str(), "")),
    );
    wanted.retain(|(program, _)| find(program).is_none());
    if wanted.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = wanted.iter().map(|(program, _)| *program).collect();
    let mut packages: Vec<&str> =
        wanted.iter().map(|(_, package)| *package).filter(|at| !at.is_empty()).collect();
    packages.dedup();
    let install = match &packages[..] {
        [] => "install them, and name their Debian packages in [world.programs]".to_owned(),
        packages => format!("apt-get install --no-install-recommends {}", packages.join(" ")),
    };
    Err(Error::missing(
        format!("this world needs programs that are not here: {}", programs.join(", ")),
        install,
    ))
}

/// Where a program is, also in the folders that an ordinary user's PATH leaves out.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file() || program.starts_with('@'));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Starts every server and waits until all of them serve. `folder` is theirs, `shared` is the vantage's too.
pub(super) fn start(world: &World, folder: &Path, shared: &Path) -> Result<Vec<Running>, Error> {
    let mut running = Vec::new();
    for (name, server) in &world.server {
        let addresses: Vec<IpAddr> = world.addresses(&server.hosts).collect();
        let parts: Vec<&[IpAddr]> =
            if server.each { addresses.chunks(1).collect() } else { vec![addresses.as_slice()] };
        for (nth, addresses) in parts.into_iter().enumerate() {
            let dir = folder.join(format!("{name}.{nth}"));
            let template = Template { world, dir: &dir, shared, addresses };
            running.push(launch(name, server, &template)?);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    for server in &running {
        await_ready(server, deadline)?;
    }
    Ok(running)
}

fn launch(name: &str, server: &Server, template: &Template) -> Result<Running, Error> {
    let fault = |what: String| {
        Error::new(format!("[world.server.{name}]: {what}"), "worlds/README.md shows the format")
    };
    let dir = template.dir;
    fs::create_dir_all(dir).map_err(|error| Error::step("make a server's folder", error))?;
    for (path, text) in &server.files {
        let file = dir.join(path);
        let text = template.fill(text).map_err(&fault)?;
        let written = fs::create_dir_all(file.parent().unwrap_or(dir)).and_then(|()| fs::write(&file, text));
        written.map_err(|error| fault(format!("{path}: {error}")))?;
    }
    let log = dir.join("log");
    for words in &server.prepare {
        let words = template.words(words).map_err(&fault)?;
        let status = command(&words, dir, &log).and_then(|mut command| command.status());
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(fault(format!("{words:?} failed: {status}: {}", last_words(&log)))),
            Err(error) => return Err(fault(format!("{words:?}: {error}"))),
        }
    }
    let words = template.words(&server.command).map_err(&fault)?;
    let child = command(&words, dir, &log).and_then(|mut command| command.spawn());
    let child = child.map_err(|error| fault(format!("{words:?}: {error}")))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let ready = server.ready.iter();
    let awaits = ready.flat_map(|socket| template.addresses.iter().map(move |address| (*socket, *address)));
    Ok(Running { name: name.to_owned(), pid, log, awaits: awaits.collect() })
}

/// In a process group of its own: what the terminal tells the command at the vantage is not meant for servers.
fn command(words: &[String], dir: &Path, log: &Path) -> std::io::Result<Command> {
    let program = words.first().and_then(|program| find(program)).unwrap_or_default();
    let out = File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(program);
    command
        .args(words.iter().skip(1))
        .current_dir(dir)
        .process_group(0)
        .env("HOME", dir)
        .env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    Ok(command)
}

fn await_ready(server: &Running, deadline: Instant) -> Result<(), Error> {
    while let Some((socket, address)) =
        server.awaits.iter().find(|(socket, address)| !bound(*socket, *address))
    {
        match waitpid(server.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {}
            _ => return Err(server.ended()),
        }
        if Instant::now() > deadline {
            let what =
                format!("server {} did not bind {socket:?} at {address} within {PATIENCE:?}", server.name);
            return Err(Error::new(what, "see `ready` and the server's files in the world's file"));
        }
        sleep(GLANCE);
    }
    Ok(())
}

/// Whether the socket is bound at this address of this network, or at all: the kernel's tables say so without
/// anyone connecting.
fn bound(socket: Socket, address: IpAddr) -> bool {
    let (tables, port, state) = match socket {
        Socket::Tcp(port) => (["tcp", "tcp6"], port, Some("0A")), // 0A: listening
        Socket::Udp(port) => (["udp", "udp6"], port, None),
    };
    tables.iter().any(|table| {
        let text = fs::read_to_string(format!("/proc/self/net/{table}")).unwrap_or_default();
        text.lines().skip(1).any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let serves = fields.next().and_then(local).is_some_and(|(at, number)| {
                number == port && (at == address || at.is_unspecified() && at.is_ipv6() >= address.is_ipv6())
            });
            serves && state.is_none_or(|state| fields.nth(1) == Some(state))
        })
    })
}

/// An address and port as /proc/net writes them: words of 32 bits in the machine's order, in hexadecimal.
fn local(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let word =
        |at: usize| u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => IpAddr::from(word(0)?),
        _ => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::from(octets).to_canonical()
        }
    };
    Some((address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn a_bound_socket_is_seen_at_its_address_and_an_unbound_one_is_not() {
        let [here, there, v6] = ["127.0.0.1", "127.0.0.2", "::1"].map(|at| at.parse::<IpAddr>().unwrap());
        let tcp = TcpListener::bind((here, 0)).unwrap();
        let socket = Socket::Tcp(tcp.local_addr().unwrap().port());
        assert!(bound(socket, here) && !bound(socket, there));
        drop(tcp);
        assert!(!bound(socket, here));
        let udp = UdpSocket::bind((v6, 0)).unwrap();
        let socket = Socket::Udp(udp.local_addr().unwrap().port());
        assert!(bound(socket, v6) && !bound(socket, here));
        let any = UdpSocket::bind("[::]:0").unwrap();
        let socket = Socket::Udp(any.local_addr().unwrap().port());
        assert!(bound(socket, v6) && bound(socket, there));
    }

    #[test]
    fn programs_are_found_where_daemons_lie() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-of-any-package").is_none());
    }
}
