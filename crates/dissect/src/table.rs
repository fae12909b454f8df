//! Tables that people keep: one line for each server that a run of a build contacted.
//!
//! Format: CSV (RFC 4180) with a header line that names the columns `build`, `run`, `address` and, as
//! far as known, `port`, `name` and `country`, in any order; other columns are left alone. A port may
//! carry its transport (`3478/udp`); tcp is meant where it does not.
//! Promises: never guesses; a bad table is refused with the line, the column and what was expected.

use crate::endpoint::registrable_domain;
use crate::place::scope::is_local;
use crate::read::Stored;
use overheard_model::{
    Capture, Claim, Country, Destination, Endpoint, Flows, Learned, LocalRule, Name, NameSource, Place,
    Reading, Transport,
};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// One run of one build, as a table lists it.
#[derive(Clone, Debug)]
pub struct TableRun {
    pub build: String,
    pub run: String,
    pub reading: Reading,
}

/// Reads a table (CSV with a header line). A line that names a build and a run and no address is a run
/// that contacted nobody, which counts. Says what is wrong with a bad one, and on which line.
/// Gives one reading for each build and run, in the order in which the table first names them.
pub fn read_table(text: &[u8], path: Arc<str>) -> Result<Vec<TableRun>, String> {
    let rows = rows(text, &path)?;
    let mut runs: Vec<(String, String, Vec<Row>)> = Vec::new();
    let mut known = HashMap::new();
    for row in rows {
        let at = *known.entry((row.build.clone(), row.run.clone())).or_insert(runs.len());
        match runs.get_mut(at) {
            Some((_, _, rows)) => rows.push(row),
            None => runs.push((row.build.clone(), row.run.clone(), vec![row])),
        }
    }
    let stored = Stored::of(text);
    let reading = |(build, run, rows): (String, String, Vec<Row>)| {
        let reading = Reading {
            attempts: Vec::new(),
            capture: capture(&path, &stored),
            flows: Flows::default(),
            endpoints: endpoints(rows, &path),
        };
        TableRun { build, run, reading }
    };
    Ok(runs.into_iter().map(reading).collect())
}

/// One line of a table.
struct Row {
    line: u64,
    build: String,
    run: String,
    /// Absent where the run contacted nobody.
    address: Option<IpAddr>,
    port: u16,
    transport: Transport,
    name: Option<Arc<str>>,
    country: Option<Country>,
}

/// Where each column stands.
struct Columns {
    build: usize,
    run: usize,
    address: usize,
    port: Option<usize>,
    name: Option<usize>,
    country: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord, path: &str) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let need = |name: &str| {
            let expected = "expected build, run, address and, if known, port, name, country";
            find(name).ok_or_else(|| format!("{path}: line 1: no column {name:?}; {expected}"))
        };
        Ok(Self {
            build: need("build")?,
            run: need("run")?,
            address: need("address")?,
            port: find("port"),
            name: find("name"),
            country: find("country"),
        })
    }
}

fn rows(text: &[u8], path: &str) -> Result<Vec<Row>, String> {
    // Excel and others begin a file with a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text);
    let says = |error: csv::Error| format!("{path}: not a readable table: {error}");
    let columns = Columns::of(reader.headers().map_err(says)?, path)?;
    let mut rows = Vec::new();
    let mut lines = Lines { text, counted: 0, line: 1 };
    for record in reader.into_records() {
        let record = record.map_err(says)?;
        let line = lines.line_of(&record);
        if record.iter().any(|field| !field.is_empty()) {
            rows.push(row(&record, &columns, line).map_err(|why| format!("{path}: line {line}, {why}"))?);
        }
    }
    if rows.is_empty() {
        return Err(format!("{path}: no line below the header; expected one for each server of each run"));
    }
    Ok(rows)
}

/// Counts lines on the way: the parser's own count is one behind where lines end in CR LF.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which the record begins, from 1; records must come in order.
    fn line_of(&mut self, record: &csv::StringRecord) -> u64 {
        let start = record.position().map_or(0, |position| position.byte() as usize);
        let ends = self.text.get(start..).unwrap_or_default();
        let start = start + ends.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.get(self.counted..start).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.counted = start;
        self.line
    }
}

fn row(record: &csv::StringRecord, columns: &Columns, line: u64) -> Result<Row, String> {
    let optional =
        |column: Option<usize>| column.and_then(|at| record.get(at)).filter(|field| !field.is_empty());
    let required = |at: usize, name: &str| {
        optional(Some(at)).ok_or_else(|| format!("column {name}: nothing there, expected its name"))
    };
    let (port, transport) = optional(columns.port).map_or(Ok((0, Transport::Tcp)), port)?;
    let name = optional(columns.name).map(|name| {
        let known = crate::proto::host_name(name.as_bytes());
        known.ok_or_else(|| format!("column name: {name:?} is no host name, such as example.org"))
    });
    let country = optional(columns.country)
        .map(|code| Country::assigned(code).map_err(|why| format!("column country: {why}")));
    Ok(Row {
        line,
        build: required(columns.build, "build")?.to_owned(),
        run: required(columns.run, "run")?.to_owned(),
        address: optional(Some(columns.address)).map(address).transpose()?,
        port,
        transport,
        name: name.transpose()?,
        country: country.transpose()?,
    })
}

