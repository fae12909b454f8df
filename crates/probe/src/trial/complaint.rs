//! What a client's error says: of the message that it is about, or of the account that sent it.
//!
//! A ban shows by what does not arrive any more, but only after some messages, which it costs. Most clients say it at once.
//! Promises: where the error may be the filter's, which refuses a message for what it says, nothing is concluded of the
//! account; a harmless message is refused by no filter.
//! To extend: a service's words for it are entries of the lists below, in lower case.

/// Conditions of the account alone: IRC's replies to who is banned (RFC 2812, 5.2), XMPP's to who is not let in any more
/// (RFC 6120, 8.3.3; XEP-0205).
const BANNED: [&str; 5] = ["465", "466", "not-authorized", "registration-required", "account-disabled"];
/// What an account may be.
const SHUT: [&str; 8] =
    ["banned", "suspended", "disabled", "deactivated", "terminated", "locked", "blacklisted", "frozen"];
/// How an account is spoken of.
const ACCOUNT: [&str; 4] = ["account", "you", "your", "user"];
/// How a text is spoken of: `your message holds a banned word`.
const TEXT: [&str; 9] =
    ["message", "messages", "text", "content", "word", "words", "keyword", "phrase", "link"];
/// What a harmless message is not refused for while its account may send. 404: IRC's, to who is banned in a channel.
const UNWELCOME: [&str; 12] = [
    "404",
    "ban",
    "blocked",
    "denied",
    "forbidden",
    "muted",
    "permission",
    "policy",
    "restricted",
    "spam",
    "unauthorized",
    "violation",
];

/// Whether the account is refused, and not the message. A harmless message is one that no filter acts on.
pub(super) fn is_of_account(said: &str, harmless: bool) -> bool {
    let lower = said.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let says = |any: &[&str]| words.iter().any(|word| any.contains(word));
    let banned = BANNED.iter().any(|condition| {
        let rest = lower.trim_start().strip_prefix(condition);
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    let not_allowed = words.windows(2).any(|pair| matches!(pair, ["not", "allowed" | "permitted"]));
    banned
        || says(&SHUT) && says(&ACCOUNT) && !says(&TEXT)
        || harmless && (not_allowed || says(&UNWELCOME) || says(&SHUT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_told_from_a_filter_that_refuses() {
        for said in [
            "465: You are banned",
            "not-authorized: log in",
            "Your account has been suspended.",
            "user is BANNED",
        ] {
            assert!(is_of_account(said, false), "{said}");
        }
        let of_the_text = [
            "Your message contains banned words",
            "forbidden",
            "policy-violation: no",
            "Message not allowed",
        ];
        for said in of_the_text {
            assert!(!is_of_account(said, false), "{said}: a filter may say so");
            assert!(is_of_account(said, true), "{said}: of a harmless message");
        }
        for said in
            ["401: No such nick", "4650 messages are waiting", "urban legends", "", "too many, slow down"]
        {
            assert!(!is_of_account(said, true), "{said}");
        }
    }
}
