//! A client in the minute after an act: what it sends by itself, the message, and what a filter in it adds.
//!
//! What the simulated one sends by itself: keepalives at a steady beat, telemetry in bursts with a heavy tail (log-normal
//! sizes, Poisson arrivals, busier and quieter trials), images and updates from a pool of rotating addresses.

use overheard_model::{Arm, Traffic, Trial};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

const SECONDS: usize = 60;
const UPLOAD_BYTES: u64 = 300;
const LOSS: f64 = 0.03;

/// By endpoint.
pub type Sent = BTreeMap<String, Traffic>;

/// Where the copy goes.
#[derive(Clone, Copy, Debug)]
pub enum Upload {
    /// To an endpoint that now and then is sent something else too.
    Elsewhere,
    /// To where the client sends its telemetry.
    Telemetry,
    /// To where nothing else is sent.
    Unused,
}

#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub drops: bool,
    pub upload: Option<Upload>,
    /// The copy leaves at a time drawn from 0 to this, seconds.
    pub latest_s: f64,
    /// Share of messages, whatever they say and whoever says it, that are told to the maker: no filter does it.
    pub told: f64,
}

/// Who is sent what.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub messages: &'static str,
    pub elsewhere: &'static str,
    pub telemetry: &'static str,
}

const SIMULATED: Places = Places { messages: "messages", elsewhere: "collector", telemetry: "telemetry" };

/// As many trials with a trigger as with a benign message, in random order.
pub fn study(each: usize, filter: &Filter, random: &mut impl Rng) -> Vec<Trial> {
    let mut arms = [vec![Arm::Trigger; each], vec![Arm::Benign; each]].concat();
    arms.shuffle(random);
    let trial = |arm| {
        let own = chatter(1.0, random);
        act(arm, filter, arm == Arm::Trigger, own, &SIMULATED, random)
    };
    arms.into_iter().map(trial).collect()
}

/// As many triggers, benign messages and sham acts for each user, in blocks of two of each, users in random order
/// within a block. Each user's client chatters half as much again as the one before; the filter acts on whatever the
/// last of them writes.
pub fn study_of_users(users: usize, each: usize, filter: &Filter, random: &mut impl Rng) -> Vec<Trial> {
    let mut order: Vec<usize> = (0..users).collect();
    let mut trials = Vec::new();
    for _ in 0..each / 2 {
        order.shuffle(random);
        for &user in &order {
            let mut arms = [[Arm::Trigger; 2], [Arm::Benign; 2], [Arm::Sham; 2]].concat();
            arms.shuffle(random);
            for arm in arms {
                let own = chatter(1.5_f64.powi(user as i32), random);
                let trial = act(arm, filter, user + 1 == users && arm != Arm::Sham, own, &SIMULATED, random);
                trials.push(Trial { factors: [("user".to_owned(), user.to_string())].into(), ..trial });
            }
        }
    }
    trials
}

/// One act of a client that sends this by itself, and what the filter does if the act meets it.
pub fn act(
    arm: Arm,
    filter: &Filter,
    meets: bool,
    mut sent: Sent,
    places: &Places,
    random: &mut impl Rng,
) -> Trial {
    let mut delivered = None;
    if arm != Arm::Sham {
        send(&mut sent, places.messages, 0.2, random.random_range(180..220), 0);
        delivered = Some(!(random.random_bool(LOSS) || meets && filter.drops));
        if filter.told > 0.0 && random.random_bool(filter.told) {
            send(&mut sent, places.telemetry, random.random(), random.random_range(240..300), 0);
        }
    }
    if let Some(to) = filter.upload.filter(|_| meets) {
        let (endpoint, flows) = match to {
            Upload::Elsewhere => (places.elsewhere, 1),
            Upload::Telemetry => (places.telemetry, 0),
            Upload::Unused => ("log", 1),
        };
        let lag = random.random::<f64>() * filter.latest_s;
        // A record's padding and the handshake of a new connection come on top.
        send(&mut sent, endpoint, lag, UPLOAD_BYTES + random.random_range(20..60) + 600 * flows, flows);
    }
    Trial { arm, delivered, traffic: sent, factors: BTreeMap::new() }
}

fn chatter(rate: f64, random: &mut impl Rng) -> Sent {
    let mut sent = Sent::new();
    let mut beat = random.random::<f64>() * 20.0;
    while beat < SECONDS as f64 {
        send(&mut sent, SIMULATED.messages, beat, random.random_range(60..110), 0);
        beat += random.random_range(18.0..22.0);
    }
    let busy = rate * (0.6 * normal(random)).exp();
    for (endpoint, every_s, median, spread) in [
        (SIMULATED.telemetry, 12.0, 500.0, 1.2),
        (SIMULATED.elsewhere, 300.0, 400.0, 0.8),
        ("push", 45.0, 90.0, 0.3),
    ] {
        for at in arrivals(every_s / busy, random) {
            let bytes = (f64::ln(median) + spread * normal(random)).exp() as u64;
            send(&mut sent, endpoint, at, bytes.max(1), u64::from(random.random_bool(0.3)));
        }
    }
    for at in arrivals(20.0 / busy, random) {
        let mirror = format!("cdn{}", random.random_range(0..12));
        send(&mut sent, &mirror, at, random.random_range(400..1500), 1);
    }
    sent
}

pub fn send(sent: &mut Sent, endpoint: &str, at_s: f64, bytes: u64, flows: u64) {
    let traffic = sent.entry(endpoint.to_owned()).or_default();
    traffic.bytes_out.resize(SECONDS, 0);
    traffic.flows.resize(SECONDS, 0);
    let second = (at_s as usize).min(SECONDS - 1);
    traffic.bytes_out[second] += bytes;
    traffic.flows[second] += flows;
}

/// Times of a Poisson process.
fn arrivals(every_s: f64, random: &mut impl Rng) -> Vec<f64> {
    let mut times = Vec::new();
    let mut at = -every_s * (1.0 - random.random::<f64>()).ln();
    while at < SECONDS as f64 {
        times.push(at);
        at += -every_s * (1.0 - random.random::<f64>()).ln();
    }
    times
}

/// Box and Muller.
fn normal(random: &mut impl Rng) -> f64 {
    let (a, b): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}
