//! A chat page, in Chromium: the page and its server are the test's own.

use crate::client::{Driver, converse};
use crate::server::{PASSWORD, find};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Keeps all that was said; answers with what was said after the n-th.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = format!("http://{}/", listener.local_addr().expect("an address"));
    let said: Arc<Mutex<Vec<Value>>> = Arc::default();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let said = Arc::clone(&said);
            thread::spawn(move || answer(stream, &said));
        }
    });
    at
}

fn answer(stream: TcpStream, said: &Mutex<Vec<Value>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let lines: Vec<String> =
        reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let length =
        lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut said = said.lock().ok()?;
    let (kind, body) = match path.as_str() {
        "/say" => {
            said.push(serde_json::from_slice(&body).ok()?);
            ("application/json", "null".to_owned())
        }
        "/said" => ("application/json", json!(&said[..]).to_string()),
        _ => ("text/html; charset=utf-8", include_str!("chat.html").replace("PASSWORD", PASSWORD)),
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
    (&stream).write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).ok()
}

fn args(folder: &std::path::Path, account: &str, password: &str) -> Vec<String> {
    let secret = folder.join(format!("{account}.password"));
    fs::write(&secret, password).expect("a file");
    let page = folder.join("chat.toml").display().to_string();
    let args =
        ["web", "--page", &page, "--account", account, "--browser-arg=--no-sandbox", "--password-file"];
    args.iter().map(|arg| (*arg).to_owned()).chain([secret.display().to_string()]).collect()
}

/// The folder with the page's description, and its arguments.
fn page() -> Option<tempfile::TempDir> {
    find("chromedriver").and(find("chromium"))?;
    let folder = tempfile::tempdir().expect("a folder");
    let page = format!(
        r##"
        url = "{}"
        login = [
            {{ fill = "#name", with = "{{account}}" }},
            {{ fill = "#password", with = "{{password}}" }},
            {{ click = "#enter" }},
        ]
        refused = ".refused"
        ready = "#compose"
        open = '#people button[name="{{to}}"]'
        input = "#compose"
        message = ".message"
        from = ".from"
        text = ".text"
        own = ".own"
        "##,
        serve()
    );
    fs::write(folder.path().join("chat.toml"), page).expect("a file");
    Some(folder)
}

fn start(folder: &std::path::Path, account: &str, password: &str) -> Driver {
    let args = args(folder, account, password);
    Driver::start(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Processes whose parent or ancestor is this one.
fn offspring(of: u32) -> Vec<String> {
    // Each thread has its own.
    let children = |pid: &str| {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().map_while(Result::ok);
        let lists =
            threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        let pids = |list: String| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        lists.flat_map(pids).collect::<Vec<_>>()
    };
    let mut all = children(&of.to_string());
    let mut at = 0;
    while at < all.len() {
        all.extend(children(&all[at].clone()));
        at += 1;
    }
    all
}

fn end(pids: &[String]) {
    let until = Instant::now() + Duration::from_secs(30);
    let lives = |pid: &String| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains("chrom") && !stat.contains(") Z ")
    };
    while pids.iter().any(lives) {
        assert!(Instant::now() < until, "left behind: {pids:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn two_accounts_converse_in_two_browsers() {
    let Some(folder) = page() else { return };
    let mut alice = start(folder.path(), "alice", PASSWORD);
    let mut bob = start(folder.path(), "bob", PASSWORD);
    alice.tells(json!({"event": "ready", "account": "alice"}));
    bob.tells(json!({"event": "ready", "account": "bob"}));
    converse((&mut alice, "alice"), (&mut bob, "bob"));
    alice.send("nobody", "nobody", "hello?");
    alice.refuses(Some("nobody"), "no such element");
    let started = offspring(alice.child.id());
    assert!(started.len() > 2, "a driver and a browser");
    alice.quits();
    end(&started);
    // Told to end by a signal, it leaves nothing behind either.
    let started = offspring(bob.child.id());
    let pid = nix::unistd::Pid::from_raw(bob.child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it runs");
    assert_eq!(bob.ends(), (Some(0), String::new()));
    end(&started);
    start(folder.path(), "alice", "wrong").fails("refused");
}
