//! What the figures were measured on.

use std::process::Command;

/// Processor, cores, system and the revision of the code.
pub(super) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let processor = processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!(
        "{processor}, {cores} cores, {} {}, revision {}",
        std::env::consts::OS,
        told("uname", &["-r"]),
        told("git", &["describe", "--always", "--dirty"])
    )
}

fn told(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(crate::root()).output();
    output
        .map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
