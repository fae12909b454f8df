//! Watching in lines, for pipes: one for each new endpoint, and one whenever what is known of it changes.
//!
//! Promises: fields stand between tabs, a dash where one is empty, and none can hold a tab or a line end;
//! a line is flushed as soon as it is written; that packets came too fast to be looked at is noted. Looks are taken at the packets' times, so that a capture gives the
//! same lines at any speed; but with so many flows that a look takes long, a fifth of the time goes to looks at most.

use super::leave::Leave;
use super::listener::Listener;
use super::source::Heard;
use super::view::{Id, Row, Sight};
use crate::pipeline::Lens;
use overheard_model::Concern;
use overheard_report::{cell, safe};
use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// What stands before the fields' first line.
pub const TITLES: [&str; 10] =
    ["time", "change", "sign", "place", "server", "name", "protocol", "on the wire", "network", "process"];

/// Time between two looks, as the packets have it; and how long one waits for a packet.
const STEP_NS: i64 = 500_000_000;
const STEP: Duration = Duration::from_millis(500);

/// A look that takes longer is followed by a rest.
const LONG: Duration = Duration::from_millis(10);

/// Writes until the source ends, or one leaves; an app's end is waited for. Whether a concern was met, as far as is
/// known then.
pub fn write(
    listener: &mut Listener,
    lens: &Lens,
    concerns: &[Concern],
    leave: Leave<'_>,
    [out, notes]: [&mut dyn Write; 2],
) -> io::Result<bool> {
    let mut known = Known::default();
    let mut due = Due { next: None, rest: Instant::now() };
    line(out, &TITLES.map(str::to_owned))?;
    loop {
        let over = leave.is_due() && !leave.ends_app();
        let heard = listener.next(STEP);
        if due.is_now(heard.as_ref()) || over {
            let began = Instant::now();
            let sight = listener.sight(lens, concerns);
            known.write(&sight, out)?;
            known.note_missed(&sight, notes)?;
            due.looked(began);
        }
        if over {
            return Ok(known.has_concern());
        }
        match heard {
            Some(Heard::Line(text)) => writeln!(notes, "{}", safe(&text))?,
            Some(heard) => listener.take(heard),
            None => {}
        }
        if let Some(why) = listener.ended().map(str::to_owned) {
            known.write(&listener.sight(lens, concerns), out)?;
            writeln!(notes, "{}", safe(&why))?;
            return Ok(known.has_concern());
        }
    }
}

/// When to look.
struct Due {
    /// Nanoseconds, as the packets have it.
    next: Option<i64>,
    /// Not before.
    rest: Instant,
}

impl Due {
    /// Before a packet that is late enough, and where nothing comes.
    fn is_now(&mut self, heard: Option<&Heard>) -> bool {
        let Some(Heard::Packet(packet)) = heard else { return heard.is_none() };
        let (now, then) = (packet.time.0, packet.time.0.saturating_add(STEP_NS));
        let is_now = now >= *self.next.get_or_insert(then) && Instant::now() >= self.rest;
        if is_now {
            self.next = Some(then);
        }
        is_now
    }

    fn looked(&mut self, began: Instant) {
        let took = began.elapsed();
        if took > LONG {
            self.rest = Instant::now() + took * 4;
        }
    }
}

/// What was written of each endpoint last.
#[derive(Default)]
struct Known {
    lines: HashMap<Id, [String; 8]>,
    concerns: HashSet<Id>,
    /// Whether it was noted that packets were missed.
    missed: bool,
}

impl Known {
    fn write(&mut self, sight: &Sight, out: &mut dyn Write) -> io::Result<()> {
        let mut rows: Vec<&Row> = sight.rows.iter().collect();
        rows.sort_by_key(|row| row.endpoint.packet);
        for row in rows {
            // What was only tried may be carried later, and what was met be known later to have been tried.
            match row.is_concern() {
                true => _ = self.concerns.insert(row.id()),
                false => _ = self.concerns.remove(&row.id()),
            }
            let fields = fields(row);
            let change = match self.lines.get(&row.id()) {
                None => "new",
                Some(known) if *known != fields => "now",
                Some(_) => continue,
            };
            let time = row.endpoint.last.or(sight.now).map(|time| time.to_string()).unwrap_or_default();
            let whole: Vec<String> = [time, change.into()].into_iter().chain(fields.clone()).collect();
            line(out, &whole)?;
            self.lines.insert(row.id(), fields);
        }
        Ok(())
    }

    fn has_concern(&self) -> bool {
        !self.concerns.is_empty()
    }

    /// Once, as soon as it is so: how many there were is told at the end.
    fn note_missed(&mut self, sight: &Sight, notes: &mut dyn Write) -> io::Result<()> {
        if sight.missed > 0 && !self.missed {
            self.missed = true;
            writeln!(notes, "packets come too fast: what is shown is not all")?;
        }
        Ok(())
    }
}

/// All but the time and the change.
fn fields(row: &Row) -> [String; 8] {
    let endpoint = &row.endpoint;
    let name = endpoint.names.first().map(|name| cell::host(&name.name, endpoint, usize::MAX));
    [
        row.sign().into(),
        row.place(),
        cell::socket(endpoint),
        name.unwrap_or_default(),
        row.protocol(),
        row.wire(),
        cell::network(endpoint),
        row.process(),
    ]
}

fn line(out: &mut dyn Write, fields: &[String]) -> io::Result<()> {
    let shown = |field: &String| if field.is_empty() { "-".to_owned() } else { safe(field).into_owned() };
    let line = fields.iter().map(shown).collect::<Vec<_>>().join("\t");
    writeln!(out, "{line}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::row;
    use super::*;
    use crate::pipeline::Contact;

    #[test]
    fn what_was_only_tried_is_no_concern_that_was_met() {
        let (mut known, mut out) = (Known::default(), Vec::new());
        for carried in [false, true, false] {
            let row = Row { carried, contact: Contact::Certain, ..row(1, "CN", "log.example.org") };
            known.write(&Sight { rows: vec![row], ..Sight::default() }, &mut out).unwrap();
            assert_eq!(known.has_concern(), carried);
        }
        let text = String::from_utf8(out).unwrap();
        let told: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
        let told: Vec<_> = told.iter().map(|line| (line[1], line[2], line[7])).collect();
        let tried = |change| (change, "○", "tried, not carried");
        assert_eq!(told, [tried("new"), ("now", "●", "encrypted"), tried("now")]);
    }

    #[test]
    fn that_packets_were_missed_is_noted_once() {
        let (mut known, mut notes) = (Known::default(), Vec::new());
        for missed in [0, 7, 9] {
            known.note_missed(&Sight { missed, ..Sight::default() }, &mut notes).unwrap();
        }
        assert_eq!(notes, b"packets come too fast: what is shown is not all\n");
    }
}
