//! Builds that differ, and builds that do not: each world's study, made as a user would and held to what is planted.

use super::{Said, World, program, said};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;

/// The largest q at which the truth counts as found.
const LEVEL: f64 = 0.05;

/// `overheard run` of the world's study, from its first run on.
fn study(world: &World) -> Result<(Said, Value)> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", super::LIMIT_S]).arg(program()).args(["run", &world.file()]);
    command.arg("--study").arg(folder.path().join("study")).args(["--format", "json"]);
    let said = said(command)?;
    let comparison = serde_json::from_str(&said.out).with_context(|| said.all())?;
    Ok((said, comparison))
}

/// What is claimed of builds: every relation but `shared` and `unproven`.
#[derive(Debug)]
struct Claim {
    level: String,
    key: String,
    country: String,
    build: String,
    relation: String,
    /// 1 where it is not a test's.
    q: f64,
}

fn claims(comparison: &Value) -> Vec<Claim> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut claims = Vec::new();
    for key in comparison["keys"].as_array().into_iter().flatten() {
        for (build, relation) in key["relations"].as_object().into_iter().flatten() {
            let (relation, q) = (text(&relation["relation"]), relation["q"].as_f64().unwrap_or(1.0));
            if !matches!(relation.as_str(), "shared" | "unproven") {
                let (level, country) = (text(&key["level"]), text(&key["country"]));
                let (key, build) = (text(&key["key"]), build.clone());
                claims.push(Claim { level, key, country, build, relation, q });
            }
        }
    }
    claims
}

pub(super) fn same(world: &World) -> Result<()> {
    let (said, comparison) = study(world)?;
    let claims = claims(&comparison);
    ensure!(claims.is_empty(), "false alarms: {claims:?}");
    ensure!(said.code != 1, "the exit code says that something was found");
    Ok(())
}

/// The address in CN is found as more, the one that is drawn instead of it as less, and no absolute anywhere.
pub(super) fn rate(world: &World) -> Result<()> {
    let (said, comparison) = study(world)?;
    let claims = claims(&comparison);
    let found = |key: &str, relation: &str| {
        claims.iter().any(|claim| (&*claim.key, &*claim.relation) == (key, relation) && claim.q <= LEVEL)
    };
    ensure!(found("CN", "more") && found("198.18.60.1", "more"), "CN was not found as a rate: {claims:?}");
    let planted = |claim: &&Claim| match &*claim.country {
        "CN" => claim.relation == "more",
        "IE" => claim.relation == "less",
        _ => false,
    };
    let untrue: Vec<&Claim> = claims.iter().filter(|claim| !planted(claim)).collect();
    ensure!(untrue.is_empty(), "nothing like that is planted: {untrue:?}");
    ensure!(said.code == 1, "the exit code is {}", said.code);
    Ok(())
}

/// The advertisement's country is the vantage's, the datagram is a contact at home and an attempt abroad, and the port
/// that the proxy does not allow is told.
pub(super) fn vantages(world: &World) -> Result<()> {
    let (said, comparison) = study(world)?;
    let from = |key: &str, vantage: &str| {
        let all = comparison["vantages"].as_array().into_iter().flatten();
        let found = all.filter(|from| from["key"] == key && from["vantage"] == vantage);
        found.map(|from| from["cells"]["pushy"]["present"].as_u64().unwrap_or(99)).collect::<Vec<_>>()
    };
    for (key, home, abroad) in [("CN", 0, 8), ("IE", 8, 0), ("DE", 8, 0), ("US", 8, 8)] {
        let seen = (from(key, "home"), from(key, "abroad"));
        ensure!(seen == (vec![home], vec![abroad]), "{key} from home and abroad: {seen:?}");
    }
    let told = |kind: &str, words: &str| {
        let mut warnings = comparison["warnings"].as_array().into_iter().flatten();
        warnings.any(|it| it["kind"] == kind && it["text"].as_str().is_some_and(|text| text.contains(words)))
    };
    let tried = "pushy tried in 8 of 16 runs what nothing is known to have been carried to (198.18.60.1:8080/tcp (CN) \
                 in 8, 198.18.90.5:4321/udp (DE) in 8)";
    ensure!(told("attempts", tried), "no word of what was tried: {}", comparison["warnings"]);
    let failed = "it does not allow that (403) (8)";
    ensure!(told("proxy-failures", failed), "no word of the proxy: {}", comparison["warnings"]);
    ensure!(said.code == 1, "the exit code is {}", said.code);
    Ok(())
}

/// Exactly what is planted: China, and the partner's name, only in the two co-branded builds; and whatever else is
/// claimed lies in China and is only theirs.
pub(super) fn tom_skype(world: &World) -> Result<()> {
    let (said, comparison) = study(world)?;
    let claims = claims(&comparison);
    for build in ["co-branded-en", "co-branded-zh"] {
        for (level, key) in [("country", "CN"), ("name", "lantern.example")] {
            let found = claims.iter().any(|claim| {
                claim.build == build
                    && claim.level == level
                    && claim.key == key
                    && claim.relation == "only"
                    && claim.q <= LEVEL
            });
            ensure!(found, "{level} {key} was not found only in {build}: {claims:?}");
        }
    }
    let planted =
        |claim: &&Claim| claim.country == "CN" && claim.build != "regular" && claim.relation == "only";
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
