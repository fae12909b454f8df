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
        let variable = |name: &str| std::env::var(name).ok();
        let (uid, gid) = sudo(geteuid(), &variable).unwrap_or((geteuid(), getegid()));
        Self { gid, ..Self::of(uid) }
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

/// Who called `sudo`, by the variables that it sets (sudo(8)). They are believed of root alone.
fn sudo(we: Uid, variable: &dyn Fn(&str) -> Option<String>) -> Option<(Uid, Gid)> {
    let number = |name: &str| variable(name)?.parse().ok();
    let who = (Uid::from_raw(number("SUDO_UID")?), Gid::from_raw(number("SUDO_GID")?));
    we.is_root().then_some(who)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_called_sudo_is_not_root() {
        let root = Uid::from_raw(0);
        let set = |name: &str| Some(if name == "SUDO_UID" { "1000" } else { "100" }.to_owned());
        assert_eq!(sudo(root, &set), Some((Uid::from_raw(1000), Gid::from_raw(100))));
        assert_eq!(sudo(root, &|_| None), None);
        assert_eq!(sudo(root, &|_| Some("nonsense".into())), None);
        assert_eq!(sudo(Uid::from_raw(1001), &set), None, "anyone can set a variable");
    }
}
