//! The report of an inquiry, on studies whose truth is stated by hand.

use crate::written;
use overheard_model::{
    Act, Arm, Candidates, Delivery, Detectable, DropTest, Effect, Fate, Found, Inquiry, NAMES_ASKED, Others,
    Outcome, PacketRange, ReadableCopy, Rule, SearchWarning, Searched, Signal, Strays, Timestamp, Traffic,
    Upload, UploadStatistic, Uploads,
};
use overheard_report::inquiry;
use std::collections::BTreeMap;
use std::io::{self, Write};

type Written = fn(&Inquiry, &mut dyn Write) -> io::Result<()>;

/// Every format of an inquiry.
pub const FORMATS: [(&str, Written); 4] =
    [("text", inquiry::text), ("json", inquiry::json), ("html", inquiry::html), ("csv", inquiry::csv)];

pub fn as_format(name: &str, inquiry: &Inquiry) -> String {
    let (_, write) = FORMATS.iter().find(|(known, _)| *known == name).expect("a format of that name");
    written(|out| write(inquiry, out))
}

/// Numbers without a pattern, the same each time (Lehmer 1951).
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % limit
    }
}

const SECONDS: usize = 60;

fn sent(acts: &mut BTreeMap<String, Traffic>, endpoint: &str, second: usize, bytes: u64, flows: u64) {
    let traffic = acts.entry(endpoint.into()).or_default();
    traffic.bytes_out.resize(SECONDS, 0);
    traffic.flows.resize(SECONDS, 0);
    traffic.bytes_out[second] += bytes;
    traffic.flows[second] += flows;
}

/// Twelve of each arm, and four sham trials; some triggers are copied to a collector, within five seconds.
pub fn uploads() -> Inquiry {
    let mut draw = Draw(20);
    let arms = [Some(Arm::Trigger), Some(Arm::Benign)].repeat(12);
    let arms = arms.into_iter().chain([Some(Arm::Sham); 4]);
    let (mut acts, mut deliveries) = (Vec::new(), Vec::new());
    for (at, arm) in arms.enumerate() {
        let number = at as u64 + 1;
        let mut traffic = BTreeMap::new();
        for beat in 0..3 {
            sent(
                &mut traffic,
                "chat.example:5222",
                beat * 20 + draw.below(19) as usize,
                60 + draw.below(40),
                0,
            );
        }
        for _ in 0..draw.below(5) {
            let (second, bytes) = (draw.below(60) as usize, 80 << draw.below(9));
            sent(&mut traffic, "telemetry.example:443", second, bytes, 1);
        }
        if draw.below(4) == 0 {
            sent(
                &mut traffic,
                &format!("mirror{}.example:443", draw.below(12)),
                draw.below(60) as usize,
                900,
                1,
            );
        }
        if arm == Some(Arm::Trigger) {
            sent(&mut traffic, "collector.example:443", draw.below(5) as usize, 900 + draw.below(60), 1);
        }
        let message = arm != Some(Arm::Sham);
        acts.push(Act {
            number,
            at: Timestamp::from_parts(1_700_000_000 + 70 * number as i64, 0),
            arm,
            delivery: message.then_some(number),
            factors: [("user".into(), if at % 4 < 2 { "alice" } else { "carol" }.into())].into(),
            packets: Some(PacketRange {
                capture: "sender.pcapng".into(),
                first: number * 100,
                last: number * 100 + 60,
            }),
            traffic,
        });
        if message {
            deliveries.push(delivery(number, if at == 7 { Fate::Lost } else { Fate::Delivered }));
        }
    }
    let copy = ReadableCopy {
        act: 5,
        endpoint: "collector.example:443".into(),
        flow: "tcp 198.18.0.2:40000 198.18.0.9:443".into(),
        capture: "sender.pcapng".into(),
        packet: 520,
        encoding: "gzip, base64 (decrypted)".into(),
        bytes: 41,
    };
    Inquiry {
        judged: Some(judged()),
        watched: true,
        lag_s: 60.0,
        acts,
        copies: vec![copy],
        searched: Some(Searched { sent: 40_000, sealed: 30_000, left_out: 0 }),
        deliveries,
        ..nothing()
    }
}

