//! What cannot be recorded does not cross.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use overheard_probe::gateway::{Direction, Options, Recorder};

use crate::datagrams::bind;
use crate::fixture::{SERVER_V4, Tape, World};

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
    server.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a limit");
    let app = bind(&world.room, "0.0.0.0");
    for number in 0..2 {
        app.send_to(&[number], (SERVER_V4, PORT)).expect("sent");
        let mut heard = [9];
        server.recv(&mut heard).expect("a datagram");
        assert_eq!(heard, [number]);
    }
    app.send_to(&[2], (SERVER_V4, PORT)).expect("sent");
    server.set_read_timeout(Some(std::time::Duration::from_millis(300))).expect("a limit");
    assert!(server.recv(&mut [0]).is_err(), "it crossed unrecorded");
    let error = world.running.take().expect("a gateway").stop().expect_err("it failed");
    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
    assert!(*finished.lock().expect("a flag"));
}
