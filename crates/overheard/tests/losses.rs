//! What a recording lost is told where it is read: by `read` as a problem, by `compare` as a warning.

mod program;

use overheard_probe::gateway::{Counts, Direction};
use overheard_probe::record::{Recording, Section, Sources};
use program::overheard;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// A UDP datagram from the room to nobody, without checksums.
const PACKET: [u8; 28] =
    [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 219, 0, 2, 198, 18, 0, 9, 4, 0, 0, 9, 0, 8, 0, 0];

fn record(path: &Path, second: u64, counts: &Counts) {
    let section = Section { vantage: "test", build: "app", run: "1", interface: "room" };
    let mut recording = Recording::create(path, &section, Sources::default()).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(second);
    recording.packet(Direction::Outbound, time, &PACKET).unwrap();
    if let Some(remark) = counts.remark() {
        recording.remark(remark);
    }
    recording.finish();
}

#[test]
fn packets_that_a_device_did_not_take_are_told_where_the_capture_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, lossy) = (folder.path().join("whole.pcapng"), folder.path().join("lossy.pcapng"));
    record(&whole, 1, &Counts::default());
    record(&lossy, 2, &Counts { lost_out: 3, lost_in: 4, ..Counts::default() });
    let read = |path: &Path| overheard(&["read", path.to_str().unwrap()]).stdout;
    assert!(!read(&whole).contains("lost"));
    let told = read(&lossy);
    assert!(
        told.contains("! packets-lost: lost at a device, as on any wire: outbound 3 (recorded"),
        "{told}"
    );

    let build = |name: &str, path: &Path| format!("{name}={}", path.display());
    let compared = overheard(&["compare", &build("a", &whole), &build("b", &lossy)]).stdout;
    let warning = "packets were lost, so that contacts may be missing: lossy.pcapng\n";
    assert!(compared.contains(warning), "{compared}");
}
