//! Why a room could not be opened, in words that lead on.
//!
//! Promises: what the machine lacks is told from what went wrong, with the way to mend it, so that a command
//! can end with the exit code for each.
//! To extend: a [`Missing`] with its words, recognised in [`Error::of_step`].

use super::step::Step;
use nix::errno::Errno;
use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Missing(Missing),
    #[error("{path}: there is no such file or folder, though it {role}")]
    Absent { path: PathBuf, role: &'static str },
    #[error("{name} was asked for, but this desktop has no such socket: start it, or leave it out")]
    NoSocket { name: &'static str },
    #[error("only root can open a room for another user: leave --user out, or call by sudo")]
    AnotherUser,
    #[error("the room could not {doing}: {why}")]
    Step { doing: String, why: io::Error },
    #[error("the room's first process ended before the room was ready")]
    Ended,
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What a machine must give before a room can be opened on it. Each has a mend that an administrator can apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("user namespaces are not allowed to this user")]
    UserNamespaces,
    #[error("what user namespaces need is held back from this user")]
    Privilege,
    #[error("/dev/net/tun is not there, or not open to this user")]
    Tun,
    #[error("this kernel has no IPv6")]
    Ipv6,
    #[error("this kernel is older than Linux 5.12")]
    Kernel,
}

impl Missing {
    /// What to do about it.
    pub fn mend(self) -> &'static str {
        match self {
            Self::UserNamespaces => {
                "sudo sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1, or run as root"
            }
            Self::Privilege => {
                "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or in a container start it with \
                 --privileged, or run as root"
            }
            Self::Tun => "sudo modprobe tun && sudo chmod 0666 /dev/net/tun, or run as root",
            Self::Ipv6 => "boot without ipv6.disable=1",
            Self::Kernel => "run a kernel of 2021 or newer",
        }
    }
}

impl Error {
    /// What failed while a room was built, and whether the machine lacks it.
    pub(super) fn of_step(step: &Step, errno: Errno) -> Self {
        let missing = match (step, errno) {
            (_, Errno::ENOSYS) => Missing::Kernel,
            (Step::UserNamespace, _) => Missing::UserNamespaces,
            (Step::Tun { .. }, _) => Missing::Tun,
            (Step::Netlink { .. } | Step::Listen { .. }, Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP) => {
                Missing::Ipv6
            }
            (step, Errno::EPERM | Errno::EACCES) if !step.is_about_files() => Missing::Privilege,
            _ => return Self::Step { doing: step.to_string(), why: errno.into() },
        };
        Self::Missing(missing)
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self::System(errno.into())
    }
}
