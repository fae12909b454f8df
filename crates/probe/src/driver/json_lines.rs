//! The driver of JSON lines: any program that sends and receives messages for us, one account each.
//!
//! ```text
//! stdin   {"op":"send","id":"m17","to":"bob","text":"…"}     {"op":"quit"}
//! stdout  {"event":"ready","account":"alice"}                 {"event":"sent","id":"m17"}
//!         {"event":"received","from":"alice","text":"…"}      {"event":"error","id":"m17","message":"…"}
//! ```
//!
//! Promises: unknown events and lines that are no event are noted and ignored; answers may come in any order; fields
//! that are not listed are ignored. What is kept of a line names its event and never the text of a message.

use super::{Driver, Ear};
use overheard_model::design::DriverName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest line that is understood, bytes.
const LONGEST: usize = 1 << 20;

/// What a driver is asked: borrowed by whoever asks, owned by whoever was asked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Request<S> {
    Send { id: S, to: S, text: S },
    Quit,
}

/// Without what is written, and to whom.
impl<S: fmt::Debug> fmt::Debug for Request<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { id, .. } => f.debug_struct("Send").field("id", id).finish_non_exhaustive(),
            Self::Quit => f.write_str("Quit"),
        }
    }
}

/// What a driver tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    Ready {
        account: String,
    },
    Sent {
        id: String,
    },
    Received {
        from: String,
        text: String,
    },
    /// Of one message, or of the driver where there is no id.
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        message: String,
    },
}

#[derive(Debug)]
pub(super) struct JsonLines;

impl Driver for JsonLines {
    fn name(&self) -> DriverName {
        DriverName::JsonLines
    }

    fn ear(&self) -> Ear {
        Ear::lines()
    }
}

/// Lines in the making.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// Bytes of a line that is too long.
    beyond: usize,
}

impl Lines {
    /// Calls `tell` for each whole line with its event, if it is one, and with what is kept of it.
    pub(super) fn hear(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Option<Event>, Option<String>)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            let room = LONGEST.saturating_sub(self.line.len()).min(text.len());
            self.line.extend_from_slice(&text[..room]);
            self.beyond += text.len() - room;
            if part.len() > text.len() {
                let (event, note) = understand(&self.line, self.beyond);
                tell(event, note);
                self.line.clear();
                self.beyond = 0;
            }
        }
    }
}

fn understand(line: &[u8], beyond: usize) -> (Option<Event>, Option<String>) {
    let line = line.trim_ascii();
    if beyond > 0 {
        return (None, Some(format!("(a line of {} bytes, longer than any event)\n", line.len() + beyond)));
    }
    if line.is_empty() {
        return (None, None);
    }
    if let Ok(event) = serde_json::from_slice::<Event>(line) {
        let note = event.note();
        return (Some(event), Some(note));
    }
    #[derive(Deserialize)]
    struct Named {
        event: String,
    }
    let note = match serde_json::from_slice::<Named>(line) {
        Ok(named) => {
            let name: String = named.event.chars().filter(|c| !c.is_control()).take(40).collect();
            format!("(ignored: the event {name:?}, unknown or without its fields)\n")
        }
        Err(_) => format!("(ignored: a line of {} bytes that is no event)\n", line.len()),
    };
    (None, Some(note))
}

impl Event {
    /// What is kept of it: no text, and no names of people.
    fn note(&self) -> String {
        match self {
            Self::Ready { .. } => "ready\n".into(),
            Self::Sent { id } => format!("sent {}\n", short(id)),
            Self::Received { .. } => "received\n".into(),
            Self::Error { id, .. } => format!("error {}\n", short(id.as_deref().unwrap_or("of the driver"))),
        }
    }
}

fn short(id: &str) -> String {
    id.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(text: &[u8]) -> (Vec<Event>, String) {
        let (mut events, mut notes) = (Vec::new(), String::new());
        Lines::default().hear(text, &mut |event, note| {
            events.extend(event);
            notes.push_str(&note.unwrap_or_default());
        });
        (events, notes)
    }

    #[test]
    fn requests_are_as_the_protocol_writes_them() {
        let send = Request::Send { id: "m17", to: "bob", text: "a\nb" };
        assert_eq!(
            serde_json::to_string(&send).unwrap(),
            r#"{"op":"send","id":"m17","to":"bob","text":"a\nb"}"#
        );
        assert_eq!(serde_json::to_string(&Request::<&str>::Quit).unwrap(), r#"{"op":"quit"}"#);
    }

    #[test]
    fn events_are_told_apart_and_garbage_is_noted() {
        let (events, notes) = heard(
            b"{\"event\":\"ready\",\"account\":\"alice\"}\nstarting\xff up\n\n{\"event\":\"typing\",\"from\":\"bob\"}\r\n\
              {\"event\":\"received\",\"from\":\"bob\",\"text\":\"secret\",\"at\":3}\n{\"event\":\"error\",\"message\":\"banned\"}\n\
              {\"event\":\"sent\"}\n[1]\n",
        );
        assert_eq!(
            events,
            [
                Event::Ready { account: "alice".into() },
                Event::Received { from: "bob".into(), text: "secret".into() },
                Event::Error { id: None, message: "banned".into() },
            ]
        );
        assert_eq!(notes.matches("ignored").count(), 4, "{notes}");
        assert!(
            notes.contains("\"typing\"") && !notes.contains("secret") && !notes.contains("bob"),
            "{notes}"
        );
    }

    #[test]
    fn a_line_without_an_end_is_bounded() {
        let long = [vec![b'x'; LONGEST + 10], b"\n{\"event\":\"sent\",\"id\":\"1\"}\n".to_vec()].concat();
        let (events, notes) = heard(&long);
        assert_eq!(events, [Event::Sent { id: "1".into() }]);
        assert!(notes.contains("1048586 bytes"), "{notes}");
    }

    proptest! {
        #[test]
        fn any_bytes_cut_anywhere_are_heard_alike(bytes: Vec<u8>, cut in 0usize..64) {
            let (mut lines, mut count) = (Lines::default(), 0);
            let cut = cut.min(bytes.len());
            for part in [&bytes[..cut], &bytes[cut..]] {
                lines.hear(part, &mut |_, note| count += usize::from(note.is_some()));
            }
            let mut whole = 0;
            Lines::default().hear(&bytes, &mut |_, note| whole += usize::from(note.is_some()));
            prop_assert_eq!(count, whole);
        }
    }
}
