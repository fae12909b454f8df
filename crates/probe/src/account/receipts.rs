//! Messages of which the service has not said all yet.
//!
//! Neither IRC nor XMPP confirms a message, but both answer in order. So behind each message goes a question that is
//! always answered; its answer says that the message came through before it, and an error in between is the message's.

use crate::driver::Event;
use std::collections::VecDeque;

#[derive(Debug, Default)]
pub(super) struct Receipts {
    asked: u64,
    awaited: VecDeque<Awaited>,
    told: VecDeque<Event>,
}

#[derive(Debug)]
struct Awaited {
    id: String,
    token: String,
    refused: bool,
}

impl Receipts {
    /// Awaits a message's fate; what comes back is to be sent behind it, and to be answered with.
    pub(super) fn ask(&mut self, id: &str) -> String {
        self.asked += 1;
        let token = format!("overheard-{}", self.asked);
        self.awaited.push_back(Awaited { id: id.to_owned(), token: token.clone(), refused: false });
        token
    }

    /// The service has dealt with everything up to this token.
    pub(super) fn answered(&mut self, token: &str) {
        while self.awaited.iter().any(|awaited| awaited.token == token) {
            let Some(Awaited { id, refused, .. }) = self.awaited.pop_front() else { return };
            if !refused {
                self.told.push_back(Event::Sent { id });
            }
        }
    }

    /// An error that names no message: it is the first one's, or, where none is awaited, the account's.
    pub(super) fn refused_first(&mut self, why: String) {
        match self.awaited.front().map(|first| first.id.clone()) {
            Some(id) => self.refused(id, why),
            None => self.told.push_back(Event::Error { id: None, message: why }),
        }
    }

    /// An error of a message. A second one of the same message says nothing new.
    pub(super) fn refused(&mut self, id: String, why: String) {
        let awaited = self.awaited.iter_mut().find(|awaited| awaited.id == id);
        if awaited.is_some_and(|awaited| std::mem::replace(&mut awaited.refused, true)) {
            return;
        }
        self.told.push_back(Event::Error { id: Some(id), message: why });
    }

    /// What is to be told next.
    pub(super) fn told(&mut self) -> Option<Event> {
        self.told.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(receipts: &mut Receipts) -> Vec<Event> {
        std::iter::from_fn(|| receipts.told()).collect()
    }

    #[test]
    fn an_error_is_of_the_first_message_without_an_answer() {
        let mut receipts = Receipts::default();
        let [first, second] = ["a", "b"].map(|id| receipts.ask(id));
        receipts.refused_first("401".into());
        receipts.refused_first("401 again".into());
        receipts.answered(&first);
        receipts.answered("another");
        receipts.answered(&second);
        let refused = Event::Error { id: Some("a".into()), message: "401".into() };
        assert_eq!(told(&mut receipts), [refused, Event::Sent { id: "b".into() }]);
        receipts.refused_first("shutting down".into());
        assert_eq!(told(&mut receipts), [Event::Error { id: None, message: "shutting down".into() }]);
    }

    #[test]
    fn an_answer_holds_for_all_before_it() {
        let mut receipts = Receipts::default();
        receipts.ask("a");
        let last = receipts.ask("b");
        receipts.answered(&last);
        assert_eq!(told(&mut receipts).len(), 2);
    }
}
