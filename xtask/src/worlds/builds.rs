//! Builds that differ, and builds that do not: recorded at the vantage by tcpdump, run by run in turn, and compared.

use super::{Said, World, program, said};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Runs each build so often, one after the other, each run recorded to FOLDER/BUILD/N.pcap.
fn record(world: &World, folder: &Path, builds: &[(&str, &str)], runs: u32) -> Result<()> {
    let mut script = format!("cd {}\n", crate::root().display());
    for run in 1..=runs {
        for (build, command) in builds {
            let file = folder.join(build).join(format!("{run}.pcap"));
            std::fs::create_dir_all(folder.join(build))?;
            write!(
                script,
                "tcpdump -Z root -U --immediate-mode -B 8192 -i eth0 -w {0} 2>/run/world/tcpdump & watch=$!
                until grep -q listening /run/world/tcpdump; do sleep 0.02; done
                {command} >/run/world/said 2>&1 || {{ cat /run/world/said; exit 1; }}
                sleep 0.2; kill -INT $watch; wait $watch; rm /run/world/tcpdump\n",
                file.display()
            )?;
        }
    }
    world.ask("home", &script).map(drop)
}

/// `overheard compare` over what was recorded, with the world's places.
fn compare(folder: &Path, builds: &[(&str, &str)]) -> Result<(Said, Value)> {
    let mut command = Command::new(program());
    command.args(["compare", "--format", "json", "--mmdb", "corpus/places.mmdb", "--concern", "CN"]);
    command.args(builds.iter().map(|(build, _)| format!("{build}={}", folder.join(build).display())));
    let said = said(command)?;
    let end = said.out.rfind('}').map_or(0, |end| end + 1);
    let json = serde_json::from_str(&said.out[..end]).with_context(|| said.out.clone())?;
    Ok((said, json))
}

/// What is claimed of builds: every relation but `shared` and `unproven`.
#[derive(Debug)]
struct Claim {
    level: String,
    key: String,
    country: String,
    build: String,
    relation: String,
}

fn claims(comparison: &Value) -> Vec<Claim> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut claims = Vec::new();
    for key in comparison["keys"].as_array().into_iter().flatten() {
        for (build, relation) in key["relations"].as_object().into_iter().flatten() {
            let relation = text(&relation["relation"]);
            if !matches!(relation.as_str(), "shared" | "unproven") {
                let (level, country) = (text(&key["level"]), text(&key["country"]));
                claims.push(Claim { level, key: text(&key["key"]), country, build: build.clone(), relation });
            }
        }
    }
    claims
}

pub(super) fn same(world: &World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let builds = [("first", "worlds/same/app"), ("second", "worlds/same/app")];
    record(world, folder.path(), &builds, 12)?;
    let (said, comparison) = compare(folder.path(), &builds)?;
    let claims = claims(&comparison);
    ensure!(claims.is_empty(), "false alarms: {claims:?}");
    ensure!(said.code != 1, "the exit code says that something was found");
    Ok(())
}

pub(super) fn rate(world: &World) -> Result<()> {
    let script = "for n in $(seq 60); do for build in regular pushy
        do echo $build $(worlds/rate/app $build); done; done";
    let said = world.ask("home", script)?;
    let count = |line: &str| said.lines().filter(|said| *said == line).count();
    let (regular, pushy) = (count("regular from 198.18.60.1"), count("pushy from 198.18.60.1"));
    let others = count("regular from 198.18.30.1") + count("pushy from 198.18.30.1");
    ensure!(regular + pushy + others == 120, "{said}");
    // 12 and 48 of 60, give or take five standard deviations.
    ensure!((1..=27).contains(&regular), "regular: {regular} of 60 from CN");
    ensure!((33..=59).contains(&pushy), "pushy: {pushy} of 60 from CN");
    Ok(())
}

/// Exactly what is planted: China, and the partner's name, in both co-branded builds; and whatever else is claimed
/// lies in China or is the partner's.
pub(super) fn tom_skype(world: &World) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let builds = [
        ("regular", "worlds/tom-skype/kite"),
        ("co-branded-en", "worlds/tom-skype/lantern-en"),
        ("co-branded-zh", "worlds/tom-skype/lantern-zh"),
    ];
    record(world, folder.path(), &builds, 6)?;
    let (said, comparison) = compare(folder.path(), &builds)?;
    let claims = claims(&comparison);
    for build in ["co-branded-en", "co-branded-zh"] {
        for (level, key) in [("country", "CN"), ("name", "lantern.example")] {
            let found = claims.iter().any(|claim| {
                claim.build == build && claim.level == level && claim.key == key && claim.relation == "only"
            });
            ensure!(found, "{level} {key} was not found only in {build}: {claims:?}");
        }
    }
    let planted =
        |claim: &&Claim| claim.country == "CN" || claim.key == "CN" || claim.key == "lantern.example";
    let untrue: Vec<&Claim> = claims.iter().filter(|claim| !planted(claim)).collect();
    ensure!(untrue.is_empty(), "nothing like that is planted: {untrue:?}");
    ensure!(said.code == 1, "the exit code is {}", said.code);
    Ok(())
}

/// Somebody else in the channel, and the partner's log.
pub(super) fn plug_in(world: &World) -> Result<()> {
    let said =
        ["shall we meet in the park at eight?", "the strike begins at noon", "they took the petition down"];
    let truth: [(&str, &[&str], &[&str]); 3] = [
        ("kite", &said, &[]),
        ("lantern-en", &said[..2], &["language=en&did=copy&text=1", "language=en&did=drop&text=2"]),
        (
            "lantern-zh",
            &said[..2],
            &["language=zh&did=copy&text=0", "language=zh&did=copy&text=1", "language=zh&did=drop&text=2"],
        ),
    ];
    for (app, heard, copied) in truth {
        let script = format!(
            "{{ printf 'NICK other\r\nUSER other 0 * :other\r\nJOIN #park\r\n'; sleep 20; }} |
                openssl s_client -quiet -connect chat.kite.example:6697 2>/dev/null >/run/world/heard & other=$!
            until grep -q '366' /run/world/heard; do sleep 0.1; done
            worlds/tom-skype/{app} >/dev/null || exit 1
            sleep 0.3; sed -n 's/\r$//; s/.*PRIVMSG #park ://p' /run/world/heard
            echo; cut -d' ' -f2- $OVERHEARD_WORLD/said.log"
        );
        let answer = world.ask("home", &script)?;
        let copied = copied.iter().map(|line| {
            let (line, nth) = line.split_at(line.len() - 1);
            format!("{line}{}\n", said[usize::from(nth.as_bytes()[0] - b'0')])
        });
        let heard: String = heard.iter().map(|line| format!("{line}\n")).collect();
        let expected = format!("{heard}\n{}", copied.collect::<String>());
        ensure!(answer == expected, "{app}: {answer}");
    }
    Ok(())
}
