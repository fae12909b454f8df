//! Filters: what `overheard uploads` and `overheard keywords` say from outside of clients and servers that drop or copy
//! what is written, held to what is planted. What reached the host of the copies is told by its own log.

use super::{World, program};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What a world's file states.
struct Plant {
    world: &'static str,
    sender: &'static str,
    receiver: &'static str,
    /// After "trigger", "plain" and "blocked": which texts.
    texts: &'static str,
    outcome: &'static str,
    /// To where copies go, and which level of a factor is the trigger if the words are not.
    upload: Option<(&'static str, Option<(&'static str, &'static str)>)>,
    /// All words of a rule are needed.
    rules: &'static [&'static [&'static str]],
    /// Of the comparison: enough for p ≤ 0.0025 with other endpoints' chatter beside it.
    trials: &'static str,
}

const CLEAN: &str = "worlds/filter/kite alice";
const PLUGGED: &str = "worlds/filter/kite alice worlds/filter/lantern.pl";
const FRIEND: &str = "worlds/filter/kite bob";
const WORDS: &[&[&str]] = &[&["harbour", "strike"]];
const LOG: &str = "log.lantern.example:443";
/// The room's.
const NAME_SERVER: &str = "10.219.0.1:53/udp";
const FEW: &str = "--trials 8 --sham 1 --lag 2";

const PLANTS: &[Plant] = &[
    Plant {
        world: "filter-server",
        sender: "worlds/filter/heron alice",
        receiver: "worlds/filter/heron bob",
        texts: "-zh",
        outcome: "dropped",
        upload: None,
        rules: &[&["港口", "罢工"], &["请愿书"]],
        trials: FEW,
    },
    Plant { world: "filter-drop", outcome: "dropped", upload: None, ..PLUG_IN },
    PLUG_IN,
    Plant { world: "filter-both", outcome: "both", ..PLUG_IN },
    Plant { world: "filter-late", trials: "--trials 10 --sham 1 --lag 6", ..PLUG_IN },
    Plant { world: "filter-plain", upload: Some(("log.lantern.example:80", None)), ..PLUG_IN },
    Plant {
        world: "filter-user",
        sender: "worlds/filter/kite {user} worlds/filter/lantern.pl",
        upload: Some((LOG, Some(("user", "carol")))),
        rules: &[],
        trials: "--trials 8 --sham 4 --lag 2 --factor user=alice,carol",
        ..PLUG_IN
    },
    Plant { world: "filter-none", sender: CLEAN, outcome: "neither", upload: None, rules: &[], ..PLUG_IN },
];

/// What most of them are variants of.
const PLUG_IN: Plant = Plant {
    world: "filter-copy",
    sender: PLUGGED,
    receiver: FRIEND,
    texts: "",
    outcome: "copied",
    upload: Some((LOG, None)),
    rules: WORDS,
    trials: FEW,
};

fn plant(world: &World) -> Result<&'static Plant> {
    PLANTS.iter().find(|plant| plant.world == world.name).context("nothing is stated of this world")
}

/// Right of the four answers, the endpoint and the trigger; and as many copies as were planted.
pub(super) fn compared(world: &World) -> Result<()> {
    let plant = plant(world)?;
    let texts =
        format!("--trigger worlds/filter/trigger{0}.txt --benign worlds/filter/plain{0}.txt", plant.texts);
    let (inquiry, copied) = ask(world, plant, "uploads", &format!("{texts} {}", plant.trials))?;
    let uploads = list(&inquiry["uploads"]);
    let stated = |upload: &&Value| match plant.upload {
        Some((endpoint, cause)) => {
            let cause = cause.map_or(
                Value::Object(Default::default()),
                |(name, level)| serde_json::json!({ name: level }),
            );
            upload["endpoint"] == endpoint && upload["factors"] == cause
        }
        None => false,
    };
    ensure!(inquiry["outcome"] == plant.outcome, "{}: {inquiry:#}", inquiry["outcome"]);
    let (stated, others): (Vec<&Value>, Vec<&Value>) = uploads.iter().partition(stated);
    ensure!(stated.len() == usize::from(plant.upload.is_some()), "uploads: {uploads:?}");
    // Whoever copies asks for the host's name first.
    let asked = |upload: &&Value| plant.upload.is_some() && upload["endpoint"] == NAME_SERVER;
    ensure!(others.iter().all(asked), "nothing like that is planted: {others:?}");
    if plant.upload.is_none() {
        let size = &list(&inquiry["detectable"])[0];
        ensure!(
            size["bytes"].as_u64().is_some_and(|bytes| bytes <= 300),
            "what would have been seen: {size}"
        );
    }
    let trials = list(&inquiry["trials"]);
    let caught = trials.iter().filter(|trial| match plant.upload {
        Some((_, Some((name, level)))) => trial["factors"][name] == level && trial["arm"] != "sham",
        Some((_, None)) => trial["arm"] == "trigger",
        None => false,
    });
    let caught = caught.count();
    ensure!(copied == caught, "{copied} copies were made of {caught} messages");
    Ok(())
}

/// The words of every rule.
pub(super) fn searched(world: &World) -> Result<()> {
    let plant = plant(world)?;
    let (inquiry, _) =
        ask(world, plant, "keywords", &format!("--text worlds/filter/blocked{}.txt --no-room", plant.texts))?;
    let mut found: Vec<Vec<String>> =
        list(&inquiry["rules"]).iter().map(|rule| words(&rule["all"])).collect();
    found.sort();
    let mut stated: Vec<Vec<String>> =
        plant.rules.iter().map(|rule| rule.iter().map(|word| (*word).to_owned()).collect()).collect();
    stated.sort();
    ensure!(found == stated, "rules: {found:?}");
    Ok(())
}

fn words(all: &Value) -> Vec<String> {
    let mut words: Vec<String> =
        list(all).iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
    words.sort();
    words
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What the command says, and how many copies the host of the copies has.
fn ask(world: &World, plant: &Plant, command: &str, options: &str) -> Result<(Value, usize)> {
    let folder = tempfile::tempdir()?;
    let script = format!(
        "{program} {command} --sender '{sender}' --receiver '{receiver}' {options} --trials-folder {folder}/trials \\
            --pace 0-0.3 --window 1 --washout 0.3 --longest 400 --format json >{folder}/inquiry 2>{folder}/said
        case $? in 0 | 1) ;; *) cat {folder}/said {folder}/inquiry >&2; exit 2 ;; esac
        cat $OVERHEARD_WORLD/log.*.log 2>/dev/null | wc -l",
        program = program().display(),
        sender = plant.sender,
        receiver = plant.receiver,
        folder = folder.path().display(),
    );
    let copied = world.ask("home", &script)?.trim().parse()?;
    let inquiry = std::fs::read(folder.path().join("inquiry"))?;
    Ok((serde_json::from_slice(&inquiry)?, copied))
}
