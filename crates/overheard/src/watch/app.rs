//! An app in a room as a source: what crosses the room's door, as it crosses, and what the app writes.
//!
//! Promises: the gateway is never held up by a view; the app ends with whoever watches, its room ends with it, and
//! what is kept is whole then.

use super::source::{Crossing, Feed, Heard};
use overheard_model::{Process, Timestamp};
use overheard_probe::door::{ROOM_V4, ROOM_V6};
use overheard_probe::gateway::{Carried, Direction, ProxyFault, Upstream};
use overheard_probe::ledger::Carriage;
use overheard_probe::room::{Child, Command, Room, Way};
use overheard_probe::tapped::{Error, Listener, Order, Tapped};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// LINKTYPE_RAW: what crosses begins with its IP header.
const LINK_RAW: u32 = 101;

/// Bytes of a line that the app writes; what is longer becomes several.
const LONGEST_LINE: u64 = 4096;

/// Time between two looks at whether it shall end.
const BEAT: Duration = Duration::from_millis(100);

/// An app that is watched. Dropped, it ends with all that it started; so whoever listens must have gone before.
#[derive(Debug)]
pub struct App {
    ends: Arc<AtomicBool>,
    carried: Carried,
    /// Ways out beside the network, a line each.
    doors: Vec<String>,
    thread: Option<JoinHandle<Result<Closing, Error>>>,
}

/// How it came to its end.
#[derive(Debug)]
pub struct Closing {
    /// In one line.
    pub how: String,
    /// Packets that could not be kept.
    pub lost: u64,
    /// What the proxy did, if there is one.
    pub proxy: Option<Carriage>,
}

impl App {
    /// Opens the room, and starts the app in it. `name` is what the app is called when it ends.
    ///
    /// # Errors
    /// The room cannot be opened, or the app not be started.
    pub fn start(name: &str, command: &Command, order: Order, feed: Feed) -> Result<Self, Error> {
        for address in [ROOM_V4.into(), ROOM_V6.into()] {
            feed.say(Heard::Ours(address));
        }
        let listener: Option<Box<dyn Listener>> = Some(Box::new(Ear(feed.clone())));
        let proxied = order.options.upstream != Upstream::Direct;
        let tapped = Tapped::open(Order { listener, ..order })?;
        let doors = doors(tapped.room());
        for door in &doors {
            feed.say(Heard::Line(door.clone()));
        }
        let child = tapped.room().spawn(command).map_err(Error::of(name))?;
        let (ends, carried) = (Arc::<AtomicBool>::default(), tapped.carried());
        let watched = Watched { name: name.to_owned(), tapped, proxied, child, ends: ends.clone(), feed };
        Ok(Self { ends, carried, doors, thread: Some(thread::spawn(|| watched.run())) })
    }

    /// To whom something was carried so far, and to whom not; also as it goes on.
    pub fn carried(&self) -> Carried {
        self.carried.clone()
    }

    /// Doors of its room that are not the network, a line each.
    pub fn doors(&self) -> &[String] {
        &self.doors
    }

    /// Asks it to end; what it still has to say is heard, its end last.
    pub fn ask_to_end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Ends it, if it has not ended.
    ///
    /// # Errors
    /// The room could not be closed, or its gateway had failed.
    pub fn end(mut self) -> Result<Closing, Error> {
        self.join()
    }

    fn join(&mut self) -> Result<Closing, Error> {
        self.ask_to_end();
        let failed = || Error::of("the app")(io::Error::other("whoever watched it failed"));
        let thread = self.thread.take().ok_or_else(failed)?;
        thread.join().unwrap_or_else(|_| Err(failed()))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Whoever drops it has a failure of his own to tell.
        let _ = self.join();
    }
}

/// The app with its room, in a thread of its own.
struct Watched {
    name: String,
    tapped: Tapped,
    proxied: bool,
    child: Child,
    ends: Arc<AtomicBool>,
    feed: Feed,
}

