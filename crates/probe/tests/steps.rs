//! Runs of plain programs: what is performed, and every way in which a run fails.

use overheard_model::design::{BuildDesign, Design, Lasting, VantageDesign};
use overheard_probe::execute::{Bare, Performed, Script, Setting, perform};
use overheard_probe::ledger::Outcome;
use overheard_probe::schedule::read;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A plan whose first build is this shell script, with these steps.
fn design(script: &str, driver: &str, steps: &str) -> Design {
    let build = |name: &str| {
        format!(
            "[[build]]\nname = \"{name}\"\ndriver = \"{driver}\"\ncommand = [\"sh\", \"-c\", '''\n{script}''']\n"
        )
    };
    let plan = format!(
        "repeats = 1\nlimits = {{ run = \"20 s\" }}\n{}{}[[activity]]\nname = \"act\"\nsteps = [{steps}]\n",
        build("a"),
        build("b")
    );
    read(&plan).unwrap_or_else(|fault| panic!("{fault} in {plan}")).design
}

fn play(design: &Design) -> Performed {
    let build: &BuildDesign = &design.builds[0];
    perform_script(design, Script::App { build, activity: &design.activities[0] })
}

fn perform_script(design: &Design, script: Script) -> Performed {
    let folder = tempfile::tempdir().unwrap();
    let vantage = VantageDesign { name: "direct".into(), proxy: None, dns: None, place: None };
    let setting = Setting {
        folder: folder.path(),
        base: Path::new("/"),
        build: "a",
        run: "0001-a",
        vantage: &vantage,
        home: &design.home,
        doors: &design.doors,
    };
    perform(&mut Bare, &setting, script, &design.limits, &AtomicBool::new(false)).expect("nobody stopped it")
}

fn done(script: &str, driver: &str, steps: &str) -> String {
    let performed = play(&design(script, driver, steps));
    assert_eq!(performed.outcome, Outcome::Done, "{}", performed.output);
    performed.output
}

fn failed(script: &str, driver: &str, steps: &str) -> (String, String) {
    let performed = play(&design(script, driver, steps));
    match performed.outcome {
        Outcome::Failed { reason } => (reason, performed.output),
        Outcome::Done => panic!("it did not fail: {}", performed.output),
    }
}

/// A driver that has received two messages before it says that one was sent, and one after.
const TALKER: &str = r#"echo '{"event":"ready","account":"a"}'; read request
    echo '{"event":"received","from":"eve","text":"hi all"}'; echo '{"event":"received","from":"bob","text":"hi a"}'
    echo '{"event":"sent","id":"m1"}'; echo '{"event":"received","from":"bob","text":"bye"}'; read quit"#;

