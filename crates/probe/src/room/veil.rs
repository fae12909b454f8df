//! Shows the machine's files through a layer of the room's own, by which nobody is reached.
//!
//! The kernel finds who listens at a Unix socket, who reads a named pipe and who holds a lock by the file's inode
//! (unix(7), fifo(7), flock(2)). A layer of overlayfs has inodes of its own: the names and the contents of what lies
//! below are seen in it, also of what comes later, but a socket there refuses, a pipe has no other end and a lock is
//! nobody else's (Linux, Documentation/filesystems/overlayfs.rst). So whatever comes and goes outside while an app
//! runs, it is no way out.
//!
//! Promises: nothing can be changed through a layer. The kernel lays none over a folder in which others are mounted,
//! and some file systems it does not take: such folders stay bare and are left to [`super::lookout`]. A file that was
//! looked for before it was there may stay unseen.

use super::mounts::{self, Mount};
use super::step::Step;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where layers can be laid.
#[derive(Debug)]
pub(super) struct Veil {
    mounts: Vec<Mount>,
    /// A folder with nothing in it, for overlayfs wants two.
    empty: PathBuf,
}

impl Veil {
    pub(super) fn new(empty: PathBuf) -> io::Result<Self> {
        Ok(Self { mounts: mounts::of(Path::new("/proc/self"))?, empty })
    }

    /// Over this folder, or where others are mounted in it, over each part that has none; not over what is `apart`.
    pub(super) fn over(&self, folder: &Path, apart: &dyn Fn(&Path) -> bool) -> Vec<Step> {
        if apart(folder) || self.is_remote(folder) {
            return Vec::new();
        }
        if !self.mounts.iter().any(|mount| mount.at != folder && mount.at.starts_with(folder)) {
            return vec![self.layer(folder)];
        }
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.flat_map(|entry| self.over(&entry.path(), apart)).collect()
    }

    /// A layer would hide what a file system is.
    fn is_remote(&self, folder: &Path) -> bool {
        let around = self.mounts.iter().filter(|mount| folder.starts_with(&mount.at));
        around.max_by_key(|mount| mount.at.as_os_str().len()).is_some_and(|mount| mount.remote)
    }

    fn layer(&self, folder: &Path) -> Step {
        let options = [b"lowerdir=", &escaped(folder)[..], b":", &escaped(&self.empty)].concat();
        let c = |bytes| CString::new(bytes).expect("a path that the kernel gave holds no NUL");
        Step::Try(Box::new(Step::Veil { at: c(folder.as_os_str().as_bytes().to_vec()), options: c(options) }))
    }
}

/// What would end a path among the options.
fn escaped(path: &Path) -> Vec<u8> {
    let one = |byte: &u8| if b"\\:,".contains(byte) { vec![b'\\', *byte] } else { vec![*byte] };
    path.as_os_str().as_bytes().iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_path_is_escaped() {
        assert_eq!(escaped(Path::new("/a:b,c\\d")), b"/a\\:b\\,c\\\\d");
    }

    #[test]
    fn a_folder_with_mounts_in_it_is_veiled_in_parts() {
        let veil = Veil::new("/run/empty".into()).expect("mounts can be read");
        let at = |steps: Vec<Step>| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
        let whole = at(veil.over(Path::new("/usr/share"), &|_| false));
        assert_eq!(whole, ["lay a layer over \"/usr/share\""]);
        let apart = ["/usr", "/proc", "/sys", "/dev", "/run"];
        let root = at(veil.over(Path::new("/"), &|path| apart.contains(&&*path.to_string_lossy())));
        assert!(root.contains(&"lay a layer over \"/etc\"".into()) || root.len() > 1, "{root:?}");
        let over = |folder: &str| root.iter().any(|step| step.contains(&format!("{folder:?}")));
        assert!(!over("/") && !over("/usr") && !over("/proc"), "{root:?}");
    }
}
