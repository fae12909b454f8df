//! `overheard world`: what is refused, and a world that needs no server, seen with the C library's resolver.
//!
//! What the worlds of `worlds/` promise is checked by `cargo xtask worlds`.

mod program;

use program::{Answer, overheard};
use std::path::Path;

const SMALL: &str = r#"
    [world]
    seed = 1
    dns = "dns"
    [world.vantage]
    nl = { country = "NL", addresses = ["198.18.0.10", "2001:2::10"] }
    cn = { country = "CN", addresses = ["198.18.60.10"] }
    [world.host]
    dns = { country = "NL", addresses = ["198.18.1.53"] }
    lu = { country = "LU", addresses = ["198.18.20.1"] }
    sg = { country = "SG", addresses = ["198.18.50.1"] }
    [world.name]
    "www.world.example" = { hosts = ["lu"], from.CN = ["sg"] }
"#;

/// Runs a command in a world of this text; nothing where this machine lets no world be made.
fn within(text: &str, options: &[&str], command: &[&str]) -> Option<Answer> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.toml");
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("a path that is text");
    let answer = overheard(&[&["world", file], options, &["--"], command].concat());
    if answer.code == 3 {
        eprintln!("skipped: {}", answer.stderr);
        return None;
    }
    Some(answer)
}

#[test]
fn names_are_answered_by_the_vantages_country() {
    for (vantage, address) in [("nl", "198.18.20.1"), ("cn", "198.18.50.1")] {
        let command = ["getent", "ahostsv4", "www.world.example"];
        let Some(answer) = within(SMALL, &["--vantage", vantage], &command) else { return };
        assert!(answer.stdout.starts_with(address), "from {vantage}: {answer:?}");
        assert_eq!(answer.code, 0);
    }
}

#[test]
fn the_commands_exit_code_is_the_worlds() {
    let Some(answer) = within(SMALL, &["--vantage", "nl"], &["sh", "-c", "echo $OVERHEARD_VANTAGE; exit 41"])
    else {
        return;
    };
    assert_eq!((answer.code, answer.stdout.as_str()), (41, "nl\n"));
    let Some(answer) = within(SMALL, &["--vantage", "nl"], &["sh", "-c", "kill -9 $$"]) else { return };
    assert_eq!(answer.code, 137);
}

#[test]
fn what_is_left_running_ends_with_the_command() {
    let mark = format!("77{}", std::process::id());
    let script = format!("setsid sleep {mark} & sleep 0.1; kill -0 $!");
    let Some(answer) = within(SMALL, &["--vantage", "nl"], &["sh", "-c", &script]) else { return };
    assert_eq!(answer.code, 0, "{answer:?}");
    let left = std::fs::read_dir("/proc").expect("/proc").flatten().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&mark)
    });
    assert!(!left, "a process outlived its world");
}

#[test]
fn a_server_that_ends_makes_the_world_untrue() {
    let server = "[world.server.brief]\nhosts = [\"lu\"]\nready = []\n";
    let brief = format!("{SMALL}\n{server}command = [\"sh\", \"-c\", \"echo farewell; exit 1\"]\n");
    let Some(answer) = within(&brief, &["--vantage", "nl"], &["sleep", "0.5"]) else { return };
    answer.refuses("server brief ended: farewell");
    let none = format!("{SMALL}\n{server}command = [\"sleep\", \"9\"]\nprepare = [[]]\n");
    let Some(answer) = within(&none, &["--vantage", "nl"], &["true"]) else { return };
    answer.refuses("[world.server.brief]: []");
    let late = format!("{SMALL}\n{}command = [\"sleep\", \"60\"]\n", server.replace("[]", "[\"tcp:80\"]"));
    let late = late.replace("\"60\"", "\"0.1\"");
    let Some(answer) = within(&late, &["--vantage", "nl"], &["true"]) else { return };
    answer.refuses("server brief ended");
}

#[test]
fn a_world_that_cannot_be_is_refused_by_name() {
    overheard(&["world", "worlds/none.toml", "--", "true"]).refuses("worlds/none.toml");
    let refused = |text: &str, options: &[&str], thing: &str| {
        within(text, options, &["true"]).expect("refused before anything is made").refuses(thing);
    };
    refused(SMALL, &[], "several vantages");
    refused(SMALL, &["--vantage", "fr"], "no vantage \"fr\"");
    refused(&SMALL.replace("198.18.20.1", "192.0.2.1"), &["--vantage", "nl"], "192.0.2.1 is outside");
    refused(&SMALL.replace("hosts = [\"lu\"]", "hosts = [\"lux\"]"), &["--vantage", "nl"], "no host \"lux\"");
    refused("[world]\nseed = 1", &[], "line 1");
    refused("seed = 1", &[], "world");
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let text = format!("{SMALL}\n[world.programs]\nno-such-program-of-any = \"no-such-package\"\n");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("small.toml");
    std::fs::write(&file, text).expect("a file");
    let answer = overheard(&[
        Path::new("world"),
        &file,
        Path::new("--vantage"),
        Path::new("nl"),
        Path::new("--"),
        Path::new("true"),
    ]);
    assert_eq!(answer.code, 3);
    assert!(answer.stderr.contains("no-such-program-of-any"), "{answer:?}");
    assert!(answer.stderr.contains("apt-get install --no-install-recommends"), "{answer:?}");
    assert!(answer.stderr.contains("no-such-package"), "{answer:?}");
}
