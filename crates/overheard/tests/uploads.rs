//! `overheard uploads`: between clients of shell script without rooms, and between real ones in a world with a collector.

mod clients;
mod program;

use clients::Clients;
use program::{Answer, overheard};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::Path;

const TRIGGERS: &str = "we meet by the river\n\nthe river is high\nwe meet by the river\n";
const BENIGN: &str = "we walk in the garden at noon and drink some tea with our friends in the old house\n";

/// A filter on the way between two clients without rooms.
struct Way(Clients);

impl Deref for Way {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.0
    }
}

impl Way {
    fn new(pattern: &str, limit: usize, after: &str, dies: usize) -> Self {
        let way = Self(Clients::new(pattern, limit, after, dies));
        way.write("words.txt", TRIGGERS);
        way.write("plain.txt", BENIGN);
        way
    }

    fn clear(pattern: &str) -> Self {
        Self::new(pattern, 10_000, "sent", 0)
    }

    fn ask(&self, more: &[&str]) -> Answer {
        self.ask_as("alice", more)
    }

    fn ask_as(&self, user: &str, more: &[&str]) -> Answer {
        let folder = self.path().display();
        let [sender, receiver] = self.commands(user);
        let [trigger, benign, trials] =
            ["words.txt", "plain.txt", "trials"].map(|name| format!("{folder}/{name}"));
        let mut all = vec!["uploads", "--sender", &sender, "--receiver", &receiver, "--no-room"];
        all.extend(["--trigger", &trigger, "--benign", &benign]);
        all.extend(["--pace", "0-0", "--window", "0.5", "--format", "json"]);
        all.extend(more);
        for default in [["--trials", "6"], ["--trials-folder", &trials]] {
            all.extend(default.iter().filter(|_| !more.contains(&default[0])));
        }
        overheard(&all)
    }
}

fn warnings(answer: &Answer) -> String {
    answer.json()["warnings"].to_string()
}

#[test]
fn what_is_dropped_is_told_from_what_arrives_and_nothing_is_sent_twice() {
    let way = Way::clear("*river*");
    let found = way.ask(&[]);
    assert_eq!((found.code, found.json()["outcome"].as_str()), (1, Some("dropped")), "{found:?}");
    assert_eq!(way.sent(), 12);
    assert!(warnings(&found).contains("delivery-alone"), "{found:?}");
    assert!(found.stderr.contains("overheard doctor"), "{found:?}");
    assert_eq!(way.ask(&[]).stdout, found.stdout);
    assert_eq!(way.sent(), 12, "all was answered already");
    way.ask(&["--seed", "2"]).refuses("another question");
    way.ask_as("carol", &[]).refuses("another question");
}

#[test]
fn what_is_left_open_is_gone_on_with_at_half_the_error() {
    let way = Way::clear("*river*");
    let few = way.ask(&["--trials", "4"]);
    assert_eq!((few.code, way.sent()), (4, 8), "{few:?}");
    assert!(few.stderr.contains("with --trials 8 goes on from these trials"), "{few:?}");
    way.ask(&["--trials", "6"]).refuses("twice the --trials");
    let dry = way.ask(&["--trials", "8", "--budget", "15", "--dry-run"]);
    let told = "8 messages would be sent, half of them triggers, and 0 acts would send nothing";
    assert!(dry.stdout.contains(told) && dry.stdout.contains("8 were spent in earlier calls"), "{dry:?}");
    assert!(dry.stdout.contains("--budget allows 7, 1 too few."), "{dry:?}");
    let found = way.ask(&["--trials", "8"]);
    let json = found.json();
    assert_eq!((found.code, json["outcome"].as_str(), way.sent()), (1, Some("dropped"), 16), "{found:?}");
    // Fisher's p of 8 against 0 of 8 is 2 / C(16, 8).
    let p = json["dropped_p"].as_f64().expect("a p");
    assert!((p - 2.0 * 2.0 / 12_870.0).abs() < 1e-6 && json["looks"] == 2, "{json}");
    assert!(json["answer"].to_string().contains("doubled once"), "{json}");
    let again = way.ask(&["--trials", "4"]);
    assert_eq!(again.json()["looks"], 2, "what was done is not undone: {again:?}");
    way.ask(&["--trials", "32"]);
    assert_eq!(way.sent(), 64);
}