fn judged() -> Uploads {
    let upload = Upload {
        endpoint: "collector.example:443".into(),
        statistic: UploadStatistic::Contacted,
        window_s: 6,
        p: 0.0005,
        bytes_more: 930,
        factors: BTreeMap::new(),
    };
    let effect = Effect {
        factor: "user".into(),
        level: "carol".into(),
        endpoint: None,
        count: 1,
        of: 6,
        difference: 0.167,
        low: -0.23,
        high: 0.56,
    };
    let of_words = DropTest {
        factors: BTreeMap::new(),
        lost: 0,
        of: 12,
        others_lost: 1,
        others_of: 12,
        p: 1.0,
        at_most: 0.23,
        dropped: false,
    };
    let of_carol = DropTest {
        factors: [("user".into(), "carol".into())].into(),
        lost: 0,
        of: 6,
        others_lost: 0,
        others_of: 6,
        ..of_words.clone()
    };
    Uploads {
        outcome: Outcome::Copied,
        drops: vec![of_words, of_carol],
        copied_p: 0.0005,
        looks: 1,
        uploads: vec![upload],
        hints: Vec::new(),
        after_every_message: None,
        detectable: Vec::new(),
        effects: vec![effect.clone(), Effect { endpoint: Some("collector.example:443".into()), ..effect }],
    }
}

/// As [`uploads`], with nothing copied.
pub fn clean() -> Inquiry {
    let mut inquiry = uploads();
    inquiry.copies.clear();
    inquiry.acts.iter_mut().for_each(|act| _ = act.traffic.remove("collector.example:443"));
    let of = |endpoint: Option<&str>, bytes| Detectable {
        endpoint: endpoint.map(String::from),
        bytes,
        power: 0.96,
        triggers: Some(5),
    };
    inquiry.judged = Some(Uploads {
        outcome: Outcome::Neither,
        copied_p: 0.43,
        uploads: Vec::new(),
        detectable: vec![of(None, Some(100)), of(Some("telemetry.example:443"), Some(5000))],
        ..judged()
    });
    inquiry
}

/// A search by deliveries that was broken off.
pub fn search() -> Inquiry {
    let pair = vec!["茶".into(), "书".into()];
    let rule = Rule {
        all: pair.clone(),
        ordered: Some(false),
        candidates: pair,
        exact: true,
        error_bound: 0.004,
        messages: 31,
    };
    let found = Found {
        rules: vec![rule],
        others: Others::All,
        messages: 1,
        warnings: vec![SearchWarning::Unsettled, SearchWarning::TooLong],
        candidates: Some(Candidates {
            cleared: vec!["coffee".into(), "milk".into()],
            cleared_alone: 1,
            open: vec!["sugar".into()],
            pairs_open: true,
            left_out: vec!["cocoa".repeat(300)],
        }),
    };
    let open = Delivery { fate: None, after_ms: None, ..delivery(2, Fate::Lost) };
    Inquiry {
        found: Some(found),
        broken_off: Some("it was interrupted".into()),
        deliveries: vec![delivery(1, Fate::Lost), open],
        ..nothing()
    }
}

fn nothing() -> Inquiry {
    Inquiry { budget: 200, target: 0.005, loss: 0.02, window_s: 20.0, ..Inquiry::default() }
}

fn delivery(number: u64, fate: Fate) -> Delivery {
    Delivery {
        number,
        account: "alice".into(),
        text_sha256: "00".into(),
        sent: Timestamp::from_parts(1_700_000_000, 0),
        fate: Some(fate),
        reason: (fate == Fate::Refused).then(|| "401: No such nick".into()),
        after_ms: (fate == Fate::Delivered).then_some(180),
    }
}

