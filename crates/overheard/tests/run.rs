//! `overheard init` and `overheard run`: plans, their mistakes, and the order of the runs.

mod program;

use program::overheard;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn init(folder: &Path) -> String {
    let plan = folder.join("messenger.toml").display().to_string();
    let answer = overheard(&["init", &plan]);
    assert_eq!(answer.code, 0, "{answer:?}");
    plan
}

#[test]
fn a_new_plan_can_be_run_at_once_as_far_as_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let plan = init(folder.path());
    fill_in(&plan);
    let answer = overheard(&["run", "--dry-run", &plan]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    // 20 blocks of two builds and the twin, and one idle run.
    assert!(answer.stdout.contains("Runs      61 in 20 blocks"), "{}", answer.stdout);
    assert!(answer.stdout.contains("SHA-256 ") && answer.stdout.contains("-idle-log-in-direct"));
    assert_eq!(answer.stdout, overheard(&["run", "--dry-run", &plan]).stdout);
    let fewer = overheard(&["run", "--dry-run", "--repeats", "2", &plan]);
    assert!(answer.stdout.contains(fewer.stdout.split_once("Block 1").unwrap().1.trim_end()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}

/// With programs that are here.
fn fill_in(plan: &str) {
    let text = fs::read_to_string(plan).unwrap();
    fs::write(plan, text.replace("[\"chat\"", "[\"sh\"").replace("[\"co-branded-chat\"", "[\"sh\"")).unwrap();
}

#[test]
fn what_a_plan_names_and_is_not_here_is_said_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = init(folder.path());
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replacen("files = []", "files = [\"chat.deb\"]", 1)).unwrap();
    let answer = overheard(&["run", "--dry-run", &plan]);
    assert_eq!((answer.code, answer.stderr.as_str()), (3, ""));
    for missing in [
        "Missing   no program \"chat\", which build regular starts\n",
        "Missing   no program \"co-branded-chat\", which build co-branded starts\n",
        "Missing   no chat.deb, which `files` of build regular names\n",
        "\nBlock 1\n",
    ] {
        assert!(answer.stdout.contains(missing), "{missing:?} is not in {}", answer.stdout);
    }
    let answer = overheard(&["run", &plan]);
    assert_eq!((answer.code, answer.stdout.as_str()), (3, ""));
    assert!(answer.stderr.contains("no program \"chat\"") && answer.stderr.contains("hint: "), "{answer:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was begun");
    // Paths go from the plan's folder.
    fill_in(&plan);
    fs::write(folder.path().join("chat.deb"), "").unwrap();
    assert_eq!(overheard(&["run", "--dry-run", &plan]).code, 0);
}

#[test]
fn a_plan_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let plan = init(folder.path());
    overheard(&["init", &plan]).refuses("messenger.toml");
}

#[test]
fn mistakes_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let plan = init(folder.path());
    let good = fs::read_to_string(&plan).unwrap();
    let line = |wanted: &str| good.lines().position(|line| line.contains(wanted)).unwrap() + 1;
    for (old, new, thing) in [
        ("repeats = 20", "repeets = 20", "repeets"),
        ("driver = \"plain\"", "driver = \"magic\"", "magic"),
        ("concerns = []", "concerns = [\"China\"]", "China"),
    ] {
        fs::write(&plan, good.replacen(old, new, 1)).unwrap();
        let answer = overheard(&["run", "--dry-run", &plan]);
        answer.refuses(thing);
        assert!(answer.stderr.contains(&format!("line {}", line(old))), "{}", answer.stderr);
    }
}

#[test]
fn nothing_can_be_settled_without_a_concern() {
    let folder = tempfile::tempdir().unwrap();
    let plan = init(folder.path());
    overheard(&["run", "--dry-run", "--until-settled", &plan]).refuses("--until-settled");
    let text = fs::read_to_string(&plan).unwrap().replace("concerns = []", "concerns = [\"CN\"]");
    fs::write(&plan, text).unwrap();
    let answer = overheard(&["run", "--dry-run", "--until-settled", &plan]);
    assert!(answer.stdout.contains("may stop after block 5, 10, 15, 20"), "{}", answer.stdout);
}