#[test]
fn without_harmless_text_one_is_made() {
    let way = Way::clear("*茶*");
    way.write("words.txt", "茶\n我喝茶\n");
    let folder = way.path().display();
    let [sender, receiver] = way.commands("alice");
    let (trigger, trials) = (format!("{folder}/words.txt"), format!("{folder}/trials"));
    let mut all =
        vec!["uploads", "--sender", &sender, "--receiver", &receiver, "--no-room", "--trigger", &trigger];
    all.extend([
        "--trials-folder",
        &trials,
        "--pace",
        "0-0",
        "--window",
        "0.5",
        "--format",
        "json",
        "--trials",
        "6",
    ]);
    let found = overheard(&all);
    assert_eq!((found.code, found.json()["outcome"].as_str()), (1, Some("dropped")), "{found:?}");
    way.write("words.txt", "?!\n");
    overheard(&all).refuses("--benign FILE");
}

#[test]
fn a_text_that_never_arrives_among_others_that_do_is_named_beside_the_bound() {
    let way = Way::clear("*high*");
    way.write("words.txt", "we meet by the river\n\nthe river is deep\nthe river is high\nthe mill is old\n");
    let found = way.ask(&["--trials", "8"]);
    let json = found.json();
    assert_eq!(json["judged"]["dropped"], false, "{found:?}");
    let answer = json["answer"].to_string();
    assert!(
        answer.contains("did not arrive: text 3 in 2 of 2 (its harmless likeness in 0 of 2)"),
        "{answer}"
    );
    assert!(answer.contains("Dropping more than 60"), "2 of 8 may be as many as 0.6: {answer}");
    let first = &json["texts"][0];
    assert_eq!(
        (&first["text"], &first["arrived"], &first["of"]),
        (&3.into(), &0.into(), &2.into()),
        "{json}"
    );
}

#[test]
fn what_arrives_altered_is_not_said_to_be_dropped() {
    let way = Way::clear("nothing");
    let sender = fs::read_to_string(way.path().join("sender")).expect("a script");
    let masked = "*river*) echo \"{\\\"event\\\":\\\"received\\\",\\\"from\\\":\\\"$1\\\",\\\"text\\\":\\\"***\\\"}\" >&3 ;;";
    way.write("sender", &sender.replace("nothing) ;;", masked));
    let found = way.ask(&[]);
    let json = found.json();
    assert_eq!(
        (found.code, &json["outcome"], &json["judged"]["dropped"]),
        (4, &Value::Null, &Value::Null),
        "{found:?}"
    );
    let answer = json["answer"].to_string();
    assert!(answer.contains("may arrive altered: 6 messages arrived that nobody sent here"), "{answer}");
    assert!(!answer.contains("ruled out"), "{answer}");
}

#[test]
fn what_arrives_is_no_finding() {
    let found = Way::clear("nothing").ask(&[]);
    let json = found.json();
    assert_eq!((found.code, &json["outcome"]), (0, &Value::Null), "of copies nothing is known: {found:?}");
    assert_eq!(json["judged"], serde_json::json!({ "dropped": false, "copied": null }));
}

#[test]
fn an_account_that_is_banned_half_way_is_no_filter() {
    for after in ["sent", "error"] {
        let way = Way::new("nothing", 7, after, 0);
        let banned = way.ask(&["--trials", "8"]);
        assert!(warnings(&banned).contains("may be banned"), "{banned:?}");
        assert_ne!(banned.json()["outcome"].as_str(), Some("dropped"), "{banned:?}");
        assert_eq!(banned.code, 4, "{banned:?}");
        let json = banned.json();
        let trials = json["trials"].as_array().expect("trials").iter();
        let judged = trials.filter(|trial| trial["judged"] == true && trial["arm"] == "trigger").count();
        assert_eq!(json["drops"][0]["of"], judged, "{banned:?}");
        assert!(json["answer"].to_string().contains(&format!(" of {judged} trigger")), "{banned:?}");
        // What was measured before is kept, and the rest is done once the account is free again.
        let sent = way.sent();
        way.write_sender("nothing", 10_000, "sent", 0);
        let mended = way.ask(&["--trials", "8"]);
        assert_eq!((mended.code, way.sent() > sent), (0, true), "{mended:?}");
    }
}

