//! What the acts of a comparison come to: which of them count, what was lost of the benign ones, and the judgement.
//!
//! Promises: an act counts once its message was answered and, where traffic is watched, its lag window has passed; acts of
//! a silent stretch, in which nothing arrived and many benign messages should have, count for nothing: an account may have
//! been banned, and that is no filter.

use crate::pipeline;
use overheard_model::{Act, Arm, Fate, NAMES_ASKED, Trial, Upload, Uploads};
use overheard_probe::trial::Book;

/// Benign messages lost in a row, with nothing that arrives between them, that make a stretch silent. At 10 % loss it
/// happens by chance once in 10,000 messages.
pub const SILENT: usize = 4;

/// Acts of a comparison that count, in their order.
pub fn counted(book: &Book, watched: bool) -> Vec<&Act> {
    let silent = silent(book);
    let all = book.acts().iter().zip(silent);
    let counts = |act: &Act| act.arm.is_some() && is_whole(book, act, watched);
    all.filter(|(act, silent)| !silent && counts(act)).map(|(act, _)| act).collect()
}

/// Whether nothing arrives any more.
pub fn is_silent(book: &Book) -> bool {
    silent(book).last() == Some(&true)
}

/// Benign messages that were lost, of those that count.
pub fn benign_loss(book: &Book, acts: &[&Act]) -> (u64, u64) {
    share(book, acts, Arm::Benign, |fate| fate != Fate::Delivered)
}

/// Messages of an arm with this fate, of those whose fate is known.
pub fn share(book: &Book, acts: &[&Act], arm: Arm, is: impl Fn(Fate) -> bool) -> (u64, u64) {
    let fates = acts.iter().filter(|act| act.arm == Some(arm)).filter_map(|act| book.delivery(act)?.fate);
    fates.fold((0, 0), |(some, all), fate| (some + u64::from(is(fate)), all + 1))
}

/// The acts as the judgement wants them.
pub fn trials(book: &Book, acts: &[&Act]) -> Vec<Trial> {
    acts.iter().filter_map(|act| trial(book, act)).collect()
}

/// The judgement of the acts; none before both arms have one. Whoever copies asks for a name first, and it is the room's
/// own name server that answers: it is no party, and [`asks_more`] judges it by itself.
pub fn judge(book: &Book, acts: &[&Act], looks: u32, seed: u64) -> Option<Uploads> {
    judge_where(book, acts, looks, seed, |endpoint| endpoint != NAMES_ASKED)
}

/// Whether more is asked of the room's name server after a trigger than after a benign message.
pub fn asks_more(book: &Book, acts: &[&Act], looks: u32, seed: u64) -> Option<Upload> {
    let asked = |act: &&&Act| act.traffic.contains_key(NAMES_ASKED);
    acts.iter().find(asked)?;
    let judged = judge_where(book, acts, looks, seed, |endpoint| endpoint == NAMES_ASKED)?;
    judged.uploads.into_iter().next()
}

fn judge_where(
    book: &Book,
    acts: &[&Act],
    looks: u32,
    seed: u64,
    is_party: impl Fn(&str) -> bool,
) -> Option<Uploads> {
    let mut trials = trials(book, acts);
    trials.iter_mut().for_each(|trial| trial.traffic.retain(|endpoint, _| is_party(endpoint)));
    let has = |arm| trials.iter().any(|trial| trial.arm == arm);
    (has(Arm::Trigger) && has(Arm::Benign)).then(|| {
        let mut judged = pipeline::judge_again(&trials, looks, seed);
        let strays = book.strays();
        pipeline::spare(&mut judged, strays.late + strays.unknown);
        judged
    })
}

fn trial(book: &Book, act: &Act) -> Option<Trial> {
    let delivered = book.delivery(act).and_then(|delivery| delivery.fate).map(|fate| fate == Fate::Delivered);
    Some(Trial { arm: act.arm?, delivered, traffic: act.traffic.clone(), factors: act.factors.clone() })
}

fn is_whole(book: &Book, act: &Act, watched: bool) -> bool {
    let answered =
        act.delivery.is_none() || book.delivery(act).is_some_and(|delivery| delivery.fate.is_some());
    answered && (!watched || book.is_watched(act))
}

/// Act by act, whether it belongs to a silent stretch.
fn silent(book: &Book) -> Vec<bool> {
    let fate = |act: &Act| book.delivery(act).and_then(|delivery| delivery.fate);
    let arrived: Vec<bool> = book.acts().iter().map(|act| fate(act) == Some(Fate::Delivered)).collect();
    let mut silent = vec![false; arrived.len()];
    let mut start = 0;
    for stretch in arrived.chunk_by(|one, other| one == other) {
        let range = start..start + stretch.len();
        start = range.end;
        let lost = |act: &&Act| act.arm == Some(Arm::Benign) && fate(act).is_some();
        if !stretch[0] && book.acts()[range.clone()].iter().filter(lost).count() >= SILENT {
            silent[range].fill(true);
        }
    }
    silent
}

#[cfg(test)]
mod tests {
    use super::*;
    use overheard_model::{Strays, Timestamp};
    use overheard_probe::trial::{Crossed, Intent, Opening, Outcome};

    /// `t` and `b` are lost, `T` and `B` arrive, `s` sends nothing, `?` has no answer.
    fn book(acts: &str) -> (tempfile::TempDir, Book) {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::open(folder.path(), &Opening::of(""), 100).unwrap();
        for act in acts.chars() {
            let arm = match act.to_ascii_lowercase() {
                't' => Arm::Trigger,
                's' => Arm::Sham,
                _ => Arm::Benign,
            };
            let message = (arm != Arm::Sham).then_some(("alice", "text"));
            let booked =
                book.book(&Intent { arm: Some(arm), message, ..Intent::default() }, Timestamp(0)).unwrap();
            let fate = if act.is_uppercase() { Fate::Delivered } else { Fate::Lost };
            let strays = Strays::default();
            if let Some(delivery) = booked.delivery.filter(|_| act != '?') {
                book.answer(delivery, Outcome { fate, reason: None, after_ms: None, strays }).unwrap();
            }
        }
        (folder, book)
    }

    fn numbers(acts: &[&Act]) -> Vec<u64> {
        acts.iter().map(|act| act.number).collect()
    }

    #[test]
    fn what_was_not_answered_or_watched_does_not_count() {
        let (_folder, mut book) = book("tB?sB");
        assert_eq!(numbers(&counted(&book, false)), [1, 2, 4, 5]);
        assert!(counted(&book, true).is_empty());
        book.watch(4, Crossed::default()).unwrap();
        assert_eq!(numbers(&counted(&book, true)), [4]);
    }

    #[test]
    fn a_silent_stretch_counts_for_nothing_and_a_filter_is_none() {
        let (_folder, banned) = book("BtBTtbtbsbtbtbb");
        assert_eq!(numbers(&counted(&banned, false)), [1, 2, 3, 4]);
        assert!(is_silent(&banned));
        let (_folder, filter) = book("BtBtttttttttbBtbB");
        assert_eq!(counted(&filter, false).len(), 17);
        assert!(!is_silent(&filter));
        let (_folder, mended) = book("BtbtbtbtbBtB");
        assert_eq!(numbers(&counted(&mended, false)), [1, 10, 11, 12]);
        assert_eq!(benign_loss(&mended, &counted(&mended, false)), (0, 3));
        assert!(!is_silent(&mended));
    }
}