#[test]
fn a_plan_that_is_not_there() {
    overheard(&["run", "nowhere.toml"]).refuses("nowhere.toml");
}

/// What a launcher started was cut short: an absence there says nothing.
#[test]
fn what_an_app_left_running_is_told_by_the_run_and_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("launched.toml");
    let text = r#"
        seed = 1
        repeats = 2
        controls = { idle = 0, twin = false }
        limits = { run = "20 s" }
        [[build]]
        name = "launcher"
        command = ["bash", "-c", "sleep 1000 & sleep 1000 & exit 0"]
        [[build]]
        name = "whole"
        command = ["bash", "-c", "sleep 0.01"]
        [[activity]]
        name = "begin"
        steps = ["start", { wait-end = "10 s" }]
    "#;
    fs::write(&plan, text).unwrap();
    let answer = overheard(&["run", &plan.display().to_string()]);
    if answer.code == 3 {
        return eprintln!("skipped: no room here: {}", answer.stderr);
    }
    let told = "still running when the room was closed: launcher in 2 runs (sleep (2));";
    assert!(answer.stdout.replace("\n", " ").contains(told), "{answer:?}");
    let schema = serde_json::from_str(include_str!("../../../docs/schema/run.schema.json")).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let mut left = 0;
    for run in fs::read_dir(folder.path().join("launched.study/runs")).unwrap() {
        let run = run.unwrap().path();
        let record = fs::read_to_string(run.join("run.json")).unwrap();
        let expected = run.file_name().unwrap().to_string_lossy().contains("launcher");
        assert_eq!(record.contains("\"sleep\": 2"), expected, "{record}");
        assert!(schema.is_valid(&serde_json::from_str(&record).unwrap()), "{record}");
        left += usize::from(expected);
    }
    assert_eq!(left, 2);
}

/// A SOCKS server that asks for a login, and refuses whatever it is told (RFC 1928, RFC 1929).
fn refusing_proxy() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 512];
            for answer in [[5, 2], [1, 1]] {
                if !stream.read(&mut asked).is_ok_and(|length| length > 0)
                    || stream.write_all(&answer).is_err()
                {
                    break;
                }
            }
        }
    });
    port
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// An app without a network contacts nobody, which says nothing of what it would contact.
#[test]
fn a_run_whose_proxy_carried_nothing_is_no_observation() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("proxied.toml");
    let text = r#"
        seed = 1
        repeats = 2
        concerns = ["CN"]
        [limits]
        run = "20 s"
        [[build]]
        name = "first"
        command = ["bash", "-c", "exec 3<>/dev/tcp/198.18.0.1/80 || true"]
        [[build]]
        name = "second"
        command = ["bash", "-c", "exec 3<>/dev/tcp/198.18.0.1/80 || true"]
        [[activity]]
        name = "connect"
        steps = ["start", { wait-end = "10 s" }]
        [[vantage]]
        name = "proxied"
        proxy = "socks5://alice:never-shown@127.0.0.1:PORT"
        dns = "198.18.0.53"
    "#;
    fs::write(&plan, text.replace("PORT", &refusing_proxy().to_string())).unwrap();
    let answer = overheard(&["run", &plan.display().to_string()]);
    if answer.code == 3 {
        return eprintln!("skipped: {}", answer.stderr);
    }
    let study = files(&folder.path().join("proxied.study"));
    assert!(study.iter().any(|path| path.ends_with("capture.pcapng")), "{study:?}");
    let tells = |path: &&PathBuf| fs::read(path).unwrap().windows(11).any(|bytes| bytes == b"never-shown");
    let telling: Vec<&PathBuf> = study.iter().filter(tells).collect();
    assert!(matches!(telling[..], [path] if path.ends_with("plan.toml")), "{telling:?}");
    assert_eq!(fs::metadata(telling[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!answer.stdout.contains("never contacted"), "{answer:?}");
    let told = answer.stdout.clone() + &answer.stderr;
    assert!(told.contains("the vantage's proxy carried none of"), "{answer:?}");
}
