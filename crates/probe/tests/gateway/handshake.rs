//! The handshake in a recording is the real server's: it lasts as long as the way there and back.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use overheard_probe::gateway::{Direction, Options, Recorder};

use crate::fixture::{Namespace, Tape, World};
use crate::tcp::connect;

/// How long a packet is on its way to the far server, and as long back.
const ONE_WAY: Duration = Duration::from_millis(40);

const HOST: &str = "198.18.7.1";
const FAR: &str = "198.18.7.2";

/// When SYN and SYN-ACK crossed, with the app's port.
type Handshakes = Arc<Mutex<Vec<(Direction, SystemTime, u16)>>>;

struct Handshake(Handshakes);

impl Recorder for Handshake {
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        const SYN: u8 = 0b10;
        if ip[0] >> 4 == 4 && ip[9] == 6 && ip[33] & SYN != 0 {
            let at = if direction == Direction::Outbound { 20 } else { 22 };
            let port = u16::from_be_bytes([ip[at], ip[at + 1]]);
            self.0.lock().expect("a list").push((direction, time, port));
        }
        Ok(())
    }
}

/// A server behind a wire that is slow both ways. What a kernel left to a device to do crosses with the packet.
fn far(world: &World) -> SocketAddr {
    let there = Namespace::new();
    let ends = [(&world.host, HOST), (&there, FAR)].map(|(namespace, address)| {
        File::from(namespace.tun("wire", &[&format!("addr add {address}/24 dev wire")]))
    });
    let [near, far] = ends;
    let copy = |file: &File| file.try_clone().expect("a file descriptor");
    for (mut from, mut to) in [(copy(&near), copy(&far)), (far, near)] {
        std::thread::spawn(move || {
            let mut frame = vec![0; 1 << 17];
            while let Ok(length) = from.read(&mut frame) {
                std::thread::sleep(ONE_WAY);
                to.write_all(&frame[..length]).expect("a device");
            }
        });
    }
    let listener = there.run(|| TcpListener::bind((FAR, 0))).expect("a listener");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || listener.incoming().for_each(drop));
    address
}

/// When the connection's first packet of this direction crossed. An answer is recorded a moment after it is given.
fn first(seen: &Handshakes, direction: Direction, port: u16) -> SystemTime {
    for _ in 0..10_000 {
        let found = seen.lock().expect("a list").iter().find(|at| (at.0, at.2) == (direction, port)).copied();
        if let Some((_, time, _)) = found {
            return time;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("it was never recorded");
}

#[test]
fn a_handshake_in_the_recording_holds_the_servers_round_trip() {
    let seen = Handshakes::default();
    let recorder = Box::new(Handshake(Arc::clone(&seen)));
    let Some(world) = World::recorded(Options::default(), recorder, Tape::default()) else { return };
    let server = far(&world);
    // On a busy machine one may take longer than the way; not one of fifty may take less, or all of them twice as long.
    let mut quickest = Duration::MAX;
    for _ in 0..50 {
        let app = connect(&world, server).expect("a connection");
        let port = app.local_addr().expect("an address").port();
        let asked = first(&seen, Direction::Outbound, port);
        let answered = first(&seen, Direction::Inbound, port);
        let round_trip = answered.duration_since(asked).expect("later");
        assert!(round_trip >= 2 * ONE_WAY, "{round_trip:?}: somebody else has answered");
        quickest = quickest.min(round_trip);
        if quickest < 4 * ONE_WAY {
            return;
        }
    }
    panic!("the quickest took {quickest:?}");
}
