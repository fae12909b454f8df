//! The app of a live view or a confinement: what is started, and what its room is like.
//!
//! Whoever has nothing to do without an app demands one (`mut_arg`).

use crate::exit::{Exit, Failure, Result};
use clap::Args;
use overheard_probe::room::{self, Home, Socket, Spec};
use overheard_probe::tapped::Error;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub struct AppArgs {
    /// What the app finds at its home: fresh, keep, or a folder
    #[arg(long, value_name = "HOME", default_value = "fresh")]
    home: String,

    /// A file or folder that the app may read though it lies in the home or in /tmp; may be given again
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,

    /// A folder in which the app may write what stays; may be given again
    #[arg(long, value_name = "FOLDER")]
    write: Vec<PathBuf>,

    /// A socket of the desktop that the app may reach, which is a door beside the network: x11, wayland, pulseaudio or
    /// pipewire; may be given again
    #[arg(long, value_name = "SOCKET")]
    door: Vec<Socket>,

    /// The app and its arguments
    #[arg(last = true, value_name = "APP")]
    app: Vec<OsString>,
}

impl AppArgs {
    /// The app's file: a path, or a name that is looked for as a shell does.
    pub fn program(&self) -> Result<PathBuf> {
        let given = self.app.first().map(Path::new).unwrap_or(Path::new(""));
        let found = found(given, Path::new("")).and_then(|path| std::path::absolute(path).ok());
        match found {
            Some(path) if may_be_started(&path) => Ok(path),
            Some(_) => Err(Failure::new(format!("{}: no program: nobody may execute it", given.display()))
                .hint("give a program; a script needs its interpreter before it, or to be executable (chmod +x)")),
            None => Err(Failure::new(format!("{}: no such program", given.display()))
                .hint("give the app by its path, or by a name that is in your PATH")),
        }
    }

    pub fn arguments(&self) -> &[OsString] {
        self.app.get(1..).unwrap_or_default()
    }

    /// The room, in which the program's file is visible wherever it lies.
    pub fn spec(&self, program: &Path) -> Spec {
        let home = match &*self.home {
            "fresh" => Home::Fresh,
            "keep" => Home::Keep,
            folder => Home::Dir(folder.into()),
        };
        let read = self.read.iter().cloned().chain([program.to_owned()]).collect();
        Spec { home, read, write: self.write.clone(), doors: self.door.clone(), ..Spec::default() }
    }
}

/// A program's file: a path, from this folder on, or a name that is looked for as a shell does.
pub fn found(given: &Path, from: &Path) -> Option<PathBuf> {
    if given.as_os_str().as_encoded_bytes().contains(&b'/') {
        return Some(from.join(given)).filter(|path| path.is_file());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = std::env::split_paths(&paths).map(|folder| folder.join(given));
    paths.find(|path| path.is_file() && may_be_started(path))
}

/// Whether anybody has the right to execute a file: whether the app's user has, the kernel says when it is started.
fn may_be_started(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o111 != 0)
}

/// The name that an app goes by.
pub fn name(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Why a room did not open, with the exit code for what the machine lacks.
pub fn refused(error: &Error) -> Failure {
    let hint = match error {
        Error::Room(room::Error::Missing(missing)) => {
            let mut failure = Failure::new(missing.to_string()).hint(missing.mend());
            failure.exit = Exit::Missing;
            return failure;
        }
        Error::Room(room::Error::Absent { .. }) => "--home, --read and --write take what is there",
        Error::Room(room::Error::NoSocket { .. }) => {
            "a desktop says where its sockets are by DISPLAY, WAYLAND_DISPLAY and XDG_RUNTIME_DIR"
        }
        _ => "`overheard doctor` says what is missing here",
    };
    Failure::new(error.to_string()).hint(hint)
}
