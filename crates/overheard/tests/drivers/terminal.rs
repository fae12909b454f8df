//! Text-mode clients: irssi on ngircd, poezio on prosody, and one of shell script.

use crate::client::{Driver, converse};
use crate::irc::{ngircd, plain};
use crate::server::{PASSWORD, find};
use serde_json::json;
use std::fs;

/// Shows what it reads as if bob had written it.
const PARROT: &str = r#"stty -echo; echo 'old: <bob> before'; echo ready
while read -r line; do
    case "$line" in quit) exit ;; *fail) echo "no such nick" ;; *) echo "<bob> ${line#say }"; echo "<alice> $line" ;; esac
done"#;

fn parrot(more: &[&str]) -> Vec<String> {
    let args = ["terminal", "--account", "alice", "--ready", "ready", "--send", "say {text}\\n"];
    let patterns = ["--received", "<{from}> {text}", "--refused", "no such nick", "--quit", "quit\\n"];
    let all = [&args[..], &patterns, more, &["--", "sh", "-c", PARROT]].concat();
    all.into_iter().map(str::to_owned).collect()
}

fn start(args: &[String]) -> Driver {
    Driver::ready(&args.iter().map(String::as_str).collect::<Vec<_>>(), "alice")
}

#[test]
fn what_a_client_shows_is_told_once() {
    for narrow in [&[][..], &["--columns", "40", "--rows", "5"]] {
        let mut driver = start(&parrot(narrow));
        for (id, text) in
            ["hi", "你好，世界 🙂 and so on, longer than a narrow line", "hi", "hi"].iter().enumerate()
        {
            let id = id.to_string();
            driver.send(&id, "bob", text);
            driver.tells(json!({"event": "sent", "id": id}));
            driver.tells(json!({"event": "received", "from": "bob", "text": text}));
        }
        driver.send("bad", "bob", "fail");
        driver.tells(json!({"event": "sent", "id": "bad"}));
        driver.refuses(Some("bad"), "refused");
        driver.send("two", "bob", "a\nb");
        driver.refuses(Some("two"), "control characters");
        driver.quits();
    }
}

#[test]
fn a_client_that_ends_is_said_and_one_that_is_left_ends() {
    let mut dying = start(&parrot(&[]));
    dying.send("1", "bob", "x");
    dying.event();
    dying.event();
    let quit = parrot(&[]).iter().map(|arg| arg.replace("say {text}", "quit{text}")).collect::<Vec<_>>();
    let mut quitting = start(&quit);
    quitting.send("1", "bob", " ");
    quitting.event();
    quitting.fails("the client ended");
    let missing =
        ["terminal", "--account", "a", "--ready", "r", "--send", "{text}", "--received", "<{from}> {text}"];
    Driver::start(&[&missing[..], &["--", "no-such-client"]].concat()).fails("no-such-client");
}

#[test]
fn irssi_is_driven() {
    let (Some(irssi), Some(server)) = (find("irssi"), ngircd()) else { return };
    let home = server.path("irssi");
    fs::create_dir(&home).expect("a folder");
    let port = server.plain;
    let config = format!(
        "servers = ( {{ address = \"127.0.0.1\"; chatnet = \"test\"; port = \"{port}\"; \
         password = \"{PASSWORD}\"; autoconnect = \"yes\"; }} );\n\
         chatnets = {{ test = {{ type = \"IRC\"; }}; }};\n\
         settings = {{ core = {{ nick = \"alice\"; user_name = \"alice\"; real_name = \"alice\"; }};\n\
         \"fe-common/core\" = {{ autocreate_query_level = \"DCCMSGS\"; term_charset = \"UTF-8\"; }}; }};\n"
    );
    fs::write(format!("{home}/config"), config).expect("a file");
    let mut bob = plain(&server, "bob", &[]);
    let (irssi, home) = (irssi.display().to_string(), format!("--home={home}"));
    let args = [
        "terminal",
        "--account",
        "alice",
        "--ready",
        "End of MOTD",
        "--send",
        "/msg {to} {text}\\n",
        "--received",
        "[{from}({any}@{any})] {text}",
        "--refused",
        "No such nick",
        "--quit",
        "/quit\\n",
        "--",
        "env",
        "LC_ALL=C.UTF-8",
        &irssi,
        &home,
    ];
    let mut alice = Driver::ready(&args, "alice");
    converse((&mut alice, "alice"), (&mut bob, "bob"));
    let long = "很长的消息".repeat(20);
    bob.send("long", "alice", &long);
    alice.tells(json!({"event": "received", "from": "bob", "text": long}));
    alice.send("nobody", "nobody", "hello?");
    alice.tells(json!({"event": "sent", "id": "nobody"}));
    alice.refuses(Some("nobody"), "refused");
    alice.quits();
}
