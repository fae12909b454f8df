//! `overheard run`: a plan becomes runs, and runs become the table and the verdict.

mod order;
mod registration;

use super::{compare, lens};
use crate::exit::{Exit, Failure, Result};
use crate::onlooker::Onlooker;
use crate::output::{OutputArgs, print};
use crate::pipeline::{self, LiveStudy};
use crate::progress::Progress;
use clap::Args;
use overheard_model::Bundle;
use overheard_probe::clock::now;
use overheard_probe::execute::{Conduct, Ended, Rooms, Setting, Stages, conduct, versions};
use overheard_probe::ledger::{Charter, FORMAT, Ledger, LedgerFault, Terms, pedigrees};
use overheard_probe::schedule::{self, Plan};
use overheard_probe::world::{self, World};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const EXAMPLES: &str = "\
Examples:
  overheard init messenger.toml                         # a commented plan, to be filled in
  overheard run --dry-run messenger.toml                # the order of the runs
  overheard run messenger.toml --save messenger.overheard
  overheard run messenger.toml --until-settled          # `repeats` is then the ceiling

Interrupted or killed, the same command goes on with the runs that are missing; they are kept in
messenger.study/ beside the plan.";

/// Run a study: each build again and again, in random order, in a room with one door.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// The plan, as `overheard init` writes one
    #[arg(default_value = "study.toml")]
    plan: PathBuf,

    /// Stop as soon as every concern is settled, at one of four looks; costs the other differences a little
    #[arg(long)]
    until_settled: bool,

    /// Blocks, in place of the plan's `repeats`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeats: Option<u32>,

    /// Show what would be run, in which order, and run nothing
    #[arg(long)]
    dry_run: bool,

    /// Keep the runs in this folder (default: the plan's name with .study)
    #[arg(long, value_name = "FOLDER")]
    study: Option<PathBuf>,

    /// Go on although the plan or a build changed after the study began: the report shows the change
    #[arg(long)]
    accept_change: bool,

    /// Make the runs again that failed
    #[arg(long)]
    retry_failed: bool,

    /// Keep the finished study in this file, for `overheard report`
    #[arg(long, value_name = "FILE.overheard")]
    save: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    pub fn run(self) -> Result<Exit> {
        let plan = self.read_plan()?;
        if self.dry_run {
            print(|out| out.write_all(order::text(&plan, &self.plan, self.until_settled).as_bytes()))?;
            return Ok(Exit::Clear);
        }
        if plan.design.world.is_some() && std::env::var_os(world::SHARED).is_none() {
            return in_its_world(&self.plan);
        }
        self.conduct(&plan, &mut Rooms::default())
    }

    /// The plan with what the command line sets beside it.
    fn read_plan(&self) -> Result<Plan> {
        let file = self.plan.display();
        let text = fs::read_to_string(&self.plan).map_err(|error| {
            Failure::new(format!("{file}: {error}")).hint("`overheard init` writes a plan to begin with")
        })?;
        let mut plan = schedule::read(&text)
            .map_err(|fault| Failure::new(format!("{file}, {fault}")).hint(fault.hint.clone()))?;
        plan.design.repeats = self.repeats.unwrap_or(plan.design.repeats);
        if self.until_settled && plan.design.concerns.is_empty() {
            return Err(Failure::new(format!(
                "{file}: --until-settled without a concern: nothing could be settled"
            ))
            .hint("name what is feared in the plan, such as concerns = [\"CN\"], or leave the option out"));
        }
        Ok(plan)
    }

    /// Makes the runs that are missing, and reports on all.
    fn conduct(&self, plan: &Plan, stages: &mut dyn Stages) -> Result<Exit> {
        let base = self.plan.parent().unwrap_or(Path::new("")).join(".");
        let mut ledger = self.open(plan, &base)?;
        if self.retry_failed {
            ledger.retry_failed().map_err(refused)?;
        }
        note_versions(&mut ledger, plan, &base, stages)?;
        let places: Vec<PathBuf> = plan.design.places.iter().map(|path| base.join(path)).collect();
        let lens = lens::of_plan(&places, place(plan))?;
        let progress = Progress::lines();
        let runs = schedule::order(&plan.design, plan.design.repeats).len();
        let missing = ledger.missing(plan, plan.design.repeats).map_err(refused)?.len();
        let ceiling = self.until_settled.then_some(plan.design.repeats);
        let plans = ledger.plans().map_err(refused)?;
        let feared = plans.first().map_or(&[][..], |begun| &begun.design.concerns);
        let live = LiveStudy::new(plan, feared, &lens);
        let mut onlooker = Onlooker::new(live, &ledger, &progress, (runs, missing), ceiling);
        ledger.records().map_err(refused)?.iter().for_each(|record| onlooker.take(record));
        if let Some(failure) = onlooker.failure.take() {
            return Err(failure);
        }
        let interrupted = interruption()?;
        let how = Conduct {
            ledger: &ledger,
            plan,
            base: &base,
            blocks: plan.design.repeats,
            interrupted: &interrupted,
        };
        let ended = conduct(&how, stages, &mut onlooker).map_err(refused)?;
        if let Some(failure) = onlooker.failure {
            return Err(failure);
        }
        let stopped = self.stopped(plan, &ended, ledger.root())?;
        let bundle = onlooker.live.conclude(registration::of(ledger.charter(), &plans), stopped);
        self.report(&bundle)
    }

    fn report(&self, bundle: &Bundle) -> Result<Exit> {
        if let Some(path) = &self.save {
            pipeline::save(path, bundle)?;
        }
        self.output.write(|out| self.output.format().comparison(bundle, self.output.style(), out))?;
        Ok(compare::exit(bundle))
    }

    fn open(&self, plan: &Plan, base: &Path) -> Result<Ledger> {
        let root = self.study.clone().unwrap_or_else(|| self.plan.with_extension("study"));
        let terms = Terms { repeats: plan.design.repeats, until_settled: self.until_settled };
        let charter = Charter {
            format: FORMAT,
            began: now(),
            plan: plan.sha256.clone(),
            terms,
            builds: pedigrees(&plan.design.builds, base).map_err(refused)?,
            versions: BTreeMap::new(),
            changes: Vec::new(),
        };
        Ledger::open(&root, plan, charter, self.accept_change).map_err(refused)
    }

    /// The look at which the study ended, if it could stop early; a failure where it did not end.
    fn stopped(&self, plan: &Plan, ended: &Ended, root: &Path) -> Result<Option<(pipeline::Look, u32)>> {
        let ceiling = plan.design.repeats;
        let at = match ended {
            Ended::Complete => ceiling,
            Ended::Settled { block } => *block,
            Ended::Interrupted => {
                return Err(Failure::new("interrupted: the run that was being made does not count")
                    .hint("the same command goes on with the runs that are missing"));
            }
            Ended::TooManyFailures { failed, last } => {
                return Err(Failure::new(format!("{failed} runs failed, the last one {last}")).hint(
                    format!(
                        "their last output is in {}/runs/*/output.txt; --retry-failed makes them again",
                        root.display()
                    ),
                ));
            }
        };
        let look = pipeline::looks(ceiling).into_iter().find(|look| look.block == at);
        Ok(look.filter(|_| self.until_settled).map(|look| (look, ceiling)))
    }
}

