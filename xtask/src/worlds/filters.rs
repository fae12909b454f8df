//! Filters: what `overheard uploads` and `overheard keywords` say from outside of clients and servers that drop or copy
//! what is written, held to what is planted. What reached the host of the copies is told by its own log.

use super::{World, program};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// What a world's file states, and how it is asked.
struct Plant {
    world: &'static str,
    sender: &'static str,
    receiver: &'static str,
    asked: Asked,
    /// Beside those that all have.
    options: &'static str,
    outcome: &'static str,
    /// Where copies go.
    copied_to: Option<&'static str>,
    /// The level of a factor that is the trigger, where words are not.
    cause: Option<(&'static str, &'static str)>,
    /// All words of a rule are needed.
    rules: &'static [&'static [&'static str]],
    /// As what copies can be read, by whoever sees the packets or has the client's key log.
    readable: Option<&'static str>,
}

enum Asked {
    /// `uploads`: whether texts like those of `trigger.txt` are dropped or copied, against those of `plain.txt`.
    Compare,
    /// `keywords`: the same of one text, and which of its words do it.
    Search { text: &'static str },
}

const PLUGGED: &str = "worlds/filter/kite alice worlds/filter/lantern.pl";
const FRIEND: &str =
    "{program} driver irc --server chat.kite.example:6697 --tls --ca $OVERHEARD_WORLD/ca.pem --nick bob";

/// What all are variants of. Seven trials of each arm are enough for p ≤ 0.0025 with chatter beside it.
const COPY: Plant = Plant {
    world: "filter-copy",
    sender: PLUGGED,
    receiver: FRIEND,
    asked: Asked::Compare,
    options: "--trials 7 --sham 1 --lag 2",
    outcome: "copied",
    copied_to: Some("log.lantern.example:443"),
    cause: None,
    rules: &[],
    readable: None,
};
const SEARCH: Plant = Plant {
    options: "--calibration 7 --lag 2",
    asked: Asked::Search { text: "blocked" },
    rules: WORDS,
    ..COPY
};
const WORDS: &[&[&str]] = &[&["harbour", "strike"]];

const PLANTS: &[Plant] = &[
    Plant {
        options: "--calibration 7 --lag 2 --loss 0.01 --leak 0.01",
        asked: Asked::Search { text: "blocked-short" },
        ..SEARCH
    },
    Plant { world: "filter-both", outcome: "both", ..SEARCH },
    Plant { world: "filter-drop", outcome: "dropped", copied_to: None, ..SEARCH },
    Plant {
        world: "filter-server",
        sender: "worlds/filter/heron alice",
        receiver: "worlds/filter/heron bob",
        asked: Asked::Search { text: "blocked-zh" },
        outcome: "dropped",
        copied_to: None,
        rules: &[&["港口", "罢工"], &["请愿书"]],
        ..SEARCH
    },
    Plant {
        world: "filter-late",
        options: "--trials 7 --sham 0 --lag 5",
        readable: Some("raw (decrypted)"),
        ..COPY
    },
    Plant {
        world: "filter-plain",
        copied_to: Some("log.lantern.example:80"),
        readable: Some("base64"),
        ..COPY
    },
    Plant {
        world: "filter-user",
        sender: "env -u SSLKEYLOGFILE worlds/filter/kite {user} worlds/filter/lantern.pl",
        options: "--trials 8 --sham 4 --lag 2 --factor user=alice,carol",
        cause: Some(("user", "carol")),
        ..COPY
    },
    Plant {
        world: "filter-none",
        sender: "worlds/filter/kite alice",
        outcome: "neither",
        copied_to: None,
        ..COPY
    },
];

/// The right one of the four answers, the endpoint, the trigger and the words; and as many copies as were planted.
pub(super) fn told(world: &World) -> Result<()> {
    let plant =
        PLANTS.iter().find(|plant| plant.world == world.name).context("nothing is stated of this world")?;
    let (inquiry, kept) = ask(world, plant)?;
    ensure!(inquiry["outcome"] == plant.outcome, "{}: {}", inquiry["outcome"], inquiry["answer"]);
    plant.uploads(&inquiry)?;
    plant.words(&inquiry)?;
    plant.copies(&inquiry, kept)
}

impl Plant {
    fn uploads(&self, inquiry: &Value) -> Result<()> {
        let uploads = list(&inquiry["uploads"]);
        let Some(endpoint) = self.copied_to else {
            ensure!(uploads.is_empty(), "nothing is copied: {uploads:?}");
            let seen = &list(&inquiry["detectable"])[0]["bytes"];
            ensure!(seen.as_u64().is_some_and(|bytes| bytes <= 300), "{seen} bytes would have been seen");
            return Ok(());
        };
        let cause = self.cause.map_or(json!({}), |(name, level)| json!({ name: level }));
        let [upload] = uploads else { anyhow::bail!("uploads: {uploads:?}") };
        ensure!(
            upload["endpoint"] == endpoint && upload["factors"] == cause,
            "nobody copies there: {upload:?}"
        );
        Ok(())
    }

