//! What a room shall be like: asked for before it is opened, never changed afterwards.
//!
//! Promises: the default is the least: a fresh home, no socket of the desktop or of the machine, nothing writable that
//! stays.
//! To extend: a field here, and what it means in `tree`.

use super::identity::Identity;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

/// A room to be opened.
#[derive(Clone, Debug)]
pub struct Spec {
    pub user: Identity,
    pub home: Home,
    /// Sockets of the desktop that the app may reach: each is a door that is not the network.
    pub doors: Vec<Socket>,
    pub hostname: String,
    /// Set for every command, over what the room sets itself.
    pub environment: Vec<(OsString, OsString)>,
    /// Files and folders that stay visible where they stand, though the fresh home or a fresh `/tmp` covers
    /// them: the app's own files. They cannot be changed.
    pub read: Vec<PathBuf>,
    /// Folders in which the app may write what stays: everything else that it writes goes with the room.
    pub write: Vec<PathBuf>,
    /// Whether what is shown of the machine is shown through a layer by which nobody outside is reached: its Unix
    /// sockets, named pipes and locks are not those outside. A file that the app looks for before it is there may then
    /// stay unseen. Where the kernel lays no layer the files are shown as they are.
    pub veiled: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            user: Identity::caller(),
            home: Home::Fresh,
            doors: Vec::new(),
            hostname: "room".into(),
            environment: Vec::new(),
            read: Vec::new(),
            write: Vec::new(),
            veiled: true,
        }
    }
}

/// What the app finds at its home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// An empty one in memory, which goes with the room.
    #[default]
    Fresh,
    /// The user's own; what the app writes stays.
    Keep,
    /// This folder; what the app writes stays.
    Dir(PathBuf),
}

/// A socket of the desktop: a door that is not the network, open only where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Socket {
    X11,
    Wayland,
    PulseAudio,
    PipeWire,
}

impl FromStr for Socket {
    type Err = String;

    /// Its name, in whatever case.
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|socket| socket.name().eq_ignore_ascii_case(text));
        known.ok_or_else(|| format!("{text:?} is no door: expected x11, wayland, pulseaudio or pipewire"))
    }
}

impl Socket {
    pub const ALL: [Self; 4] = [Self::X11, Self::Wayland, Self::PulseAudio, Self::PipeWire];

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X11 => "X11",
            Self::Wayland => "Wayland",
            Self::PulseAudio => "PulseAudio",
            Self::PipeWire => "PipeWire",
        }
    }

    /// Where it stands according to the environment, if this desktop has it.
    pub(super) fn path(self, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        let runtime = || variable("XDG_RUNTIME_DIR").map(PathBuf::from);
        match self {
            Self::X11 => {
                let number = display_number(variable)?;
                Some(format!("/tmp/.X11-unix/X{number}").into())
            }
            Self::Wayland => Some(runtime()?.join(variable("WAYLAND_DISPLAY")?)),
            Self::PulseAudio => match variable("PULSE_SERVER") {
                Some(server) => server.into_string().ok()?.strip_prefix("unix:").map(PathBuf::from),
                None => Some(runtime()?.join("pulse/native")),
            },
            Self::PipeWire => {
                let remote = variable("PIPEWIRE_REMOTE").unwrap_or_else(|| "pipewire-0".into());
                let folder = variable("PIPEWIRE_RUNTIME_DIR").map(PathBuf::from).or_else(runtime)?;
                Some(folder.join(remote))
            }
        }
    }

    /// What an app must be told to find it at `path`.
    pub(super) fn environment(
        self,
        path: &std::path::Path,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Vec<(OsString, OsString)> {
        let prefixed = || {
            let mut server = OsString::from("unix:");
            server.push(path);
            server
        };
        match self {
            Self::X11 => variable("DISPLAY").map(|display| ("DISPLAY".into(), display)).into_iter().collect(),
            Self::Wayland => vec![("WAYLAND_DISPLAY".into(), path.into())],
            Self::PulseAudio => vec![("PULSE_SERVER".into(), prefixed())],
            Self::PipeWire => vec![("PIPEWIRE_REMOTE".into(), path.into())],
        }
    }
}

/// Which X server of this machine the environment names, if one.
pub(super) fn display_number(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let display = variable("DISPLAY")?.into_string().ok()?;
    let number = display.strip_prefix("unix:").or(display.strip_prefix(':'))?;
    Some(number.split('.').next()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desktop(name: &str) -> Option<OsString> {
        let value = match name {
            "DISPLAY" => ":1.0",
            "XDG_RUNTIME_DIR" => "/run/user/1000",
            "WAYLAND_DISPLAY" => "wayland-0",
            _ => return None,
        };
        Some(value.into())
    }

    #[test]
    fn a_socket_stands_where_the_environment_says() {
        let path = |socket: Socket| socket.path(&desktop).map(|path| path.display().to_string());
        assert_eq!(path(Socket::X11).as_deref(), Some("/tmp/.X11-unix/X1"));
        assert_eq!(path(Socket::Wayland).as_deref(), Some("/run/user/1000/wayland-0"));
        assert_eq!(path(Socket::PulseAudio).as_deref(), Some("/run/user/1000/pulse/native"));
        assert_eq!(path(Socket::PipeWire).as_deref(), Some("/run/user/1000/pipewire-0"));
    }

    #[test]
    fn pipewire_may_have_a_folder_or_a_socket_of_its_own() {
        let path = |name: &'static str, value: &'static str| {
            let variable = move |asked: &str| {
                if asked == name { Some(value.into()) } else { desktop(asked) }
            };
            Socket::PipeWire.path(&variable).map(|path| path.display().to_string())
        };
        assert_eq!(path("PIPEWIRE_RUNTIME_DIR", "/srv/pw").as_deref(), Some("/srv/pw/pipewire-0"));
        assert_eq!(path("PIPEWIRE_REMOTE", "/srv/pw/one").as_deref(), Some("/srv/pw/one"));
        assert_eq!(path("PIPEWIRE_REMOTE", "two").as_deref(), Some("/run/user/1000/two"));
    }

    #[test]
    fn a_socket_is_asked_for_by_its_name() {
        assert_eq!("x11".parse(), Ok(Socket::X11));
        assert_eq!("PulseAudio".parse(), Ok(Socket::PulseAudio));
        assert!("dbus".parse::<Socket>().unwrap_err().contains("\"dbus\" is no door"));
    }

    #[test]
    fn a_display_on_another_machine_is_no_socket() {
        assert_eq!(Socket::X11.path(&|_| Some("far.example:0".into())), None);
        assert_eq!(Socket::Wayland.path(&|_| None), None);
    }
}