fn address(text: &str) -> Result<IpAddr, String> {
    let address = text.parse::<IpAddr>().map(|address| address.to_canonical());
    let expected = "is no IP address, such as 192.0.2.7 or 2001:db8::7";
    address.map_err(|_| format!("column address: {text:?} {expected}"))
}

fn port(text: &str) -> Result<(u16, Transport), String> {
    let (number, transport) = text.split_once('/').unwrap_or((text, "tcp"));
    let transport = transport.trim().parse::<Transport>().map_err(|why| format!("column port: {why}"))?;
    let number = number.trim().parse();
    let expected = || format!("column port: {text:?} is no port, such as 443 or 3478/udp");
    number.map(|number| (number, transport)).map_err(|_| expected())
}

fn capture(path: &Arc<str>, stored: &Stored) -> Capture {
    Capture {
        path: path.clone(),
        sha256: stored.sha256.clone(),
        bytes: stored.bytes,
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
    }
}

fn endpoints(rows: Vec<Row>, path: &Arc<str>) -> Vec<Endpoint> {
    let mut groups = BTreeMap::<Destination, Vec<Row>>::new();
    for row in rows {
        let Row { address, port, transport, .. } = row;
        if let Some(address) = address {
            groups.entry(Destination { address, port, transport }).or_default().push(row);
        }
    }
    groups.into_iter().map(|(at, rows)| endpoint(at, &rows, path)).collect()
}

fn endpoint(at: Destination, rows: &[Row], path: &Arc<str>) -> Endpoint {
    let mut names: Vec<Arc<str>> = rows.iter().filter_map(|row| row.name.clone()).collect();
    names.sort();
    names.dedup();
    let mut domains: Vec<Arc<str>> = names.iter().filter_map(|name| registrable_domain(name)).collect();
    domains.sort();
    domains.dedup();
    let mut claims: Vec<Claim> = Vec::new();
    for country in rows.iter().filter_map(|row| row.country) {
        let claim = Claim { source: Claim::TABLE.into(), country: Some(country), asn: None, network: None };
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    let name = |name| Name { name, source: NameSource::Table, packet: None, learned: Learned::Before };
    let place = Place { claims: claims.into(), local: is_local(at.address), ..Place::default() };
    Endpoint {
        names: names.into_iter().map(name).collect(),
        domains: domains.into(),
        packet: rows.iter().map(|row| row.line).min().unwrap_or_default(),
        ..Endpoint::unseen(path.clone(), at, place.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        read_table(text.as_bytes(), "t.csv".into()).expect_err("the table is bad")
    }

    #[test]
    fn columns_come_in_any_order_with_quotes_and_a_byte_order_mark() {
        let text = "\u{feff}name,Run,build,extra,address,port,country\r\n\
                    \"ui.example.com\",1,regular,\"a, b\",198.51.100.1,443,us\r\n\
                    ,1,tom,,2001:db8::1,3478/udp,\r\n\
                    www.example.com,1,regular,,198.51.100.1,443,CN\r\n";
        let runs = read_table(text.as_bytes(), "t.csv".into()).unwrap();
        let builds: Vec<_> = runs.iter().map(|run| (&*run.build, &*run.run)).collect();
        assert_eq!(builds, [("regular", "1"), ("tom", "1")]);
        let [endpoint] = &runs[0].reading.endpoints[..] else { panic!("one address and port") };
        assert_eq!((endpoint.place.label().as_deref(), endpoint.packet), (Some("US/CN?"), 2));
        assert_eq!((endpoint.names.len(), &*endpoint.domains[0]), (2, "example.com"));
        let other = &runs[1].reading.endpoints[0];
        assert_eq!((other.transport, other.port, other.place.label()), (Transport::Udp, 3478, None));
        assert_eq!(runs[0].reading.capture.sha256.as_deref().map(str::len), Some(64));
    }

    #[test]
    fn a_run_may_contact_nobody() {
        let runs = read_table(b"build,run,address\na,1,192.0.2.1\na,2,\n", "t.csv".into()).unwrap();
        let contacted: Vec<usize> = runs.iter().map(|run| run.reading.endpoints.len()).collect();
        assert_eq!(contacted, [1, 0]);
    }

    #[test]
    fn a_bad_table_is_refused_with_line_and_column() {
        assert!(refusal("build,address\na,192.0.2.1\n").contains("line 1: no column \"run\""));
        let address = refusal("build,run,address\r\na,1,192.0.2.1\r\n\r\na,1,192.0.2\r\n");
        assert_eq!(
            address,
            "t.csv: line 4, column address: \"192.0.2\" is no IP address, such as 192.0.2.7 or 2001:db8::7"
        );
        assert!(refusal("build,run,address,port\na,1,192.0.2.1,http\n").contains("column port: \"http\""));
        assert!(refusal("build,run,address,country\na,1,192.0.2.1,China\n").contains("column country"));
        assert!(refusal("build,run,address\n,1,192.0.2.1\n").contains("column build: nothing there"));
        assert!(refusal("build,run,address\n").contains("no line below the header"));
        assert!(refusal("").contains("no column"));
        assert!(refusal("build,run,address\n\u{0}\n").starts_with("t.csv: line 2"));
    }
}
