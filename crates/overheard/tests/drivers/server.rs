//! A server of the test's own, in a folder of its own, on free ports of loopback; it ends with the test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct-horse";

#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
    pub plain: u16,
    pub tls: u16,
}

impl Server {
    /// Starts a program once `configure` has written its folder, and waits until both ports answer.
    pub fn start(program: &str, args: &[&str], configure: impl FnOnce(&Path, u16, u16)) -> Option<Self> {
        let program = find(program)?;
        let folder = tempfile::tempdir().expect("a folder");
        certify(folder.path());
        let (plain, tls) = (free(), free());
        configure(folder.path(), plain, tls);
        let mut command = Command::new(program);
        command.args(args).current_dir(folder.path());
        let log = fs::File::create(folder.path().join("log")).expect("a file");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        let mut server = Self { child: command.spawn().expect("it starts"), folder, plain, tls };
        server.wait();
        Some(server)
    }

    fn wait(&mut self) {
        let until = Instant::now() + Duration::from_secs(60);
        while ![self.plain, self.tls].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
            let ended = self.child.try_wait().expect("a child");
            let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < until, "the server does not come up: {}", log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A file that holds a password.
    pub fn password(&self, password: &str) -> String {
        let path = self.path(&format!("{}.password", password.len()));
        fs::write(&path, format!("{password}\n")).expect("a file");
        path
    }

    pub fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where a program is; loudly, where it is not.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/usr/games"].map(PathBuf::from));
    let found = folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: {program} is not installed, and its driver was not tested");
    }
    found
}

pub fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

/// A key and a certificate for `chat.example` and the addresses of loopback, its own authority: no server may show
/// one that could sign others (RFC 5280), as openssl's would by itself.
fn certify(folder: &Path) {
    sign(folder, "CA:FALSE");
}

/// The same, by a certificate that could sign others.
pub fn authority(folder: &Path) {
    sign(folder, "CA:TRUE");
}

fn sign(folder: &Path, constraints: &str) {
    let args = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=chat.example \
                -addext subjectAltName=DNS:chat.example,IP:127.0.0.1 -addext basicConstraints=critical,";
    let args = format!("{args}{constraints}");
    let made = Command::new("openssl").args(args.split_whitespace()).current_dir(folder).output();
    assert!(made.is_ok_and(|output| output.status.success()), "openssl makes a certificate");
}
