//! Answers, and the sentences that say them, of inquiries made by hand.

use super::answer::{outcome, standing};
use super::sentences::{self, headline};
use overheard_model::{
    Act, Arm, Delivery, Detectable, DropTest, Fate, Found, Inquiry, Others, Outcome, ReadableCopy, Rule,
    SearchWarning, Signal, Timestamp, Uploads,
};
use std::collections::BTreeMap;

fn inquiry() -> Inquiry {
    Inquiry { watched: true, lag_s: 60.0, window_s: 20.0, ..Inquiry::default() }
}

fn search(rules: usize, warnings: &[SearchWarning]) -> Inquiry {
    let rule = Rule {
        all: vec!["茶".into(), "书".into()],
        ordered: Some(false),
        candidates: Vec::new(),
        exact: true,
        error_bound: 0.003,
        messages: 31,
    };
    let found = Found {
        rules: vec![rule; rules],
        messages: 1,
        warnings: warnings.to_vec(),
        others: Others::All,
        candidates: None,
    };
    Inquiry { found: Some(found), watched: false, ..inquiry() }
}

fn compared(outcome: Outcome, seen: Option<u64>) -> Inquiry {
    let detectable = vec![Detectable { endpoint: None, bytes: seen, power: 0.9 }];
    let judged = Uploads {
        outcome,
        drops: Vec::new(),
        copied_p: 0.4,
        looks: 1,
        uploads: Vec::new(),
        detectable,
        effects: Vec::new(),
    };
    Inquiry { judged: Some(judged), ..inquiry() }
}

/// Of the words, where there is no level.
fn test(level: &str, p: f64) -> DropTest {
    let factors = (!level.is_empty()).then(|| ("user".to_owned(), level.to_owned()));
    let (factors, dropped) = (factors.into_iter().collect(), p <= 0.0025);
    DropTest { factors, lost: 9, of: 10, others_lost: 0, others_of: 11, p, dropped }
}

#[test]
fn a_level_that_is_dropped_is_named_with_the_test_that_says_so() {
    let mut dropped = compared(Outcome::Dropped, Some(300));
    let judge = |inquiry: &mut Inquiry, drops: Vec<DropTest>| {
        inquiry.judged.iter_mut().for_each(|judged| judged.drops.clone_from(&drops));
        sentences::of(inquiry).join(" ")
    };
    let said = judge(&mut dropped, vec![test("", 1.0), test("alice", 1.0), test("carol", 0.0002)]);
    assert!(said.starts_with("Dropped: whatever is sent with user=carol does not arrive."), "{said}");
    let stretches = "arrived in 9 of 10 stretches of acts with user=carol, whatever they say, and in 0 of 11 stretches \
                     of acts with others (p=0.0002)";
    assert!(said.contains(stretches) && !said.contains("user=alice"), "{said}");
    let words = judge(&mut dropped, vec![test("", 0.0001), test("carol", 0.0002)]);
    assert!(words.starts_with("Dropped: it does not arrive."), "{words}");
}

#[test]
fn a_search_says_no_more_than_is_known() {
    let of = |rules, warnings: &[_]| outcome(&search(rules, warnings));
    assert_eq!(of(1, &[SearchWarning::Unsettled]), Some(Outcome::Dropped));
    assert_eq!(of(0, &[SearchWarning::NotBlocked]), Some(Outcome::Neither));
    assert_eq!(of(0, &[]), Some(Outcome::Neither));
    for unsure in [SearchWarning::Silent, SearchWarning::Unsettled, SearchWarning::NotMonotone] {
        assert_eq!(of(0, &[unsure]), None);
    }
}

#[test]
fn fewer_arrivals_than_chance_likes_are_not_called_none() {
    let act = Act {
        number: 1,
        at: Timestamp(0),
        arm: Some(Arm::Trigger),
        delivery: Some(1),
        factors: BTreeMap::new(),
        packets: None,
        traffic: BTreeMap::new(),
    };
    let delivery = Delivery {
        number: 1,
        account: "alice".into(),
        text_sha256: String::new(),
        sent: Timestamp(0),
        fate: Some(Fate::Delivered),
        reason: None,
        after_ms: Some(9),
    };
    let lost = |p, level: &str| {
        let mut inquiry = compared(Outcome::Neither, Some(300));
        (inquiry.acts, inquiry.deliveries) = (vec![act.clone()], vec![delivery.clone()]);
        inquiry.judged.iter_mut().for_each(|judged| judged.drops = vec![test(level, p)]);
        inquiry
    };
    assert_eq!(outcome(&lost(0.2, "")), Some(Outcome::Neither));
    let by_level = headline(&lost(0.01, "carol"));
    assert!(by_level.contains("fewer messages arrived with user=carol"), "{by_level}");
    let hinted = lost(0.01, "");
    assert_eq!((outcome(&hinted), standing(&hinted).dropped), (None, None));
    assert!(headline(&hinted).contains("may be a filter"), "{}", headline(&hinted));
}

#[test]
fn a_search_by_uploads_finds_copies() {
    let signal = Signal::Upload { endpoint: "collector.example".into() };
    let found = Inquiry { signal, watched: true, ..search(1, &[]) };
    assert_eq!(outcome(&found), Some(Outcome::Copied));
    assert!(headline(&found).contains("also dropped is not known"));
}

#[test]
fn nothing_is_said_of_copies_where_nobody_watched() {
    let unwatched = search(0, &[]);
    assert!(headline(&unwatched).contains("was not watched"), "{}", headline(&unwatched));
    let judged = Inquiry { watched: false, ..compared(Outcome::Copied, Some(100)) };
    assert_ne!(outcome(&judged), Some(Outcome::Copied));
}

#[test]
fn too_few_trials_give_no_answer() {
    assert_eq!(outcome(&compared(Outcome::Neither, None)), None);
    assert!(sentences::of(&compared(Outcome::Neither, None)).concat().contains("more trials are needed"));
    assert_eq!(outcome(&compared(Outcome::Copied, None)), Some(Outcome::Copied));
}

#[test]
fn a_copy_that_can_be_read_needs_no_statistics() {
    let copy = ReadableCopy {
        act: 3,
        endpoint: "collector.example".into(),
        flow: "f".into(),
        capture: "c".into(),
        packet: 9,
        encoding: "base64".into(),
        bytes: 30,
    };
    let read = Inquiry { copies: vec![copy], ..compared(Outcome::Neither, Some(100)) };
    assert_eq!(outcome(&read), Some(Outcome::Copied));
}
