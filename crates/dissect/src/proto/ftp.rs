//! FTP's control connection (RFC 959, RFC 4217).

use super::lines::{UntilTls, begins, holds, is_one_of, words};
use super::{Dissector, Opening, Reader, Recognition, mail};
use overheard_model::{Protocol, Transport, Visibility};

pub(super) struct Ftp;

impl Dissector for Ftp {
    fn protocol(&self) -> Protocol {
        Protocol::Ftp
    }

    fn recognise(&self, opening: &Opening<'_>) -> Recognition {
        const COMMANDS: [&[u8]; 8] = [b"USER", b"FEAT", b"PASV", b"EPSV", b"TYPE", b"SYST", b"RETR", b"STOR"];
        let on_port = opening.on_port(21);
        let greeting = |line: &[u8]| begins(line, b"220") && (on_port || holds(line, b"FTP"));
        let greeted = greeting_of_either(opening);
        mail::judge(opening, b"220", greeting, |line| {
            let known = is_one_of(words(line).next(), &COMMANDS) || begins(line, b"AUTH TLS");
            known && (on_port || greeted)
        })
    }

    fn may_begin(&self, transport: Transport, first: Option<u8>) -> bool {
        transport == Transport::Tcp && mail::may_begin(first)
    }

    fn visibility(&self) -> Visibility {
        Visibility::Readable
    }

    fn reader(&self) -> Option<Box<dyn Reader>> {
        Some(Box::new(UntilTls::default()))
    }
}

/// `USER` is also POP's and IRC's: off the port a reply in three digits must stand beside it.
fn greeting_of_either(opening: &Opening<'_>) -> bool {
    begins(opening.dst, b"220") || begins(opening.src, b"220")
}
