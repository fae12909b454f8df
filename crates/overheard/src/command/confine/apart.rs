//! What an app must not get at: the files that are written of it, and the key that signs.
//!
//! Promises: refuses before anything begins where the app could change the capture or the certificate, or see the key:
//! what is signed then would be worth nothing. Paths are compared as the system resolves them.

use crate::exit::{Failure, Result};
use overheard_probe::room::{Home, Spec, is_covered};
use std::path::{Path, PathBuf};

/// The capture, and with it the certificate, which is written beside it; and the key.
pub fn keep_apart(spec: &Spec, capture: &Path, key: &Path) -> Result<()> {
    let written = folder_of(capture);
    if writable(spec).iter().any(|folder| written.starts_with(folder)) {
        return Err(Failure::new(format!("{}: the app could change it", capture.display())).hint(
            "give --capture in a folder that is neither under --write nor in the home that the app gets",
        ));
    }
    if is_shown(spec, &folder_of(key)) {
        return Err(Failure::new(format!("{}: the app could see the key that signs", key.display())).hint(
            "without XDG_DATA_HOME the key lies in your home, which --home keep shows: give --home, --read and --write \
             folders without it",
        ));
    }
    Ok(())
}

/// Folders in which what the app writes stays.
fn writable(spec: &Spec) -> Vec<PathBuf> {
    let home = match &spec.home {
        Home::Fresh => None,
        Home::Keep => Some(spec.user.home.as_path()),
        Home::Dir(folder) => Some(folder.as_path()),
    };
    spec.write.iter().map(PathBuf::as_path).chain(home).map(resolved).collect()
}

/// Whether the app sees what is in this folder: the machine's files, but for what rooms cover and are not told to show.
fn is_shown(spec: &Spec, folder: &Path) -> bool {
    let home = resolved(&spec.user.home);
    let is_covered = is_covered(folder) || (home != Path::new("/") && folder.starts_with(home));
    let mut given = spec.read.iter().map(|path| resolved(path)).chain(writable(spec));
    !is_covered || given.any(|path| folder.starts_with(path))
}

/// Of a file that need not be there yet.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    resolved(folder.unwrap_or(Path::new(".")))
}

/// What is not there is refused where it is used.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A home with a key's folder, and beside it folders for an app and for captures.
    fn house() -> (tempfile::TempDir, Spec) {
        let house = tempfile::tempdir().unwrap();
        for folder in ["home/keys", "home/app", "captures"] {
            fs::create_dir_all(house.path().join(folder)).unwrap();
        }
        let mut spec = Spec::default();
        spec.user.home = house.path().join("home");
        (house, spec)
    }

    #[test]
    fn a_capture_that_the_app_could_change_is_refused() {
        let (house, mut spec) = house();
        let at = |path: &str| house.path().join(path);
        let apart = |spec: &Spec, capture: &str| keep_apart(spec, &at(capture), &at("home/keys/key")).is_ok();
        assert!(apart(&spec, "captures/a.pcapng") && apart(&spec, "home/a.pcapng"));
        spec.write = vec![at("captures")];
        assert!(!apart(&spec, "captures/a.pcapng"));
        symlink(at("captures"), at("link")).unwrap();
        assert!(!apart(&spec, "link/a.pcapng"));
        spec = Spec { home: Home::Dir(at("home/app")), write: Vec::new(), ..spec };
        assert!(!apart(&spec, "home/app/a.pcapng") && apart(&spec, "home/a.pcapng"));
    }

    #[test]
    fn a_key_that_the_app_could_see_is_refused() {
        let (house, spec) = house();
        let at = |path: &str| house.path().join(path);
        let apart = |spec: &Spec, key: &str| keep_apart(spec, &at("captures/a.pcapng"), &at(key)).is_ok();
        assert!(apart(&spec, "home/keys/key"));
        for shown in ["home", "home/keys"] {
            assert!(!apart(&Spec { read: vec![at(shown)], ..spec.clone() }, "home/keys/key"), "{shown}");
            assert!(!apart(&Spec { home: Home::Dir(at(shown)), ..spec.clone() }, "home/keys/key"), "{shown}");
        }
        assert!(apart(&Spec { read: vec![at("home/app")], ..spec.clone() }, "home/keys/key"));
        assert!(!apart(&Spec { home: Home::Keep, ..spec.clone() }, "home/keys/key"));
        let elsewhere = keep_apart(&spec, &at("captures/a.pcapng"), Path::new("/usr/share/key"));
        assert!(elsewhere.is_err(), "a folder that no room covers");
    }
}
