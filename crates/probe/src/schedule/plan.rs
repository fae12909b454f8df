//! Reading `study.toml`: the text, its hash, and the design it states.
//!
//! Promises: nothing is read but the text given; every refusal names the line, what was expected and the next step.
//! The hash is of the file's bytes, so that anyone can check it with `sha256sum`.

use crate::digest;
use overheard_model::Design;
use overheard_model::design::{Fault, Part};
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A plan as its file states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub design: Design,
    pub text: String,
    /// SHA-256 of the text, hexadecimal.
    pub sha256: String,
}

impl Plan {
    /// Names of builds, activities and vantages, and of the reference: what the runs' labels mean.
    pub fn names(&self) -> Vec<&str> {
        let design = &self.design;
        let builds = design.builds.iter().map(|build| build.name.as_str());
        let activities = design.activities.iter().map(|activity| activity.name.as_str());
        let vantages = design.vantages.iter().map(|vantage| vantage.name.as_str());
        let reference = design.builds.get(design.reference()).map(|build| build.name.as_str());
        builds.chain(activities).chain(vantages).chain(reference).collect()
    }
}

/// What is wrong with a plan, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFault {
    /// From 1.
    pub line: usize,
    pub what: String,
    pub hint: String,
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A commented plan to begin with: what `overheard init` writes.
pub fn template() -> &'static str {
    include_str!("study.toml")
}

/// Reads a plan, and refuses one that cannot be run.
pub fn read(text: &str) -> Result<Plan, PlanFault> {
    let design: Design = toml::from_str(text).map_err(|error| PlanFault {
        line: line(text, error.span().map_or(0, |span| span.start)),
        what: error.message().lines().collect::<Vec<_>>().join("; "),
        hint: "`overheard init` writes a plan with every field explained".into(),
    })?;
    design.check().map_err(|fault| located(text, fault))?;
    Ok(Plan { design, text: text.to_owned(), sha256: digest::of_bytes(text.as_bytes()) })
}

fn located(text: &str, fault: Fault) -> PlanFault {
    let at = DeTable::parse(text).map_or(0, |table| find(&table, &fault.place).start);
    PlanFault { line: line(text, at), what: fault.what, hint: fault.hint }
}

/// Where a place stands, or what is nearest around it: a field that was left out has no line of its own.
fn find(table: &Spanned<DeTable<'_>>, place: &[Part]) -> Range<usize> {
    let Some((Part::Key(key), rest)) = place.split_first() else { return table.span() };
    let mut found = match table.get_ref().get(*key) {
        Some(value) => value,
        None => return table.span(),
    };
    for part in rest {
        let inner = match (part, found.get_ref()) {
            (Part::Key(key), DeValue::Table(table)) => table.get(*key),
            (Part::At(at), DeValue::Array(array)) => array.get(*at),
            _ => None,
        };
        match inner {
            Some(inner) => found = inner,
            None => break,
        }
    }
    found.span()
}

fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two builds that can be run; `more` comes first.
    fn plan(more: &str) -> String {
        format!(
            "{more}\nrepeats = 3\n\n[[build]]\nname = \"a\"\ncommand = [\"true\"]\n\n[[build]]\nname = \"b\"\ncommand = [\"true\"]\n"
        )
    }

    fn refused(text: &str, line: usize, thing: &str) {
        let fault = read(text).expect_err(text);
        assert!(fault.line == line && fault.what.contains(thing), "{fault:?} for {text}");
        assert!(!fault.hint.is_empty());
    }

    #[test]
    fn the_template_is_a_plan() {
        let plan = read(template()).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(plan.design.builds.len() >= 2);
        assert_eq!(plan.sha256.len(), 64);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let design = read(&plan("")).unwrap().design;
        assert_eq!((design.reference(), design.seed), (0, 2012));
        assert_eq!((design.vantages.len(), design.activities.len()), (1, 1));
        assert!(design.controls.twin && design.controls.idle == 1);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        refused("repeats = 3\n\nrepeat = 4\n", 3, "repeat");
        refused("repeats = \n", 1, "");
        refused(&plan("\nconcerns = [\"CN\", \"ZZ\"]"), 2, "ZZ");
        refused(&plan("concerns = [\"CN\", \"CN\"]"), 1, "twice");
        refused(&plan("reference = \"c\""), 1, "\"c\"");
        refused(&plan("\nlimits = { run = \"0 s\" }"), 2, "no time");
        refused(&plan("limits = { run = 30 }"), 1, "string");
        refused(&plan("").replace("name = \"b\"", "name = \"a\""), 9, "already");
        refused(&plan("").replace("name = \"b\"", "name = \"../b\""), 9, "../b");
        refused(&plan("").replace("name = \"b\"", "name = \"twin\""), 9, "twin");
        refused(&plan("").replace("3", "0"), 2, "0 repeats");
    }

    #[test]
    fn steps_must_suit_the_driver() {
        let with =
            |steps: &str| plan("") + &format!("[[activity]]\nname = \"talk\"\nsteps = [\n{steps}\n]\n");
        refused(
            &with("\"start\",\n{ send = { to = \"bob\", text = \"hi\", within = \"5 s\" } }"),
            15,
            "send",
        );
        refused(&with("{ wait = \"5 s\" }"), 13, "start");
        refused(&with("\"start\", \"stop\",\n{ wait = \"5 s\" }"), 14, "stop");
        refused(&with("\"start\", \"begin\""), 14, "begin");
        assert!(read(&with("\"start\", { type = \"hi\\n\" }, \"stop\"")).is_ok());
    }

    #[test]
    fn a_proxys_log_in_is_not_repeated() {
        let text = plan("") + "[[vantage]]\nname = \"lu\"\nproxy = \"socks4://me:secret@host:1\"\n";
        let fault = read(&text).unwrap_err();
        assert!(!fault.to_string().contains("secret") && fault.line == 13, "{fault:?}");
    }
}
