//! `overheard keywords` between two clients of shell script, with a filter that is known.

mod clients;
mod program;

use clients::Clients;
use program::{Answer, overheard};
use serde_json::Value;
use std::fs;
use std::ops::Deref;

const TEXT: &str = "we walk by the river and drink some tea at noon";

/// A filter on the way between two clients.
struct Way(Clients);

impl Deref for Way {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.0
    }
}

impl Way {
    fn new(pattern: &str, limit: usize, dies: usize) -> Self {
        let way = Self(Clients::new(pattern, limit, "sent", dies));
        way.write("text.txt", TEXT);
        way
    }

    fn ask(&self, question: &[&str], more: &[&str]) -> Answer {
        let defaults = [["--loss", "0.05"], ["--leak", "0.02"]];
        let defaults: Vec<&str> =
            defaults.iter().filter(|default| !more.contains(&default[0])).flatten().copied().collect();
        self.ask_measuring(question, &[&defaults[..], more].concat())
    }

    /// What is not given is measured.
    fn ask_measuring(&self, question: &[&str], more: &[&str]) -> Answer {
        let folder = self.path().display();
        let [sender, receiver] = self.commands("alice");
        let trials = format!("{folder}/trials");
        let mut all = vec![
            "keywords",
            "--sender",
            &sender,
            "--receiver",
            &receiver,
            "--trials-folder",
            &trials,
            "--no-room",
        ];
        all.extend(["--pace", "0-0", "--window", "0.7", "--format", "json"]);
        let file = format!("{folder}/{}", question[1]);
        all.extend([question[0], &file]);
        all.extend(more);
        overheard(&all)
    }

    fn text(&self, more: &[&str]) -> Answer {
        self.ask(&["--text", "text.txt"], more)
    }
}

fn kinds(answer: &Answer) -> Vec<String> {
    let warnings = answer.json()["warnings"].as_array().expect("a list").clone();
    warnings.iter().map(|warning| warning["kind"].as_str().expect("a kind").to_owned()).collect()
}

#[test]
fn the_words_are_found_and_nothing_is_sent_twice() {
    let way = Way::new("*river*tea*|*tea*river*", 10_000, 0);
    // Too small a budget is a hard stop, and a larger one goes on from there.
    let first = way.text(&["--budget", "7"]);
    assert_eq!((first.code, way.sent()), (4, 7), "{first:?}");
    assert!(kinds(&first).contains(&"broken-off".to_owned()), "{first:?}");
    let dry = way.text(&["--dry-run", "--budget", "9"]).stdout;
    assert!(dry.contains("7 were spent in earlier calls, 7 of them by the search."), "{dry}");
    assert!(dry.contains("would send 2 of the 2 that --budget allows"), "{dry}");
    let found = way.text(&[]);
    assert_eq!(found.code, 1, "{found:?}");
    let json = found.json();
    assert_eq!(json["schema"], "overheard-inquiry/1");
    assert_eq!(json["outcome"], "dropped");
    assert_eq!(json["rules"][0]["all"], serde_json::json!(["river", "tea"]), "{json}");
    assert!(json["rules"][0]["error_bound"].as_f64().expect("a bound") <= 0.005);
    assert_eq!(json["messages"], way.sent());
    assert_eq!(json["ledger"]["accounts"]["alice"], way.sent());
    let before = way.sent();
    assert_eq!(way.text(&[]).stdout, found.stdout);
    assert_eq!(way.sent(), before, "all was answered already");
    let dry = way.text(&["--dry-run"]).stdout;
    assert!(dry.contains("the search has its answer.\nThe sender's account would send 0"), "{dry}");
    assert_eq!(way.sent(), before);
    way.text(&["--error", "0.1"]).refuses("another question");
}

/// Two questions in two folders: what the account spent on the first is not there for the second.
#[test]
fn a_ledger_bounds_what_an_account_spends_on_all_questions() {
    let (one, other) = (Way::new("*river*tea*", 10_000, 0), Way::new("*river*tea*", 10_000, 0));
    let ledger = one.path().join("ledger.jsonl").display().to_string();
    let with = |budget| ["--ledger", ledger.as_str(), "--budget", budget];
    let first = one.text(&with("7"));
    assert_eq!((first.code, one.sent()), (4, 7), "{first:?}");
    let second = other.text(&with("10"));
    assert_eq!((second.code, other.sent()), (4, 3), "{second:?}");
    let told = second.json()["warnings"].to_string();
    assert!(told.contains("alice has spent the 10 messages that --budget allows"), "{told}");
    let dry = other.text(&[&with("10")[..], &["--dry-run"]].concat()).stdout;
    assert!(dry.contains("accounts have spent in all: alice 10."), "{dry}");
    let without = other.text(&["--budget", "4"]);
    assert_eq!((without.code, other.sent()), (4, 4), "the folder's own budget: {without:?}");
}

