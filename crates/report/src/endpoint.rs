//! An endpoint in words: where it is, whose network that is, and that it was tried in vain.

use crate::figures::count;
use overheard_model::Endpoint;

/// Attempts named in one sentence.
const ATTEMPTS: usize = 20;

/// The name of the network, else its number; empty where neither is known.
pub fn network(endpoint: &Endpoint) -> String {
    let place = &endpoint.place;
    let name = place.network().map(str::to_owned);
    name.or_else(|| place.asn().map(|asn| asn.to_string())).unwrap_or_default()
}

/// `203.0.113.9:443`, `[2001:db8::1]:443/udp`, `203.0.113.9 icmp`.
pub fn socket(endpoint: &Endpoint) -> String {
    endpoint.destination().label(None)
}

/// What was tried and is no contact, if anything was.
pub(crate) fn attempted(attempts: &[Endpoint]) -> Option<String> {
    let label = |attempt: &Endpoint| attempt.place.label().unwrap_or_else(|| "?".into());
    let few: Vec<String> =
        attempts.iter().take(ATTEMPTS).map(|it| format!("{} ({})", socket(it), label(it))).collect();
    let more = match attempts.len() - few.len() {
        0 => String::new(),
        more => format!(" and {} more", count(more as u64)),
    };
    (!few.is_empty())
        .then(|| format!("Tried, but nothing is known to have been carried there: {}{more}.", few.join(", ")))
}
