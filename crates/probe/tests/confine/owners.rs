//! A room's door tells whose socket a packet came from, though nobody outside may enter its network.

use overheard_model::Transport;
use overheard_probe::record::{Attribution, Ends};
use overheard_probe::room::{Command, Error, Room, Spec, Streams};
use std::io::{BufRead, BufReader};

const SEND: &str = "import socket,sys
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
s.sendto(b'x',('198.18.0.1',9))
print(s.getsockname()[1],flush=True)
sys.stdin.read()";

#[test]
fn the_door_of_a_room_names_the_owner_of_a_flow() {
    let (room, mut door) = match Room::open(&Spec::default()) {
        Err(error @ Error::Missing(_)) => return eprintln!("skipped: no room here: {error}"),
        opened => opened.unwrap(),
    };
    let command = Command {
        program: "python3".into(),
        args: ["-c", SEND].map(Into::into).into(),
        streams: Streams::Pipes,
        ..Command::default()
    };
    let Ok(mut child) = room.spawn(&command) else { return eprintln!("skipped: python3 is not installed") };
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let port: u16 = said.trim().parse().unwrap();
    let ends = Ends {
        transport: Transport::Udp,
        src: ([10, 219, 0, 2], port).into(),
        dst: ([198, 18, 0, 1], 9).into(),
    };
    // There is no process of this number, and so no table that could be read instead.
    let mut attribution = Attribution::new(door.diagnosis.take(), room.root().join("proc"), u32::MAX);
    let owner = attribution.owner(&ends).expect("the owner");
    assert!(owner.name.starts_with("python3"), "{owner}");
    let mut tables = Attribution::new(None, room.root().join("proc"), 1);
    assert_eq!(tables.owner(&ends), Some(owner));
    drop(child);
    room.close().unwrap();
}
