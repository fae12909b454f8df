//! Doors of a room that are not the network, found by looking at the file system that the app sees.
//!
//! Whoever listens at a Unix socket or reads a named pipe may carry out what the app says; so may whoever reads
//! a folder that the app writes to, and a file system that is itself on a network.
//!
//! Promises: walks everything that the room shows but `/proc` and `/sys`; follows no link; names what the app's
//! user may use, by the permission bits. Does not know whether anyone listens there, and does not knock.
//! To extend: a [`Kind`], recognised in [`kind`]; what was asked for is known by the room.

use super::identity::Identity;
use super::spec::Socket;
use nix::sys::stat::makedev;
use std::fs::{self, FileType, Metadata};
use std::io::ErrorKind;
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
}

/// File systems behind which there is a network, or a process (proc_pid_mountinfo(5)).
const REMOTE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "glusterfs", "autofs", "virtiofs"];

/// Every door that the app's user may use; `process` is the `/proc/PID` of one inside, as we see it.
pub(super) fn find(process: &Path, user: &Identity) -> Vec<Way> {
    let root = process.join("root");
    let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::of).collect();
    let remote: Vec<PathBuf> = mounts
        .iter()
        .filter(|mount| mount.remote && mount.is_seen(&root))
        .map(|mount| mount.at.clone())
        .collect();
    let mut ways: Vec<Way> =
        remote.iter().map(|path| Way { path: path.clone(), kind: Kind::NetworkFileSystem }).collect();
    // What a folder says of an entry holds for what a mount covers there, so mounts are looked at themselves.
    for at in mounts.into_iter().filter(|mount| !mount.remote).map(|mount| mount.at) {
        let file = fs::symlink_metadata(inside(&root, &at));
        ways.extend(file.ok().and_then(|file| way(&root, at, file.file_type(), user)));
    }
    let mut folders = vec![PathBuf::from("/")];
    while let Some(folder) = folders.pop() {
        // What we may not read the app may not either: we are its user, or root.
        let Ok(entries) = fs::read_dir(inside(&root, &folder)) else { continue };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            let elsewhere = [Path::new("/proc"), Path::new("/sys")].contains(&path.as_path());
            if kind.is_dir() && !elsewhere && !remote.contains(&path) && enters(&root, &path, user) {
                folders.push(path);
            } else {
                ways.extend(way(&root, path, kind, user));
            }
        }
    }
    ways.sort();
    ways.dedup();
    ways
}

/// What a file of this type is a way for, if for anything.
fn way(root: &Path, path: PathBuf, file: FileType, user: &Identity) -> Option<Way> {
    let speaks = file.is_socket() || file.is_fifo();
    (speaks && writes(root, &path, user)).then(|| Way { kind: kind(&path, file.is_fifo()), path })
}

fn kind(path: &Path, pipe: bool) -> Kind {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bus = name == "bus" || name.contains("dbus") || name == "system_bus_socket";
    match (pipe, bus) {
        (true, _) => Kind::Pipe,
        (false, true) => Kind::DBus,
        (false, false) => Kind::Socket,
    }
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn enters(root: &Path, path: &Path, user: &Identity) -> bool {
    fs::symlink_metadata(inside(root, path)).is_ok_and(|folder| may(&folder, user, 0o1))
}

fn writes(root: &Path, path: &Path, user: &Identity) -> bool {
    fs::symlink_metadata(inside(root, path)).is_ok_and(|file| may(&file, user, 0o2))
}

/// By the permission bits. An ordinary user's further groups count as if they were everyone's.
fn may(file: &Metadata, user: &Identity, bit: u32) -> bool {
    let mode = file.mode();
    if file.uid() == user.uid.as_raw() {
        return mode & (bit << 6) != 0;
    }
    mode & (bit << 3 | bit) != 0
}

/// A line of mountinfo.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    at: PathBuf,
    /// The number of its device.
    device: u64,
    remote: bool,
}

impl Mount {
    fn of(line: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let kind = kind.split(' ').next()?;
        let mut fields = mount.split(' ').skip(2);
        let (major, minor) = fields.next()?.split_once(':')?;
        let device = makedev(major.parse().ok()?, minor.parse().ok()?);
        let at = PathBuf::from(unescaped(fields.nth(1)?));
        Some(Self { at, device, remote: REMOTE.contains(&kind) || kind.starts_with("fuse") })
    }

    /// Whether no other covers it. A file system may be closed to root and open to the user who serves it.
    fn is_seen(&self, root: &Path) -> bool {
        match fs::symlink_metadata(inside(root, &self.at)) {
            Ok(found) => found.dev() == self.device,
            Err(error) => error.kind() == ErrorKind::PermissionDenied,
        }
    }
}

/// Blanks in mountinfo are written in octal.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_on_a_network_is_known_by_its_kind() {
        let remote = |line: &str| Mount::of(line).map(|mount| (mount.at, mount.remote));
        let nfs = "36 35 98:0 / /mnt/my\\040disk rw,noatime - nfs4 server:/ rw";
        assert_eq!(remote(nfs), Some(("/mnt/my disk".into(), true)));
        assert_eq!(remote("36 35 0:51 / /mnt rw master:1 - fuse.sshfs x rw"), Some(("/mnt".into(), true)));
        assert_eq!(remote("36 35 98:0 / /mnt rw - ext4 /dev/vda rw"), Some(("/mnt".into(), false)));
        assert_eq!(remote("nonsense"), None);
    }

    #[test]
    fn a_mount_is_seen_where_its_device_is() {
        let here = fs::metadata("/proc").expect("there is a /proc").dev();
        let mount = |device| Mount { at: "/proc".into(), device, remote: true };
        assert!(mount(here).is_seen(Path::new("/")));
        assert!(!mount(here + 1).is_seen(Path::new("/")));
    }

    #[test]
    fn a_bus_is_known_by_its_name() {
        assert_eq!(kind(Path::new("/run/dbus/system_bus_socket"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/run/user/1000/bus"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/var/lib/sss/pipes/nss"), false), Kind::Socket);
        assert_eq!(kind(Path::new("/var/spool/queue"), true), Kind::Pipe);
    }
}
