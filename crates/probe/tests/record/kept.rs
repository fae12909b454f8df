//! What goes in comes out: bytes, times, directions and counts; also when we are killed.

use crate::reader::{self, Block, blocks, options, packets};
use crate::{SECTION, at, datagram};
use overheard_probe::record::{Direction, Recording, Sources};
use proptest::prelude::*;
use std::path::Path;

const COMMENT: u16 = 1;

fn text(options: &[(u16, Vec<u8>)], code: u16) -> String {
    options
        .iter()
        .find(|(option, _)| *option == code)
        .map(|(_, text)| String::from_utf8(text.clone()).unwrap())
        .unwrap()
}

fn read(path: &Path) -> Vec<Block> {
    blocks(&std::fs::read(path).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_written_is_read_back(
        written in prop::collection::vec((any::<bool>(), 0..i64::MAX, prop::collection::vec(any::<u8>(), 0..300)), 0..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.pcapng");
        let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
        for (out, nanos, bytes) in &written {
            let direction = if *out { Direction::Outbound } else { Direction::Inbound };
            recording.packet(direction, at(*nanos), bytes).unwrap();
        }
        let outcome = recording.finish().outcome;
        let blocks = read(&path);
        let read: Vec<_> = packets(&blocks)
            .into_iter()
            .map(|packet| {
                let flags = &packet.options[0].1;
                prop_assert!(packet.options[0].0 == 2 && (flags[..] == [1, 0, 0, 0] || flags[..] == [2, 0, 0, 0]));
                Ok((flags[0] == 2, packet.nanos as i64, packet.bytes))
            })
            .collect::<Result<_, TestCaseError>>()?;
        let total = written.len() as u64;
        prop_assert_eq!(read, written);
        prop_assert_eq!((outcome.received, outcome.kept, outcome.lost, outcome.error), (total, total, 0, None));
        prop_assert_eq!(outcome.bytes, std::fs::metadata(&path).unwrap().len());
        // isb_ifrecv, isb_ifdrop, isb_usrdeliv.
        prop_assert_eq!([4, 5, 8].map(|code| reader::count(&blocks, code)), [total, 0, total]);
    }
}

#[test]
fn what_must_be_known_beside_the_packets_stands_with_the_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
    recording.remark("two were lost".into());
    recording.finish();
    let blocks = read(&path);
    assert_eq!(reader::count(&blocks, 4), 0);
    assert_eq!(text(&options(&blocks[2].body[12..]), COMMENT), "two were lost");
}

#[test]
fn a_capture_says_where_it_comes_from_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    Recording::create(&path, &SECTION, Sources::default()).unwrap().finish();
    let blocks = read(&path);
    assert_eq!(blocks.iter().map(|block| block.kind).collect::<Vec<_>>(), [0x0a0d_0d0a, 1, 5]);
    let section = options(&blocks[0].body[16..]);
    assert_eq!(text(&section, COMMENT), "vantage: direct; build: regular; run: regular-3");
    assert_eq!(text(&section, 2), std::env::consts::ARCH);
    assert!(text(&section, 3).starts_with("Linux "));
    assert!(text(&section, 4).starts_with("overheard "));
    let interface = options(&blocks[1].body[8..]);
    assert_eq!(blocks[1].body[..2], [101, 0], "LINKTYPE_RAW");
    assert_eq!(text(&interface, 2), "room0");
    let addresses: Vec<u16> =
        interface.iter().map(|(code, _)| *code).filter(|code| [4, 5].contains(code)).collect();
    assert_eq!(addresses, [4, 5], "an address of each family");
    assert!(interface.contains(&(9, vec![9])), "nanoseconds");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        Recording::create(&path, &SECTION, Sources::default()).is_err(),
        "never over a file that is there"
    );
}

/// What was recorded is on its way to the file within a moment, though nobody ends the recording.
#[test]
fn what_was_recorded_is_readable_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
    let packet = datagram(([198, 18, 0, 10], 40_000), ([198, 18, 1, 53], 53), b"x");
    recording.packet(Direction::Outbound, at(1), &packet).unwrap();
    let seen = (0..400).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        packets(&read(&path)).len() == 1
    });
    assert!(seen);
    // As one who is killed would: nothing more is done with it.
    std::mem::forget(recording);
}

