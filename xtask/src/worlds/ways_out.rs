//! Ways past a proxy: `worlds/leaks.toml`, seen with tcpdump at the vantage; and an app that `overheard confine` holds,
//! which finds them all shut.

use super::{World, program};
use crate::root;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::Path;

/// Each class of `worlds/leaks/leak`, and what the wire shows of it and of nothing else.
const LEAKS: &[(&str, &str)] = &[
    ("dns", "udp dst port 53 and dst host 198.18.60.53"),
    ("dot", "tcp dst port 853"),
    ("doh", "tcp dst port 443"),
    ("ipv6", "ip6 and tcp"),
    ("quic", "udp dst port 443"),
    ("stun", "udp dst port 3478 and udp[12:4] = 0x2112a442"),
    ("mdns", "udp dst port 5353 and dst host 224.0.0.251"),
    ("ssdp", "udp dst port 1900 and dst host 239.255.255.250"),
    ("llmnr", "udp dst port 5355 and dst host 224.0.0.252"),
    ("ntp", "udp dst port 123 and udp[8] = 0x23"),
    ("icmp", "icmp[icmptype] = icmp-echo"),
    ("raw", "ip proto 253"),
    ("lan", "dst host 192.168.1.1"),
    ("link-local", "dst host 169.254.7.7"),
    ("metadata", "dst host 169.254.169.254"),
    ("multicast", "udp and dst host 239.1.2.3"),
    ("tcp", "tcp dst port 80 and dst host 198.18.60.53"),
    ("udp", "udp dst port 4321 and dst host 198.18.60.53"),
];

pub(super) fn proxies(world: &World) -> Result<()> {
    let script = "curl -sS --max-time 5 --proxy socks5h://socks.leaks.example:1080 http://www.leaks.example/
        curl -sS --max-time 5 --proxy http://http.leaks.example:8888 http://www.leaks.example/";
    let said = world.ask("home", script)?;
    ensure!(said == "from 198.18.10.80\n".repeat(2), "{said}");
    Ok(())
}