#[test]
fn an_account_that_says_that_it_is_banned_ends_the_trials_at_once() {
    let way = Way::new("nothing", 7, "error", 0);
    let sender = fs::read_to_string(way.path().join("sender")).expect("a script");
    way.write("sender", &sender.replace("\\\"no\\\"", "\\\"465: You are banned\\\""));
    let banned = way.ask(&["--trials", "8"]);
    assert_eq!((banned.code, way.sent()), (4, 7), "{banned:?}");
    assert!(warnings(&banned).contains("the sender's account is refused: 465: You are banned"), "{banned:?}");
    way.write_sender("nothing", 10_000, "error", 0);
    let mended = way.ask(&["--trials", "8"]);
    assert_eq!((mended.code, way.sent()), (0, 17), "what it refused is sent again: {mended:?}");
}

#[test]
fn why_messages_are_refused_is_said() {
    let way = Way::clear("nothing");
    let sender = fs::read_to_string(way.path().join("sender")).expect("a script");
    way.write(
        "sender",
        &sender.replace("nothing) ;;", "*river*) event=error ;;").replace("\\\"no\\\"", "\\\"no: $text\\\""),
    );
    let found = way.ask(&[]);
    assert_eq!(found.json()["outcome"], "dropped", "{found:?}");
    assert!(
        warnings(&found).contains("6 messages were refused with an error, which counts as lost: “no: …” (6)"),
        "{found:?}"
    );
    let book = fs::read_to_string(way.path().join("trials/messages.jsonl")).expect("a book");
    assert!(!book.contains("river"), "no text is kept");
}

#[test]
fn a_client_that_dies_is_named_and_the_same_command_goes_on() {
    let way = Way::new("*river*", 10_000, "sent", 4);
    let died = way.ask(&[]);
    assert!(warnings(&died).contains("the sea is rough"), "{died:?}");
    assert_eq!(way.sent(), 4);
    let found = way.ask(&[]);
    assert_eq!(found.json()["outcome"], "dropped", "{found:?}");
    assert_eq!(way.sent(), 13, "the message without an answer is spent, and sent again");
}

#[test]
fn a_user_who_is_a_trigger_is_a_factor() {
    let way = Way::clear("carol*river*");
    let found = way.ask_as("{user}", &["--factor", "user=alice,carol", "--factor", "time", "--trials", "10"]);
    let json = found.json();
    assert_eq!(json["outcome"], "dropped", "{found:?}");
    let effects = json["effects"].as_array().expect("effects");
    let carol = effects.iter().find(|effect| effect["level"] == "carol").expect("an effect");
    assert_eq!(carol["difference"].as_f64(), Some(1.0), "{json}");
    assert_eq!(json["ledger"]["accounts"], serde_json::json!({ "alice": 20, "carol": 20 }), "{json}");
    assert_eq!(way.sent(), 40);
    way.ask(&["--factor", "user=alice,carol"]).refuses("{user}");
}

#[test]
fn a_user_whose_every_message_is_dropped_is_named_in_the_answer() {
    let way = Way::clear("carol*");
    let found = way.ask_as("{user}", &["--factor", "user=alice,carol", "--trials", "20"]);
    assert_eq!((found.code, way.sent()), (1, 80), "who never arrives is not taken for banned: {found:?}");
    let json = found.json();
    let answer = json["answer"].to_string();
    assert!(answer.contains("Dropped: whatever is sent with user=carol does not arrive"), "{answer}");
    assert!(
        answer.contains(" benign messages (p=1).")
            && answer.contains("stretches of acts with user=carol")
            && answer.contains("None of them ever did: an account that was banned before looks the same.")
    );
    let carol =
        json["drops"].as_array().expect("tests").iter().find(|test| test["factors"]["user"] == "carol");
    assert_eq!(carol.map(|test| (&test["dropped"], &test["p"])), Some((&true.into(), &json["dropped_p"])));
}