/// An inquiry in which everything that comes from outside is this text.
pub fn calling(name: &str) -> Inquiry {
    let mut inquiry = uploads();
    let endpoint = "collector.example:443";
    for act in &mut inquiry.acts {
        act.factors = [(name.to_owned(), name.to_owned())].into();
        act.packets = Some(PacketRange { capture: name.into(), first: 1, last: 2 });
        let copied = act.traffic.remove(endpoint);
        act.traffic.extend(copied.map(|traffic| (name.to_owned(), traffic)));
    }
    for delivery in &mut inquiry.deliveries {
        delivery.account = name.into();
        delivery.reason = Some(name.into());
    }
    for copy in &mut inquiry.copies {
        let outside = [&mut copy.endpoint, &mut copy.flow, &mut copy.capture, &mut copy.encoding];
        outside.into_iter().for_each(|text| *text = name.into());
    }
    let judged = inquiry.judged.as_mut().expect("arms were compared");
    judged.uploads[0].statistic = UploadStatistic::Bursts { from: 300, to: 340 };
    judged.uploads.iter_mut().for_each(|upload| upload.endpoint = name.into());
    judged.effects.iter_mut().for_each(|effect| effect.level = name.into());
    judged.drops.iter_mut().for_each(|test| test.factors = [(name.to_owned(), name.to_owned())].into());
    let (all, candidates) = (vec![name.into()], vec![format!("{name}{name}")]);
    let rule = Rule { all, ordered: None, candidates, exact: false, error_bound: 0.004, messages: 31 };
    Inquiry {
        found: Some(Found {
            rules: vec![rule],
            messages: 9,
            warnings: Vec::new(),
            others: Others::All,
            candidates: Some(Candidates {
                cleared: vec![name.into()],
                cleared_alone: 0,
                open: vec![name.into()],
                pairs_open: false,
                left_out: vec![name.into()],
            }),
        }),
        signal: Signal::Upload { endpoint: name.into() },
        broken_off: Some(name.into()),
        ..inquiry
    }
}

#[test]
fn the_answer_comes_first() {
    let first = |inquiry: &Inquiry| as_format("text", inquiry).lines().next().expect("a line").to_owned();
    assert_eq!(
        first(&uploads()),
        "Copied: it arrives as if nothing had happened, and its text also goes to collector.example:443."
    );
    assert_eq!(first(&clean()), "Neither: it was not seen to be dropped, nor to be copied.");
    assert!(
        first(&search()).starts_with("Dropped: it does not arrive. Whether it is also copied is not known")
    );
    assert!(first(&nothing()).starts_with("No answer"));
}

#[test]
fn neither_says_what_would_have_been_seen() {
    let text = as_format("text", &clean()).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("An upload of 100 B after every trigger, to an endpoint that is sent nothing else, would have been seen"),
        "{text}"
    );
    assert!(text.contains("To one that is busy anyway, one of 5.0 kB or less after every trigger"), "{text}");
}

