//! The keys of one direction, phase by phase.
//!
//! Sources: RFC 9001 §5.1 (keys of a secret), §6 (key update).
//! Which suite was agreed on is not read from the handshake: the first packet that opens tells.

use super::super::protection::{HeaderKey, PacketKey};
use super::super::version::Labels;
use super::connection::Sealed;
use crate::proto::decrypt::suite::Suite;
use ring::hkdf::Prk;

/// What protects the packets of one direction.
#[derive(Default)]
pub(super) struct Lock {
    /// As the key log has it.
    pub(super) secret: Option<Vec<u8>>,
    phases: Option<Phases>,
}

/// The keys of a phase, of the one before and of the one after; the mask stays the same.
struct Phases {
    suite: Suite,
    labels: &'static Labels,
    header: HeaderKey,
    before: Option<PacketKey>,
    now: PacketKey,
    /// Key and secret.
    next: (PacketKey, Vec<u8>),
    /// What packets of this phase state.
    bit: bool,
    /// The lowest packet number that is known to be of this phase.
    began: u64,
}

/// A packet number, and frames.
pub(super) type Opened = (u64, Vec<u8>);

impl Lock {
    /// What the next packet holds, where the largest packet number was this.
    pub(super) fn open(
        &mut self,
        labels: &'static Labels,
        sealed: Sealed<'_>,
        largest: Option<u64>,
    ) -> Option<Opened> {
        if let Some(phases) = &mut self.phases {
            return phases.open(sealed, largest);
        }
        let secret = self.secret.as_deref()?;
        let (phases, opened) = Suite::all().into_iter().find_map(|suite| {
            let mut phases = Phases::new(suite, secret, labels)?;
            let opened = phases.open(sealed, largest)?;
            Some((phases, opened))
        })?;
        self.phases = Some(phases);
        Some(opened)
    }
}

impl Phases {
    /// Nothing where the secret is not as long as the suite's hash.
    fn new(suite: Suite, secret: &[u8], labels: &'static Labels) -> Option<Self> {
        if secret.len() != suite.hash.length() {
            return None;
        }
        let first = Prk::new_less_safe(suite.hash.hkdf(), secret);
        Some(Self {
            suite,
            labels,
            header: HeaderKey::new(&first, suite.aead, labels)?,
            before: None,
            now: PacketKey::new(&first, suite.aead, labels)?,
            next: next(suite, labels, secret)?,
            bit: false,
            began: 0,
        })
    }

    fn open(&mut self, sealed: Sealed<'_>, largest: Option<u64>) -> Option<Opened> {
        let bare = self.header.unmask(sealed.bytes, sealed.number_at)?;
        let number = bare.number_after(largest);
        if bare.key_phase() == self.bit {
            let frames = self.now.open(bare, number)?;
            self.began = self.began.min(number);
            return Some((number, frames));
        }
        if number < self.began {
            return Some((number, self.before.as_ref()?.open(bare, number)?));
        }
        let frames = self.next.0.open(bare, number)?;
        self.advance(number)?;
        Some((number, frames))
    }

    /// Goes on to the next phase.
    fn advance(&mut self, number: u64) -> Option<()> {
        let after = next(self.suite, self.labels, &self.next.1)?;
        let (now, _) = std::mem::replace(&mut self.next, after);
        self.before = Some(std::mem::replace(&mut self.now, now));
        (self.bit, self.began) = (!self.bit, number);
        Some(())
    }
}

/// Key and secret of the phase that follows the one with this secret.
fn next(suite: Suite, labels: &Labels, secret: &[u8]) -> Option<(PacketKey, Vec<u8>)> {
    let next = suite.updated(secret, labels.update)?;
    let key = PacketKey::new(&Prk::new_less_safe(suite.hash.hkdf(), &next), suite.aead, labels)?;
    Some((key, next))
}

#[cfg(test)]
mod tests {
    use super::super::super::initial::tests::{V1, V2, unhex};
    use super::super::super::version::labels;
    use super::*;

    const SECRET: &str = "9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b";

    /// RFC 9001 A.5 and RFC 9369 A.5: a packet that holds a PING, and the secret of the next phase.
    #[test]
    fn the_short_headers_of_the_rfcs_open_and_their_secrets_go_on() {
        let cases = [
            (
                V1,
                "4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
                "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9",
            ),
            (
                V2,
                "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba",
                "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88",
            ),
        ];
        for (version, packet, after) in cases {
            let (secret, packet) = (unhex(SECRET), unhex(packet));
            let mut lock = Lock { secret: Some(secret), phases: None };
            let sealed = Sealed { bytes: &packet, number_at: 1 };
            assert_eq!(lock.open(labels(version), sealed, Some(654_360_000)), Some((654_360_564, vec![1])));
            assert_eq!(lock.phases.map(|phases| phases.next.1), Some(unhex(after)));
            let mut other = Lock { secret: Some(unhex(SECRET)), phases: None };
            assert_eq!(other.open(labels(V1 + V2 - version), sealed, Some(654_360_000)), None);
        }
    }
}
