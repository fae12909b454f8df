//! A file that is written whole or not at all.
//!
//! Promises: what stood at a path stays as it was until all that replaces it is written; where writing
//! fails or is interrupted (Ctrl-C, SIGTERM, SIGHUP) nothing is left beside it. Devices and pipes are
//! written to as they are.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

/// Bytes that are gathered before they are handed to the system.
pub const BUFFER: usize = 1 << 16;

/// The draft that an interrupt removes; there is one report at a time.
static OPEN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Writes the file at `path`, through a buffer.
pub fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let Ok(found) = fs::metadata(path) else {
        return replace(path, content);
    };
    // Refuses here already what may not be written to.
    let file = OpenOptions::new().write(true).open(path)?;
    if !found.is_file() {
        return fill(file, content);
    }
    // Behind a link, the file is replaced and not the link.
    let path = fs::canonicalize(path)?;
    replace(&path, |out| {
        content(out)?;
        fs::set_permissions(beside(&path), found.permissions())
    })
}

/// Whether [`write()`] could begin at `path`, asked before there is anything to write; leaves all as it was.
pub fn try_out(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A pipe would wait for its reader.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) => OpenOptions::new().write(true).open(path).map(drop),
        Err(_) => {
            let draft = beside(path);
            File::create(&draft)?;
            fs::remove_file(draft)
        }
    }
}

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let draft = Draft::open(beside(path));
    fill(File::create_new(&draft.0)?, content)?;
    fs::rename(&draft.0, path)
}

fn fill(file: File, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, file);
    content(&mut out)?;
    out.flush()
}

/// Where the draft of a file lies: in its folder, so that one step can put it in place.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", process::id()));
    path.with_file_name(name)
}

/// A file in the making; removed when it has not become what it was made for.
struct Draft(PathBuf);

impl Draft {
    fn open(path: PathBuf) -> Self {
        static WATCH: Once = Once::new();
        // Where signals cannot be watched for, one leaves the draft behind, which harms nothing.
        WATCH.call_once(|| _ = Signals::new([SIGHUP, SIGINT, SIGTERM]).map(watch));
        // Of a program that was killed, and had the same number.
        let _ = fs::remove_file(&path);
        *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.clone());
        Self(path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        *OPEN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // It is gone already where it was renamed.
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes the open draft at a signal, and then lets it do what it does by default.
fn watch(mut signals: Signals) {
    thread::spawn(move || {
        for signal in signals.forever() {
            // The lock is kept: no draft is opened any more.
            let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(draft) = &*open {
                let _ = fs::remove_file(draft);
            }
            let _ = emulate_default_handler(signal);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_fails_half_way_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let half = |out: &mut dyn Write| {
            out.write_all(&[b'x'; 3 * BUFFER])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        write(&path, half).unwrap_err();
        assert!(files(folder.path()).is_empty());
        fs::write(&path, "old").unwrap();
        write(&path, half).unwrap_err();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), files(folder.path())),
            ("old".into(), vec!["report".into()])
        );
    }

    #[test]
    fn a_path_is_tried_out_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, "old").unwrap();
        for path in [&old, &new] {
            try_out(path).unwrap();
        }
        try_out(folder.path()).unwrap_err();
        try_out(&folder.path().join("nowhere/new")).unwrap_err();
        assert_eq!(
            (fs::read_to_string(&old).unwrap(), files(folder.path())),
            ("old".into(), vec!["old".into()])
        );
    }

    #[test]
    fn a_link_and_permissions_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("report"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        write(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!((fs::read_link(&link).unwrap(), files(folder.path()).len()), (path, 2));
    }
}
