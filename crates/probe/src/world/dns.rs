//! The world's name server: names resolve to addresses drawn from their hosts, by the client's country.
//!
//! Promises: the nth answer to a question is the same for the same seed, whatever else is asked; a name without an
//! address of the family asked for exists and is empty, any other does not exist. It answers A and AAAA over UDP and
//! TCP; what it does not know (other types of a known name) it answers with nothing, as RFC 2308 says.
//! Sources: RFC 1035 (messages), RFC 3596 (AAAA), RFC 7766 (TCP).

use super::chance::Chance;
use super::plan::World;
use overheard_model::Country;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

const A: u16 = 1;
const AAAA: u16 = 28;
const HEADER: usize = 12;
const NO_ERROR: u8 = 0;
const FORMAT_ERROR: u8 = 1;
const NO_SUCH_NAME: u8 = 3;
const NOT_IMPLEMENTED: u8 = 4;
/// A client that says nothing on its connection for so long is left.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Names {
    chance: Chance,
    entries: BTreeMap<String, Entry>,
    countries: HashMap<IpAddr, Country>,
    /// How often each question was asked.
    asked: Mutex<HashMap<(String, u16), u64>>,
}

#[derive(Debug)]
struct Entry {
    addresses: Vec<IpAddr>,
    from: BTreeMap<Country, Vec<IpAddr>>,
    answers: usize,
    ttl_s: u32,
}

impl Names {
    pub fn of(world: &World) -> Self {
        let entries = world.name.iter().map(|(name, at)| {
            let from = at.from.iter().map(|(country, hosts)| (*country, world.addresses(hosts).collect()));
            let entry = Entry {
                addresses: world.addresses(&at.hosts).collect(),
                from: from.collect(),
                answers: at.answers,
                ttl_s: at.ttl_s,
            };
            (name.to_ascii_lowercase(), entry)
        });
        Self {
            chance: Chance(world.seed),
            entries: entries.collect(),
            countries: world.countries().collect(),
            asked: Mutex::default(),
        }
    }

    /// Answers datagrams until its socket fails.
    pub fn serve_udp(&self, socket: &UdpSocket) -> std::io::Error {
        let mut buffer = [0; 4096];
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((length, client)) => {
                    if let Some(answer) = self.answer(&buffer[..length], client.ip()) {
                        // A client that went away needs no answer.
                        let _ = socket.send_to(&answer, client);
                    }
                }
                Err(error) => return error,
            }
        }
    }

    /// Answers connections, one after the other, until its socket fails.
    pub fn serve_tcp(&self, listener: &TcpListener) -> std::io::Error {
        loop {
            match listener.accept() {
                // What a client does wrong ends its connection and nothing else.
                Ok((stream, client)) => drop(self.converse(stream, client.ip())),
                Err(error) => return error,
            }
        }
    }

    fn converse(&self, mut stream: TcpStream, client: IpAddr) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut length = [0; 2];
        loop {
            stream.read_exact(&mut length)?;
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut query)?;
            let Some(answer) = self.answer(&query, client) else { return Ok(()) };
            stream.write_all(&[&(answer.len() as u16).to_be_bytes()[..], &answer].concat())?;
        }
    }

    /// The answer to a query; none to what is no query.
    fn answer(&self, query: &[u8], client: IpAddr) -> Option<Vec<u8>> {
        if query.len() < HEADER || query[2] & 0x80 != 0 {
            return None;
        }
        if query[2] & 0x78 != 0 {
            return Some(message(query, &[], NOT_IMPLEMENTED, &[], 0));
        }
        let Some((name, kind, end)) = question(query) else {
            return Some(message(query, &[], FORMAT_ERROR, &[], 0));
        };
        let question = &query[HEADER..end];
        let Some(entry) = self.entries.get(&name) else {
            return Some(message(query, question, NO_SUCH_NAME, &[], 0));
        };
        let drawn = self.draw(&name, kind, entry, client);
        Some(message(query, question, NO_ERROR, &drawn, entry.ttl_s))
    }

    fn draw(&self, name: &str, kind: u16, entry: &Entry, client: IpAddr) -> Vec<IpAddr> {
        let country = self.countries.get(&client);
        let pool = country.and_then(|country| entry.from.get(country)).unwrap_or(&entry.addresses);
        let fits = |address: &&IpAddr| matches!((kind, address), (A, IpAddr::V4(_)) | (AAAA, IpAddr::V6(_)));
        let pool: Vec<IpAddr> = pool.iter().filter(fits).copied().collect();
        let mut asked = self.asked.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let turn = asked.entry((name.to_owned(), kind)).or_default();
        *turn += 1;
        self.chance.pick(&pool, entry.answers, format!("{name} {kind}").as_bytes(), *turn)
    }
}