#[test]
fn bad_input_is_refused_and_a_dry_run_sends_nothing() {
    let way = Way::clear("*river*");
    let dry = way.ask(&["--dry-run"]);
    assert!(dry.code == 0 && dry.stdout.contains("12 messages would be sent"), "{dry:?}");
    way.ask(&["--budget", "11"]).refuses("--budget 11");
    way.ask(&["--longest", "10"]).refuses("text 1");
    way.ask(&["--lag", "90"]).refuses("--lag 90");
    way.ask_as("{user}", &[]).refuses("--sender: nothing replaces {user}");
    way.write("plain.txt", "明天早上八点在桥边见\n");
    way.ask(&[]).refuses("in Latin");
    way.write("plain.txt", "\n \n");
    way.ask(&[]).refuses("no words");
    way.write("plain.txt", BENIGN);
    way.write("receiver", "exit 3");
    way.ask(&[]).refuses("the receiver's client ended");
    assert_eq!(way.sent(), 0);
}

#[test]
fn texts_of_all_kinds_arrive_as_they_are() {
    let way = Way::clear("nothing");
    let many: String = (0..100_000).map(|at| format!("word{at}\n")).collect();
    way.write(
        "words.txt",
        &format!("{many}caf\u{e9}\ncafe\u{301}\n\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5dc}\u{5da}\n"),
    );
    let words = format!(
        "{BENIGN}\u{5d1}\u{5d5}\u{5e7}\u{5e8} \u{5d8}\u{5d5}\u{5d1} \u{5dc}\u{5db}\u{5d5}\u{5dc}\u{5dd}\n"
    );
    way.write("plain.txt", &words);
    let found = way.ask(&[]);
    assert_eq!((found.code, way.sent()), (0, 12), "{found:?}");
    way.write("words.txt", "cafe\u{301} \u{5e9}\u{5dc}\n\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{5dc}\u{5da}\n");
    let trials = way.path().join("other").display().to_string();
    let found = way.ask(&["--trials-folder", &trials]);
    assert_eq!(found.code, 0, "{found:?}");
}

/// Runs the program in the world of `tests/filters`; nothing where this machine lets none be made.
fn in_the_world(folder: &Path, mode: &str, more: &[&str]) -> Option<Answer> {
    between(folder, &client("alice", mode), &client("bob", "clean"), more)
}

/// The command of a client; `mode` is what `client.py` takes behind the account, with the word in its place.
fn client(account: &str, mode: &str) -> String {
    let (mode, tls) = mode.split_once(' ').unwrap_or((mode, ""));
    format!("python3 {}/client.py {account} {mode} river {tls}", filters())
}

fn filters() -> String {
    let filters = program::root().join("crates/overheard/tests/filters");
    filters.canonicalize().expect("the tests' own folder").display().to_string()
}

/// The same, between two clients.
fn between(folder: &Path, sender: &str, receiver: &str, more: &[&str]) -> Option<Answer> {
    let path = |name: &str| folder.join(name).display().to_string();
    let (world, filters) = (format!("{}/world.toml", filters()), filters());
    let trials = path("trials");
    let program = env!("CARGO_BIN_EXE_overheard");
    let mut all = vec!["world", &world, "--", program, more[0], "--sender", sender, "--receiver", receiver];
    all.extend(["--read", &filters, "--trials-folder", &trials, "--format", "json"]);
    all.extend(["--pace", "0-0.1", "--lag", "1", "--washout", "0", "--window", "1"]);
    all.extend(&more[1..]);
    let answer = overheard(&all);
    if answer.code == 3 || answer.stderr.contains("without rooms") {
        eprintln!("skipped: {}", answer.stderr);
        return None;
    }
    Some(answer)
}

/// What a comparison of triggers and benign messages asks for.
fn questions(folder: &Path, trials: &'static str) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    fs::write(path("words.txt"), TRIGGERS).expect("a file");
    fs::write(path("plain.txt"), BENIGN).expect("a file");
    let (words, plain) = (path("words.txt"), path("plain.txt"));
    ["uploads", "--trigger", &words, "--benign", &plain, "--trials", trials].map(str::to_owned).to_vec()
}