    fn words(&self, inquiry: &Value) -> Result<()> {
        let mut found: Vec<Vec<&str>> =
            list(&inquiry["rules"]).iter().map(|rule| words(&rule["all"])).collect();
        let mut stated: Vec<Vec<&str>> = self.rules.iter().map(|rule| rule.to_vec()).collect();
        found.sort();
        stated.sort();
        ensure!(found == stated, "rules: {found:?}");
        Ok(())
    }

    /// What the host of the copies kept is what was caught, of a comparison; and what can be read is read.
    fn copies(&self, inquiry: &Value, kept: usize) -> Result<()> {
        let Asked::Compare = self.asked else { return Ok(()) };
        let caught = list(&inquiry["trials"]).iter().filter(|trial| match (self.copied_to, self.cause) {
            (None, _) => false,
            (Some(_), None) => trial["arm"] == "trigger",
            (Some(_), Some((name, level))) => trial["factors"][name] == level && trial["arm"] != "sham",
        });
        let caught: Vec<&Value> = caught.map(|trial| &trial["number"]).collect();
        ensure!(kept == caught.len(), "{kept} copies were made of {} messages", caught.len());
        let copies = list(&inquiry["copies"]);
        let read = |number: &&Value| copies.iter().any(|copy| copy["act"] == **number);
        match self.readable {
            Some(encoding) => {
                ensure!(caught.iter().all(read), "not all copies were read: {copies:?}");
                let stated = |copy: &Value| {
                    copy["endpoint"] == *self.copied_to.unwrap_or_default() && copy["encoding"] == encoding
                };
                ensure!(copies.iter().all(stated), "copies: {copies:?}");
            }
            None => ensure!(copies.is_empty(), "nothing can be read: {copies:?}"),
        }
        Ok(())
    }
}

fn words(all: &Value) -> Vec<&str> {
    let mut words: Vec<&str> = list(all).iter().filter_map(Value::as_str).collect();
    words.sort_unstable();
    words
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What the command says, and how many copies the host of the copies has.
fn ask(world: &World, plant: &Plant) -> Result<(Value, usize)> {
    let folder = tempfile::tempdir()?;
    let question = match plant.asked {
        Asked::Compare => {
            "uploads --trigger worlds/filter/trigger.txt --benign worlds/filter/plain.txt".into()
        }
        Asked::Search { text } => format!("keywords --text worlds/filter/{text}.txt"),
    };
    let program = program();
    let script = format!(
        "{program} {question} --sender '{sender}' --receiver '{receiver}' --trials-folder {folder}/trials \
            --pace 0-0.3 --window 2 --washout 0.3 --longest 400 {options} \
            --format json >{folder}/inquiry 2>{folder}/said
        case $? in 0 | 1) ;; *) cat {folder}/said {folder}/inquiry >&2; exit 2 ;; esac
        cat $OVERHEARD_WORLD/log.*.log 2>/dev/null | wc -l",
        program = program.display(),
        sender = plant.sender,
        receiver = plant.receiver.replace("{program}", &program.to_string_lossy()),
        options = plant.options,
        folder = folder.path().display(),
    );
    let kept = world.ask("home", &script)?.trim().parse()?;
    let inquiry = std::fs::read(folder.path().join("inquiry"))?;
    Ok((serde_json::from_slice(&inquiry)?, kept))
}