#[test]
fn a_message_is_waited_for_though_it_came_before() {
    let received = |what: &str| {
        let send = SEND.replace(r#""stop""#, &what.replace("WITHIN", r#"within = "5 s""#));
        design(TALKER, "json-lines", &format!(r#"{send}, "stop""#))
    };
    let both = r#"{ receive = { from = "bob", text = "hi", WITHIN } }, { receive = { WITHIN } }"#;
    assert_eq!(play(&received(both)).outcome, Outcome::Done);
    // In the order in which they came: what came before the one that was waited for is over.
    let late = r#"{ receive = { text = "bye", WITHIN } }, { receive = { from = "eve", within = "200 ms" } }"#;
    let performed = play(&received(late));
    let reason = "step 4 (receive): the app had not received such a message after 200 ms".to_owned();
    assert_eq!(performed.outcome, Outcome::Failed { reason });
    assert!(!performed.output.contains("bye"), "what people write is kept nowhere");
}

const SEND: &str = r#""start", { send = { to = "bob", text = "hi", within = "1 s" } }, "stop""#;

#[test]
fn lines_go_in_and_come_out() {
    let steps = r#""start", { wait-for = { text = "name?", within = "10 s" } }, { type = "alice\n" },
        { wait-for = { text = "hello alice", within = "10 s" } }, { wait = "100 ms" }, { wait-end = "10 s" }"#;
    let output = done("echo 'name?'; read name; echo hello $name", "plain", steps);
    assert_eq!(output, "name?\nhello alice\n");
}

#[test]
fn a_terminal_is_a_terminal() {
    let steps = r#""start", { wait-for = { text = "rows", within = "10 s" } }, { type = "abc\n" },
        { wait-for = { text = "got abc", within = "10 s" } }, "stop""#;
    let script = r"test -t 0 && test -t 2 && : < /dev/tty && printf '\033[1mro\033[0mws\n'; read x; echo got $x; exec sleep 60";
    let output = done(script, "terminal", steps);
    assert!(output.starts_with("rows\n"), "{output:?}");
}

#[test]
fn programs_run_beside_the_app() {
    let steps = |script: &str| {
        format!(r#""start", {{ run = {{ command = ["sh", "-c", "{script}"], within = "5 s" }} }}, "stop""#)
    };
    assert!(done("exec sleep 60", "plain", &steps("echo beside")).contains("beside"));
    assert_eq!(
        failed("exec sleep 60", "plain", &steps("exit 4")).0,
        "step 2 (run): sh ended: exit status: 4"
    );
    let slow = steps("exec sleep 60").replace("5 s", "200 ms");
    assert_eq!(failed("exec sleep 60", "plain", &slow).0, "step 2 (run): sh had not ended after 200 ms");
}

#[test]
fn messages_go_through_a_driver() {
    // Garbage, an unknown event, and answers for other messages come first.
    let driver = r#"echo starting up; echo '{"event":"ready","account":"alice"}'; read request; echo '{"event":"typing"}'
        echo '{"event":"sent","id":"m9"}'; echo '{"event":"received","from":"bob","text":"secret"}'
        echo "$request" | grep -q '"op":"send","id":"m1","to":"bob","text":"hi"' && echo '{"event":"sent","id":"m1"}'
        read request; test "$request" = '{"op":"quit"}'"#;
    let output = done(driver, "json-lines", SEND);
    assert!(output.contains("ignored") && output.contains("sent m1"), "{output}");
    assert!(!output.contains("secret") && !output.contains("bob"), "{output}");
}

#[test]
fn a_driver_that_dies_stays_silent_or_refuses_fails_its_run() {
    let ready = r#"echo '{"event":"ready","account":"alice"}';"#;
    let reason = |script: &str| failed(&format!("{ready} {script}"), "json-lines", SEND).0;
    assert_eq!(reason("exec sleep 60"), "step 2 (send): the app had not said \"sent\" after 1 s");
    let dead = reason("read x; exit 7");
    assert_eq!(dead, "step 2 (send): the app ended before it said \"sent\": exit status: 7");
    assert_eq!(
        reason(r#"read x; echo '{"event":"error","id":"m1","message":"no"}'; read x"#),
        "step 2 (send): it was not sent"
    );
    assert!(
        failed("exit 0", "json-lines", SEND).0.starts_with("step 1 (start): the app ended before it said")
    );
}

#[test]
fn an_app_that_crashes_fails_its_run_and_its_last_output_is_kept() {
    let (reason, output) = failed("echo last words; exit 3", "plain", r#""start", { wait = "5 s" }, "stop""#);
    assert_eq!(
        (reason.as_str(), output.as_str()),
        ("step 2 (wait): the app ended: exit status: 3", "last words\n")
    );
    let (reason, _) = failed("kill -SEGV $$", "plain", r#""start", { wait-end = "5 s" }"#);
    assert!(reason.contains("signal: 11"), "{reason}");
}

#[test]
fn an_app_that_never_gets_ready_fails_its_run() {
    let steps = r#""start", { wait-for = { text = "ready", within = "300 ms" } }, "stop""#;
    let (reason, output) = failed("echo read; exec sleep 60", "plain", steps);
    assert_eq!(reason, "step 2 (wait-for): the app had not printed \"ready\" after 300 ms");
    assert_eq!(output, "read\n");
    let (reason, _) = failed("echo bye", "plain", &steps.replace("300 ms", "10 s"));
    assert_eq!(reason, "step 2 (wait-for): the app ended before it printed \"ready\": exit status: 0");
}

#[test]
fn what_was_printed_last_is_heard_although_the_app_is_gone() {
    let steps = r#""start", { wait = "300 ms" }, { wait-for = { text = "done", within = "5 s" } }, "stop""#;
    done("echo done", "plain", steps);
}

#[test]
fn a_daemon_that_holds_the_output_open_holds_nothing_up() {
    let steps = r#""start", { wait-for = { text = "ready", within = "15 s" } }, "stop""#;
    let (reason, _) = failed("sleep 60 & exit 0", "plain", steps);
    assert!(reason.contains("ended before"), "{reason}");
}

#[test]
fn a_run_ends_at_its_limit() {
    let mut design =
        design("trap '' TERM; while :; do sleep 60; done", "plain", r#""start", { wait = "1 h" }"#);
    design.limits.run.0 = Duration::from_millis(300);
    let performed = play(&design);
    let reason = "it took longer than 300 ms: limits.run".into();
    assert_eq!(performed.outcome, Outcome::Failed { reason });
}

#[test]
fn an_app_that_does_not_go_is_killed() {
    let steps = r#""start", { wait-for = { text = "up", within = "5 s" } }, "stop""#;
    let mut design = design("trap '' TERM; echo up; while :; do sleep 60; done", "plain", steps);
    design.limits.run.0 = Duration::from_millis(1500);
    assert_eq!(play(&design).outcome, Outcome::Done);
}

#[test]
fn an_app_that_does_not_exist_is_named() {
    let mut design = design("", "plain", r#""start""#);
    design.builds[0].command = vec!["nowhere-to-be-found".into()];
    let Outcome::Failed { reason } = play(&design).outcome else { panic!("it started") };
    assert!(reason.starts_with("step 1 (start): nowhere-to-be-found did not start: "), "{reason}");
}

/// The waits of an activity may be longer than any run may last; the room alone then lasts as long as it may.
#[test]
fn an_idle_run_ends_within_the_limit_and_has_not_failed() {
    let mut design = design("true", "plain", "\"start\", \"stop\"");
    design.limits.run = Lasting(Duration::from_millis(300));
    let idle = Script::Idle(design.activities[0].idle_time().0);
    let performed = perform_script(&design, idle);
    assert_eq!(performed.outcome, Outcome::Done);
}
