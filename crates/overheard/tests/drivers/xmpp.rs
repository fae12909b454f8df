//! XMPP, with prosody.

use crate::client::{Driver, converse};
use crate::server::{PASSWORD, Server};
use std::fs;

fn prosody(more: &str) -> Option<Server> {
    Server::start("prosody", &["--config", "prosody.cfg.lua", "-F"], |folder, plain, tls| {
        let here = folder.display();
        let text = format!(
            "run_as_root = true\ndata_path = \"{here}/data\"\ninterfaces = {{ \"127.0.0.1\" }}\n\
             modules_enabled = {{ \"saslauth\", \"tls\", \"ping\", \"offline\", \"roster\" }}\n\
             modules_disabled = {{ \"s2s\" }}\nauthentication = \"internal_plain\"\nlog = \"*console\"\n\
             c2s_ports = {{ {plain} }}\nc2s_direct_tls_ports = {{ {tls} }}\n{more}\n\
             ssl = {{ key = \"{here}/key.pem\", certificate = \"{here}/cert.pem\" }}\n\
             VirtualHost \"chat.example\"\n"
        );
        fs::write(folder.join("prosody.cfg.lua"), text).expect("a file");
        let accounts = folder.join("data/chat%2eexample/accounts");
        fs::create_dir_all(&accounts).expect("a folder");
        for user in ["alice", "bob"] {
            let account = format!("return {{ [\"password\"] = \"{PASSWORD}\" }};\n");
            fs::write(accounts.join(format!("{user}.dat")), account).expect("a file");
        }
    })
}

fn args(server: &Server, user: &str, port: u16, more: &[&str]) -> Vec<String> {
    let jid = format!("{user}@chat.example");
    let (at, password) = (format!("127.0.0.1:{port}"), server.password(PASSWORD));
    let args = ["xmpp", "--jid", &jid, "--server", &at, "--password-file", &password];
    args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
}

fn ready(server: &Server, user: &str, port: u16, more: &[&str]) -> Driver {
    let args = args(server, user, port, more);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Driver::ready(&args, &format!("{user}@chat.example"))
}

#[test]
fn two_accounts_converse_one_by_each_way_of_tls() {
    let Some(server) = prosody("c2s_require_encryption = true") else { return };
    let ca = server.path("cert.pem");
    let mut bob = ready(&server, "bob", server.plain, &["--ca", &ca]);
    let mut alice = ready(&server, "alice", server.tls, &["--ca", &ca, "--direct-tls"]);
    converse((&mut alice, "alice@chat.example"), (&mut bob, "bob@chat.example"));
    alice.quits();
    bob.quits();
}

#[test]
fn what_bounces_is_refused_and_nothing_else() {
    let more = "c2s_require_encryption = false\nallow_unencrypted_plain_auth = true";
    let Some(server) = prosody(more) else { return };
    let mut alice = ready(&server, "alice", server.plain, &["--plaintext"]);
    let mut bob = ready(&server, "bob", server.plain, &["--plaintext"]);
    alice.send("1 <'&", "nobody@chat.example", "hello?");
    alice.refuses(Some("1 <'&"), "service-unavailable");
    alice.send("2", "nobody@elsewhere.example", "hello?");
    alice.refuses(Some("2"), "");
    alice.send("3", "bob@chat.example", "a bell: \u{7}");
    alice.refuses(Some("3"), "control characters");
    alice.send("4", "no address", "hello?");
    alice.refuses(Some("4"), "no address");
    converse((&mut alice, "alice@chat.example"), (&mut bob, "bob@chat.example"));
}

#[test]
fn who_is_not_let_in_and_a_server_that_goes_away_are_said() {
    let Some(mut server) = prosody("c2s_require_encryption = true") else { return };
    let (ca, wrong) = (server.path("cert.pem"), server.password("wrong"));
    let start = |more: &[&str]| {
        let args = args(&server, "alice", server.plain, more);
        Driver::start(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    start(&["--plaintext"]).fails("refused");
    start(&[]).fails("secure connection");
    let at = format!("127.0.0.1:{}", server.plain);
    let wrong =
        ["xmpp", "--jid", "alice@chat.example", "--server", &at, "--ca", &ca, "--password-file", &wrong];
    Driver::start(&wrong).fails("not-authorized");
    let alice = ready(&server, "alice", server.plain, &["--ca", &ca]);
    server.end();
    alice.fails("the connection was lost");
}
