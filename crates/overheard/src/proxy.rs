//! The proxy through which an app's connections go, and the login that it asks for.
//!
//! What stands on a command line can be read by every user of the machine (ps(1)). So a login has a file of its own, which
//! is refused where others may read it, as ssh(1) refuses such a private key.
//!
//! Promises: a login is shown nowhere, also where it cannot be read.

use crate::exit::{Failure, Result};
use clap::Args;
use overheard_probe::gateway::{Login, Upstream};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Longer than any login.
const LONGEST: u64 = 1024;

#[derive(Args, Debug)]
pub struct ProxyArgs {
    /// The proxy: socks5://HOST:PORT or http://HOST:PORT. USER:PASSWORD@ may stand before HOST, but every user of this
    /// machine can read it there: better give --proxy-login
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// A file with the proxy's login, USER:PASSWORD as they are, in one line; nobody but you may read it (chmod 600)
    #[arg(long, value_name = "FILE", requires = "proxy")]
    proxy_login: Option<PathBuf>,

    /// What the two came to: a login may come through a pipe, which is read once.
    #[arg(skip)]
    read: OnceLock<Upstream>,
}

impl ProxyArgs {
    /// Who opens the app's connections: this machine itself where no proxy is given.
    pub fn upstream(&self) -> Result<Upstream> {
        match self.read.get() {
            Some(upstream) => Ok(upstream.clone()),
            None => self.read().map(|upstream| self.read.get_or_init(|| upstream).clone()),
        }
    }

    fn read(&self) -> Result<Upstream> {
        let Some(url) = &self.proxy else { return Ok(Upstream::Direct) };
        let upstream: Upstream = url.parse().map_err(|error| {
            Failure::new(format!("--proxy: {error}")).hint("give it as --proxy socks5://127.0.0.1:1080")
        })?;
        let Some(file) = &self.proxy_login else { return Ok(upstream) };
        upstream.with_login(login(file)?).ok_or_else(|| {
            Failure::new("--proxy-login: --proxy has a login already, or is no proxy")
                .hint("leave USER:PASSWORD@ out of --proxy")
        })
    }
}

fn login(path: &Path) -> Result<Login> {
    let refused = |what: &dyn std::fmt::Display| {
        Failure::new(format!("--proxy-login {}: {what}", path.display()))
            .hint("give a file of yours alone (chmod 600) that holds USER:PASSWORD in one line")
    };
    let file = File::open(path).map_err(|error| refused(&error))?;
    let found = file.metadata().map_err(|error| refused(&error))?;
    if found.mode() & 0o077 != 0 {
        return Err(refused(&"others may read it"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| refused(&error))?;
    text.parse().map_err(|error| refused(&error))
}
