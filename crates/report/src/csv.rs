//! CSV: one row a key (comparison), endpoint (reading) or number of runs (plan).
//!
//! Promises: RFC 4180 quoting, a header line, UTF-8. Text that a spreadsheet would run as a formula gets
//! an apostrophe before it (OWASP, "CSV Injection"). A reading's table becomes an input of
//! `overheard compare` again once a `build` column is added.

use crate::{Format, Style, order};
use overheard_model::{Bundle, Cell, Comparison, Endpoint, Key, Level, PlaceSource, Plan, Reading};
use std::borrow::Cow;

/// `--format csv`.
pub(crate) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn comparison(&self, bundle: &Bundle, _: Style) -> String {
        let comparison = &bundle.comparison;
        let mut table = Table::default();
        table.row(header(comparison));
        for level in Level::ALL {
            for key in order::rows(comparison, level) {
                table.row(key_row(comparison, key));
            }
        }
        table.0
    }

    fn readings(&self, readings: &[Reading], _: &[PlaceSource], _: Style) -> String {
        let mut table = Table::default();
        table.row(ENDPOINT_COLUMNS.map(Field::text).to_vec());
        for endpoint in readings.iter().flat_map(|reading| &reading.endpoints) {
            table.row(endpoint_row(endpoint));
        }
        table.0
    }

    fn plan(&self, plan: &Plan, _: Style) -> String {
        let mut table = Table::default();
        table.row(["runs", "power", "absence_bound"].map(Field::text).to_vec());
        for power in &plan.table {
            table.row(vec![
                Field::number(power.runs),
                Field::real(Some(power.power)),
                Field::real(Some(power.absence_bound)),
            ]);
        }
        table.0
    }
}

fn header(comparison: &Comparison) -> Vec<Field> {
    let mut fields = ["level", "key", "country", "asn", "network", "names"].map(Field::text).to_vec();
    for build in &comparison.builds {
        let name = |what: &str| Field::text(&format!("{} {what}", build.name));
        fields.extend(["present", "runs"].map(name));
        if build.name != comparison.reference {
            fields.extend(["relation", "difference", "low", "high", "p", "q", "runs_needed"].map(name));
        }
    }
    fields
}

fn key_row(comparison: &Comparison, key: &Key) -> Vec<Field> {
    let mut fields = vec![
        Field::text(&key.level.to_string()),
        Field::text(&key.key),
        Field::text(key.country.as_deref().unwrap_or_default()),
        Field::maybe(key.asn.map(|asn| asn.0)),
        Field::text(key.network.as_deref().unwrap_or_default()),
        Field::text(&key.names.join(" ")),
    ];
    for build in &comparison.builds {
        let cell = key.cells.get(&build.name).copied().unwrap_or(Cell { present: 0, runs: build.runs });
        fields.extend([Field::number(cell.present), Field::number(cell.runs)]);
        if build.name == comparison.reference {
            continue;
        }
        let result = key.relations.get(&build.name);
        fields.push(Field::text(&result.map(|result| result.relation.to_string()).unwrap_or_default()));
        let figures = [
            result.map(|result| result.difference),
            result.map(|result| result.low),
            result.map(|result| result.high),
            result.map(|result| result.p),
            result.and_then(|result| result.q),
        ];
        fields.extend(figures.map(Field::real));
        fields.push(Field::maybe(result.and_then(|result| result.runs_needed)));
    }
    fields
}

const ENDPOINT_COLUMNS: [&str; 19] = [
    "run",
    "address",
    "port",
    "transport",
    "name",
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
];

fn endpoint_row(endpoint: &Endpoint) -> Vec<Field> {
    let name = endpoint.names.first();
    let protocols: Vec<String> = endpoint.protocols.iter().map(ToString::to_string).collect();
    vec![
        Field::text(&endpoint.capture),
        Field::text(&endpoint.address.to_string()),
        Field::number(endpoint.port.into()),
        Field::text(&endpoint.transport.to_string()),
        Field::text(name.map_or("", |name| &name.name)),
        Field::maybe(name.map(|name| name.source)),
        Field::text(&endpoint.place.label().unwrap_or_default()),
        Field::maybe(endpoint.place.asn().map(|asn| asn.0)),
        Field::text(endpoint.place.network().unwrap_or_default()),
        Field::text(&protocols.join(" ")),
        Field::text(&endpoint.visibility.to_string()),
        Field::number(endpoint.packets_out),
        Field::number(endpoint.packets_in),
        Field::number(endpoint.bytes_out),
        Field::number(endpoint.bytes_in),
        Field::maybe(endpoint.first),
        Field::maybe(endpoint.last),
        Field::real(endpoint.rtt_ms),
        Field::number(endpoint.packet),
    ]
}

/// One field, ready to stand between two commas.
#[derive(Clone)]
struct Field(String);

impl Field {
    /// Text that may come from outside: guarded, and quoted where RFC 4180 §2.6 asks for it.
    fn text(text: &str) -> Self {
        let guarded = guarded(text);
        if guarded.contains(['"', ',', '\r', '\n']) {
            Self(format!("\"{}\"", guarded.replace('"', "\"\"")))
        } else {
            Self(guarded.into_owned())
        }
    }

    fn number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// Empty where there is no number, or none that is finite.
    fn real(number: Option<f64>) -> Self {
        Self(number.filter(|number| number.is_finite()).map(|number| number.to_string()).unwrap_or_default())
    }

    /// A value of ours that needs no guard, or nothing.
    fn maybe(value: Option<impl ToString>) -> Self {
        Self(value.map(|value| value.to_string()).unwrap_or_default())
    }
}

fn guarded(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Rows, each ended by CRLF (RFC 4180 §2.1).
#[derive(Default)]
struct Table(String);

impl Table {
    fn row(&mut self, fields: Vec<Field>) {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            self.0 += &field.0;
        }
        self.0 += "\r\n";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_no_formulas() {
        assert_eq!(Field::text("=HYPERLINK(\"http://x\")").0, "\"'=HYPERLINK(\"\"http://x\"\")\"");
        assert_eq!(Field::text("-2+3").0, "'-2+3");
        assert_eq!(Field::text("@SUM(1,2)").0, "\"'@SUM(1,2)\"");
        assert_eq!(Field::text("mail.example.org").0, "mail.example.org");
    }

    #[test]
    fn a_number_that_is_not_finite_is_left_out() {
        assert_eq!(Field::real(Some(f64::NAN)).0, "");
        assert_eq!(Field::real(Some(-0.5)).0, "-0.5");
    }
}
