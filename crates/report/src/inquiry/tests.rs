//! Answers, and the sentences that say them, of inquiries made by hand.

use super::answer::{outcome, standing};
use super::sentences::{self, headline};
use super::{sheet, warnings};
use overheard_model::{
    Act, Arm, Delivery, Detectable, DropTest, Fate, Found, Inquiry, Others, Outcome, ReadableCopy, Rule,
    SearchWarning, Signal, Strays, Timestamp, Upload, UploadStatistic, Uploads,
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
    let detectable = vec![Detectable { endpoint: None, bytes: seen, power: 0.9, triggers: seen.map(|_| 8) }];
    let judged = Uploads {
        outcome,
        drops: Vec::new(),
        copied_p: 0.4,
        looks: 1,
        uploads: Vec::new(),
        hints: Vec::new(),
        after_every_message: None,
        detectable,
        effects: Vec::new(),
    };
    Inquiry { judged: Some(judged), ..inquiry() }
}

/// Of the words, where there is no level.
fn test(level: &str, p: f64) -> DropTest {
    let factors = (!level.is_empty()).then(|| ("user".to_owned(), level.to_owned()));
    let (factors, dropped) = (factors.into_iter().collect(), p <= 0.0025);
    DropTest { factors, lost: 9, of: 10, others_lost: 0, others_of: 11, p, at_most: 0.99, dropped }
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

#[test]
fn more_that_is_sent_than_chance_likes_is_not_called_none() {
    let mut hinted = compared(Outcome::Neither, Some(300));
    let upload = Upload {
        endpoint: "log.example:443".into(),
        statistic: UploadStatistic::Contacted,
        window_s: 60,
        p: 0.014,
        bytes_more: 700,
        factors: BTreeMap::new(),
    };
    let judged = hinted.judged.as_mut().unwrap();
    (judged.copied_p, judged.hints) = (0.014, vec![upload]);
    assert_eq!((outcome(&hinted), standing(&hinted).copied), (None, None));
    let said = "No answer: the client sent more to log.example:443 after triggers than after harmless messages, which may be \
                chance and may be a filter: more trials tell.";
    assert_eq!(headline(&hinted), said);
    hinted.judged.as_mut().unwrap().drops = vec![test("", 0.0001)];
    hinted.judged.as_mut().unwrap().outcome = Outcome::Dropped;
    assert!(headline(&hinted).ends_with("Whether it is also copied these trials cannot tell."));
    hinted.watched = false;
    assert!(!headline(&hinted).contains("log.example"));
}

#[test]
fn who_is_sent_something_after_every_message_is_said_and_warned_of() {
    let place = |name: &str| Upload {
        endpoint: name.into(),
        statistic: UploadStatistic::Contacted,
        window_s: 2,
        p: 0.0005,
        bytes_more: 300,
        factors: BTreeMap::new(),
    };
    let of = |places: Option<&[&str]>| {
        let mut found = sent(&[(Arm::Trigger, 1, true), (Arm::Benign, 1, true)]);
        let judged = found.judged.as_mut().unwrap();
        judged.after_every_message = places.map(|names| names.iter().map(|name| place(name)).collect());
        let warned = warnings::all(&found).into_iter().find(|warning| warning.kind == "after-every-message");
        (sentences::of(&found).join(" "), warned.map(|warning| warning.text))
    };
    let (said, warned) = of(Some(&["chat.example:1", "log.example:2"]));
    assert!(
        said.starts_with("Neither for its words") && said.contains("every message may be copied"),
        "{said}"
    );
    let text = warned.unwrap();
    assert!(
        text.contains("chat.example:1 and log.example:2: one of them is the way of the message itself"),
        "{text}"
    );
    for (places, why) in [
        (None, "not judged: too few acts sent nothing"),
        (Some(&[][..]), "not judged: no endpoint is shown"),
        (Some(&["chat.example:1"][..]), "not judged: only chat.example:1 is shown"),
    ] {
        let (said, warned) = of(places);
        assert!(said.starts_with("Neither: it was not seen") && said.contains(why), "{said}");
        assert_eq!(warned, None);
    }
}

/// Acts of one arm in turn, each with the text of a number; what is lost is said.
fn sent(messages: &[(Arm, u64, bool)]) -> Inquiry {
    let mut sent = compared(Outcome::Neither, Some(300));
    for (number, (arm, text, arrives)) in (1..).zip(messages) {
        let (at, text_sha256) = (Timestamp(0), format!("{text}{arm:?}"));
        sent.texts.insert(text_sha256.clone(), *text);
        let (factors, traffic) = (BTreeMap::new(), BTreeMap::new());
        let (arm, delivery) = (Some(*arm), Some(number));
        sent.acts.push(Act { number, at, arm, delivery, factors, packets: None, traffic });
        let (fate, after_ms) = if *arrives { (Fate::Delivered, Some(9)) } else { (Fate::Lost, None) };
        let account = "alice".into();
        let fate = Some(fate);
        sent.deliveries.push(Delivery {
            number,
            account,
            text_sha256,
            sent: at,
            fate,
            reason: None,
            after_ms,
        });
    }
    sent
}

#[test]
fn nothing_is_said_not_to_be_dropped_without_a_bound_and_the_text_that_was_lost() {
    use Arm::{Benign, Trigger};
    let mut lossy = sent(&[(Trigger, 1, true), (Benign, 1, true), (Trigger, 7, false), (Benign, 7, true)]);
    lossy.judged.as_mut().unwrap().drops = vec![DropTest { at_most: 0.4009, ..test("", 0.11) }];
    let said = sentences::of(&lossy).join(" ").replace('\u{a0}', " ");
    assert!(said.contains("Dropping more than 41 % of such messages is ruled out at 95 %"), "{said}");
    assert!(said.contains("did not arrive: text 7 in 1 of 1 (its harmless likeness in 0 of 1)."), "{said}");
    lossy.strays.unknown = 1;
    let said = sentences::of(&lossy).join(" ");
    assert!(!said.contains("ruled out") && said.contains("may only be altered"), "{said}");
}

#[test]
fn what_may_come_late_or_altered_is_not_said_to_be_dropped() {
    use Arm::{Benign, Trigger};
    let mut altered = sent(&[(Trigger, 1, false), (Benign, 1, true), (Trigger, 2, false)]);
    // As the judgement leaves it where it takes a drop back.
    altered.judged.as_mut().unwrap().drops = vec![DropTest { dropped: false, ..test("", 0.0001) }];
    altered.strays.unknown = 2;
    assert_eq!(outcome(&altered), None);
    let said = "No answer: it does not arrive as it was sent, but may arrive altered: 2 messages arrived that nobody sent here, \
                or they are somebody else's.";
    assert_eq!(headline(&altered), said);
    altered.strays = Strays { late: 2, ..Strays::default() };
    assert!(headline(&altered).ends_with("may arrive late: 2 messages came after the window."));
    let mut searched = search(1, &[]);
    (searched.deliveries, searched.strays) = (altered.deliveries, Strays { unknown: 2, ..Strays::default() });
    assert_eq!(outcome(&searched), None);
    let said = sentences::of(&searched).join(" ");
    assert!(said.contains("in time, and as it was sent") && said.contains("no bound: 2 messages"), "{said}");
    searched.strays.unknown = 0;
    assert_eq!(outcome(&searched), Some(Outcome::Dropped));
}

#[test]
fn what_is_not_judged_is_not_counted() {
    use Arm::{Benign, Trigger};
    let mut banned = sent(&[(Trigger, 1, true), (Benign, 1, true), (Trigger, 1, false), (Benign, 1, false)]);
    banned.judged.as_mut().unwrap().drops = vec![test("", 1.0)];
    banned.unjudged = [3, 4].into();
    let said = sentences::of(&banned).join(" ");
    assert!(said.contains("1 of 1 trigger and 1 of 1 benign message"), "{said}");
    let arms: Vec<String> = sheet::trials(&banned).rows.iter().map(|row| row[2].shown.clone()).collect();
    assert_eq!(arms, ["trigger", "benign", "trigger, not judged", "benign, not judged"]);
}