/// Calls this very command again, inside the world that the plan's file describes.
fn in_its_world(file: &Path) -> Result<Exit> {
    let world = World::open(file).map_err(super::world::failure)?;
    let again = std::iter::once("/proc/self/exe".into()).chain(std::env::args_os().skip(1));
    let code = world::run(&world, None, &again.collect::<Vec<_>>()).map_err(super::world::failure)?;
    std::process::exit(code)
}

/// What the builds call themselves, asked once and before the first run.
fn note_versions(ledger: &mut Ledger, plan: &Plan, base: &Path, stages: &mut dyn Stages) -> Result<()> {
    let design = &plan.design;
    let asked = !ledger.charter().versions.is_empty() || design.builds.iter().all(|it| it.version.is_empty());
    let Some(vantage) = design.vantages.first().filter(|_| !asked) else { return Ok(()) };
    let attempt = ledger.begin("versions").map_err(refused)?;
    let (build, run) = ("every build", "versions");
    let folder = attempt.folder();
    let setting = Setting { folder, base, build, run, vantage, home: &design.home, doors: &design.doors };
    let versions = versions(stages, &setting, &design.builds).map_err(|error| {
        Failure::new(format!("a build's version command: {error}"))
            .hint("correct `version` in the plan, or leave it out")
    })?;
    drop(attempt);
    ledger.note_versions(versions).map_err(refused)
}

/// The place that all vantages share: only then a round-trip time bounds where servers are.
fn place(plan: &Plan) -> Option<overheard_model::Vantage> {
    let mut places = plan.design.vantages.iter().map(|vantage| vantage.place.clone());
    let first = places.next()??;
    places.all(|place| place.as_ref() == Some(&first)).then_some(first)
}

/// Set by the first Ctrl-C, SIGTERM or SIGHUP; a second Ctrl-C ends the program at once.
pub(super) fn interruption() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let watch = |signal| -> std::io::Result<()> {
        flag::register_conditional_shutdown(signal, 2, Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted)).map(drop)
    };
    [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .try_for_each(watch)
        .map_err(|error| Failure::new(format!("signals cannot be watched for: {error}")))?;
    Ok(interrupted)
}

fn refused(fault: LedgerFault) -> Failure {
    let hint = fault.hint();
    Failure::new(fault.to_string()).hint(hint)
}

#[cfg(test)]
mod tests;