impl Watched {
    fn run(mut self) -> Result<Closing, Error> {
        // Nothing is typed into it.
        drop(self.child.stdin.take());
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            self.child.stdout.take().map(|stream| Box::new(stream) as _),
            self.child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        let readers = streams.into_iter().flatten().map(|stream| {
            let feed = self.feed.clone();
            thread::spawn(move || tell_lines(stream, &feed))
        });
        let readers: Vec<JoinHandle<()>> = readers.collect();
        let status = self.wait();
        let left = match &status {
            Ok(Some(_)) => self.tapped.room().left().unwrap_or_default(),
            _ => BTreeMap::new(),
        };
        // What it started ends too, and so do its streams.
        let closed = self.tapped.close();
        for reader in readers {
            // One that panicked has told less.
            let _ = reader.join();
        }
        let how = match status? {
            Some(status) => format!("{} ended: {status}{}", self.name, running(left)),
            None => format!("{} was ended", self.name),
        };
        self.feed.say(Heard::Ended(how.clone()));
        closed.map(|(counts, recorded)| Closing {
            how,
            lost: recorded.outcome.lost,
            proxy: self.proxied.then(|| Carriage { carried: counts.answered, failed: counts.unserved() }),
        })
    }

    /// Says why the proxy does not carry, once for each reason and as soon as it is so: the app may only hang.
    fn tell_faults(&self, told: &mut BTreeSet<ProxyFault>) {
        let faults = self.tapped.counts().proxy_faults.into_keys();
        for fault in faults.filter(|fault| told.insert(*fault)) {
            self.feed.say(Heard::Line(format!("the proxy does not carry everything: {fault}")));
        }
    }

    /// How it ended; nothing if it shall end.
    fn wait(&self) -> Result<Option<ExitStatus>, Error> {
        let mut told = BTreeSet::new();
        while !self.ends.load(Ordering::Relaxed) {
            let ended = self.child.wait(Some(BEAT)).map_err(Error::of(&self.name))?;
            self.tell_faults(&mut told);
            if ended.is_some() {
                return Ok(ended);
            }
        }
        Ok(None)
    }
}

/// Programs that the app left running end with its room, and nobody learns whom they would have contacted.
fn running(left: BTreeMap<String, u64>) -> String {
    let names: Vec<String> = left.into_keys().collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(
            "; what it left running was ended too ({}), and whom that would have contacted is not known",
            names.join(", ")
        ),
    }
}

/// By which doors that are not the network somebody could be reached, a line each.
fn doors(room: &Room) -> Vec<String> {
    let (doors, all) = room.doors_at_once();
    let told = |Way { kind, path }| format!("door {kind} at {}: open, and not the network", path.display());
    let bare = "this machine's files are shown as they are, Unix sockets and pipes among them: doors that are not the \
                network; `overheard doctor` says why";
    doors.into_iter().map(told).chain((!all).then(|| bare.to_owned())).collect()
}

/// Tells what the app writes, line by line, as long as somebody listens.
fn tell_lines(stream: Box<dyn Read + Send>, feed: &Feed) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    // A stream that breaks has ended.
    while let Ok(1..) = stream.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        if !feed.say(Heard::Line(text.trim_end_matches(['\r', '\n']).to_owned())) {
            return;
        }
        line.clear();
    }
}

/// Hears what crosses.
#[derive(Debug)]
struct Ear(Feed);

impl Listener for Ear {
    fn hear(&mut self, _: Direction, time: SystemTime, ip: &[u8], process: Option<&Process>) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.offer(Crossing {
            time: Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
            link: LINK_RAW,
            wire_len: u32::try_from(ip.len()).unwrap_or(u32::MAX),
            bytes: ip.into(),
            process: process.cloned().map(Arc::new),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn what_the_app_writes_is_told_in_lines_of_bounded_length() {
        let (feed, queue) = source::queue();
        let text = [b"one\r\n\xff\n", &[b'x'; LONGEST_LINE as usize + 1][..]].concat();
        tell_lines(Box::new(io::Cursor::new(text)), &feed);
        let told = queue.heard.try_iter().map(|heard| match heard {
            Heard::Line(line) => line,
            other => panic!("{other:?}"),
        });
        let told: Vec<String> = told.collect();
        assert_eq!(told[..2], ["one", "\u{fffd}"]);
        assert_eq!(told[2..].iter().map(String::len).collect::<Vec<_>>(), [LONGEST_LINE as usize, 1]);
    }
}
