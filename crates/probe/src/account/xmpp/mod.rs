//! An account on XMPP (RFC 6120, RFC 6121).
//!
//! Behind each message goes a ping to the server, whose answer confirms it (see [`super::receipts`]). A bounce that comes
//! later, from another server, is told when it comes.

mod element;
mod login;
mod stream;

use super::receipts::Receipts;
use super::{Account, Fault, Password, Roots, Sending, Service};
use crate::driver::Event;
use element::{Element, escaped, is_carried};
use stream::{Stream, condition};

/// An account on an XMPP server.
#[derive(Clone, Debug)]
pub struct Xmpp {
    /// `user@domain`.
    pub jid: String,
    pub password: Password,
    /// `host:port`; the domain's own and the usual port, unless given. No SRV record is asked for.
    pub server: Option<String>,
    pub security: Security,
}

/// How a connection is kept from others' eyes.
#[derive(Clone, Debug)]
pub enum Security {
    StartTls(Roots),
    DirectTls(Roots),
    Plaintext,
}

impl Xmpp {
    /// User and domain.
    fn user(&self) -> Option<(&str, &str)> {
        let (user, domain) = self.jid.split_once('@')?;
        (!user.is_empty() && is_address(&self.jid) && !domain.contains(['@', '/'])).then_some((user, domain))
    }
}

/// Whether a message can be addressed to it; whether it exists, its server says.
fn is_address(jid: &str) -> bool {
    let bare = bare(jid);
    let domain = bare.split_once('@').map_or(bare, |(_, domain)| domain);
    !domain.is_empty() && !jid.contains(|c: char| c.is_control() || c.is_whitespace()) && is_carried(jid)
}

/// Without the resource.
fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

impl Service for Xmpp {
    type Account = Connected;

    async fn log_in(self) -> Result<Connected, Fault> {
        let (stream, jid) = login::log_in(&self).await?;
        let jid = bare(&jid).to_owned();
        let domain = jid.rsplit('@').next().unwrap_or(&jid).to_owned();
        Ok(Connected { stream, jid, domain, receipts: Receipts::default() })
    }
}

/// An account that is logged in to.
#[derive(Debug)]
pub struct Connected {
    stream: Stream,
    /// Without the resource.
    jid: String,
    domain: String,
    receipts: Receipts,
}

impl Account for Connected {
    fn name(&self) -> &str {
        &self.jid
    }

    async fn send(&mut self, id: &str, to: &str, text: &str) -> Result<Sending, Fault> {
        if !is_address(to) {
            return Ok(Sending::Refused("no address, such as bob@chat.example".into()));
        }
        if !is_carried(text) || !is_carried(id) {
            return Ok(Sending::Refused("XML carries no control characters".into()));
        }
        let (to, id_, text) = (escaped(to), escaped(id), escaped(text));
        self.stream.put(&format!("<message type='chat' to='{to}' id='{id_}'><body>{text}</body></message>"));
        let token = self.receipts.ask(id);
        self.stream.put(&login::ping(&self.domain, &token));
        self.stream.flush().await?;
        Ok(Sending::Awaited)
    }

    async fn hear(&mut self) -> Result<Event, Fault> {
        loop {
            if let Some(event) = self.receipts.told() {
                return Ok(event);
            }
            let stanza = self.stream.read().await?;
            match stanza.name.as_str() {
                "message" => {
                    if let Some(event) = self.message(&stanza) {
                        return Ok(event);
                    }
                }
                "iq" => self.query(&stanza),
                _ => {}
            }
        }
    }

    async fn log_out(self) {
        self.stream.close().await;
    }
}

impl Connected {
    /// What someone wrote. What came back to us is noted.
    fn message(&mut self, stanza: &Element) -> Option<Event> {
        match stanza.attribute("type") {
            Some("error") => {
                let why = stanza.child("error").map_or_else(|| "error".into(), condition);
                self.receipts.refused(stanza.attribute("id")?.to_owned(), why);
                None
            }
            // Of rooms and of news.
            Some("groupchat" | "headline") => None,
            _ => {
                let from = bare(stanza.attribute("from")?).to_owned();
                Some(Event::Received { from, text: stanza.child("body")?.text.clone() })
            }
        }
    }

    /// Answers to our pings, and others' questions, each of which must be answered (RFC 6120, 8.2.3).
    fn query(&mut self, stanza: &Element) {
        let id = stanza.attribute("id").unwrap_or_default();
        if !matches!(stanza.attribute("type"), Some("get" | "set")) {
            self.receipts.answered(id);
            return;
        }
        let to = stanza.attribute("from").map(|from| format!(" to='{}'", escaped(from))).unwrap_or_default();
        let id = escaped(id);
        let answer = match stanza.child("ping") {
            Some(_) => format!("<iq type='result' id='{id}'{to}/>"),
            None => format!(
                "<iq type='error' id='{id}'{to}><error type='cancel'>\
                 <service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            ),
        };
        self.stream.put(&answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_user_and_a_domain() {
        let account = |jid: &str| Xmpp {
            jid: jid.into(),
            password: Password::new(""),
            server: None,
            security: Security::Plaintext,
        };
        assert_eq!(account("alice@chat.example").user(), Some(("alice", "chat.example")));
        for jid in ["alice", "@chat.example", "alice@", "a b@c", "alice@chat.example/home", "a@b@c"] {
            assert_eq!(account(jid).user(), None, "{jid}");
        }
    }

    #[test]
    fn a_message_may_go_to_a_server_too() {
        assert!(
            is_address("chat.example") && is_address("bob@chat.example/at home".replace(' ', "").as_str())
        );
        assert!(!is_address("") && !is_address("bob@") && !is_address("bob@x\n"));
    }
}