#[test]
fn words_of_a_list_are_found() {
    let way = Way::new("*lamp*|*moss*", 10_000, 0);
    way.write("words.txt", "stone\n\nlamp\ncloud\nlamp\nmoss\nbread\nwheel\n");
    let found = way.ask(&["--words", "words.txt"], &[]);
    let mut words: Vec<String> = found.json()["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["all"][0].to_string())
        .collect();
    words.sort();
    assert_eq!(words, ["\"lamp\"", "\"moss\""], "{found:?}");
    let known = &found.json()["candidates"];
    let all = serde_json::json!({
        "cleared": ["bread", "cloud", "stone", "wheel"], "cleared_alone": known["cleared_alone"],
        "open": [], "pairs_open": false, "left_out": []
    });
    assert_eq!(known, &all, "{found:?}");
    assert!(known["cleared_alone"].as_u64().is_some_and(|alone| alone <= 4), "{found:?}");
}

#[test]
fn the_part_of_a_candidate_that_does_it_is_named() {
    let way = Way::new("*bird*", 10_000, 0);
    way.write("words.txt", "stone\nblackbird\ncloud\nmoss\n");
    let listed = way.ask(&["--words", "words.txt"], &["--as-listed"]).json();
    let rule = &listed["rules"][0];
    assert!(rule["all"] == serde_json::json!(["blackbird"]) && rule["exact"] == false, "{listed}");
    fs::remove_dir_all(way.path().join("trials")).expect("a folder of trials");
    let json = way.ask(&["--words", "words.txt"], &[]).json();
    let rule = &json["rules"][0];
    assert!(rule["all"] == serde_json::json!(["bird"]) && rule["exact"] == true, "{json}");
    assert_eq!(rule["candidates"], serde_json::json!(["blackbird"]), "{json}");
    assert!(json["answer"].to_string().contains("“bird”, which “blackbird” holds"), "{json}");
}

#[test]
fn candidates_that_a_budget_leaves_open_are_named() {
    let way = Way::new("*lamp*", 10_000, 0);
    way.write("words.txt", "stone\nlamp\ncloud\nmoss\nbread\nwheel\n");
    let json = way.ask(&["--words", "words.txt"], &["--budget", "2"]).json();
    let count = |list: &Value| list.as_array().expect("a list").len();
    let known = &json["candidates"];
    let ruled = count(&json["rules"]);
    assert_eq!(ruled + count(&known["cleared"]) + count(&known["open"]), 6, "{json}");
    assert!(count(&known["open"]) > 0 && known["pairs_open"] == true, "{json}");
}

#[test]
fn rules_that_share_a_word_are_found() {
    let way = Way::new("*river*tea*|*tea*river*|*river*noon*|*noon*river*", 10_000, 0);
    let all = way.text(&["--budget", "300"]);
    assert_eq!(all.json()["rules"].as_array().map(Vec::len), Some(2), "{all:?}");
}

#[test]
fn a_word_of_a_list_that_switches_the_filter_off_is_a_warning() {
    let way = Way::new("*lamp*", 10_000, 0);
    let sender = fs::read_to_string(way.path().join("sender")).expect("a script");
    way.write("sender", &sender.replace("*lamp*) ;;", "*moss*) echo \"{\\\"event\\\":\\\"received\\\",\\\"from\\\":\\\"alice\\\",\\\"text\\\":\\\"$text\\\"}\" >&3 ;; *lamp*) ;;"));
    way.write("words.txt", "stone\nlamp\ncloud\nmoss\nbread\nwheel\n");
    let found = way.ask(&["--words", "words.txt"], &[]);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(kinds(&found).contains(&"not-monotone".to_owned()), "{found:?}");
    assert_eq!(found.json()["rules"][0]["all"], serde_json::json!(["lamp"]), "{found:?}");
}

/// One in six of what the filter stops arrives all the same.
#[test]
fn a_leak_is_measured_without_rooms() {
    let way = Way::new("*river*", 10_000, 0);
    let sender = fs::read_to_string(way.path().join("sender")).expect("a script");
    let passes = "*river*) stopped=$((stopped + 1)); if [ $((stopped % 6)) -eq 3 ]; then echo \"{\\\"event\\\":\\\"received\\\",\\\"from\\\":\\\"alice\\\",\\\"text\\\":\\\"$text\\\"}\" >&3; fi ;;";
    way.write("sender", &sender.replace("*river*) ;;", passes));
    let json = way.ask_measuring(&["--text", "text.txt"], &["--budget", "400"]).json();
    let leak = json["assumed"]["leak"].as_f64();
    assert!(leak.is_some_and(|leak| (0.1..0.3).contains(&leak)), "{json}");
    assert_eq!(json["rules"][0]["all"], serde_json::json!(["river"]), "{json}");
}

/// Its letters in another order would hold it too, and look like a ban.
#[test]
fn a_word_of_one_character_is_told_from_a_ban() {
    let way = Way::new("*茶*", 10_000, 0);
    way.write("text.txt", "我们明天早上八点在桥边喝茶聊天");
    let found = way.ask_measuring(&["--text", "text.txt"], &[]);
    assert_eq!(found.json()["rules"][0]["all"], serde_json::json!(["茶"]), "{found:?}");
    assert!(kinds(&found).iter().all(|kind| kind == "delivery-alone"), "{found:?}");
}

/// From the twentieth message on one in four is lost, whatever it says.
#[test]
fn what_arrives_is_no_finding() {
    let found = Way::new("nothing", 10_000, 0).text(&[]);
    let json = found.json();
    assert_eq!((found.code, &json["outcome"]), (0, &Value::Null), "of copies nothing is known: {found:?}");
    assert_eq!(json["judged"], serde_json::json!({ "dropped": false, "copied": null }));
    assert!(kinds(&found).contains(&"delivery-alone".to_owned()));
}

#[test]
fn a_banned_account_is_no_filter() {
    let way = Way::new("*river*", 5, 0);
    let banned = way.text(&[]);
    assert_eq!(banned.code, 4, "{banned:?}");
    assert!(kinds(&banned).contains(&"silent".to_owned()), "{banned:?}");
    assert!(banned.json()["rules"].as_array().expect("rules").is_empty());
    // Once it is free the search goes on from what arrived last.
    way.write_sender("*river*", 10_000, "sent", 0);
    let sent = way.sent();
    let mended = way.text(&[]);
    assert_eq!(mended.json()["rules"][0]["all"], serde_json::json!(["river"]), "{mended:?}");
    assert!(way.sent() > sent && !kinds(&mended).contains(&"silent".to_owned()), "{mended:?}");
    let sent = way.sent();
    assert_eq!(way.text(&[]).stdout, mended.stdout);
    assert_eq!(way.sent(), sent, "all was answered already");
}

#[test]
fn a_client_that_dies_is_named_and_its_message_stays_spent() {
    let way = Way::new("*river*", 10_000, 4);
    let died = way.text(&[]);
    assert_eq!((died.code, way.sent()), (4, 4), "{died:?}");
    assert!(died.stdout.contains("the sender's client ended; its last words: the sea is rough"), "{died:?}");
    let found = way.text(&[]);
    assert_eq!(found.json()["rules"][0]["all"], serde_json::json!(["river"]), "{found:?}");
    assert!(kinds(&found).contains(&"unanswered".to_owned()), "{found:?}");
    assert_eq!(found.json()["messages"], way.sent());
}

#[test]
fn a_dry_run_sends_nothing_and_bad_input_is_refused() {
    let way = Way::new("*river*", 10_000, 0);
    let dry = way.text(&["--dry-run"]);
    assert!(dry.code == 0 && dry.stdout.contains("Nothing was sent"), "{dry:?}");
    assert!(way.sent() == 0 && !way.path().join("trials").exists());
    way.text(&["--longest", "10"]).refuses("--longest");
    way.text(&["--leak", "0.7"]).refuses("--leak 0.7");
    for (blank, refused) in
        [("", "no text"), (" \t\u{3000}\n", "nothing but blanks"), ("x\n", "one character")]
    {
        way.write("text.txt", blank);
        way.text(&[]).refuses(refused);
    }
    way.text(&["--to", "{peer}"]).refuses("--to: nothing replaces {peer}");
    way.write("text.txt", "");
    way.ask(&["--words", "text.txt"], &[]).refuses("no words");
    way.write("text.txt", TEXT);
    way.write("receiver", "exit 3");
    way.text(&[]).refuses("the receiver's client ended");
}
