//! What a recording says of itself is told where it is read: what it lost, by `read` as a problem and by `compare` as a
//! warning; to whom nothing was carried, by both as no contact.

mod program;

use overheard_model::Uncarried;
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
    counts.remarks().into_iter().for_each(|remark| recording.remark(remark));
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

/// More than a gateway tells apart.
#[test]
fn of_whom_it_is_not_known_neither_a_contact_nor_an_absence_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (known, unknown) = (folder.path().join("known.pcapng"), folder.path().join("unknown.pcapng"));
    let but = |carried: &[&str]| {
        let carried = carried.iter().map(|to| to.parse().unwrap()).collect();
        let uncarried = Uncarried { listed: [].into(), all_but: Some(carried) };
        Counts { uncarried, uncarried_beyond: 3, ..Counts::default() }
    };
    record(&known, 1, &but(&["udp 198.18.0.9:9"]));
    record(&unknown, 2, &but(&[]));
    let read = |path: &Path| overheard(&["read", path.to_str().unwrap()]).stdout;
    let told = read(&unknown);
    assert!(told.contains("! attempts-unlisted: perhaps not carried: 3 packets to further places"), "{told}");
    assert!(told.contains("0 endpoints") && told.contains("Tried, but nothing is known"), "{told}");
    assert!(read(&known).contains("1 endpoint,"), "{}", read(&known));

    let build = |name: &str, path: &Path| format!("{name}={}", path.display());
    let compared = overheard(&["compare", &build("a", &known), &build("b", &unknown), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&compared.stdout).unwrap();
    let absences = json["absences"].as_array().unwrap();
    assert!(absences.iter().all(|absence| absence["build"] != "b"), "{absences:?}");
    assert!(compared.stdout.contains("more was tried than could be told apart"), "{}", compared.stdout);
}

/// What an app sent and a proxy never carried was met by nobody.
#[test]
fn whom_nothing_was_carried_to_is_no_contact_and_no_absence() {
    let folder = tempfile::tempdir().unwrap();
    let (carried, tried) = (folder.path().join("carried.pcapng"), folder.path().join("tried.pcapng"));
    record(&carried, 1, &Counts::default());
    let listed = ["udp 198.18.0.9:9".parse().unwrap()].into();
    let uncarried = Uncarried { listed, all_but: None };
    record(&tried, 2, &Counts { uncarried, ..Counts::default() });
    let read =
        |path: &Path, more: &[&str]| overheard(&[&["read", path.to_str().unwrap()], more].concat()).stdout;
    assert!(!read(&carried, &[]).contains("Tried"));
    let told = read(&tried, &[]);
    assert!(
        told.contains("0 endpoints")
            && told.contains("Tried, but nothing is known to have been carried there: 198.18.0.9:9/udp")
    );
    assert!(read(&tried, &["--format", "jsonl"]).contains("\"record\":\"attempt\""));
    assert!(!read(&tried, &["--format", "csv"]).contains("198.18.0.9"));
    assert!(
        read(&tried, &["--format", "html"])
            .contains("Tried, but nothing is known to have been carried there")
    );

    let build = |name: &str, path: &Path| format!("{name}={}", path.display());
    let builds = [build("a", &carried), build("b", &tried)];
    let compared = |more: &[&str]| {
        let compared = overheard(&[&["compare", &builds[0], &builds[1]], more].concat()).stdout;
        compared.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = compared(&[]);
    let warning = "b tried in 1 of 1 run what nothing is known to have been carried to (198.18.0.9:9/udp";
    assert!(text.contains(warning), "{text}");
    let json: serde_json::Value = serde_json::from_str(&compared(&["--format", "json"])).unwrap();
    let keys = json["keys"].as_array().unwrap();
    let cells: Vec<_> = keys.iter().map(|key| (&key["key"], &key["cells"]["b"]["present"])).collect();
    assert_eq!(cells, [(&"198.18.0.9".into(), &0.into())]);
    let absences = json["absences"].as_array().unwrap();
    assert!(absences.iter().all(|absence| absence["build"] != "b"), "{absences:?}");
}
