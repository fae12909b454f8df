//! What the app sees of the file system: the machine's, read-only, with fresh folders over all that leads out.
//!
//! Promises: every scratch file is in memory and belongs to the room's own mounts, so the kernel takes it back
//! with the last process, whatever ended it. Sockets in `/run`, `/tmp`, `/var/tmp` and `/dev/shm` are covered;
//! names are asked of the gateway alone. Refuses a room on a machine whose `/etc/resolv.conf` cannot be covered.
//! To extend: a step in [`plan`]; a file in [`own_files`].

use super::authority;
use super::error::Error;
use super::identity::Identity;
use super::spec::{Home, Socket, Spec, display_number};
use super::step::Step;
use super::veil::Veil;
use crate::door;
use nix::unistd::gethostname;
use std::ffi::{CString, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Covered by an empty folder in memory. The first of them holds what is needed to cover the rest.
const COVERED: [(&str, u32); 5] =
    [("/run", 0o755), ("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/dev", 0o755), ("/dev/shm", 0o1777)];
/// Whether a room has an empty folder of its own where this path leads.
pub fn is_covered(path: &Path) -> bool {
    COVERED.iter().any(|(folder, _)| path.starts_with(folder))
}

/// What is left of `/dev`: no disk, no modem, no `/dev/net/tun`.
const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/dri"];
/// Where our own files are written before they are put in place.
const OWN: &str = "/run/room";
/// A folder in which there is nothing.
const EMPTY: &str = "/run/room/empty";
/// Settings of the kernel that root may change without any capability.
const SETTINGS: &[&str] = &["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"];
/// What root may read there of every user's keys.
const KEYS: &[&str] = &["/proc/keys", "/proc/key-users"];

/// What of the room the app and the report must be told.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub steps: Vec<Step>,
    pub doors: Vec<(Socket, PathBuf)>,
    /// Folders of the machine in which the app may write, as it sees them.
    pub shared: Vec<PathBuf>,
    pub environment: Vec<(OsString, OsString)>,
}

/// Everything that is done to the mounts by the room's first process.
pub(super) fn plan(spec: &Spec) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut shown = Shown::default();
    let home = home(spec, &mut shown, &mut tree)?;
    for path in &spec.read {
        shown.add(existing(path, "shall stay visible")?, None, false);
    }
    for path in &spec.write {
        let path = existing(path, "shall stay writable")?;
        tree.shared.push(path.clone());
        shown.add(path, None, true);
    }
    for path in DEVICES.iter().map(PathBuf::from).filter(|path| path.exists()) {
        shown.add(path, None, true);
    }
    let runtime = PathBuf::from(format!("/run/user/{}", spec.user.uid));
    desktop(spec, &mut shown, &mut tree)?;

    let user = &spec.user;
    tree.steps.push(Step::Hostname(spec.hostname.clone()));
    tree.steps.push(Step::Private);
    tree.steps.extend(shown.keep());
    tree.steps.push(Step::ReadOnly(c(Path::new("/"))));
    let [first, others @ ..] = COVERED;
    cover(first, user, &mut tree.steps);
    let veil = spec.veiled.then(|| Veil::new(EMPTY.into())).transpose()?;
    if let Some(veil) = &veil {
        folders(Path::new(EMPTY), user, &mut tree.steps);
        let fresh = (spec.home == Home::Fresh).then_some(&*home);
        tree.steps.extend(veil.over(Path::new("/"), &|path| is_apart(path) || Some(path) == fresh));
    }
    tree.steps.push(proc());
    tree.steps.push(Step::Either(
        Box::new(Step::Mount { kind: c"sysfs", at: c(Path::new("/sys")), options: CString::default() }),
        Box::new(memory(Path::new("/sys"), 0o555, user)),
    ));
    tree.steps.push(Step::ReadOnly(c(Path::new("/sys"))));
    for folder in others {
        cover(folder, user, &mut tree.steps);
    }
    tree.steps.extend(terminals(user));
    if spec.home == Home::Fresh {
        folders(&home, user, &mut tree.steps);
        tree.steps.push(memory(&home, 0o700, user));
    }
    folders(&runtime, user, &mut tree.steps);
    own_files(spec, &mut tree.steps)?;
    cookies(spec, &mut tree);
    shown.show(user, veil.as_ref(), &mut tree.steps);
    if user.uid.is_root() {
        let settings = SETTINGS.iter().map(Path::new).filter(|path| path.exists());
        tree.steps.extend(settings.flat_map(closed));
        let keys = KEYS.iter().map(Path::new).filter(|path| path.exists());
        tree.steps.extend(keys.map(|at| Step::Bind { from: c(Path::new("/dev/null")), at: c(at) }));
    }
    tree.environment.extend([
        ("HOME".into(), home.into()),
        ("XDG_RUNTIME_DIR".into(), runtime.into()),
        ("USER".into(), user.name.clone().into()),
        ("LOGNAME".into(), user.name.clone().into()),
        ("SHELL".into(), user.shell.clone().into()),
    ]);
    Ok(tree)
}

