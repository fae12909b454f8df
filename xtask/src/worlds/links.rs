//! What the wire does to packets: `worlds/hello.toml` and `worlds/flaky.toml`, seen with curl, dig and ping.

use super::{World, program, said};
use crate::root;
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Exit codes of curl (its manual): no connection, timed out, the connection was reset.
const REFUSED: &str = "7";
const TIMED_OUT: &str = "28";
const CUT: &str = "56";

pub(super) fn page(world: &World) -> Result<()> {
    for family in ["-4", "-6"] {
        let page = world.ask("home", &format!("curl {family} -sS --max-time 5 http://www.hello.example/"))?;
        ensure!(page == "hello from a world\n", "curl {family}: {page}");
    }
    Ok(())
}

pub(super) fn names(world: &World) -> Result<()> {
    let script = "dig +short A www.hello.example; dig +short +tcp AAAA www.hello.example;
        dig +short MX www.hello.example; dig +noall +comments nowhere.example | grep -o NXDOMAIN";
    let answers = world.ask("home", script)?;
    ensure!(answers == "198.18.10.80\n2001:2:0:10::80\nNXDOMAIN\n", "{answers}");
    Ok(())
}

pub(super) fn absences(world: &World) -> Result<()> {
    let script = "for at in www.hello.example:81 '[2001:2:0:10::80]:81' 198.18.10.99 '[2001:2::99]' silent.hello.example
        do curl -gs --max-time 1 http://$at/; echo $?; done
        ping -n -c 1 -W 1 198.18.10.99 | grep -c 'From 198.18.0.1 .*Host Unreachable'
        ping -n -c 1 -W 1 2001:2::99 | grep -c 'From 2001:2::1 .*Address unreachable'";
    let codes = world.ask("home", script)?;
    let expected = format!("{}{TIMED_OUT}\n1\n1\n", format!("{REFUSED}\n").repeat(4));
    ensure!(codes == expected, "{codes}");
    Ok(())
}

pub(super) fn distance(world: &World) -> Result<()> {
    let times = world
        .ask("home", "ping -n -q -i 0.1 -c 10 198.18.10.80; ping -6 -n -q -i 0.1 -c 10 2001:2:0:10::80")?;
    let fastest = times.lines().filter_map(|line| line.strip_prefix("rtt min/avg/max/mdev = "));
    let fastest: Vec<f64> = fastest.filter_map(|line| line.split('/').next()?.parse().ok()).collect();
    // Never sooner; how much later is the machine's affair.
    ensure!(fastest.len() == 2 && fastest.iter().all(|ms| (80.0..120.0).contains(ms)), "{times}");
    Ok(())
}

pub(super) fn no_uplink(world: &World) -> Result<()> {
    let script =
        "ip -o link | sed 's/^[0-9]*: \\([a-z0-9]*\\).*/\\1/'; ip -o route; cat /etc/resolv.conf | head -1;
        ls -A /run; curl -s --max-time 2 http://8.8.8.8/; echo $?";
    let seen = world.ask("home", script)?;
    let expected =
        format!("lo\neth0\ndefault dev eth0 scope link \nnameserver 198.18.1.53\nworld\n{REFUSED}\n");
    ensure!(seen == expected, "{seen}");
    Ok(())
}

/// However it ends, no process of it is left, nor any namespace: those of its processes were the only ones.
pub(super) fn end(world: &World) -> Result<()> {
    let said = world.at("home", "exit 7")?;
    ensure!(said.code == 7, "the command's code was 7, the world's {}", said.code);
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mark = format!("31{}", std::process::id());
        let mut child = begin(world, &format!("sleep {mark} & sleep {mark}"))?;
        wait_until(|| running(&mark) == 2).with_context(|| format!("{signal}: the command did not begin"))?;
        kill(Pid::from_raw(child.id().cast_signed()), signal)?;
        child.wait()?;
        wait_until(|| running(&mark) == 0).with_context(|| format!("{signal}: something is left"))?;
    }
    Ok(())
}

fn begin(world: &World, script: &str) -> Result<Child> {
    let mut command = Command::new(program());
    command.args(["world", &world.file(), "--", "sh", "-c", script]).current_dir(root());
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// How many processes of this machine are `sleep MARK`.
fn running(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.starts_with(b"sleep\0") && line[6..].starts_with(mark.as_bytes())).count()
}

fn wait_until(holds: impl Fn() -> bool) -> Result<()> {
    for _ in 0..100 {
        if holds() {
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
    anyhow::bail!("not within 5 s")
}

pub(super) fn nested(world: &World) -> Result<()> {
    let inner =
        format!("{} world worlds/hello.toml -- curl -sS http://www.hello.example/", program().display());
    let page = world.ask("home", &inner)?;
    ensure!(page == "hello from a world\n", "{page}");
    // As an ordinary user, whom the machine lets make user namespaces and open TUN devices.
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-current-user", "--"]).arg(program());
    command.args(["world", "worlds/hello.toml", "--", "curl", "-sS", "http://www.hello.example/"]);
    let said = said(command)?;
    ensure!(said.out == "hello from a world\n", "in a user namespace: {}", said.out);
    Ok(())
}

pub(super) fn loss(world: &World) -> Result<()> {
    let count = world.ask("nl", "ping -n -q -c 300 -i 0.005 198.18.10.1 | grep -o '[0-9]* received'")?;
    let received: f64 = count.trim_end_matches(" received\n").parse().context(count.clone())?;
    // 0.9² of 300 come back, give or take five standard deviations.
    ensure!((received - 243.0).abs() < 34.0, "{received} of 300 came back");
    Ok(())
}

pub(super) fn cuts(world: &World) -> Result<()> {
    let script =
        "for n in $(seq 60); do curl -s --max-time 5 http://cut.flaky.example/ >/dev/null; echo $?; done";
    let codes = world.ask("nl", script)?;
    let cut = codes.lines().filter(|code| *code == CUT).count();
    let whole = codes.lines().filter(|code| *code == "0").count();
    // Half of 60, give or take five standard deviations; and nothing else happens.
    ensure!(cut + whole == 60 && (11..=49).contains(&cut), "{cut} cut, {whole} whole");
    Ok(())
}

pub(super) fn word(world: &World) -> Result<()> {
    let script = "for word in stroke strike
        do curl -s --max-time 5 -d \"a $word\" http://word.flaky.example/; echo $?; done";
    let said = world.ask("nl", script)?;
    ensure!(said == format!("from 198.18.61.3\n0\n{CUT}\n"), "{said}");
    Ok(())
}

pub(super) fn elsewhere(world: &World) -> Result<()> {
    for (vantage, mirror) in [("nl", "198.18.20.6"), ("cn", "198.18.62.6")] {
        let script = "for at in mirror.flaky.example near.flaky.example/download
            do curl -sS --max-time 5 --location http://$at; done";
        let said = world.ask(vantage, script)?;
        ensure!(said == format!("from {mirror}\n").repeat(2), "from {vantage}: {said}");
    }
    Ok(())
}
