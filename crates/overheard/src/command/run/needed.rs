//! What a plan needs of this machine before its first run: programs and files.
//!
//! Promises: looks and touches nothing; what a room makes invisible is found out by its first run alone.

use super::super::app::found;
use overheard_model::Design;
use overheard_model::design::{Home, Step};
use std::path::{Path, PathBuf};

/// What is not here, a clause each.
pub(super) fn missing(design: &Design, base: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    let mut program = |of: &str, command: &[String]| {
        let Some(program) = command.first() else { return };
        if found(Path::new(program), base).is_none() {
            missing.push(format!("no program {program:?}, which {of} starts"));
        }
    };
    for build in &design.builds {
        program(&format!("build {}", build.name), &build.command);
        program(&format!("the version of build {}", build.name), &build.version);
    }
    for activity in &design.activities {
        for step in &activity.steps {
            if let Step::Run { command, .. } = step {
                program(&format!("activity {}", activity.name), command);
            }
        }
    }
    let mut file = |of: &str, path: &PathBuf, is_there: fn(&Path) -> bool| {
        if !is_there(&base.join(path)) {
            missing.push(format!("no {}, which {of} names", path.display()));
        }
    };
    for build in &design.builds {
        build
            .files
            .iter()
            .for_each(|path| file(&format!("`files` of build {}", build.name), path, Path::is_file));
    }
    design.places.iter().for_each(|path| file("`places`", path, Path::is_file));
    if let Home::Copy(folder) = &design.home {
        file("`home`", folder, Path::is_dir);
    }
    missing
}
