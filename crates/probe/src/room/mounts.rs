//! What is mounted where, as the kernel tells it (proc_pid_mountinfo(5)).
//!
//! Promises: what a room mounts itself is known by its source, [`OURS`]; a line that cannot be read is passed over.
//! To extend: a kind of file system behind which there is a network, in [`REMOTE`].

use nix::sys::stat::makedev;
use std::ffi::CStr;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The source of everything that a room mounts itself.
pub(super) const OURS: &CStr = c"room";

/// File systems behind which there is a network, or a process.
const REMOTE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "glusterfs", "autofs", "virtiofs"];

/// A line of mountinfo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub at: PathBuf,
    /// The number of its device.
    device: u64,
    pub remote: bool,
    /// Whether it is a layer over the machine's files ([`super::veil`]).
    pub veil: bool,
    /// Whether a room made it: nobody outside puts anything there.
    pub ours: bool,
}

/// As a process sees them, which is given by its folder in `/proc`.
pub(super) fn of(process: &Path) -> io::Result<Vec<Mount>> {
    let text = fs::read_to_string(process.join("mountinfo"))?;
    Ok(text.lines().filter_map(Mount::of).collect())
}

/// A path of a room, as seen from outside by the room's root.
pub(super) fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

impl Mount {
    fn of(line: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let mut kinds = kind.split(' ');
        let (kind, source) = (kinds.next()?, kinds.next()?);
        let mut fields = mount.split(' ').skip(2);
        let (major, minor) = fields.next()?.split_once(':')?;
        let device = makedev(major.parse().ok()?, minor.parse().ok()?);
        let at = PathBuf::from(unescaped(fields.nth(1)?));
        let remote = REMOTE.contains(&kind) || kind.starts_with("fuse");
        let ours = source.as_bytes() == OURS.to_bytes();
        Some(Self { at, device, remote, ours, veil: ours && kind == "overlay" })
    }

    /// Whether no other covers it. A file system may be closed to root and open to the user who serves it.
    pub fn is_seen(&self, root: &Path) -> bool {
        match fs::symlink_metadata(inside(root, &self.at)) {
            Ok(found) => self.holds(found.dev()),
            Err(error) => error.kind() == ErrorKind::PermissionDenied,
        }
    }

    /// Whether a file of this device lies in it.
    pub fn holds(&self, device: u64) -> bool {
        self.device == device
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
    fn what_a_room_mounts_is_known_by_its_source() {
        let known = |line: &str| Mount::of(line).map(|mount| (mount.ours, mount.veil));
        assert_eq!(known("36 35 0:51 / /tmp rw - tmpfs room rw"), Some((true, false)));
        assert_eq!(known("36 35 0:51 / /usr ro - overlay room ro,lowerdir=/usr:/x"), Some((true, true)));
        assert_eq!(known("36 35 0:51 / / rw - overlay overlay rw"), Some((false, false)));
    }

    #[test]
    fn a_mount_is_seen_where_its_device_is() {
        let here = fs::metadata("/proc").expect("there is a /proc").dev();
        let mount = |device| Mount { at: "/proc".into(), device, remote: true, veil: false, ours: false };
        assert!(mount(here).is_seen(Path::new("/")));
        assert!(!mount(here + 1).is_seen(Path::new("/")));
    }
}
