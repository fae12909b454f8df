//! Doors of a room that are not the network, found by looking at the file system that the app sees.
//!
//! Whoever listens at a Unix socket or reads a named pipe may carry out what the app says; so may whoever reads
//! a folder that the app writes to, and a file system that is itself on a network.
//!
//! Promises: walks everything that the room shows but `/proc` and `/sys`; follows no link; names what the app's
//! user may use, by the permission bits. Does not know whether anyone listens there, and does not knock.
//! To extend: a [`Kind`], recognised in [`kind`].

use super::identity::Identity;
use std::fs::{self, Metadata};
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
    /// A Unix socket in the file system.
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

/// `root` is the room's root as we see it: `/proc/PID/root` of a process inside.
pub(super) fn find(process: &Path, user: &Identity) -> Vec<Way> {
    let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
    let remote: Vec<PathBuf> = mounts.lines().filter_map(remote).collect();
    let root = process.join("root");
    let mut ways: Vec<Way> =
        remote.iter().map(|path| Way { path: path.clone(), kind: Kind::NetworkFileSystem }).collect();
    let mut folders = vec![PathBuf::from("/")];
    while let Some(folder) = folders.pop() {
        // What we may not read the app may not either: we are its user, or root.
        let Ok(entries) = fs::read_dir(inside(&root, &folder)) else { continue };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let elsewhere = [Path::new("/proc"), Path::new("/sys")].contains(&path.as_path());
                if !elsewhere && !remote.contains(&path) && enters(&root, &path, user) {
                    folders.push(path);
                }
            } else if (kind.is_socket() || kind.is_fifo()) && writes(&root, &path, user) {
                ways.push(Way { kind: self::kind(&path, kind.is_fifo()), path });
            }
        }
    }
    ways.sort();
    ways
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

/// Where a line of mountinfo puts a remote file system.
fn remote(line: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    let kind = kind.split(' ').next()?;
    let at = mount.split(' ').nth(4)?;
    (REMOTE.contains(&kind) || kind.starts_with("fuse")).then(|| PathBuf::from(unescaped(at)))
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
        let nfs = "36 35 98:0 / /mnt/my\\040disk rw,noatime - nfs4 server:/ rw";
        assert_eq!(remote(nfs), Some("/mnt/my disk".into()));
        assert_eq!(remote("36 35 98:0 / /mnt rw master:1 - fuse.sshfs x rw"), Some("/mnt".into()));
        assert_eq!(remote("36 35 98:0 / /mnt rw - ext4 /dev/vda rw"), None);
        assert_eq!(remote("nonsense"), None);
    }

    #[test]
    fn a_bus_is_known_by_its_name() {
        assert_eq!(kind(Path::new("/run/dbus/system_bus_socket"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/run/user/1000/bus"), false), Kind::DBus);
        assert_eq!(kind(Path::new("/var/lib/sss/pipes/nss"), false), Kind::Socket);
        assert_eq!(kind(Path::new("/var/spool/queue"), true), Kind::Pipe);
    }
}
