//! Doors of a room that are not the network, found by looking at the file system that the app sees.
//!
//! Whoever listens at a Unix socket or reads a named pipe may carry out what the app says; so may whoever reads
//! a folder that the app writes to, and a file system that is itself on a network.
//!
//! Promises: walks everything that the room shows but `/proc`, `/sys` and what is veiled; follows no link; names what
//! the app's user may use, by the permission bits. Does not know whether anyone listens there, and does not knock.
//! To extend: a [`Kind`], recognised in [`kind`]; what was asked for is known by the room.

use super::identity::Identity;
use super::mounts::{self, Mount, inside};
use super::spec::Socket;
use std::fmt;
use std::fs::{self, FileType, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A door that is not the network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// As the app sees it.
    pub path: PathBuf,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A socket of the desktop that was asked for.
    Desktop(Socket),
    /// Any other Unix socket in the file system.
    Socket,
    /// One that is D-Bus by its name, over which programs of the desktop do things for others.
    DBus,
    /// A named pipe.
    Pipe,
    /// A folder in which the app may write what stays.
    Folder,
    /// A file system that lies on a network, or that a process serves.
    NetworkFileSystem,
    /// Something that came into a folder of the machine while it was watched, and may have gone again.
    Appeared,
    /// A folder of the machine that could not be watched; further ones may be like it.
    Unwatched,
}

impl fmt::Display for Kind {
    /// In words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Desktop(socket) => socket.name(),
            Self::Socket => "Unix socket",
            Self::DBus => "D-Bus",
            Self::Pipe => "named pipe",
            Self::Folder => "folder that stays",
            Self::NetworkFileSystem => "network file system",
            Self::Appeared => "something that appeared",
            Self::Unwatched => "folder that was not watched",
        })
    }
}

/// What a walk finds.
#[derive(Debug)]
pub(super) struct Found {
    /// Every door that the app's user may use.
    pub ways: Vec<Way>,
    /// Folders of the machine that the room shows as they are.
    pub bare: Vec<PathBuf>,
}

/// `process` is the `/proc/PID` of one inside, as we see it.
pub(super) fn find(process: &Path, user: &Identity) -> Found {
    let root = process.join("root");
    let mounts = mounts::of(process).unwrap_or_default();
    let walk = Walk { root: &root, mounts: &mounts, user };
    let remote = mounts.iter().filter(|mount| mount.remote && mount.is_seen(&root));
    let ways = remote.map(|mount| Way { path: mount.at.clone(), kind: Kind::NetworkFileSystem }).collect();
    let mut found = Found { ways, bare: Vec::new() };
    let mut folders = vec![PathBuf::from("/")];
    for mount in mounts.iter().filter(|mount| !mount.remote) {
        // What a folder says of an entry holds for what a mount covers there, so mounts are looked at themselves.
        let file = fs::symlink_metadata(inside(&root, &mount.at));
        found.ways.extend(file.ok().and_then(|file| walk.way(mount.at.clone(), file.file_type())));
        folders.extend(walk.is_beyond(&mount.at).then(|| mount.at.clone()));
    }
    while let Some(folder) = folders.pop() {
        walk.through(&folder, &mut folders, &mut found);
    }
    found.ways.sort();
    found.ways.dedup();
    found
}

struct Walk<'a> {
    root: &'a Path,
    mounts: &'a [Mount],
    user: &'a Identity,
}

impl Walk<'_> {
    fn through(&self, folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Found) {
        if self.is(folder, |mount| mount.veil) {
            return;
        }
        if !self.is(folder, |mount| mount.ours) {
            found.bare.push(folder.to_owned());
        }
        // What we may not read the app may not either: we are its user, or root.
        let Ok(entries) = fs::read_dir(inside(self.root, folder)) else { return };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !self.is_elsewhere(&path) && self.may(&path, ENTER) {
                folders.push(path);
            } else {
                found.ways.extend(self.way(path, kind));
            }
        }
    }

    /// Whether it is a folder of which a walk from the root learns nothing, since it stands behind a veil.
    fn is_beyond(&self, at: &Path) -> bool {
        let veiled = |folder: &Path| self.is(folder, |mount| mount.veil);
        let is_folder = fs::symlink_metadata(inside(self.root, at)).is_ok_and(|file| file.is_dir());
        is_folder
            && !self.is_elsewhere(at)
            && at.parent().is_some_and(veiled)
            && at.ancestors().all(|folder| self.may(folder, ENTER))
    }

    /// Neither the machine's files nor the app's.
    fn is_elsewhere(&self, path: &Path) -> bool {
        let remote = self.mounts.iter().any(|mount| mount.remote && mount.at == path);
        remote || [Path::new("/proc"), Path::new("/sys")].iter().any(|folder| path.starts_with(folder))
    }

    /// Whether a folder lies in such a mount.
    fn is(&self, folder: &Path, such: impl Fn(&Mount) -> bool) -> bool {
        let found = fs::symlink_metadata(inside(self.root, folder));
        let such = |device| self.mounts.iter().any(|mount| such(mount) && mount.holds(device));
        found.is_ok_and(|folder| such(folder.dev()))
    }

    /// What a file of this type is a way for, if for anything.
    fn way(&self, path: PathBuf, file: FileType) -> Option<Way> {
        let speaks = file.is_socket() || file.is_fifo();
        (speaks && self.may(&path, WRITE)).then(|| Way { kind: kind(&path, file.is_fifo()), path })
    }

    fn may(&self, path: &Path, bit: u32) -> bool {
        fs::symlink_metadata(inside(self.root, path)).is_ok_and(|file| may(&file, self.user, bit))
    }
}

/// Bits of a file's mode.
const ENTER: u32 = 0o1;
const WRITE: u32 = 0o2;

fn kind(path: &Path, pipe: bool) -> Kind {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bus = name == "bus" || name.contains("dbus") || name == "system_bus_socket";
    match (pipe, bus) {
        (true, _) => Kind::Pipe,
        (false, true) => Kind::DBus,
        (false, false) => Kind::Socket,
    }
}

/// By the permission bits. An ordinary user's further groups count as if they were everyone's.
fn may(file: &Metadata, user: &Identity, bit: u32) -> bool {
    let mode = file.mode();
    if file.uid() == user.uid.as_raw() {
        return mode & (bit << 6) != 0;
    }
    mode & (bit << 3 | bit) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_known_by_its_name() {
        assert_eq!(kind(Path::new("/run/dbus/system_bus_socket"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/run/user/1000/bus"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/var/lib/sss/pipes/nss"), false), Kind::Socket);
        assert_eq!(kind(Path::new("/var/spool/queue"), true), Kind::Pipe);
    }
}