/// What shall be seen again after its place was covered.
#[derive(Default)]
struct Shown(Vec<(PathBuf, PathBuf, bool)>);

impl Shown {
    fn add(&mut self, path: PathBuf, at: Option<PathBuf>, writable: bool) {
        let at = at.unwrap_or_else(|| path.clone());
        self.0.push((path, at, writable));
    }

    fn keep(&self) -> Vec<Step> {
        let keep =
            |(slot, (path, ..)): (usize, &(PathBuf, PathBuf, bool))| Step::Keep { path: c(path), slot };
        self.0.iter().enumerate().map(keep).collect()
    }

    fn show(self, user: &Identity, veil: Option<&Veil>, steps: &mut Vec<Step>) {
        for (slot, (path, at, writable)) in self.0.into_iter().enumerate() {
            if path.is_dir() {
                folders(&at, user, steps);
            } else {
                folders(at.parent().unwrap_or(Path::new("/")), user, steps);
                // Where nothing covers it, the file is there already and cannot be written: as it should be.
                steps.push(Step::Try(Box::new(Step::File { path: c(&at), text: Vec::new() })));
            }
            steps.push(Step::Show { slot, at: c(&at), writable });
            if let Some(veil) = veil.filter(|_| !writable && path.is_dir()) {
                steps.extend(veil.over(&at, &|_| false));
            }
        }
    }
}

fn home(spec: &Spec, shown: &mut Shown, tree: &mut Tree) -> Result<PathBuf, Error> {
    let own = &spec.user.home;
    // Accounts of services have no home, or one that does not exist.
    let has_one = own.is_dir() && own.as_path() != Path::new("/");
    let home = if has_one { own.canonicalize()? } else { PathBuf::from("/tmp/home") };
    let dir = match &spec.home {
        Home::Fresh => return Ok(home),
        Home::Keep if has_one => home.clone(),
        Home::Keep => return Err(Error::Absent { path: own.clone(), role: "shall be kept as the home" }),
        Home::Dir(dir) => existing(dir, "shall be the home")?,
    };
    tree.shared.push(home.clone());
    shown.add(dir, Some(home.clone()), true);
    Ok(home)
}

fn desktop(spec: &Spec, shown: &mut Shown, tree: &mut Tree) -> Result<(), Error> {
    let variable = |name: &str| std::env::var_os(name);
    for socket in &spec.doors {
        let path = socket.path(&variable).filter(|path| path.exists());
        let path = path.ok_or(Error::NoSocket { name: socket.name() })?;
        tree.environment.extend(socket.environment(&path, &variable));
        shown.add(path.clone(), None, true);
        tree.doors.push((*socket, path));
    }
    Ok(())
}

/// What the X server asks its clients for, if they are let in by that.
fn cookies(spec: &Spec, tree: &mut Tree) {
    let variable = |name: &str| std::env::var_os(name);
    let file = variable("XAUTHORITY").map(PathBuf::from).unwrap_or(spec.user.home.join(".Xauthority"));
    let number = spec.doors.contains(&Socket::X11).then(|| display_number(&variable)).flatten();
    let (Some(number), Ok(file), Ok(machine)) = (number, fs::read(file), gethostname()) else { return };
    let text = authority::of_display(&file, &number, machine.as_bytes());
    let path = Path::new(OWN).join("Xauthority");
    tree.steps.push(Step::File { path: c(&path), text });
    tree.environment.push(("XAUTHORITY".into(), path.into()));
}

/// What the room has of its own, at whose place the machine's is not seen.
fn is_apart(folder: &Path) -> bool {
    COVERED.map(|(path, _)| path).iter().chain(&["/proc", "/sys"]).any(|path| folder == Path::new(path))
}

fn cover((path, mode): (&str, u32), user: &Identity, steps: &mut Vec<Step>) {
    folders(Path::new(path), user, steps);
    steps.push(memory(Path::new(path), mode, user));
}

/// Processes that the reader may not trace are hidden: the room's first is a copy of this program, and its
/// command line is nobody else's business.
fn proc() -> Step {
    Step::Mount { kind: c"proc", at: c(Path::new("/proc")), options: CString::from(c"hidepid=ptraceable") }
}