/// How many copies are at each endpoint, and in how many acts.
fn copies(answer: &Answer) -> BTreeMap<(String, String), BTreeSet<u64>> {
    let json = answer.json();
    let mut found: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    for copy in json["copies"].as_array().expect("copies") {
        let text = |field: &str| copy[field].as_str().expect("text").to_owned();
        let acts = found.entry((text("endpoint"), text("encoding"))).or_default();
        acts.insert(copy["act"].as_u64().expect("an act"));
    }
    found
}

#[test]
fn in_rooms_a_copy_under_tls_is_read_with_the_secrets_that_the_client_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = questions(folder.path(), "4");
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let (sender, receiver) = (client("alice", "plain tls"), client("bob", "clean tls"));
    let Some(found) = between(folder.path(), &sender, &receiver, &more) else { return };
    let copies = copies(&found);
    let at = |endpoint: &str| (endpoint.to_owned(), "base64 (decrypted)".to_owned());
    // The chat server's connection is opened too, and is no copy.
    assert_eq!(copies.keys().collect::<Vec<_>>(), [&at("logs.kite.example:9001")], "{found:?}");
    assert_eq!(copies[&at("logs.kite.example:9001")].len(), 4, "after each trigger: {found:?}");
}

/// The receiver's secrets are not there: the chat server is who was sent every message and sent the receiver's client something.
#[test]
fn in_rooms_the_carrier_is_told_from_who_is_sent_a_copy_though_the_receiver_cannot_be_read() {
    for (mode, acts) in [("plain tls", 3), ("all tls", 6)] {
        let folder = tempfile::tempdir().expect("a folder");
        let more = questions(folder.path(), "3");
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let receiver = format!("env -u SSLKEYLOGFILE {}", client("bob", "clean tls"));
        let Some(found) = between(folder.path(), &client("alice", mode), &receiver, &more) else { return };
        let copies = copies(&found);
        let logs = ("logs.kite.example:9001".to_owned(), "base64 (decrypted)".to_owned());
        assert_eq!(copies.get(&logs).map(BTreeSet::len), Some(acts), "{found:?}");
        assert_eq!(copies.len(), 1, "the chat server is no copy: {found:?}");
    }
}

#[test]
fn in_rooms_a_copy_is_found_with_its_endpoint_and_read_where_it_can_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let [words, plain] = [("words.txt", TRIGGERS), ("plain.txt", BENIGN)].map(|(name, text)| {
        fs::write(folder.path().join(name), text).expect("a file");
        folder.path().join(name).display().to_string()
    });
    let more = ["uploads", "--trigger", &words, "--benign", &plain, "--trials", "8", "--sham", "1"];
    let Some(found) = in_the_world(folder.path(), "plain", &more) else { return };
    let json = found.json();
    assert_eq!((found.code, json["outcome"].as_str()), (1, Some("copied")), "{found:?}");
    assert_eq!(json["uploads"][0]["endpoint"], "logs.kite.example:9000", "{json}");
    let copies = json["copies"].as_array().expect("copies");
    assert_eq!(copies.len(), 8, "{json}");
    assert!(copies.iter().all(|copy| copy["endpoint"] == "logs.kite.example:9000"));
    assert!(copies.iter().all(|copy| copy["encoding"] == "base64" && copy["packet"].as_u64() > Some(0)));
    let capture = copies[0]["capture"].as_str().expect("a path");
    assert!(Path::new(capture).is_file(), "{capture}");
    let book = fs::read_to_string(folder.path().join("trials/messages.jsonl")).expect("a book");
    assert!(!book.contains("river"), "no text is kept");
    let again = in_the_world(folder.path(), "plain", &more).expect("a world as before");
    assert_eq!(again.json()["trials"], json["trials"], "nothing was done again");
}

#[test]
fn in_rooms_words_that_are_only_copied_are_found_by_their_uploads() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.txt");
    fs::write(&text, "tea by the river").expect("a file");
    let more = ["keywords", "--text", text.to_str().expect("text"), "--calibration", "8", "--error", "0.05"];
    let Some(found) = in_the_world(folder.path(), "copy", &more) else { return };
    let json = found.json();
    assert_eq!((found.code, json["outcome"].as_str()), (1, Some("copied")), "{found:?}");
    assert_eq!(json["rules"][0]["all"], serde_json::json!(["river"]), "{json}");
    assert!(json.to_string().contains("logs.kite.example:9000"));
}