#[test]
fn the_words_stand_with_their_bound_and_the_ledger() {
    let text = as_format("text", &search());
    for part in [
        "“茶” + “书”, in any order",
        "0.4\u{a0}%",
        "2 of 200 messages are spent",
        "alice",
        "(delivery-alone)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn no_bound_is_claimed_where_messages_arrived_late() {
    let late = Inquiry { strays: Strays { late: 3, ..Strays::default() }, ..search() };
    let text = as_format("text", &late).split_whitespace().collect::<Vec<_>>().join(" ");
    let rule = "“茶” + “书”, in any order (no bound: 3 messages arrived after the window). Begin anew in another \
                --trials-folder with a longer --window.";
    assert!(text.contains(rule) && !text.contains("chance of at most 0.4"), "{text}");
    let bound = |inquiry: &Inquiry| {
        let json: serde_json::Value = serde_json::from_str(&as_format("json", inquiry)).expect("JSON");
        json["rules"][0]["error_bound"].as_f64()
    };
    assert_eq!((bound(&search()), bound(&late)), (Some(0.004), None));
    let compared = Inquiry { strays: late.strays, ..clean() };
    assert!(as_format("text", &compared).contains("which counts as lost: what is dropped may only be slow"));
    let mut leaky = search();
    leaky.found.iter_mut().for_each(|found| found.warnings.push(SearchWarning::Leaky));
    assert_eq!(bound(&leaky), None);
}

#[test]
fn words_with_joiners_are_told_from_those_without_in_every_format() {
    let joined = "\u{645}\u{6cc}\u{200c}\u{62e}\u{202e}";
    let mut search = search();
    let found = search.found.as_mut().expect("rules");
    (found.rules[0].all[0], found.rules[0].candidates[0]) = (joined.into(), joined.into());
    found.candidates.iter_mut().for_each(|all| all.cleared.push(joined.into()));
    let shown = "\u{645}\u{6cc}\\u{200c}\u{62e}\\u{202e}";
    for (format, times) in [("text", 3), ("html", 3), ("csv", 2)] {
        let page = as_format(format, &search);
        assert_eq!(page.matches(shown).count(), times, "{format}: {page}");
    }
    let json = as_format("json", &search);
    assert!(json.is_ascii() || !json.contains(['\u{200c}', '\u{202e}']), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["rules"][0]["all"][0], joined);
}

#[test]
fn every_trial_is_there_with_its_packets() {
    let inquiry = uploads();
    for format in ["text", "html", "json", "csv"] {
        let page = as_format(format, &inquiry);
        for number in 1..=inquiry.acts.len() as u64 {
            assert!(page.contains(&(number * 100 + 60).to_string()), "{format}: trial {number}");
        }
    }
}

#[test]
fn a_row_for_every_trial_and_endpoint() {
    let csv = as_format("csv", &uploads());
    let mut lines = csv.lines();
    let head = lines.next().expect("a header");
    assert!(
        head.starts_with("number,at,arm,factor_user,account,message,fate,after_ms,endpoint,flows,bytes_out"),
        "{head}"
    );
    let columns = head.split(',').count();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == columns), "{csv}");
    let collector = rows.iter().filter(|row| row[8] == "collector.example:443");
    assert_eq!(collector.clone().count(), 28);
    assert_eq!(collector.filter(|row| row[10] != "0").count(), 12);
    let unjudged = Inquiry { unjudged: [28].into(), ..uploads() };
    let csv = as_format("csv", &unjudged);
    assert!(csv.lines().skip(1).all(|line| line.ends_with(",no") == line.starts_with("28,")), "{csv}");
    // Without traffic a row is a message.
    let csv = as_format("csv", &search());
    assert_eq!(csv.lines().filter(|line| !line.starts_with(',')).count(), 3, "{csv}");
}

#[test]
fn a_page_draws_every_trial_of_the_upload() {
    let page = as_format("html", &uploads());
    let panel = page.split("<figure").nth(1).expect("a panel");
    assert!(panel.contains("collector.example:443 <b>upload, p=0.0005, 1 readable copy</b>"), "{panel}");
    assert_eq!(panel.matches("<circle").count(), 28);
    assert_eq!(panel.matches("<circle class=\"trigger\"").count(), 12);
    assert!(page.contains("Second by second"));
    assert!(!as_format("html", &search()).contains("<svg"));
}

