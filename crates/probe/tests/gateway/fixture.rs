//! Three network namespaces for a gateway: a room, a lobby, and a host whose network is all in the namespace itself.
//!
//! Promises: no packet can leave the machine, as none of the three has an uplink; all is gone with the last file
//! descriptor. Needs root and `/dev/net/tun`.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use overheard_probe::door::*;
use overheard_probe::gateway::{Direction, Options, Recorder, Running};

/// The host's addresses, at which its servers stand.
pub const SERVER_V4: &str = "198.18.0.1";
pub const SERVER_V6: &str = "2001:2::1";

/// A network namespace, which lives as long as this does.
#[derive(Clone, Debug)]
pub struct Namespace(Arc<File>);

impl Namespace {
    pub fn new() -> Self {
        let made = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("root");
            File::open("/proc/thread-self/ns/net").expect("a namespace")
        });
        let namespace = Self(Arc::new(made.join().expect("a namespace")));
        namespace.ip("link set lo up");
        namespace
    }

    /// Runs something on a thread in the namespace, and waits for it.
    pub fn run<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(self.0.as_fd(), CloneFlags::CLONE_NEWNET).expect("a namespace");
                act()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs something on a thread in the namespace that may outlive the caller.
    pub fn spawn(&self, act: impl FnOnce() + Send + 'static) {
        let namespace = self.clone();
        std::thread::spawn(move || {
            setns(namespace.0.as_fd(), CloneFlags::CLONE_NEWNET).expect("a namespace");
            act();
        });
    }

    pub fn set(&self, settings: &[Setting]) {
        for (path, text) in settings {
            self.run(|| std::fs::write(path, text)).expect("a setting");
        }
    }

    /// Runs `ip` with these words.
    pub fn ip(&self, words: &str) {
        let done = self.run(|| Command::new("ip").args(words.split(' ')).output().expect("ip"));
        assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What another program finds the namespace by.
    pub fn file(&self) -> File {
        self.0.try_clone().expect("a file descriptor")
    }

    /// Waits until there is a way to an address, for up to five seconds.
    pub fn is_reached(&self, address: &str) -> bool {
        (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let asked = self.run(|| Command::new("ip").args(["route", "get", address]).output().expect("ip"));
            asked.status.success()
        })
    }

    /// Gives a device an address of IPv6, and waits until packets to it are taken for our own: the kernel sees to that
    /// later, and what arrives before is lost.
    pub fn address_v6(&self, address: &str, device: &str) {
        self.ip(&format!("-6 addr add {address}/64 dev {device} nodad"));
        let is_local = |_| {
            let asked =
                self.run(|| Command::new("ip").args(["-6", "route", "get", address]).output().expect("ip"));
            asked.stdout.starts_with(b"local") || {
                std::thread::sleep(std::time::Duration::from_millis(10));
                false
            }
        };
        assert!((0..6000).any(is_local), "{address} is never local");
    }

    /// Makes a TUN device in the namespace, with its addresses and routes.
    pub fn tun(&self, name: &str, words: &[&str]) -> OwnedFd {
        let device = self.run(|| tun(name)).expect("a TUN device");
        self.ip(&format!("link set {name} mtu {MTU} txqueuelen 10000 up"));
        for words in words {
            self.ip(words);
        }
        device
    }
}

fn tun(name: &str) -> io::Result<OwnedFd> {
    const TUNSETIFF: u64 = 0x4004_54ca;
    const TUNSETOFFLOAD: u64 = 0x4004_54d0;
    const CHECKSUM_TSO4_TSO6: libc::c_ulong = 1 | 2 | 4;
    let device = File::options().read(true).write(true).open("/dev/net/tun")?;
    let mut request = [0_u8; 40];
    request[..name.len()].copy_from_slice(name.as_bytes());
    let flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as u16;
    request[16..18].copy_from_slice(&flags.to_ne_bytes());
    // SAFETY: `request` is as large as `struct ifreq`, and both calls only read it or a number.
    let done = unsafe {
        libc::ioctl(device.as_raw_fd(), TUNSETIFF, request.as_ptr()) == 0
            && libc::ioctl(device.as_raw_fd(), TUNSETOFFLOAD, CHECKSUM_TSO4_TSO6) == 0
    };
    if done { Ok(device.into()) } else { Err(io::Error::last_os_error()) }
}

/// All three, and what crossed.
pub struct World {
    pub room: Namespace,
    pub host: Namespace,
    pub running: Option<Running>,
    pub tape: Tape,
    pub lobby: Namespace,
}

impl World {
    /// A gateway at work; none where the machine does not allow it.
    pub fn new(options: Options) -> Option<Self> {
        let tape = Tape::default();
        Self::recorded(options, Box::new(tape.clone()), tape)
    }

    pub fn recorded(options: Options, recorder: Box<dyn Recorder + Send>, tape: Tape) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() || File::open("/dev/net/tun").is_err() {
            println!("skipped: needs root and /dev/net/tun");
            return None;
        }
        let (room, lobby, host) = (Namespace::new(), Namespace::new(), host());
        room.set(&ROOM_SETTINGS);
        lobby.set(&LOBBY_SETTINGS);
        let room_tun = room.tun(
            "room",
            &[&format!("addr add {ROOM_V4}/24 dev room"), &format!("route add default via {GATEWAY_V4}")],
        );
        room.address_v6(&ROOM_V6.to_string(), "room");
        room.ip(&format!("-6 route add default via {GATEWAY_V6}"));
        let lobby_tun = lobby.tun(
            "lobby",
            &[
                &format!("addr add {LOBBY_V4}/32 dev lobby"),
                &format!("route add {LOBBY_FLOWS_V4}/10 dev lobby"),
                &format!("-6 route add {LOBBY_FLOWS_V6}/64 dev lobby"),
            ],
        );
        lobby.address_v6(&LOBBY_V6.to_string(), "lobby");
        let listen = |at: std::net::IpAddr| lobby.run(|| TcpListener::bind((at, 0))).expect("a listener");
        let door = Door {
            room: room_tun,
            lobby: lobby_tun,
            tcp_v4: listen(LOBBY_V4.into()),
            tcp_v6: listen(LOBBY_V6.into()),
            diagnosis: None,
        };
        let running = host.run(|| Running::start(door, options, recorder)).expect("a gateway");
        Some(Self { room, host, running: Some(running), tape, lobby })
    }
}

/// A namespace with servers' addresses, and routes that cannot be gone.
pub fn host() -> Namespace {
    let host = Namespace::new();
    host.ip(&format!("addr add {SERVER_V4}/24 dev lo"));
    host.address_v6(SERVER_V6, "lo");
    host.ip("route add unreachable 198.19.1.0/24");
    host.ip("route add prohibit 198.19.2.0/24");
    host.run(|| std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")).expect("ping sockets");
    host
}

/// Keeps what crossed in memory, in order.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Vec<Crossed>>>);

pub type Crossed = (Direction, Vec<u8>);

impl Recorder for Tape {
    fn packet(&mut self, direction: Direction, _time: SystemTime, ip: &[u8]) -> io::Result<()> {
        // What a test asks for stands in the first bytes; a bulk transfer would fill the memory.
        let kept = &ip[..ip.len().min(256)];
        self.0.lock().expect("a tape").push((direction, kept.to_vec()));
        Ok(())
    }
}

impl Tape {
    pub fn packets(&self) -> Vec<Crossed> {
        self.0.lock().expect("a tape").clone()
    }
}
