//! CSV: one row a key (comparison), endpoint (reading) or number of runs (plan).
//!
//! Promises: RFC 4180 quoting, a header line, UTF-8, no line end within a field. Text that a spreadsheet
//! would run as a formula gets an apostrophe before it (OWASP, "CSV Injection"); a name that is not ASCII
//! has its Punycode in a column beside it. A reading's table becomes an input of
//! `overheard compare` again once a `build` column is added.

use crate::foreign::safe;
use crate::{Format, Style, hostname, order, owner};
use overheard_model::{Bundle, Cell, Comparison, Endpoint, Key, Level, PlaceSource, Plan, Reading};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::sync::Arc;

/// `--format csv`.
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn shows_hashes(&self) -> bool {
        false
    }

    fn shows_flows(&self) -> bool {
        false
    }

    fn comparison(&self, bundle: &Bundle, _: Style, out: &mut dyn Write) -> io::Result<()> {
        let comparison = &bundle.comparison;
        header(comparison).end(out)?;
        for level in Level::ALL {
            for key in order::rows(comparison, level) {
                key_row(comparison, key).end(out)?;
            }
        }
        Ok(())
    }

    fn readings(
        &self,
        readings: &mut dyn Iterator<Item = Arc<Reading>>,
        _: &[PlaceSource],
        _: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        Row::of(ENDPOINT_COLUMNS).end(out)?;
        for reading in readings {
            for endpoint in &reading.endpoints {
                endpoint_row(&reading, endpoint).end(out)?;
            }
            // Whoever reads along has a whole artifact now.
            out.flush()?;
        }
        Ok(())
    }

    fn plan(&self, plan: &Plan, _: Style, out: &mut dyn Write) -> io::Result<()> {
        Row::of(["runs", "power", "absence_bound"]).end(out)?;
        for power in &plan.table {
            let mut row = Row::default();
            row.value(power.runs).real(Some(power.power)).real(Some(power.absence_bound));
            row.end(out)?;
        }
        Ok(())
    }
}

fn header(comparison: &Comparison) -> Row {
    let mut row = Row::of(["level", "key", "punycode", "country", "asn", "network", "names"]);
    for build in &comparison.builds {
        let mut columns = vec!["present", "runs"];
        if build.name != comparison.reference {
            columns.extend(["relation", "difference", "low", "high", "p", "q", "runs_needed"]);
        }
        for column in columns {
            row.text(&format!("{} {column}", build.name));
        }
    }
    row
}

fn key_row(comparison: &Comparison, key: &Key) -> Row {
    let mut row = Row::default();
    row.value(key.level)
        .text(&key.key)
        .punycode(&key.key)
        .text(key.country.as_deref().unwrap_or_default())
        .maybe(key.asn.map(|asn| asn.0))
        .text(key.network.as_deref().unwrap_or_default())
        .text(&names(key));
    for build in &comparison.builds {
        let cell = key.cells.get(&build.name).copied().unwrap_or(Cell { present: 0, runs: build.runs });
        row.value(cell.present).value(cell.runs);
        if build.name == comparison.reference {
            continue;
        }
        let result = key.relations.get(&build.name);
        row.maybe(result.map(|result| result.relation))
            .real(result.map(|result| result.difference))
            .real(result.map(|result| result.low))
            .real(result.map(|result| result.high))
            .real(result.map(|result| result.p))
            .real(result.and_then(|result| result.q))
            .maybe(result.and_then(|result| result.runs_needed));
    }
    row
}

/// In ASCII: a list has no column beside it.
fn names(key: &Key) -> String {
    key.names.iter().map(|name| hostname::ascii(name)).collect::<Vec<_>>().join(" ")
}

const ENDPOINT_COLUMNS: [&str; 21] = [
    "run",
    "address",
    "port",
    "transport",
    "name",
    "punycode",
    "name_source",
    "country",
    "asn",
    "network",
    "protocols",
    "visibility",
    "packets_out",
    "packets_in",
    "bytes_out",
    "bytes_in",
    "first",
    "last",
    "rtt_ms",
    "packet",
    "process",
];

fn endpoint_row(reading: &Reading, endpoint: &Endpoint) -> Row {
    let name = endpoint.names.first();
    let mut row = Row::default();
    row.text(&endpoint.capture)
        .value(endpoint.address)
        .value(endpoint.port)
        .value(endpoint.transport)
        .text(name.map_or("", |name| &name.name))
        .punycode(name.map_or("", |name| &name.name))
        .maybe(name.map(|name| name.source))
        .text(&endpoint.place.label().unwrap_or_default())
        .maybe(endpoint.place.asn().map(|asn| asn.0))
        .text(endpoint.place.network().unwrap_or_default())
        .text(&endpoint.protocols.to_string())
        .value(endpoint.visibility)
        .value(endpoint.packets_out)
        .value(endpoint.packets_in)
        .value(endpoint.bytes_out)
        .value(endpoint.bytes_in)
        .maybe(endpoint.first)
        .maybe(endpoint.last)
        .real(endpoint.rtt_ms)
        .value(endpoint.packet)
        .text(&owner::names(reading, endpoint));
    row
}

/// A row in the making: every field with the comma after it.
#[derive(Default)]
pub(crate) struct Row(String);

impl Row {
    pub(crate) fn of<const N: usize>(texts: [&str; N]) -> Self {
        let mut row = Self::default();
        texts.iter().for_each(|text| _ = row.text(text));
        row
    }

    /// Text that may come from outside: guarded, and quoted where RFC 4180 §2.6 asks for it.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let text = safe(text);
        let guarded = guarded(&text);
        if guarded.contains(['"', ',']) {
            self.value(format_args!("\"{}\"", guarded.replace('"', "\"\"")))
        } else {
            self.value(guarded)
        }
    }

    /// The ASCII spelling of a name that has another.
    fn punycode(&mut self, name: &str) -> &mut Self {
        if name.is_ascii() { self.value("") } else { self.text(&hostname::ascii(name)) }
    }

    /// A value of ours that needs no guard.
    pub(crate) fn value(&mut self, value: impl Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{value},");
        self
    }

    /// A value of ours, or nothing.
    pub(crate) fn maybe(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.value(value),
            None => self.value(""),
        }
    }

    /// Empty where there is no number, or none that is finite.
    pub(crate) fn real(&mut self, number: Option<f64>) -> &mut Self {
        self.maybe(number.filter(|number| number.is_finite()))
    }

    /// Ends it with CRLF (RFC 4180 §2.1) in place of the last comma.
    pub(crate) fn end(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.0.pop();
        self.0 += "\r\n";
        out.write_all(self.0.as_bytes())
    }
}

fn guarded(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@']);
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(fill: impl FnOnce(&mut Row) -> &mut Row) -> String {
        let mut row = Row::default();
        fill(&mut row);
        row.0
    }

    #[test]
    fn hostile_names_are_no_formulas() {
        let text = |text: &str| field(|row| row.text(text));
        assert_eq!(text("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\",");
        assert_eq!(text("-2+3"), "'-2+3,");
        assert_eq!(text("@SUM(1,2)"), "\"'@SUM(1,2)\",");
        assert_eq!(text("mail.example.org"), "mail.example.org,");
        assert_eq!(text("a\tb\r\nc\u{1b}[2J"), "a\u{fffd}b\u{fffd}\u{fffd}c\u{fffd}[2J,");
    }

    #[test]
    fn a_number_that_is_not_finite_is_left_out() {
        assert_eq!(field(|row| row.real(Some(f64::NAN)).real(Some(-0.5))), ",-0.5,");
    }
}
