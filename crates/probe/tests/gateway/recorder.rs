//! What crosses is recorded, all of it; what cannot be recorded does not cross.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use overheard_probe::gateway::{Direction, Options, Recorder, Running};
use overheard_probe::record::{Recording, Section, Sources};

use crate::datagrams::{bind, echoing, uninterrupted};
use crate::fixture::{SERVER_V4, Tape, World};
use crate::reader;
use crate::tcp::{connect, serve};

/// A disk that is full after so many packets to this port, and is told when its recording ends.
struct Full {
    left: usize,
    finished: Arc<Mutex<bool>>,
}

const PORT: u16 = 7777;

impl Recorder for Full {
    fn packet(&mut self, _: Direction, _: SystemTime, ip: &[u8]) -> io::Result<()> {
        if ip.get(22..24) != Some(&PORT.to_be_bytes()[..]) {
            return Ok(());
        }
        self.left = self.left.checked_sub(1).ok_or(ErrorKind::StorageFull)?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        *self.finished.lock().expect("a flag") = true;
        Ok(())
    }
}

#[test]
fn a_recorder_that_fails_ends_the_gateway() {
    let finished = Arc::<Mutex<bool>>::default();
    let recorder = Full { left: 2, finished: Arc::clone(&finished) };
    let Some(mut world) = World::recorded(Options::default(), Box::new(recorder), Tape::default()) else {
        return;
    };
    let server = world.host.run(|| std::net::UdpSocket::bind((SERVER_V4, PORT))).expect("a socket");
    server.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    let app = bind(&world.room, "0.0.0.0");
    for number in 0..2 {
        app.send_to(&[number], (SERVER_V4, PORT)).expect("sent");
        let mut heard = [9];
        uninterrupted(|| server.recv(&mut heard)).expect("a datagram");
        assert_eq!(heard, [number]);
    }
    app.send_to(&[2], (SERVER_V4, PORT)).expect("sent");
    server.set_read_timeout(Some(Duration::from_millis(300))).expect("a limit");
    assert!(uninterrupted(|| server.recv(&mut [0])).is_err(), "it crossed unrecorded");
    let error = world.running.take().expect("a gateway").stop().expect_err("it failed");
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    assert!(*finished.lock().expect("a flag"));
}

/// Waits until the gateway has counted a loss.
fn lost(running: &Running) {
    let is_lost = |_| {
        std::thread::sleep(Duration::from_millis(10));
        !running.counts().remarks().is_empty()
    };
    assert!((0..6000).any(is_lost), "{:?}", running.counts());
}

/// A device that is down takes nothing: what the room's refused is counted, and nobody finds it in a recording.
#[test]
fn what_the_rooms_device_refuses_is_counted_and_not_recorded() {
    let Some(mut world) = World::new(Options::default()) else { return };
    let server = bind(&world.host, SERVER_V4);
    let app = bind(&world.room, "0.0.0.0");
    app.send_to(b"hello", server.local_addr().expect("an address")).expect("sent");
    let (_, seen) = uninterrupted(|| server.recv_from(&mut [0; 9])).expect("a datagram");
    world.room.ip("link set room down");
    server.send_to(b"anybody?", seen).expect("sent");
    let running = world.running.take().expect("a gateway");
    lost(&running);
    let counts = running.stop().expect("counts");
    assert_eq!((counts.lost_out, counts.lost_in), (0, 1));
    let inbound = world.tape.packets().iter().filter(|packet| packet.0 == Direction::Inbound).count();
    assert_eq!((counts.packets_in, inbound), (0, 0));
}

/// The app's segment was seen where it crossed; that it went no further is told beside it.
#[test]
fn what_the_lobbys_device_refuses_is_recorded_and_told() {
    let Some(mut world) = World::new(Options::default()) else { return };
    let listener = world.host.run(|| TcpListener::bind((SERVER_V4, 0))).expect("a listener");
    let to = listener.local_addr().expect("an address");
    world.lobby.ip("link set lobby down");
    world.room.spawn(move || drop(TcpStream::connect_timeout(&to, Duration::from_secs(5))));
    let running = world.running.take().expect("a gateway");
    lost(&running);
    let counts = running.stop().expect("counts");
    assert_eq!(counts.lost_in, 0);
    let remarks = counts.remarks();
    let told = format!("outbound {} (recorded, but not arrived), inbound 0", counts.lost_out);
    assert!(remarks[0].contains(&told), "{remarks:?}");
    let to = &to.port().to_be_bytes()[..];
    let recorded = world.tape.packets().iter().filter(|packet| packet.1.get(22..24) == Some(to)).count();
    assert!(recorded as u64 >= counts.lost_out, "{recorded} of {counts:?}");
}

/// Keeps everything in a file, as a run does.
struct Kept(Recording);

impl Recorder for Kept {
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()> {
        self.0.packet(direction, time, ip)
    }
}

#[test]
fn a_burst_is_in_the_file_to_the_last_packet_and_byte() {
    const DATAGRAMS: u32 = 20_000;
    const BULK: usize = 32 << 20;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("capture.pcapng");
    let section = Section { vantage: "direct", build: "burst", run: "1", interface: "room" };
    let recording = Recording::create(&path, &section, Sources::default()).expect("a recording");
    let kept = Box::new(Kept(recording));
    let Some(mut world) = World::recorded(Options::default(), kept, Tape::default()) else { return };
    let sink = serve(&world, SERVER_V4, |mut stream| {
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).expect("all");
        stream.write_all(&heard.len().to_be_bytes()).expect("a length");
    });
    let echo = echoing(&world, SERVER_V4);
    let app = bind(&world.room, "0.0.0.0");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..DATAGRAMS {
                // Faster than anybody can answer: whether one comes back is not the question.
                app.send_to(&number.to_be_bytes(), echo).expect("sent");
            }
        });
        let mut stream = connect(&world, sink).expect("a connection");
        stream.write_all(&vec![7; BULK]).expect("all");
        stream.shutdown(Shutdown::Write).expect("an end");
        let mut length = [0; 8];
        stream.read_exact(&mut length).expect("a length");
        assert_eq!(usize::from_be_bytes(length), BULK);
    });
    let counts = world.running.take().expect("a gateway").stop().expect("counts");

    let blocks = reader::blocks(&std::fs::read(&path).expect("a capture"));
    let packets = reader::packets(&blocks);
    let bytes: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
    assert_eq!(packets.len() as u64, counts.packets());
    assert_eq!(bytes as u64, counts.bytes());
    // isb_ifrecv, isb_ifdrop, isb_usrdeliv.
    assert_eq!([4, 5, 8].map(|code| reader::count(&blocks, code)), [counts.packets(), 0, counts.packets()]);
}
