//! Made-up apps, drawn by seed, with a truth that the tests know.

use crate::server::server;
use overheard_model::Endpoint;
use rand::{Rng, RngExt};
use std::net::{IpAddr, Ipv4Addr};

/// An app whose servers have rates of their own, and pools that each run picks from, as real ones do.
#[derive(Debug)]
pub struct App {
    servers: Vec<(Endpoint, f64)>,
}

/// Servers of one pool; each run contacts a third of them.
const POOL: usize = 6;

impl App {
    /// `servers` servers in about a third as many networks, half as many domains and ten countries.
    pub fn draw(servers: usize, random: &mut impl Rng) -> Self {
        let countries = ["US", "CN", "LU", "IE", "EE", "DE", "NL", "GB", "SG", "JP"];
        let draw = |at: usize| {
            let [_, _, high, low] = (at as u32).to_be_bytes();
            let address = IpAddr::V4(Ipv4Addr::new(198, 18, high, low)).to_string();
            let network = random.random_range(1..=servers.div_ceil(3) as u32);
            let domain = format!("d{}.example", random.random_range(0..servers.div_ceil(2)));
            let country = countries[network as usize % countries.len()];
            let rate = match at % 3 {
                0 => random.random_range(0.85..1.0),
                1 => random.random_range(0.15..0.85),
                _ => random.random_range(0.02..0.15),
            };
            (server(&address, country, network, &domain), rate)
        };
        Self { servers: (0..servers).map(draw).collect() }
    }

    /// The servers that one run meets: every third pool is drawn from, the others go by their rates.
    pub fn run(&self, random: &mut impl Rng) -> Vec<usize> {
        let mut met = Vec::new();
        for (number, pool) in self.servers.chunks(POOL).enumerate() {
            let first = random.random_range(0..pool.len());
            for (at, (_, rate)) in pool.iter().enumerate() {
                let picked = (at + pool.len() - first) % pool.len() < POOL / 3;
                let meets = if number % 3 == 0 { picked } else { random.random_bool(*rate) };
                met.extend(meets.then_some(number * POOL + at));
            }
        }
        met
    }

    pub fn endpoint(&self, server: usize) -> Endpoint {
        self.servers[server].0.clone()
    }
}
