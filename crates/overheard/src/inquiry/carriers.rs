//! Carriers: the endpoints that bring the receiver's client the messages. What the sender's client sends there is the
//! message on its way, and no copy.
//!
//! Promises: who was seen to bring a text is a carrier. Where nobody was, since what the receiver's client was sent cannot
//! be read, one endpoint at most is taken for the carrier: it must have been sent every message that arrived, and have sent
//! the receiver's client at least as many packets, none of which can be read; and there must be no other like it. So
//! whoever is sent a copy of every message does not hide behind this.

use super::heard::{Heard, copies_of};
use overheard_model::{ReadableCopy, Visibility};
use std::collections::BTreeSet;

/// Texts that are looked for at the receiver's.
const CARRIED: usize = 20;
/// Messages that must have arrived before "every" says anything.
const FEWEST: usize = 2;

/// The carriers of the messages that arrived, each the number of its act and its text; `copies` are those in all that the
/// sender's client sent, wherever it went.
pub fn find(receiver: &Heard, arrived: &[(u64, &str)], copies: &[ReadableCopy]) -> BTreeSet<String> {
    let seen = seen(receiver, arrived);
    if seen.is_empty() { likely(receiver, arrived, copies).into_iter().collect() } else { seen }
}

/// Endpoints by which the receiver's client was sent a text in the clear, or in what its secrets open.
fn seen(receiver: &Heard, arrived: &[(u64, &str)]) -> BTreeSet<String> {
    let texts: BTreeSet<&str> = arrived.iter().map(|(_, text)| *text).collect();
    let texts: Vec<&str> = texts.into_iter().take(CARRIED).collect();
    let holds = |bytes: &[u8]| texts.iter().any(|text| copies_of(text, bytes).next().is_some());
    let brought = receiver.received().filter(|(_, payload)| holds(&payload.bytes));
    brought.map(|(endpoint, _)| endpoint).collect()
}

/// The one endpoint that was sent every message and may have brought them.
fn likely(receiver: &Heard, arrived: &[(u64, &str)], copies: &[ReadableCopy]) -> Option<String> {
    let may_bring =
        |endpoint: &&str| closed_packets(receiver, endpoint).is_some_and(|packets| packets >= arrived.len());
    let mut likely = sent_all(arrived, copies).into_iter().filter(may_bring);
    let first = likely.next()?;
    likely.next().is_none().then(|| first.to_owned())
}

/// The endpoints that were sent every message that arrived.
fn sent_all<'a>(arrived: &[(u64, &str)], copies: &'a [ReadableCopy]) -> BTreeSet<&'a str> {
    if arrived.len() < FEWEST {
        return BTreeSet::new();
    }
    let endpoints = copies.iter().map(|copy| copy.endpoint.as_str());
    let was_sent =
        |endpoint: &str, act: u64| copies.iter().any(|copy| copy.act == act && copy.endpoint == endpoint);
    endpoints.filter(|endpoint| arrived.iter().all(|(act, _)| was_sent(endpoint, *act))).collect()
}

/// Packets that carried something from the endpoint to the receiver's client; nothing where they can be read.
fn closed_packets(receiver: &Heard, endpoint: &str) -> Option<usize> {
    let readable = receiver.endpoints(endpoint).any(|it| it.visibility == Visibility::Readable);
    let mut packets = 0;
    for (_, payload) in receiver.received().filter(|(by, _)| by == endpoint) {
        if payload.decrypted || readable {
            return None;
        }
        packets += payload.packets.len();
    }
    Some(packets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(act: u64, endpoint: &str) -> ReadableCopy {
        ReadableCopy {
            act,
            endpoint: endpoint.into(),
            flow: "1:flow".into(),
            capture: "capture.pcapng".into(),
            packet: 1,
            encoding: "raw".into(),
            bytes: 9,
        }
    }

    #[test]
    fn who_was_sent_every_message_is_told_from_who_was_sent_some() {
        let arrived = [(1, "one"), (3, "three")];
        let chat = [copy(1, "chat"), copy(3, "chat"), copy(3, "logs")];
        let all = |arrived: &[(u64, &str)], copies: &[ReadableCopy]| {
            sent_all(arrived, copies).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(all(&arrived, &chat), ["chat"]);
        assert_eq!(all(&arrived, &[&chat[..], &[copy(1, "logs")]].concat()), ["chat", "logs"]);
        assert!(all(&arrived, &chat[1..]).is_empty());
        assert!(all(&arrived[..1], &chat).is_empty(), "one message shows nothing");
        assert!(all(&[], &chat).is_empty());
    }
}