fn memory(at: &Path, mode: u32, user: &Identity) -> Step {
    let options = format!("mode={mode:o},uid={},gid={}", user.uid, user.gid);
    Step::Mount { kind: c"tmpfs", at: c(at), options: CString::new(options).expect("no NUL in numbers") }
}

/// Pseudo-terminals of the room's own, and the usual links.
fn terminals(user: &Identity) -> Vec<Step> {
    let link = |path: &str, to: &str| Step::Link { path: c(Path::new(path)), to: c(Path::new(to)) };
    vec![
        Step::Folder { path: c(Path::new("/dev/pts")), mode: 0o755, owner: (user.uid, user.gid) },
        Step::Mount {
            kind: c"devpts",
            at: c(Path::new("/dev/pts")),
            options: CString::from(c"newinstance,ptmxmode=0666,mode=620"),
        },
        link("/dev/ptmx", "pts/ptmx"),
        link("/dev/fd", "/proc/self/fd"),
        link("/dev/stdin", "/proc/self/fd/0"),
        link("/dev/stdout", "/proc/self/fd/1"),
        link("/dev/stderr", "/proc/self/fd/2"),
    ]
}

/// A part of `/proc` that root could write to. Not for others: a `/proc` that is covered in parts cannot be
/// mounted afresh by sandboxes that apps bring along.
fn closed(path: &Path) -> [Step; 2] {
    [Step::Bind { from: c(path), at: c(path) }, Step::ReadOnly(c(path))]
}

/// Who the room is, and whom it asks for names.
fn own_files(spec: &Spec, steps: &mut Vec<Step>) -> Result<(), Error> {
    let user = &spec.user;
    let name = &spec.hostname;
    let machine = fs::read_to_string("/proc/sys/kernel/random/uuid")?.replace('-', "");
    let resolver = format!("nameserver {}\nnameserver {}\n", door::GATEWAY_V4, door::GATEWAY_V6);
    let hosts = format!("127.0.0.1 localhost {name}\n::1 localhost ip6-localhost ip6-loopback\n");
    let files = [
        ("/etc/resolv.conf", resolver),
        ("/etc/hosts", hosts),
        ("/etc/hostname", format!("{name}\n")),
        ("/etc/machine-id", machine.clone()),
        ("/var/lib/dbus/machine-id", machine),
        ("/etc/nsswitch.conf", switch(&fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default())),
    ];
    folders(Path::new(OWN), user, steps);
    for (path, text) in files {
        let target = resolved(Path::new(path));
        if is_covered(&target) {
            folders(target.parent().unwrap_or(Path::new("/")), user, steps);
            steps.push(Step::File { path: c(&target), text: text.into() });
        } else if target.exists() {
            let from = c(&Path::new(OWN).join(path.replace('/', "-").trim_start_matches('-')));
            steps.push(Step::File { path: from.clone(), text: text.into() });
            steps.push(Step::Bind { from, at: c(&target) });
        } else if path == "/etc/resolv.conf" {
            return Err(Error::Absent { path: path.into(), role: "is to be covered by the room's own" });
        }
    }
    Ok(())
}

/// The machine's nsswitch.conf, but for hosts: files, then DNS, which the gateway sees.
fn switch(text: &str) -> String {
    let others = text.lines().filter(|line| !line.trim_start().starts_with("hosts:"));
    others.chain(["hosts: files dns"]).map(|line| format!("{line}\n")).collect()
}

/// Follows links, also to where nothing stands (yet).
fn resolved(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..8 {
        let Ok(to) = fs::read_link(&path) else { break };
        path = normal(&path.parent().unwrap_or(Path::new("/")).join(to));
    }
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path,
    }
}

fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

fn existing(path: &Path, role: &'static str) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(|_| Error::Absent { path: path.to_path_buf(), role })
}

/// A folder and those that it lies in.
fn folders(path: &Path, user: &Identity, steps: &mut Vec<Step>) {
    let ancestors: Vec<&Path> = path.ancestors().collect();
    for path in ancestors.into_iter().rev().skip(1) {
        steps.push(Step::Folder { path: c(path), mode: 0o700, owner: (user.uid, user.gid) });
    }
}

fn c(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path that the kernel gave holds no NUL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_of_files_and_dns_alone() {
        let text = switch("passwd: files sss\nhosts: files mdns4_minimal [NOTFOUND=return] resolve dns\n");
        assert_eq!(text, "passwd: files sss\nhosts: files dns\n");
    }

    #[test]
    fn a_link_is_followed_to_where_nothing_stands() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("resolv.conf");
        std::os::unix::fs::symlink("../../run/nothing/stub.conf", &link).expect("a link");
        let to = normal(&folder.path().join("../../run/nothing/stub.conf"));
        assert_eq!(resolved(&link), to);
    }
}