#[test]
fn every_candidate_is_told_in_every_format() {
    let search = search();
    let text = as_format("text", &search).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("Of 5 candidates 2 are in a rule, 2 are cleared, and 1 is open."), "{text}");
    assert!(text.contains("not all pairs of them were sent together"), "{text}");
    assert!(text.contains("Of the cleared 1 was sent in a message of its own"), "{text}");
    for format in ["text", "html"] {
        let page = as_format(format, &search);
        assert!(page.contains("coffee, milk") && page.contains("sugar"), "{format}: {page}");
    }
    let csv = as_format("csv", &search);
    for row in ["茶,in a rule", "milk,cleared", "sugar,open"] {
        assert!(csv.lines().any(|line| line.ends_with(row)), "{row}: {csv}");
    }
    let json: serde_json::Value = serde_json::from_str(&as_format("json", &search)).expect("JSON");
    assert_eq!(json["candidates"]["open"], serde_json::json!(["sugar"]));
}

#[test]
fn the_four_words_are_for_what_was_judged() {
    let json = |inquiry: &Inquiry| -> serde_json::Value {
        serde_json::from_str(&as_format("json", inquiry)).expect("JSON")
    };
    let judged = |inquiry: &Inquiry| {
        let json = json(inquiry);
        (json["outcome"].clone(), json["judged"]["dropped"].clone(), json["judged"]["copied"].clone())
    };
    let seen = clean();
    assert_eq!(judged(&seen), ("neither".into(), false.into(), false.into()));
    let unseen = Inquiry { watched: false, ..clean() };
    assert_eq!(judged(&unseen), (serde_json::Value::Null, false.into(), serde_json::Value::Null));
    assert!(as_format("json", &unseen).contains("delivery-alone"));
    assert_eq!(inquiry::outcome(&unseen), Some(Outcome::Neither), "of deliveries");
}

#[test]
fn names_that_are_asked_for_are_no_upload_and_no_all_clear() {
    let asks = Upload { endpoint: NAMES_ASKED.into(), ..judged().uploads.remove(0) };
    let mut asking = Inquiry { asks_more: Some(asks), ..clean() };
    assert_eq!(inquiry::outcome(&asking), None);
    assert!(as_format("text", &asking).contains("the client asks for names more often"));
    // Beside an upload it is how its host was reached.
    (asking.judged, asking.copies) = (Some(judged()), Vec::new());
    assert!(as_format("text", &asking).starts_with("Copied: it arrives"));
}

#[test]
fn what_could_not_be_searched_is_said() {
    let text = as_format("text", &uploads()).split_whitespace().collect::<Vec<_>>().join(" ");
    let said =
        "Of the 40 kB that the client sent, 10 kB could be searched for the text; 30 kB (75 %) are encrypted";
    assert!(text.contains(said), "{text}");
    let searched = Some(Searched { sent: 900_000_000, sealed: 200_000_000, left_out: 600_000_000 });
    let said = "100 MB could be searched for the text; 200 MB (22 %) are encrypted, and no key was logged that opens them; \
                600 MB (67 %) are more than is searched of one stream or capture.";
    for format in ["text", "html", "json"] {
        let unkept = as_format(format, &Inquiry { searched, ..clean() }).replace('\u{a0}', " ");
        let unkept = unkept.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unkept.contains(said), "{format}: {unkept}");
    }
}

#[test]
fn levels_have_lanes_of_their_own() {
    let page = as_format("html", &uploads());
    let panel = page.split("<figure").nth(1).expect("a panel");
    for lane in ["trigger, user=alice", "trigger, user=carol", "benign, user=carol"] {
        assert!(panel.contains(lane), "{lane}: {panel}");
    }
    assert!(as_format("text", &uploads()).contains("trigger, user=carol "));
}

#[test]
#[ignore = "writes pages for the eye, to the folder that PAGES names"]
fn pages_to_look_at() {
    let folder = std::env::var("PAGES").expect("a folder");
    for (name, inquiry) in [("uploads", uploads()), ("clean", clean()), ("search", search())] {
        std::fs::write(format!("{folder}/{name}.html"), as_format("html", &inquiry)).expect("written");
        std::fs::write(format!("{folder}/{name}.txt"), as_format("text", &inquiry)).expect("written");
    }
}
