//! A driver as another program starts one.

use crate::program::command;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Ample on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Driver {
    pub child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
}

impl Driver {
    pub fn start(args: &[&str]) -> Self {
        let args: Vec<&str> = ["driver"].into_iter().chain(args.iter().copied()).collect();
        let mut command = command(&args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.env_remove("OVERHEARD_PASSWORD").spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (tell, events) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no event: {line}")));
            }
        });
        Self { stdin: child.stdin.take(), child, events }
    }

    /// Started, and ready under this name.
    pub fn ready(args: &[&str], account: &str) -> Self {
        let mut driver = Self::start(args);
        driver.tells(json!({"event": "ready", "account": account}));
        driver
    }

    pub fn send(&mut self, id: &str, to: &str, text: &str) {
        self.ask(&json!({"op": "send", "id": id, "to": to, "text": text}));
    }

    pub fn ask(&mut self, request: &Value) {
        writeln!(self.stdin.as_mut().expect("open"), "{request}").expect("the driver reads");
    }

    pub fn event(&mut self) -> Value {
        self.events.recv_timeout(LIMIT).unwrap_or_else(|_| {
            let _ = self.child.kill();
            let mut stderr = String::new();
            let _ = self.child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
            panic!("no event; standard error: {stderr}")
        })
    }

    pub fn tells(&mut self, event: Value) {
        assert_eq!(self.event(), event);
    }

    /// An error of this message, or of none.
    pub fn refuses(&mut self, id: Option<&str>, why: &str) {
        let event = self.event();
        assert!(event["event"] == "error" && event["id"].as_str() == id, "{event}");
        assert!(event["message"].as_str().is_some_and(|message| message.contains(why)), "{event}");
    }

    /// It quits, when it is asked to, without a complaint.
    pub fn quits(mut self) {
        self.ask(&json!({"op": "quit"}));
        assert_eq!(self.ends(), (Some(0), String::new()));
    }

    /// How it ended by itself, and what it said.
    pub fn ends(mut self) -> (Option<i32>, String) {
        let until = Instant::now() + LIMIT;
        while self.child.try_wait().expect("a child").is_none() {
            if Instant::now() > until {
                let _ = self.child.kill();
                panic!("it does not end");
            }
            thread::sleep(Duration::from_millis(20));
        }
        let mut stderr = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("UTF-8");
        (self.child.wait().expect("a child").code(), stderr)
    }

    /// It ends by itself, with a reason and a hint.
    pub fn fails(self, why: &str) {
        let (code, stderr) = self.ends();
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(why) && stderr.contains("hint: "), "{stderr}");
    }
}

/// Every text reaches the other one as it was, in both directions.
pub fn converse(alice: (&mut Driver, &str), bob: (&mut Driver, &str)) {
    let texts = ["hi", ": a  colon & <angle> \"quotes\"", "你好，世界", "🙂 👩‍👩‍👧 Ünïcödé مرحبا"];
    let ((alice, at_alice), (bob, at_bob)) = (alice, bob);
    for (number, text) in texts.iter().enumerate() {
        let id = format!("m{number}");
        alice.send(&id, at_bob, text);
        alice.tells(json!({"event": "sent", "id": id}));
        bob.tells(json!({"event": "received", "from": at_alice, "text": text}));
        bob.send(&id, at_alice, text);
        bob.tells(json!({"event": "sent", "id": id}));
        alice.tells(json!({"event": "received", "from": at_bob, "text": text}));
    }
}
