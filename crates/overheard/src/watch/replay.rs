//! A capture as a source: a file that is replayed as fast as it was recorded, or a pipe as it comes.
//!
//! Promises: what is kept (`--keep`) is every byte that came, and comes first: the view may miss packets then,
//! the file does not.

use super::source::{Crossing, Feed, Heard};
use crate::exit::{Failure, Result};
use crate::input::Input;
use overheard_dissect::capture::{Reader, Summary};
use overheard_model::{Timestamp, Uncarried};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

/// How much faster than it was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    /// As fast as it can be read.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.parse().ok().filter(|times: &f64| times.is_finite() && *times > 0.0);
        times.map(Self::Times).ok_or_else(|| format!("{text:?} is no speed: a number such as 10, or max"))
    }
}

type Source = Box<dyn Read + Send>;

/// A capture that was opened, and recognised as one.
pub struct Replay {
    reader: Reader<Source>,
    speed: Speed,
    /// It has a pace of its own.
    is_pipe: bool,
    /// Whether its reading may not be held up.
    keeps: bool,
}

impl Replay {
    pub fn open(input: &Input, speed: Speed, keep: Option<&Path>) -> Result<Self> {
        let source = input.open()?;
        let source = match keep {
            Some(path) => Box::new(Kept { source, file: create(path)?, path: path.display().to_string() }),
            None => source,
        };
        let reader = Reader::new(source);
        if reader.summary().format == "unknown" {
            return Err(input.no_capture(&reader.summary().problems));
        }
        Ok(Self { reader, speed, is_pipe: input.is_stdin(), keeps: keep.is_some() })
    }

    /// Reads it in a thread of its own.
    pub fn start(self, feed: Feed) {
        thread::spawn(move || self.run(&feed));
    }

    fn run(mut self, feed: &Feed) {
        let mut pace = Pace { speed: self.speed, began: None };
        let mut told = (0, 0);
        while let Some(frame) = self.reader.next_frame() {
            let number = frame.number;
            let mut packet = Crossing {
                time: frame.time,
                link: frame.link,
                wire_len: frame.wire_len,
                bytes: frame.bytes.into(),
                process: None,
            };
            told = tell_beside(self.reader.summary(), told, feed);
            if number == 1 && self.reader.summary().counts_are_due {
                // Until then nobody who has not answered is known to have been reached.
                let all_but = Some(BTreeSet::new());
                feed.say(Heard::Uncarried(Uncarried { all_but, ..Uncarried::default() }));
            }
            packet.process = self.reader.summary().owner(number);
            if !self.is_pipe {
                pace.wait(packet.time);
            }
            if self.keeps {
                feed.offer(packet);
            } else if !feed.say(Heard::Packet(packet)) {
                return;
            }
        }
        let summary = self.reader.into_summary();
        tell_beside(&summary, told, feed);
        feed.say(Heard::Uncarried(summary.uncarried));
        for problem in &summary.problems {
            feed.say(Heard::Line(problem.to_string()));
        }
        feed.say(Heard::Ended(format!("the capture ended after {} packets", summary.packets)));
    }
}

/// Tells what the file said beside its packets, addresses of its interfaces and names, but for as many as were told
/// before; how many there are now.
fn tell_beside(summary: &Summary, (addresses, names): (usize, usize), feed: &Feed) -> (usize, usize) {
    for address in summary.addresses.iter().skip(addresses) {
        feed.say(Heard::Ours(*address));
    }
    for (address, name) in summary.names.iter().skip(names) {
        feed.say(Heard::Name(*address, name.clone()));
    }
    (summary.addresses.len(), summary.names.len())
}

/// Sleeps between packets as their times say.
struct Pace {
    speed: Speed,
    /// Time of the first packet, and when it was replayed.
    began: Option<(Timestamp, Instant)>,
}

impl Pace {
    fn wait(&mut self, time: Timestamp) {
        let Speed::Times(times) = self.speed else { return };
        let (first, began) = *self.began.get_or_insert_with(|| (time, Instant::now()));
        let due = (time.ms_since(first) / times).clamp(0.0, 1e12);
        thread::sleep(
            (began + Duration::from_micros((due * 1e3) as u64)).saturating_duration_since(Instant::now()),
        );
    }
}

/// Writes what is read through it to a file.
struct Kept {
    source: Source,
    file: File,
    path: String,
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let kept = self.file.write_all(buffer.get(..read).unwrap_or_default());
        kept.map_err(|error| io::Error::new(error.kind(), format!("--keep {}: {error}", self.path)))?;
        Ok(read)
    }
}

fn create(path: &Path) -> Result<File> {
    File::create_new(path).map_err(|error| {
        Failure::new(format!("--keep {}: {error}", path.display()))
            .hint("give a new file in a folder that you may write to")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_or_max() {
        assert_eq!("2.5".parse(), Ok(Speed::Times(2.5)));
        assert_eq!("max".parse(), Ok(Speed::Max));
        for mistake in ["0", "-1", "inf", "nan", "fast", ""] {
            assert!(mistake.parse::<Speed>().is_err(), "{mistake}");
        }
    }
}
