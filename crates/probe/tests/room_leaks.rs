//! Many rooms, one after the other, leave nothing open. A file of its own: here nobody else opens anything.

use overheard_probe::room::{Command, Error, Room, Spec};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("it can be read").count()
}

fn children() -> String {
    std::fs::read_to_string(format!("/proc/self/task/{}/children", nix::unistd::gettid())).unwrap_or_default()
}

#[test]
fn fifty_rooms_leave_no_descriptor_and_no_process() {
    let before = descriptors();
    for _ in 0..50 {
        let (room, door) = match Room::open(&Spec::default()) {
            Ok(opened) => opened,
            Err(Error::Missing(missing)) => return eprintln!("skipped: {missing}; {}", missing.mend()),
            Err(error) => panic!("{error}"),
        };
        let child = room.spawn(&Command { program: "true".into(), ..Command::default() }).expect("it starts");
        assert!(child.wait(None).expect("it can be waited for").is_some_and(|status| status.success()));
        drop(door);
        room.close().expect("it closes");
    }
    let missing = Spec { read: vec!["/no/such/file".into()], ..Spec::default() };
    Room::open(&missing).expect_err("it is not there");
    assert_eq!(descriptors(), before);
    assert_eq!(children(), "");
}