pub(super) fn leaks(world: &World) -> Result<()> {
    let listed = world.ask("home", "worlds/leaks/leak")?;
    let known: Vec<&str> = LEAKS.iter().map(|(class, _)| *class).collect();
    ensure!(listed.lines().eq(known.iter().copied()), "the script's classes are {listed}");
    // For each leak: what its own filter counts, and all others together.
    let counts = LEAKS.iter().map(|(class, filter)| {
        let others: Vec<String> = LEAKS
            .iter()
            .filter(|(other, _)| other != class)
            .map(|(_, filter)| format!("({filter})"))
            .collect();
        format!(
            "seen {class}; echo {class} $(count '{filter}') $(count '({}) and not ({filter})')\n",
            others.join(" or ")
        )
    });
    let script = format!(
        "file=/run/world/leak.pcap
        seen() {{
            # What the last one said is no word of the next.
            rm -f /run/world/tcpdump
            tcpdump -Z root -U --immediate-mode -i eth0 -Q out -w $file 2>/run/world/tcpdump & watch=$!
            until grep -sq listening /run/world/tcpdump; do sleep 0.02; done
            worlds/leaks/leak $1; sleep 0.2; kill -INT $watch; wait $watch
        }}
        count() {{ tcpdump -n -r $file \"$1\" 2>/dev/null | wc -l; }}
        {}",
        counts.collect::<String>()
    );
    let said = world.ask("home", &script)?;
    for line in said.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [class, own, others] = fields[..] else { anyhow::bail!("{said}") };
        ensure!(own != "0", "{class}: nothing left");
        ensure!(others == "0", "{class}: {others} packets of other classes left too");
    }
    ensure!(said.lines().count() == LEAKS.len(), "{said}");
    Ok(())
}

/// What an app without privilege cannot even send: the room's test of itself alone sends it.
const PRIVILEGED: [&str; 1] = ["raw"];

/// The leaks of the script, and the class and country of each in a certificate.
const LISTED: &[(&str, &str, Option<&str>)] = &[
    ("dns", "dns", Some("CN")),
    ("dot", "dot", Some("CN")),
    // To a resolver that nobody knows as one.
    ("doh", "other-tcp", Some("CN")),
    ("ipv6", "ipv6", Some("CN")),
    ("quic", "quic", Some("CN")),
    ("stun", "stun", Some("CN")),
    ("mdns", "mdns", None),
    ("ssdp", "ssdp", None),
    ("llmnr", "llmnr", None),
    ("ntp", "ntp", Some("CN")),
    // By an unprivileged socket, which Linux has for echoes.
    ("icmp", "icmp", Some("CN")),
    ("lan", "lan", None),
    ("link-local", "link-local", None),
    ("metadata", "metadata", None),
    ("multicast", "multicast", None),
    ("tcp", "other-tcp", Some("CN")),
    ("udp", "other-udp", Some("CN")),
];

/// By either proxy, every leak and then a page through the proxy.
pub(super) fn confined(world: &World) -> Result<()> {
    let all: Vec<&str> = LEAKS.iter().map(|(class, _)| *class).collect();
    let leak = root().join("worlds/leaks/leak");
    let app = format!(
        "for class in {}; do {} $class; done 2>/dev/null; curl -sS --max-time 5 http://www.leaks.example/",
        all.join(" "),
        leak.display()
    );
    for proxy in ["socks5://198.18.90.10:1080", "http://198.18.50.10:8888"] {
        let (code, said, certificate) = confine(world, proxy, &app)?;
        ensure!(code == 1, "{proxy}: the exit code is {code}: {said}");
        ensure!(said.contains("from 198.18.10.80"), "{proxy}: no page came through the proxy: {said}");
        stopped(&certificate["statement"]).with_context(|| format!("{proxy}: {certificate:#}"))?;
    }
    Ok(())
}

/// Every leak is listed with its class and country, and nobody but the proxy was reached.
fn stopped(statement: &Value) -> Result<()> {
    let list = |field: &str| statement[field].as_array().cloned().unwrap_or_default();
    let attempted = list("attempted");
    for (leak, class, country) in LISTED {
        let listed = |attempt: &Value| attempt["class"] == *class && attempt["country"].as_str() == *country;
        ensure!(attempted.iter().any(listed), "{leak} is not listed as {class} to {country:?}");
    }
    let known = |attempt: &Value| LISTED.iter().any(|(_, class, _)| attempt["class"] == *class);
    ensure!(attempted.iter().all(known), "something is listed that nobody tried");
    for class in PRIVILEGED {
        let planted = list("planted");
        let proven =
            planted.iter().any(|it| it["class"] == class && it["stopped"] == true && it["seen"] == true);
        ensure!(proven, "{class} was not planted, stopped and seen");
    }
    let at = statement["proxy"]["at"].as_array().cloned().unwrap_or_default();
    let passed = list("passed");
    ensure!(!passed.is_empty(), "nothing went to the proxy");
    ensure!(passed.iter().all(|passed| at.contains(&passed["to"])), "somebody else was reached");
    let by_curl =
        |attempt: &Value| attempt["class"] == "metadata" && attempt["processes"][0]["name"] == "curl";
    ensure!(attempted.iter().any(by_curl), "it is not said that curl tried");
    Ok(())
}

/// An app that keeps to its proxy is cleared; one whose proxy is down has no network.
pub(super) fn held(world: &World) -> Result<()> {
    let page = "curl -sS --max-time 5 http://www.leaks.example/";
    for proxy in ["socks5://198.18.90.10:1080", "http://198.18.50.10:8888"] {
        let (code, said, certificate) = confine(world, proxy, page)?;
        ensure!(code == 0 && said.contains("from 198.18.10.80"), "{proxy}: exit code {code}: {said}");
        ensure!(certificate["statement"]["attempted"] == Value::Array(Vec::new()), "{certificate:#}");
    }
    let around =
        format!("{page} || curl -sS --noproxy '*' --max-time 5 http://198.18.10.80/ || echo no network");
    let (code, said, certificate) = confine(world, "socks5://198.18.90.10:9", &around)?;
    ensure!(
        said.contains("no network") && !said.contains("from 198.18.10.80"),
        "there was a fallback: {said}"
    );
    ensure!(code == 1, "the exit code is {code}: {said}");
    ensure!(certificate["statement"]["passed"] == Value::Array(Vec::new()), "{certificate:#}");
    Ok(())
}

/// Confines a line of shell, and has its certificate verified: exit code, what was said, certificate.
fn confine(world: &World, proxy: &str, line: &str) -> Result<(i32, String, Value)> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("app"), format!("#!/bin/sh\n{line}\n"))?;
    let script = format!(
        "export XDG_DATA_HOME={folder}
        {program} confine --mmdb $OVERHEARD_PLACES --read {leaks} --read $OVERHEARD_WORLD --read {folder}/app \
            --proxy {proxy} --capture {folder}/app.pcapng -- sh {folder}/app 2>&1; echo code $?
        {program} verify {folder}/app.certificate.json {folder}/app.pcapng >/dev/null || exit 1",
        folder = folder.path().display(),
        program = program().display(),
        leaks = root().join("worlds/leaks").display(),
    );
    let said = world.ask("home", &script)?;
    let (_, code) = said.rsplit_once("code ").context("no exit code")?;
    let certificate = certificate(&path("app.certificate.json"))?;
    Ok((code.trim().parse()?, said, certificate))
}

fn certificate(path: &Path) -> Result<Value> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) => bail!("{}: {error}", path.display()),
    }
}
