//! Whole studies on a stage that plays back recorded runs: from the plan to the verdict.

use super::*;
use clap::Parser;
use overheard_probe::driver::Ends;
use overheard_probe::execute::{Closed, Launch, Launched, Process, Stage};
use overheard_probe::ledger::Carriage;
use std::cell::RefCell;
use std::io;
use std::process::ExitStatus;
use std::rc::Rc;

/// Runs that were made of each build so far.
type Made = Rc<RefCell<BTreeMap<String, usize>>>;

/// Stages whose app is the name of a build, and whose capture is the next that the corpus has of it.
#[derive(Clone, Default)]
struct Playback {
    made: Made,
    /// A build that does not start.
    failing: Option<&'static str>,
    /// A build whose stages close in this way.
    closing: Option<(&'static str, Closed)>,
}

struct PlaybackStage {
    folder: PathBuf,
    build: Option<String>,
    playback: Playback,
}

/// An app that has done its work at once.
#[derive(Debug)]
struct Done;

impl Stages for Playback {
    fn open(&mut self, setting: &Setting) -> io::Result<Box<dyn Stage>> {
        Ok(Box::new(PlaybackStage { folder: setting.folder.into(), build: None, playback: self.clone() }))
    }
}

impl Stage for PlaybackStage {
    fn launch(&mut self, launch: Launch) -> io::Result<Launched> {
        self.build = launch.command.first().cloned();
        if self.playback.failing.is_some() && self.build.as_deref() == self.playback.failing {
            return Err(io::Error::other("exit status 7"));
        }
        let (_, stdin) = io::pipe()?;
        let ((stdout, _), (stderr, _)) = (io::pipe()?, io::pipe()?);
        let ends = Ends::Pipes { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
        Ok(Launched { process: Box::new(Done), ends })
    }

    fn recorded(&self) -> u64 {
        0
    }

    fn close(self: Box<Self>) -> io::Result<Closed> {
        let capture = self.folder.join("capture.pcapng");
        match &self.build {
            Some(build) => {
                let mut made = self.playback.made.borrow_mut();
                let number = made.entry(build.clone()).or_default();
                *number += 1;
                fs::copy(corpus().join(format!("messenger/{build}/run{number}.pcapng")), &capture)?;
            }
            // A pcap without a packet: magic number, version 2.4, snapshot length, raw IP.
            None => {
                fs::write(&capture, *b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x65\0\0\0")?
            }
        }
        let closing = self.playback.closing.filter(|(build, _)| self.build.as_deref() == Some(build));
        let closed = closing.map(|(_, closed)| closed).unwrap_or_default();
        Ok(Closed { capture: Some(capture), ..closed })
    }
}

impl Process for Done {
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        Ok(Some(ExitStatus::default()))
    }

    fn ask_to_end(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn kill(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

#[derive(Parser)]
struct Whole {
    #[command(flatten)]
    run: RunArgs,
}

/// The builds of the messenger; four blocks, since the corpus has eight runs of the reference and each block takes two.
fn plan(more: &str) -> String {
    let places = corpus().join("places.mmdb");
    let build = |name: &str| format!("[[build]]\nname = \"{name}\"\ncommand = [\"{name}\"]\n");
    let builds: String = ["regular", "co-branded", "co-branded-zh"].map(build).concat();
    format!(
        "repeats = 4\nconcerns = [\"CN\"]\nplaces = [{:?}]\n{more}\n{builds}[[activity]]\nname = \"call\"\nsteps = [\"start\", {{ wait-end = \"5 s\" }}]\n",
        places.display().to_string()
    )
}

struct Place(tempfile::TempDir);

impl Place {
    fn new(plan: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("messenger.toml"), plan).unwrap();
        Self(folder)
    }

    /// The exit code and the report.
    fn run(&self, stages: &mut Playback, more: &[&str]) -> Result<(Exit, String)> {
        let path = |name: &str| self.0.path().join(name).display().to_string();
        let (plan, report) = (path("messenger.toml"), path("report"));
        let arguments = [&["run", plan.as_str(), "--output", report.as_str()][..], more].concat();
        let args = Whole::try_parse_from(arguments).unwrap().run;
        let exit = args.conduct(&args.read_plan()?, stages)?;
        Ok((exit, fs::read_to_string(report).unwrap()))
    }
}

#[test]
fn a_study_finds_what_was_feared_and_shows_its_plan_and_controls() {
    let place = Place::new(&plan("limits = { failures = 0 }"));
    let (exit, report) =
        place.run(&mut Playback::default(), &["--until-settled", "--format", "json"]).unwrap();
    assert_eq!(exit, Exit::Findings);
    let plan = schedule::read(&fs::read_to_string(place.0.path().join("messenger.toml")).unwrap()).unwrap();
    assert!(report.contains(&format!("\"sha256\": \"{}\"", plan.sha256)));
    for wanted in ["optional-stopping", "\"twin\"", "no key of the two differs", "\"verdict\": \"support\""] {
        assert!(report.contains(wanted), "{wanted} is not in {report}");
    }
    assert!(!report.contains("idle-contacts"));
}

#[test]
fn a_finished_study_is_reported_again_and_makes_no_run() {
    let place = Place::new(&plan(""));
    let mut stages = Playback::default();
    let first = place.run(&mut stages, &[]).unwrap();
    let made = stages.made.borrow().clone();
    assert_eq!(made.values().sum::<usize>(), 4 * 4);
    assert_eq!(place.run(&mut stages, &[]).unwrap(), first);
    assert_eq!(*stages.made.borrow(), made);
}

#[test]
fn a_change_after_the_data_is_shown_in_the_report() {
    let place = Place::new(&plan(""));
    place.run(&mut Playback::default(), &[]).unwrap();
    fs::write(place.0.path().join("messenger.toml"), plan("limits = { run = \"9 min\" }")).unwrap();
    let refused = place.run(&mut Playback::default(), &[]).unwrap_err().to_string();
    assert!(refused.contains("+ limits") && refused.contains("--accept-change"), "{refused}");
    let (_, report) = place.run(&mut Playback::default(), &["--accept-change"]).unwrap();
    assert!(report.contains("Changed after runs were made"), "{report}");
}

#[test]
fn a_concern_that_was_added_after_the_data_is_not_tested_as_one() {
    let before = plan("").replace("\"CN\"", "\"LU\"");
    let place = Place::new(&before);
    place.run(&mut Playback::default(), &[]).unwrap();
    fs::write(place.0.path().join("messenger.toml"), before.replace("\"LU\"", "\"CN\"")).unwrap();
    let (_, report) = place.run(&mut Playback::default(), &["--accept-change", "--format", "json"]).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["study"]["concerns"], serde_json::json!(["LU"]));
    let change = report["study"]["registration"]["changes"][0].as_str().unwrap();
    assert!(change.contains("concerns added after 17 runs: CN, not tested as one"), "{change}");
    assert!(change.contains("concerns left out after 17 runs: LU, tested all the same"), "{change}");
}

#[test]
fn a_file_of_a_build_that_changed_after_the_data_is_named_with_both_hashes() {
    let plan = plan("").replacen("command", "files = [\"app.bin\"]\ncommand", 1);
    let place = Place::new(&plan);
    fs::write(place.0.path().join("app.bin"), "one").unwrap();
    place.run(&mut Playback::default(), &[]).unwrap();
    fs::write(place.0.path().join("app.bin"), "two").unwrap();
    let (_, report) = place.run(&mut Playback::default(), &["--accept-change", "--format", "json"]).unwrap();
    assert!(
        report.contains("app.bin of build regular changed from SHA-256 7692c3ad3540 to 3fc4ccfe7458"),
        "{report}"
    );
    assert!(!report.contains("the plan became"), "{report}");
}

#[test]
fn runs_that_failed_are_told_with_their_reasons() {
    let place = Place::new(&plan(""));
    let mut stages = Playback { failing: Some("co-branded"), ..Playback::default() };
    let (_, report) = place.run(&mut stages, &["--format", "json"]).unwrap();
    for wanted in ["\"failed-runs\"", "4 of 17 runs failed", "exit status 7", "no run is left of co-branded"]
    {
        assert!(report.contains(wanted), "{wanted} is not in {report}");
    }
}

/// China is contacted by the co-branded builds alone.
#[test]
fn what_only_failed_runs_contacted_is_told_though_they_do_not_count() {
    let lost = Closed { lost: 1, ..Closed::default() };
    let mut stages = Playback { closing: Some(("co-branded", lost)), ..Playback::default() };
    let place = Place::new(&plan(""));
    let (_, report) = place.run(&mut stages, &["--format", "json"]).unwrap();
    let document: serde_json::Value = serde_json::from_str(&report).unwrap();
    let failed =
        document["concerns"].as_array().unwrap().iter().find(|it| it["build"] == "co-branded").unwrap();
    assert_eq!((&failed["cell"]["runs"], &failed["failed"]), (&0.into(), &4.into()));
    assert!(
        report.contains("and in none that counts: co-branded ") && report.contains("CN in 4"),
        "{report}"
    );
    let (_, report) = place.run(&mut stages, &[]).unwrap();
    let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "co-branded has no run that counts: nothing is known of China (CN); 4 runs that failed, and do not \
                count, contacted it.";
    assert!(report.contains(told), "{report}");
}

#[test]
fn what_a_proxy_did_not_carry_is_told_where_it_carried_more() {
    let failed = BTreeMap::from([("it does not allow that (403)".to_owned(), 2)]);
    let proxy = Some(Carriage { carried: 3, failed });
    let mut stages = Playback {
        closing: Some(("co-branded", Closed { proxy, ..Closed::default() })),
        ..Playback::default()
    };
    let place = Place::new(&plan(""));
    let (_, report) = place.run(&mut stages, &["--format", "json"]).unwrap();
    let told = "the proxy of vantage direct did not carry 8 of 20 connections in 4 runs that count: it does not allow \
                that (403) (8)";
    assert!(report.contains("\"proxy-failures\"") && report.contains(told), "{report}");
    let runs = fs::read_dir(place.0.path().join("messenger.study/runs")).unwrap();
    let run = runs
        .map(|it| it.unwrap().path())
        .find(|it| it.to_string_lossy().contains("-co-branded-call"))
        .unwrap();
    must_be_as(include_str!("../../../../../docs/schema/run.schema.json"), &run.join("run.json"));
    assert!(fs::read_to_string(run.join("run.json")).unwrap().contains("\"carried\": 3"));
}

#[test]
fn ways_out_that_nobody_asked_for_are_told() {
    let doors = ["Unix socket at /srv/bus".to_owned()].into();
    let mut stages = Playback {
        closing: Some(("co-branded", Closed { doors, ..Closed::default() })),
        ..Playback::default()
    };
    let place = Place::new(&plan(""));
    let (_, report) = place.run(&mut stages, &["--format", "json"]).unwrap();
    let told = "is not recorded: Unix socket at /srv/bus (4 runs)";
    assert!(report.contains("\"other-doors\"") && report.contains(told), "{report}");
    let runs = fs::read_dir(place.0.path().join("messenger.study/runs")).unwrap();
    let mut runs = runs.map(|it| it.unwrap().path());
    let run = runs.find(|it| it.to_string_lossy().contains("-co-branded-call")).unwrap();
    must_be_as(include_str!("../../../../../docs/schema/run.schema.json"), &run.join("run.json"));
    assert!(fs::read_to_string(run.join("run.json")).unwrap().contains("/srv/bus"));
}

#[test]
fn a_capture_that_is_not_as_the_run_left_it_is_refused() {
    let place = Place::new(&plan("").replace("repeats = 4", "repeats = 1"));
    place.run(&mut Playback::default(), &[]).unwrap();
    let runs = fs::read_dir(place.0.path().join("messenger.study/runs")).unwrap();
    let run =
        runs.map(|it| it.unwrap().path()).find(|it| it.to_string_lossy().contains("-regular-")).unwrap();
    fs::copy(corpus().join("messenger/regular/run8.pcapng"), run.join("capture.pcapng")).unwrap();
    let changed = place.run(&mut Playback::default(), &[]).unwrap_err().to_string();
    assert!(
        changed.contains("changed since the run") && changed.contains("makes that run again"),
        "{changed}"
    );
    fs::remove_file(run.join("capture.pcapng")).unwrap();
    let gone = place.run(&mut Playback::default(), &[]).unwrap_err().to_string();
    assert!(gone.contains("capture is gone") && gone.contains("restore the file"), "{gone}");
}

/// What was added after the first run is no concern, and what was left out still is one.
#[test]
fn a_study_is_settled_by_the_concerns_that_it_began_with() {
    let feared = plan("");
    let unfeared = feared.replace("concerns = [\"CN\"]", "concerns = []");
    let settle = ["--until-settled", "--accept-change"];
    let one = |plan: &str| plan.replace("repeats = 4", "repeats = 1");
    let place = Place::new(&one(&unfeared));
    place.run(&mut Playback::default(), &[]).unwrap();
    fs::write(place.0.path().join("messenger.toml"), one(&feared)).unwrap();
    let refused = place.run(&mut Playback::default(), &settle).unwrap_err().to_string();
    assert!(refused.contains("without a concern when the study began"), "{refused}");
    let place = Place::new(&one(&feared));
    place.run(&mut Playback::default(), &[]).unwrap();
    fs::write(place.0.path().join("messenger.toml"), one(&unfeared)).unwrap();
    let (_, report) = place.run(&mut Playback::default(), &settle).unwrap();
    assert!(report.contains("China (CN)"), "{report}");
}

#[test]
fn the_looks_are_those_of_the_ceiling_that_a_study_began_with() {
    let place = Place::new(&plan("").replace("repeats = 4", "repeats = 1"));
    place.run(&mut Playback::default(), &[]).unwrap();
    let more = ["--until-settled", "--accept-change", "--repeats", "4"];
    let refused = place.run(&mut Playback::default(), &more).unwrap_err().to_string();
    assert!(refused.contains("with 4 repeats") && refused.contains("--repeats 1"), "{refused}");
    let changes = fs::read_to_string(place.0.path().join("messenger.study/study.json")).unwrap();
    assert!(changes.contains("\"changes\": []"), "nothing was written down: {changes}");
}

#[test]
fn what_the_builds_were_is_in_the_report_and_the_folder_is_as_its_schemas_say() {
    let plan = plan("doors = [\"x11\"]").replacen("command", "files = [\"app.bin\"]\ncommand", 1);
    let place = Place::new(&plan.replace("repeats = 4", "repeats = 1"));
    fs::write(place.0.path().join("app.bin"), "one").unwrap();
    let mut stages = Playback { failing: Some("co-branded"), ..Playback::default() };
    let (_, report) = place.run(&mut stages, &[]).unwrap();
    let report = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let hash = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    assert!(
        report.contains(&format!("Before the first run regular has app.bin (SHA-256 {hash}).")),
        "{report}"
    );
    assert!(!report.contains("what light allows"), "one vantage without a place: {report}");
    assert!(report.contains("Open in every room beside the network, and not recorded: x11."), "{report}");
    let study = place.0.path().join("messenger.study");
    fs::write(place.0.path().join("app.bin"), "two").unwrap();
    let (_, report) = place.run(&mut stages, &["--accept-change", "--format", "json"]).unwrap();
    let json = place.0.path().join("report.json");
    fs::write(&json, report).unwrap();
    must_be_as(include_str!("../../../../../docs/schema/comparison.schema.json"), &json);
    must_be_as(include_str!("../../../../../docs/schema/study.schema.json"), &study.join("study.json"));
    let mut runs = 0;
    for run in fs::read_dir(study.join("runs")).unwrap() {
        must_be_as(
            include_str!("../../../../../docs/schema/run.schema.json"),
            &run.unwrap().path().join("run.json"),
        );
        runs += 1;
    }
    assert_eq!(runs, 5, "three builds, the twin and an idle run");
}

/// With every field that it may have, and no other.
fn must_be_as(schema: &str, path: &Path) {
    let schema = jsonschema::draft202012::new(&serde_json::from_str(schema).unwrap()).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    if let Err(error) = schema.validate(&document) {
        panic!("{}: {error} at {}", path.display(), error.instance_path);
    }
    document["unknown"] = true.into();
    assert!(!schema.is_valid(&document), "a field that is not in the schema");
}