#[test]
fn a_capture_cut_anywhere_keeps_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
    (0..5).for_each(|time| recording.packet(Direction::Inbound, at(time), &[0x45; 21]).unwrap());
    recording.finish();
    let bytes = std::fs::read(&path).unwrap();
    let whole = packets(&blocks(&bytes));
    for end in 0..bytes.len() {
        let cut = packets(&blocks(&bytes[..end]));
        assert_eq!(cut, whole[..cut.len()]);
    }
}

#[test]
fn dropped_without_an_end_it_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture.pcapng");
    let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
    (0..5000).for_each(|time| recording.packet(Direction::Inbound, at(time), &[0x45; 1400]).unwrap());
    drop(recording);
    let blocks = read(&path);
    assert_eq!((packets(&blocks).len(), reader::count(&blocks, 4)), (5000, 5000));
}

/// After a flush everything is in the file, and the secrets too, though their file goes away.
#[test]
fn a_flush_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key_log) = (folder.path().join("capture.pcapng"), folder.path().join("keys"));
    let sources = Sources { key_log: Some(key_log.clone()), ..Sources::default() };
    let mut recording = Recording::create(&path, &SECTION, sources).unwrap();
    recording.flush();
    recording.packet(Direction::Outbound, at(1), &[0x45; 60]).unwrap();
    std::fs::write(&key_log, "CLIENT_RANDOM 01 02\n").unwrap();
    recording.flush();
    std::fs::remove_file(key_log).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(packets(&blocks(&bytes)).len(), 1);
    assert!(bytes.windows(20).any(|window| window == b"CLIENT_RANDOM 01 02\n"));
    let outcome = recording.finish().outcome;
    assert_eq!((outcome.kept, outcome.secrets, outcome.error), (1, 1, None));
}

/// A disk fills up, and has room again later: what was lost in between is counted, and the file is whole.
#[test]
fn a_full_disk_loses_what_the_file_says_it_lost() {
    on_a_small_disk(1 << 20, |disk| {
        let (path, ballast) = (disk.join("capture.pcapng"), disk.join("ballast"));
        std::fs::write(&ballast, vec![0; 512 << 10]).unwrap();
        let mut recording = Recording::create(&path, &SECTION, Sources::default()).unwrap();
        let mut sent = 0;
        while recording.packet(Direction::Outbound, at(sent), &[0x45; 1400]).is_ok() {
            assert!(sent < 100_000, "512 KiB hold {sent} packets");
            sent += 1;
        }
        std::fs::remove_file(ballast).unwrap();
        let lost = recording.lost();
        // A batch may still be on its way to a full disk.
        std::thread::sleep(std::time::Duration::from_millis(600));
        sent += 1;
        let told = recording.packet(Direction::Outbound, at(sent), &[0x45; 1400]).unwrap_err();
        assert!(told.to_string().contains("No space left"), "{told}");
        let outcome = recording.finish().outcome;
        let blocks = read(&path);
        let last = packets(&blocks).last().unwrap().nanos;
        assert_eq!(last, sent.cast_unsigned(), "the disk had room again");
        assert_eq!(packets(&blocks).len() as u64, outcome.kept);
        assert!(outcome.lost >= lost && outcome.received == outcome.kept + outcome.lost, "{outcome:?}");
        assert_eq!((reader::count(&blocks, 5), reader::count(&blocks, 8)), (outcome.lost, outcome.kept));
        assert!(outcome.error.unwrap().contains("No space left"));
    });
}

/// Runs the test with a file system of its own; says why not, where that needs a privilege that is missing.
fn on_a_small_disk(bytes: usize, test: impl FnOnce(&Path) + Send) {
    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};
    let folder = tempfile::tempdir().unwrap();
    let nothing: Option<&str> = None;
    let run = || {
        let mounted = unshare(CloneFlags::CLONE_NEWNS)
            .and_then(|()| mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing))
            .and_then(|()| {
                let options = format!("size={bytes}");
                mount(Some("tmpfs"), folder.path(), Some("tmpfs"), MsFlags::empty(), Some(&*options))
            });
        match mounted {
            Ok(()) => test(folder.path()),
            Err(error) => eprintln!("skipped: no disk of our own: {error}"),
        }
    };
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}
