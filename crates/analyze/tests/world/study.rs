//! Studies built by hand: runs of servers, as a table or a capture would give them.

use overheard_model::{Build, Capture, Concern, Endpoint, Flows, LocalRule, Reading, Run, Study, Timestamp};

/// A study of these builds, the first of which is the reference.
pub fn study(builds: &[&str], concerns: &[&str]) -> Study {
    let concern = |text: &&str| text.parse::<Concern>().unwrap();
    Study {
        builds: builds.iter().map(|name| Build { name: (*name).into() }).collect(),
        reference: 0,
        concerns: concerns.iter().map(concern).collect(),
        vantage: None,
        seed: 1,
        places: Vec::new(),
        registration: None,
    }
}

/// One run of a build that met these servers, `began` minutes after the epoch.
pub fn run(build: usize, name: &str, began: Option<i64>, endpoints: Vec<Endpoint>) -> Run {
    let capture = Capture {
        path: name.into(),
        sha256: None,
        bytes: 0,
        format: "table".into(),
        packets: 0,
        undecoded: 0,
        complete: true,
        first: None,
        last: None,
        local_rule: LocalRule::Table,
        local: Vec::new(),
        comments: Vec::new(),
        dropped: None,
        secrets: 0,
        problems: Vec::new(),
    };
    let began = began.map(|minutes| Timestamp::from_parts(minutes * 60, 0));
    let reading = Reading { capture, flows: Flows::default(), endpoints, attempts: Vec::new() };
    Run { build, name: name.into(), began, reading }
}
