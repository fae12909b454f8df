//! What the acts of a comparison come to: which of them count, what was lost of the benign ones, and the judgement.
//!
//! Promises: an act counts once its message was answered and, where traffic is watched, its lag window has passed; acts of
//! a silent stretch, in which nothing arrived and many benign messages should have, count for nothing: an account may have
//! been banned, and that is no filter. A level of a factor with which nothing ever arrived, while with others messages did,
//! is no such stretch but a finding to be judged.

use super::design;
use super::trials::Levels;
use crate::pipeline;
use overheard_model::{Act, Arm, Fate, NAMES_ASKED, Trial, Upload, Uploads};
use overheard_probe::trial::Book;
use std::collections::BTreeSet;

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

/// With which levels nothing arrives any more, if that is so: those of the last act.
pub fn silent_levels(book: &Book) -> Option<Levels> {
    let last = silent(book).last() == Some(&true);
    book.acts().last().filter(|_| last).map(design::levels_of)
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

/// Act by act, whether it belongs to a silent stretch: of all acts, or of those with the same clients.
fn silent(book: &Book) -> Vec<bool> {
    let acts = book.acts();
    let fate = |at: usize| book.delivery(&acts[at]).and_then(|delivery| delivery.fate);
    let arrived = |at: usize| fate(at) == Some(Fate::Delivered);
    let levels: Vec<Levels> = acts.iter().map(design::levels_of).collect();
    let (mut heard, mut before) = (BTreeSet::new(), Vec::new());
    for (at, levels) in levels.iter().enumerate() {
        before.push((heard.contains(levels), heard.is_empty()));
        heard.extend(arrived(at).then_some(levels));
    }
    let mut silent = vec![false; acts.len()];
    let mut mark = |stretches: &[usize], should_arrive: &dyn Fn(usize) -> bool| {
        for stretch in stretches.chunk_by(|one, other| arrived(*one) == arrived(*other)) {
            let lost = |at: &&usize| acts[**at].arm == Some(Arm::Benign) && fate(**at).is_some();
            let lost = stretch.iter().filter(lost).filter(|at| should_arrive(**at));
            if !arrived(stretch[0]) && lost.count() >= SILENT {
                stretch.iter().for_each(|at| silent[*at] = true);
            }
        }
    };
    // With these clients a message arrived before; or none did with any.
    let (known, nobody) = (|at: usize| before[at].0, |at: usize| before[at].1);
    mark(&(0..acts.len()).collect::<Vec<_>>(), &known);
    for same in levels.iter().collect::<BTreeSet<_>>() {
        let of_these: Vec<usize> = (0..acts.len()).filter(|at| levels[*at] == *same).collect();
        mark(&of_these, &|at| known(at) || nobody(at));
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
        book_of(&[("", acts)])
    }

    /// The same of several users in turn, each with stretches of acts.
    fn book_of(stretches: &[(&str, &str)]) -> (tempfile::TempDir, Book) {
        let folder = tempfile::tempdir().unwrap();
        let mut book = Book::open(folder.path(), &Opening::of(""), 100).unwrap();
        for (user, act) in stretches.iter().flat_map(|(user, acts)| acts.chars().map(move |act| (user, act)))
        {
            let arm = match act.to_ascii_lowercase() {
                't' => Arm::Trigger,
                's' => Arm::Sham,
                _ => Arm::Benign,
            };
            let message = (arm != Arm::Sham).then_some(("alice", "text"));
            let levels = (!user.is_empty()).then(|| ("user".to_owned(), (*user).to_owned()));
            let factors = levels.into_iter().collect();
            let booked = book.book(&Intent { arm: Some(arm), message, factors }, Timestamp(0)).unwrap();
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
        assert!(silent_levels(&banned).is_some());
        let (_folder, filter) = book("BtBtttttttttbBtbB");
        assert_eq!(counted(&filter, false).len(), 17);
        assert!(silent_levels(&filter).is_none());
        let (_folder, mended) = book("BtbtbtbtbBtB");
        assert_eq!(numbers(&counted(&mended, false)), [1, 10, 11, 12]);
        assert_eq!(benign_loss(&mended, &counted(&mended, false)), (0, 3));
        assert!(silent_levels(&mended).is_none());
    }

    #[test]
    fn a_level_that_never_arrives_is_no_silence_and_one_that_did_is() {
        let all = |stretches: &[(&str, &str)]| {
            let (_folder, book) = book_of(stretches);
            (numbers(&counted(&book, false)), silent_levels(&book))
        };
        let dropped = [("carol", "tbbt"), ("alice", "TBBT"), ("carol", "tbbtbtbt"), ("alice", "TB")];
        assert_eq!(all(&dropped), ((1..=18).collect(), None));
        assert_eq!(all(&dropped[..3]), ((1..=16).collect(), None), "the first to be lost in a row");
        let several = [("carol", "tbbt"), ("dave", "tbbt"), ("alice", "TBBT")];
        assert_eq!(all(&several[..2]).1, None, "nobody arrived so far, but of neither were four lost");
        let banned = [("carol", "TB"), ("alice", "TB"), ("carol", "tbb"), ("alice", "TB"), ("carol", "tbb")];
        let carol = [("user".to_owned(), "carol".to_owned())].into();
        assert_eq!(all(&banned), (vec![1, 2, 3, 4, 8, 9], Some(carol)), "what alice sent counts");
        let receiver = [("carol", "TB"), ("alice", "TB"), ("carol", "tbb"), ("alice", "tbb")];
        assert_eq!(all(&receiver).0, [1, 2, 3, 4], "whoever sends");
        assert!(
            all(&[("carol", "tbb"), ("alice", "tbb"), ("carol", "tbb")]).1.is_some(),
            "nobody ever arrived"
        );
    }
}
