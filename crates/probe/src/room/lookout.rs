//! Doors of a room that are not the network, from before an app starts until after it has ended.
//!
//! Most of what a room shows of the machine is veiled ([`super::veil`]): nothing that comes there later is a way out.
//! What is bare is watched meanwhile (inotify(7)), since a socket that comes and goes is there for nobody who looks
//! afterwards.
//!
//! Promises: whatever appeared in a bare folder is told, whether or not it is still there. Where not all of them could
//! be watched, that is told too. What appears in a folder that appeared itself is told by that folder alone.

use super::ways::{Found, Kind, Way};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// As many folders as are watched at most: each takes some kernel memory, and the user has only so many.
const MOST: usize = 8192;

/// What is watched, and what was found before.
#[derive(Debug)]
pub struct Lookout {
    before: Vec<Way>,
    inotify: Option<Inotify>,
    folders: HashMap<WatchDescriptor, PathBuf>,
    /// A folder that is not watched.
    missed: Option<PathBuf>,
}

impl Lookout {
    /// Watches from now on; `root` is the room's, as we see it.
    pub(super) fn begin(found: Found, root: &Path) -> Self {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        let mut lookout = Self { before: found.ways, inotify, folders: HashMap::new(), missed: None };
        for folder in found.bare {
            lookout.watch(folder, root);
        }
        lookout
    }

    fn watch(&mut self, folder: PathBuf, root: &Path) {
        let appears = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ONLYDIR;
        let inotify = self.inotify.as_ref().filter(|_| self.folders.len() < MOST);
        let inside = super::mounts::inside(root, &folder);
        match inotify.map(|inotify| inotify.add_watch(&inside, appears)) {
            Some(Ok(watch)) => drop(self.folders.insert(watch, folder)),
            _ => drop(self.missed.get_or_insert(folder)),
        }
    }

    /// Every door until now; `after` are those that stand open now.
    pub(super) fn end(mut self, after: Vec<Way>) -> Vec<Way> {
        let mut ways = std::mem::take(&mut self.before);
        ways.extend(after);
        let known = |ways: &[Way], path: &Path| ways.iter().any(|way| way.path == path);
        for path in self.appeared() {
            if !known(&ways, &path) {
                ways.push(Way { path, kind: Kind::Appeared });
            }
        }
        ways.extend(self.missed.map(|path| Way { path, kind: Kind::Unwatched }));
        ways.sort();
        ways.dedup();
        ways
    }

    /// What appeared in the folders that are watched.
    fn appeared(&mut self) -> Vec<PathBuf> {
        let mut appeared = Vec::new();
        // An error says that there is nothing more.
        while let Some(events) = self.inotify.as_ref().and_then(|inotify| inotify.read_events().ok()) {
            for event in events {
                let folder = self.folders.get(&event.wd);
                match (folder, event.name) {
                    (Some(folder), Some(name)) => appeared.push(folder.join(name)),
                    // Too many at once: which is not known (IN_Q_OVERFLOW).
                    (None, _) => drop(self.missed.get_or_insert("/".into())),
                    (Some(_), None) => {}
                }
            }
        }
        appeared
    }
}
