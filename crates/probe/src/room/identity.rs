//! Whose app it is: the user that it runs as inside, which is the caller's own.
//!
//! Promises: who calls by `sudo` is taken for who they are, not for root. Root stays root where nobody else
//! is known: without any capability, but browsers then want `--no-sandbox`.
//! To extend: more of the user's account, read in [`Identity::of`].

use nix::unistd::{Gid, Uid, User, getegid, geteuid};
use std::path::PathBuf;

/// A user of this machine, as the app sees itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub uid: Uid,
    pub gid: Gid,
    pub name: String,
    /// Where the home is for the app, whatever stands there.
    pub home: PathBuf,
    pub shell: PathBuf,
}

impl Identity {
    /// The caller; where that is root by `sudo`, the user who called it.
    pub fn caller() -> Self {
        let sudo = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
        match sudo {
            Some(uid) if geteuid().is_root() => Self::of(Uid::from_raw(uid)),
            _ => Self { gid: getegid(), ..Self::of(geteuid()) },
        }
    }

    /// The user of a name, if there is one: what `--user` takes. Only root can run an app as another user.
    pub fn named(name: &str) -> Option<Self> {
        User::from_name(name).ok().flatten().map(Self::from)
    }

    fn of(uid: Uid) -> Self {
        match User::from_uid(uid) {
            Ok(Some(user)) => user.into(),
            _ => Self {
                uid,
                gid: getegid(),
                name: uid.to_string(),
                home: PathBuf::from("/"),
                shell: PathBuf::from("/bin/sh"),
            },
        }
    }
}

impl From<User> for Identity {
    fn from(user: User) -> Self {
        Self { uid: user.uid, gid: user.gid, name: user.name, home: user.dir, shell: user.shell }
    }
}
