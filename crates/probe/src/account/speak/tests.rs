//! A service of script behind the JSON lines: order, queueing, farewells, and what is said when all is lost.

use super::*;
use std::collections::VecDeque;
use std::future::{pending, ready};

/// Awaits what it is sent and confirms it at the next hearing; loses the connection when it is sent "lose".
#[derive(Default)]
struct Scripted {
    told: VecDeque<Event>,
    lost: bool,
    refuses: bool,
}

impl Service for Scripted {
    type Account = Self;

    async fn log_in(self) -> Result<Self, Fault> {
        if self.refuses { Err(Fault::Refused("no".into())) } else { Ok(self) }
    }
}

impl Account for Scripted {
    fn name(&self) -> &str {
        "alice"
    }

    async fn send(&mut self, id: &str, to: &str, text: &str) -> Result<Sending, Fault> {
        match text {
            "lose" => self.lost = true,
            "long" => return Ok(Sending::Refused("too long".into())),
            "silent" => {}
            _ => {
                self.told.push_back(Event::Received { from: to.into(), text: text.into() });
                self.told.push_back(Event::Sent { id: id.into() });
            }
        }
        Ok(Sending::Awaited)
    }

    async fn hear(&mut self) -> Result<Event, Fault> {
        match self.told.pop_front() {
            Some(event) => Ok(event),
            None if self.lost => Err(Fault::Lost("gone".into())),
            None => pending().await,
        }
    }

    async fn log_out(self) {}
}

/// What is printed after these lines of input and its end.
fn spoken(
    service: Scripted,
    input: &str,
    asked_to_end: impl Future<Output = ()>,
) -> (String, Result<(), Fault>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ask, requests) = mpsc::channel(64);
    let owned = input.to_owned();
    thread::spawn(move || read(owned.as_bytes(), &ask)).join().unwrap();
    let mut out = Vec::new();
    let served = runtime.block_on(serve(service, requests, &mut out, asked_to_end));
    (String::from_utf8(out).unwrap(), served)
}

fn send(id: &str, text: &str) -> String {
    format!("{}\n", serde_json::to_string(&Request::Send { id, to: "bob", text }).unwrap())
}

#[test]
fn requests_before_the_login_wait_and_a_farewell_waits_for_answers() {
    let input = [&send("1", "你好 🙂"), "garbage\n\n", &send("2", "long"), "{\"op\":\"quit\"}\n"].concat();
    let (out, served) = spoken(Scripted::default(), &input, pending());
    let mut lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.remove(0), r#"{"event":"ready","account":"alice"}"#);
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            r#"{"event":"error","id":"2","message":"too long"}"#,
            r#"{"event":"received","from":"bob","text":"你好 🙂"}"#,
            r#"{"event":"sent","id":"1"}"#,
        ]
    );
    assert!(served.is_ok());
}

#[test]
fn a_lost_connection_is_said_of_every_message_that_awaits_an_answer() {
    let (out, served) =
        spoken(Scripted::default(), &[send("1", "silent"), send("2", "lose")].concat(), pending());
    assert!(matches!(served, Err(Fault::Lost(_))));
    for id in ["1", "2"] {
        let line = format!(r#"{{"event":"error","id":"{id}","message":"the connection was lost: gone"}}"#);
        assert!(out.contains(&line), "{out}");
    }
}

#[test]
fn who_is_not_let_in_is_never_ready() {
    let (out, served) = spoken(Scripted { refuses: true, ..Scripted::default() }, &send("1", "a"), pending());
    assert!(out.is_empty() && matches!(served, Err(Fault::Refused(_))), "{out}");
}

#[test]
fn a_signal_ends_it_at_once() {
    assert!(spoken(Scripted { lost: true, ..Scripted::default() }, "", ready(())).1.is_ok());
}
