//! Any bytes as a table that somebody kept: read, compared and reported in every format.
//!
//! Holds: it is refused with a reason, or it becomes a study whose reports keep their promises.

use crate::{output, seeds};
use overheard_dissect::place::Atlas;
use overheard_model::{Build, Bundle, Run, Study};

pub(crate) fn body(input: &[u8]) {
    let Ok(rows) = overheard_dissect::read_table(input, "fuzz.csv".into()) else { return };
    let mut builds: Vec<Build> = Vec::new();
    let mut runs = Vec::new();
    for row in rows {
        let known = builds.iter().position(|build| build.name == row.build);
        let build = known.unwrap_or_else(|| {
            builds.push(Build { name: row.build.clone() });
            builds.len() - 1
        });
        runs.push(Run { build, name: row.run, began: None, reading: row.reading });
    }
    Atlas::embedded().place(runs.iter_mut().map(|run| &mut run.reading), None);
    let study = Study {
        builds,
        reference: 0,
        concerns: concerns(),
        vantage: None,
        seed: 1,
        places: Vec::new(),
        registration: None,
    };
    let comparison = overheard_analyze::compare(&study, &runs);
    output::of_bundle(&Bundle { study, runs, comparison });
}

/// One of each kind.
pub(crate) fn concerns() -> Vec<overheard_model::Concern> {
    ["CN", "AS64500", "example.org"].iter().filter_map(|concern| concern.parse().ok()).collect()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let small = "build,run,address,port,name,country\n\
        a,1,192.0.2.1,443,www.example.org,CN\na,2,192.0.2.1,3478/udp,,\nb,1,2001:db8::1,443/tcp,\"a \"\"b\",AU\nb,2,,,,\n";
    vec![small.into(), format!("\u{feff}{small}").into(), seeds::table()]
}
