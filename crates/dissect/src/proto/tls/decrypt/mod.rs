//! TLS streams opened with the secrets that the client logged.
//!
//! For: streams that are TLS, or turn into it after some text (STARTTLS, a proxy's CONNECT): the first hello within
//! [`EARLY`] bytes counts.
//! Promises: what no secret opens is counted, record by record.
//! Opened are AES-GCM and ChaCha20-Poly1305 of TLS 1.3 and 1.2, and AES-CBC of TLS 1.2, with resumption, early data and key
//! updates. Not opened are other ciphers, CCM among them, TLS before 1.2, renegotiated keys, a hello that was itself encrypted
//! (logs go by the inner one), DTLS, and what comes behind bytes that a capture lost.

mod block;
mod key;
mod schedule;
mod stream;
#[cfg(test)]
mod tests;

use super::record::{HEADER, Records, content, header};
use crate::payloads::{Payload, Way};
use crate::proto::client_hello::{CLIENT_HELLO, ClientHello};
use crate::proto::decrypt::{Decrypted, KeyLog};
use crate::proto::server_hello::{SERVER_HELLO, ServerHello};
use overheard_model::Transport;
use schedule::{Conversation, Schedule};
use std::collections::HashMap;

/// Bytes of a stream within which a hello begins, and most that one is long with its records' headers.
const EARLY: usize = 16 << 10;
const LONGEST_HELLO: usize = 128 << 10;
/// Places that look like the beginning of a hello and are tried.
const MOST_TRIES: usize = 16;

/// A hello, and where its first record begins.
struct Hello {
    at: usize,
    packet: u64,
    message: Vec<u8>,
}

/// Opens all that can be opened, conversation by conversation.
pub(crate) fn decrypt(payloads: &[Payload], log: &KeyLog, decrypted: &mut Decrypted) {
    let mut answers: HashMap<Way, Vec<(&Payload, Hello)>> = HashMap::new();
    for payload in payloads {
        if let Some(hello) = hello(payload, SERVER_HELLO) {
            answers.entry(payload.way).or_default().push((payload, hello));
        }
    }
    for asking in payloads {
        let Some(hello) = hello(asking, CLIENT_HELLO) else { continue };
        let back = asking.way.back();
        let later =
            answers.get(&back).into_iter().flatten().filter(|(_, answer)| answer.packet > hello.packet);
        // A port may be used again.
        let answered = later.min_by_key(|(_, answer)| answer.packet);
        let conversation = answered.and_then(|(_, answer)| conversation(&hello, answer));
        let [client, server] = match &conversation {
            Some(conversation) => [conversation.client(log), conversation.server(log)],
            None => [Schedule::default(), Schedule::default()],
        };
        stream::open(asking, hello.at, client, decrypted);
        if let Some((answering, answer)) = answered {
            stream::open(answering, answer.at, server, decrypted);
        }
    }
}

/// What both hellos agreed on.
fn conversation<'a>(asked: &'a Hello, answered: &'a Hello) -> Option<Conversation<'a>> {
    let client = ClientHello::parse(&asked.message)?.random;
    let server = ServerHello::parse_body(answered.message.get(4..)?)?;
    Conversation::new(client, &server)
}

/// The first hello of this type in a stream.
fn hello(payload: &Payload, kind: u8) -> Option<Hello> {
    let streamed = payload.way.transport == Transport::Tcp;
    let early = payload.bytes.get(..payload.bytes.len().min(EARLY)).filter(|_| streamed)?;
    let begins = |at: &usize| {
        let stream = payload.bytes.get(*at..).unwrap_or_default();
        stream.first_chunk().is_some_and(|bytes| header(bytes).is_some()) && stream.get(HEADER) == Some(&kind)
    };
    let mut places = memchr::memchr_iter(content::HANDSHAKE, early).filter(begins).take(MOST_TRIES);
    places.find_map(|at| {
        let stream = payload.bytes.get(at..)?;
        let message = first_message(stream.get(..stream.len().min(LONGEST_HELLO))?)?;
        let body = message.get(4..)?;
        let parsed = match kind {
            CLIENT_HELLO => ClientHello::parse_body(body, true).is_some(),
            _ => ServerHello::parse_body(body).is_some(),
        };
        Some(Hello { at, packet: payload.packet_at(at)?, message }).filter(|_| parsed)
    })
}

fn first_message(stream: &[u8]) -> Option<Vec<u8>> {
    let mut first = None;
    Records::default().feed(stream, &mut |message| {
        first.get_or_insert_with(|| message.to_vec());
    });
    first
}