/// The first question: its name in lower case, its type, and where it ends.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let mut labels: Vec<String> = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*query.get(at)?);
        if length == 0 {
            break;
        }
        if length > 63 {
            return None;
        }
        let label = query.get(at + 1..at + 1 + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += 1 + length;
    }
    let kind = query.get(at + 1..at + 5)?;
    Some((labels.join("."), u16::from_be_bytes([kind[0], kind[1]]), at + 5))
}

fn message(query: &[u8], question: &[u8], code: u8, addresses: &[IpAddr], ttl_s: u32) -> Vec<u8> {
    let recursion_desired = query[2] & 1;
    let mut message = vec![query[0], query[1], 0x84 | recursion_desired, 0x80 | code];
    message.extend([0, u8::from(!question.is_empty()), 0, addresses.len() as u8, 0, 0, 0, 0]);
    message.extend(question);
    for address in addresses {
        let (kind, octets) = match address {
            IpAddr::V4(v4) => (A, v4.octets().to_vec()),
            IpAddr::V6(v6) => (AAAA, v6.octets().to_vec()),
        };
        message.extend([0xc0, HEADER as u8]); // the name of the question
        message.extend([kind.to_be_bytes(), 1u16.to_be_bytes()].concat());
        message.extend(ttl_s.to_be_bytes());
        message.extend((octets.len() as u16).to_be_bytes());
        message.extend(octets);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Names {
        let text = r#"
            [world]
            seed = 4
            dns = "a"
            [world.vantage.nl]
            country = "NL"
            addresses = ["198.18.0.10"]
            [world.vantage.cn]
            country = "CN"
            addresses = ["198.18.60.10"]
            [world.host.a]
            country = "US"
            addresses = ["198.18.10.1", "198.18.10.2", "198.18.10.3", "2001:2:0:10::1"]
            [world.host.b]
            country = "CN"
            addresses = ["198.18.60.1"]
            [world.name."Pool.example"]
            hosts = ["a"]
            [world.name."moved.example"]
            hosts = ["a"]
            answers = 2
            from.CN = ["b"]
        "#;
        let table: toml::Table = toml::from_str(text).unwrap();
        Names::of(&table["world"].clone().try_into::<World>().unwrap())
    }

    fn query(name: &str, kind: u16) -> Vec<u8> {
        let mut query = vec![0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(label.len() as u8);
            query.extend(label.as_bytes());
        }
        query.extend([0, 0, kind as u8, 0, 1]);
        query
    }

    const NL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 0, 10));
    const CN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 60, 10));

    /// The code and the last octet of every answer's address.
    fn ask(names: &Names, name: &str, kind: u16, client: IpAddr) -> (u8, Vec<u8>) {
        let query = query(name, kind);
        let answer = names.answer(&query, client).unwrap();
        assert_eq!(answer[..2], [0xbe, 0xef]);
        let size = if kind == A { 16 } else { 28 };
        let records: Vec<u8> = answer[query.len()..].chunks(size).map(|record| record[size - 1]).collect();
        assert_eq!(usize::from(answer[7]), records.len());
        (answer[3] & 0x0f, records)
    }

    #[test]
    fn a_pool_is_drawn_from_and_the_seed_decides() {
        let draws =
            |names: Names| -> Vec<_> { (0..40).map(|_| ask(&names, "pool.example", A, NL).1[0]).collect() };
        let first = draws(names());
        assert_eq!(first, draws(names()));
        assert!([1, 2, 3].iter().all(|octet| first.contains(octet)), "{first:?}");
    }

    #[test]
    fn what_else_is_asked_does_not_move_a_draw() {
        let (quiet, busy) = (names(), names());
        for _ in 0..20 {
            ask(&busy, "moved.example", A, NL);
            ask(&busy, "pool.example", AAAA, NL);
            assert_eq!(ask(&quiet, "pool.example", A, NL), ask(&busy, "pool.example", A, NL));
        }
    }

    #[test]
    fn the_clients_country_and_the_family_decide() {
        let names = names();
        assert_eq!(ask(&names, "moved.example", A, CN), (NO_ERROR, vec![1]));
        assert_eq!(ask(&names, "moved.example", A, NL).1.len(), 2);
        assert_eq!(ask(&names, "POOL.example", AAAA, NL), (NO_ERROR, vec![1]));
        assert_eq!(ask(&names, "moved.example", AAAA, CN), (NO_ERROR, vec![]));
        assert_eq!(ask(&names, "other.example", A, NL), (NO_SUCH_NAME, vec![]));
    }

    proptest! {
        #[test]
        fn any_query_is_taken(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = names().answer(&bytes, NL);
        }
    }
}
