//! Captures that mean harm, through the whole program: what it prints, and what memory it takes.

mod program;

use nix::sys::resource::{UsageWho, getrusage};
use program::{overheard, overheard_fed};
use std::fs;

/// A pcap file of spoofed SYNs, a sender each.
fn scan(flows: u32) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for flow in 0..flows {
        file.extend([0; 8]);
        file.extend([54, 0, 0, 0, 54, 0, 0, 0]);
        file.extend([0; 12]);
        file.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
        // An odd factor makes each number another address.
        file.extend(flow.wrapping_mul(0x9e37_79b1).to_be_bytes());
        file.extend([
            198, 51, 100, 1, 0x9c, 0x40, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
        ]);
    }
    file
}

/// The report is made beside the flows that are left, and the program is there itself: together less than
/// 64 MiB more than `--memory`, however many flows come. In builds that are not optimised there are fewer.
#[test]
fn a_scan_is_read_and_told_within_memory() {
    let flows = if cfg!(debug_assertions) { 200_000 } else { 3_000_000 };
    let memory = if cfg!(debug_assertions) { 16 } else { 64 };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.pcap");
    fs::write(&path, scan(flows)).expect("the folder takes it");
    let answer = overheard(&["read", path.to_str().expect("UTF-8"), "--memory", &memory.to_string()]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("flow-evicted"), "{}", answer.stdout);
    // Of the largest child so far, in kilobytes; the others of this file are small.
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel tells").max_rss();
    println!("{peak} kB at the peak with --memory {memory} (MiB)");
    assert!(peak <= (memory + 64) << 10, "{peak} kB");
}

/// Whether a text would act on a terminal.
fn acts(text: &str) -> bool {
    text.chars().any(|c| (c.is_control() && c != '\n' && c != '\r') || matches!(c, '\u{200b}' | '\u{202e}'))
}

/// Files may be called anything: what names them is shown, in every format and on standard error.
#[test]
fn file_names_do_not_act_on_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let evil = folder.path().join("\u{1b}[2J\u{9b}31m\u{202e}\u{200b}evil");
    fs::create_dir(&evil).expect("a folder");
    fs::write(evil.join("\u{7}scan.pcap"), scan(3)).expect("the folder takes it");
    fs::write(evil.join("\u{8}note.txt"), "no capture").expect("the folder takes it");
    fs::write(evil.join("\u{1b}]0;broken.pcap"), "no capture").expect("the folder takes it");
    for format in ["text", "json", "jsonl", "csv", "html"] {
        let answer = overheard(&["read", evil.to_str().expect("UTF-8"), "--format", format]);
        assert!(answer.stdout.contains("evil") && answer.stderr.contains("evil"), "{answer:?}");
        assert!(!acts(&answer.stdout), "{format}: {:?}", answer.stdout);
        assert!(!acts(&answer.stderr), "{format}: {:?}", answer.stderr);
    }
    let missing = overheard(&["read", "\u{1b}[2J\u{202e}.pcap"]);
    assert!(missing.code == 2 && !acts(&missing.stderr), "{missing:?}");
}

/// What a table says is quoted when it is refused.
#[test]
fn what_is_quoted_does_not_act_on_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv");
    fs::write(&path, "build,run,address\na,1,\u{1b}[2J\u{202e}\n").expect("the folder takes it");
    let answer = overheard(&["compare", path.to_str().expect("UTF-8")]);
    assert!(answer.code == 2 && !acts(&answer.stderr), "{answer:?}");
    let answer = overheard_fed(&["read", "-"], b"\x1b[2J\xe2\x80\xae no capture at all");
    assert!(answer.code == 2 && !acts(&answer.stderr), "{answer:?}");
}
