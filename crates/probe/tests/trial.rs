//! A message between two clients of shell script that say what they should not.

use overheard_model::design::{Home, VantageDesign};
use overheard_model::{Fate, Strays};
use overheard_probe::execute::{Bare, Setting};
use overheard_probe::trial::{Broken, Line, Message, Order, Role};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Long enough for a script that answers at once on a busy machine.
const AMPLE: Duration = Duration::from_secs(20);
const BRIEF: Duration = Duration::from_millis(300);

/// Each request of the sender's is answered by a line of shell, which has its number in `$n`, and can tell the
/// receiver with `tell`.
fn line(folder: &Path, answers: &str) -> Result<Line, Broken> {
    let sender = format!(
        r#"tell() {{ echo "{{\"event\":\"received\",\"from\":\"x\",\"text\":\"$1\"}}" > way; }}
        say() {{ echo "{{\"event\":\"$1\",\"id\":\"$2\",\"message\":\"no\"}}"; }}
        echo '{{"event":"ready","account":"alice"}}'; n=0
        while read -r line; do n=$((n + 1)); {answers}; done"#
    );
    let receiver = r#"mkfifo way; echo '{"event":"ready","account":"bob"}'; exec cat 0<>way"#;
    let shell = |script: &str| ["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let (sender, receiver) = (shell(&sender), shell(receiver));
    let vantage = VantageDesign { name: "here".into(), proxy: None, dns: None, place: None };
    let home = Home::Keep;
    let setting = Setting {
        folder,
        base: folder,
        build: "client",
        run: "trial",
        vantage: &vantage,
        home: &home,
        doors: &[],
    };
    let sender = Order { stages: &mut Bare, setting, command: &sender };
    let receiver = Order { stages: &mut Bare, setting, command: &receiver };
    Line::open(sender, receiver, &AtomicBool::new(false))
}

fn message(number: u64, text: &str) -> Message<'_> {
    Message { number, to: "bob", text, harmless: false }
}

#[test]
fn answers_for_others_repeats_and_strangers_are_counted_and_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let answers = r#"case $n in
        1) say sent m1; say sent m9; say error m8; tell "other"; tell " a   b "; tell "a b" ;;
        2) say sent m1; say sent m2 ;;
        3) say error m3 ;;
        4) tell "second"; say sent m4; tell "fourth" ;;
    esac"#;
    let mut line = line(folder.path(), answers).unwrap();
    assert_eq!((line.sender(), line.receiver()), ("alice", "bob"));
    let first = line.act(message(1, "a b"), AMPLE).unwrap();
    assert_eq!(first.fate, Fate::Delivered);
    assert!(first.after_ms.is_some() && first.strays.unknown == 1, "{first:?}");
    let second = line.act(message(2, "second"), Duration::from_secs(3)).unwrap();
    assert_eq!(second.fate, Fate::Lost);
    let mut strays = first.strays;
    strays.add(second.strays);
    assert_eq!(strays, Strays { late: 0, repeated: 1, unknown: 1, misplaced: 2 });
    let third = line.act(message(3, "third"), Duration::from_secs(3)).unwrap();
    assert_eq!((third.fate, third.reason.as_deref()), (Fate::Refused, Some("no")));
    let fourth = line.act(message(4, "fourth"), AMPLE).unwrap();
    assert_eq!((fourth.fate, fourth.strays.late), (Fate::Delivered, 1), "the second came late");
    line.close().unwrap();
}

#[test]
fn a_text_that_was_sent_twice_is_late_twice_before_it_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let answers = r#"say sent m$n; if [ $n = 3 ]; then tell "a"; tell "a"; tell "a"; tell "b"; fi"#;
    let mut line = line(folder.path(), answers).unwrap();
    for number in [1, 2] {
        let lost = line.act(message(number, "a"), Duration::from_secs(2)).unwrap();
        assert_eq!(lost.fate, Fate::Lost);
    }
    let other = line.act(message(3, "b"), AMPLE).unwrap();
    assert_eq!(other.fate, Fate::Delivered);
    assert_eq!(other.strays, Strays { late: 2, repeated: 1, unknown: 0, misplaced: 0 });
    line.close().unwrap();
}

#[test]
fn a_client_that_says_nothing_is_no_filter() {
    let folder = tempfile::tempdir().unwrap();
    let mut silent = line(folder.path(), ":").unwrap();
    assert!(matches!(silent.act(message(1, "a"), BRIEF), Err(Broken::Silent { .. })));
}

#[test]
fn a_client_that_ends_is_named_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut dying = line(folder.path(), "echo 'no more' >&2; exit 1").unwrap();
    let broken = dying.act(message(1, "a"), AMPLE).unwrap_err();
    assert!(matches!(broken, Broken::Ended { role: Role::Sender, .. }), "{broken}");
    assert!(broken.to_string().ends_with("no more"), "{broken}");
}

#[test]
fn an_error_of_the_account_is_told_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut banned =
        line(folder.path(), r#"printf '%s\n' '{"event":"error","message":"banned\nfor a day"}'"#).unwrap();
    let broken = banned.act(message(1, "a"), AMPLE).unwrap_err();
    assert!(broken.to_string().ends_with("an error of its own: banned for a day"), "{broken}");
}

#[test]
fn an_account_that_is_refused_ends_the_trials_before_the_window_and_texts_are_no_part_of_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let answers = r#"printf '{"event":"error","id":"m%s","message":"%s"}\n' $n "$(cat reason)""#;
    let answers = answers.replace("cat reason", &format!("cat {}/reason", folder.path().display()));
    let mut line = line(folder.path(), &answers).unwrap();
    let mut says = |reason: &str, message: Message, window: Duration| {
        std::fs::write(folder.path().join("reason"), reason).unwrap();
        line.act(message, window)
    };
    let refused =
        says("forbidden: tea by the river", message(1, "tea  by the river"), Duration::from_secs(2)).unwrap();
    assert_eq!((refused.fate, refused.reason.as_deref()), (Fate::Refused, Some("forbidden: …")));
    let harmless = says("forbidden", Message { harmless: true, ..message(2, "bread") }, AMPLE);
    assert!(matches!(harmless, Err(Broken::Banned { .. })), "{harmless:?}");
    let banned = says("465: You are banned", message(3, "coffee"), AMPLE).unwrap_err();
    assert_eq!(banned.to_string(), "the sender's account is refused: 465: You are banned");
}
