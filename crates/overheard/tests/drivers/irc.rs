//! IRC, with ngircd.

use crate::client::{Driver, converse};
use crate::server::{PASSWORD, Server, authority};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

pub fn ngircd() -> Option<Server> {
    Server::start("ngircd", &["--nodaemon", "--config", "ngircd.conf"], configure)
}

fn configure(folder: &Path, plain: u16, tls: u16) {
    let here = folder.display();
    let text = format!(
        "[Global]\nName = irc.chat.example\nInfo = a test\nListen = 127.0.0.1\nPorts = {plain}\n\
             MotdPhrase = hello\nPassword = {PASSWORD}\nPidFile =\n\
             [Limits]\nMaxConnectionsIP = 0\nMaxNickLength = 20\n\
             [Operator]\nName = op\nPassword = op\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\nSyslogFacility = local1\n\
             [SSL]\nCertFile = {here}/cert.pem\nKeyFile = {here}/key.pem\nPorts = {tls}\n"
    );
    fs::write(folder.join("ngircd.conf"), text).expect("a file");
}

/// An account in the clear, and these options.
pub fn plain(server: &Server, nick: &str, more: &[&str]) -> Driver {
    let (at, password) = (format!("127.0.0.1:{}", server.plain), server.password(PASSWORD));
    let args = ["irc", "--server", &at, "--nick", nick, "--password-file", &password];
    Driver::ready(&[&args[..], more].concat(), nick)
}

#[test]
fn two_accounts_converse_and_what_is_asked_early_waits() {
    let Some(server) = ngircd() else { return };
    let (at, ca, password) =
        (format!("127.0.0.1:{}", server.tls), server.path("cert.pem"), server.password(PASSWORD));
    let mut bob = plain(&server, "bob", &[]);
    let args =
        ["irc", "--server", &at, "--tls", "--ca", &ca, "--nick", "alice", "--password-file", &password];
    let mut alice = Driver::start(&args);
    alice.send("early", "bob", "早安");
    alice.tells(json!({"event": "ready", "account": "alice"}));
    alice.tells(json!({"event": "sent", "id": "early"}));
    bob.tells(json!({"event": "received", "from": "alice", "text": "早安"}));
    converse((&mut alice, "alice"), (&mut bob, "bob"));
    alice.quits();
    bob.quits();
}

#[test]
fn what_cannot_arrive_is_refused_and_nothing_else() {
    let Some(server) = ngircd() else { return };
    let (mut alice, mut bob) = (plain(&server, "alice", &[]), plain(&server, "bob", &["--split"]));
    alice.send("1", "nobody", "hello?");
    alice.refuses(Some("1"), "401");
    alice.send("2", "#nowhere", "hello?");
    alice.refuses(Some("2"), "40");
    alice.send("3", "bob", &"很长".repeat(90));
    alice.refuses(Some("3"), "540 bytes: IRC carries");
    alice.send("4", "bob", "a\r\nQUIT");
    alice.refuses(Some("4"), "line ends");
    bob.send("5", "alice", &"很长".repeat(90));
    bob.tells(json!({"event": "sent", "id": "5"}));
    let parts: Vec<String> = [alice.event(), alice.event()]
        .iter()
        .map(|event| event["text"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(parts.concat(), "很长".repeat(90));
    converse((&mut alice, "alice"), (&mut bob, "bob"));
}

/// What a server says, line by line as it is asked, and then nothing.
fn says(answers: &'static [(&str, &str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a client");
        let mut asked = BufReader::new(peer.try_clone().expect("a socket")).lines().map_while(Result::ok);
        for (to, answer) in answers {
            if asked.any(|line| line.starts_with(to)) {
                peer.write_all(answer.as_bytes()).expect("it reads");
            }
        }
        asked.for_each(drop);
    });
    at
}

/// A server's certificate that says that it is an authority, and one that an end's own signed.
#[test]
fn what_is_wrong_with_a_certificate_is_hinted_at() {
    let Some(server) = ngircd() else { return };
    let (at, ca) = (format!("127.0.0.1:{}", server.tls), server.path("cert.pem"));
    let fails = |server: &str, ca: &str, hint: &str| {
        let (code, stderr) =
            Driver::start(&["irc", "--server", server, "--tls", "--ca", ca, "--nick", "eve"]).ends();
        assert!(code == Some(2) && stderr.contains(hint), "{hint}: {stderr}");
    };
    fails(&at.replace("127.0.0.1", "localhost"), &ca, "connect to the name that the certificate is for");
    let others = Server::start("ngircd", &["--nodaemon", "--config", "ngircd.conf"], |folder, plain, tls| {
        authority(folder);
        configure(folder, plain, tls);
    });
    let others = others.expect("it started before");
    let certificate = others.path("cert.pem");
    fails(&at, &certificate, "give the certificate of the authority that signed the server's as --ca");
    let at = format!("127.0.0.1:{}", others.tls);
    fails(&at, &certificate, "(CA:TRUE): have the server show one with CA:FALSE");
}

#[test]
fn it_ends_when_it_is_asked_to_though_the_server_says_nothing() {
    Driver::start(&["irc", "--server", &says(&[]), "--nick", "alice"]).quits();
}

#[test]
fn a_ban_is_an_error_of_the_account_and_not_of_the_message() {
    let at = says(&[("USER", ":s 001 alice :hi\r\n"), ("PRIVMSG", ":s 465 alice :You are banned\r\n")]);
    let mut alice = Driver::ready(&["irc", "--server", &at, "--nick", "alice"], "alice");
    alice.send("1", "bob", "tea");
    alice.refuses(None, "465: You are banned");
}

#[test]
fn channels_are_joined() {
    let Some(server) = ngircd() else { return };
    let mut alice = plain(&server, "alice", &["--join", "#here"]);
    let mut bob = plain(&server, "bob", &["--join", "#here"]);
    alice.send("1", "#here", "大家好");
    alice.tells(json!({"event": "sent", "id": "1"}));
    bob.tells(json!({"event": "received", "from": "alice", "text": "大家好"}));
}

#[test]
fn who_is_not_let_in_and_a_server_that_goes_away_are_said() {
    let Some(mut server) = ngircd() else { return };
    let at = format!("127.0.0.1:{}", server.plain);
    let wrong = server.password("wrong");
    let start = |more: &[&str]| Driver::start(&[&["irc", "--server", &at, "--nick", "eve"], more].concat());
    start(&["--password-file", &wrong]).fails("refused");
    let secure = format!("127.0.0.1:{}", server.tls);
    Driver::start(&["irc", "--server", &secure, "--tls", "--nick", "eve"]).fails("secure connection");
    let mut alice = plain(&server, "alice", &[]);
    let killed = plain(&server, "carol", &[]);
    let mut operator = TcpStream::connect(&at).expect("a server");
    let commands =
        format!("PASS {PASSWORD}\r\nNICK root\r\nUSER root 0 * root\r\nOPER op op\r\nKILL carol :spam\r\n");
    operator.write_all(commands.as_bytes()).expect("it reads");
    killed.fails("spam");
    alice.send("1", "carol", "still there?");
    alice.refuses(Some("1"), "401");
    server.end();
    alice.fails("the connection was lost");
    start(&[]).fails(&at);
}
