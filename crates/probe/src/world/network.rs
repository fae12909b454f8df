//! The two networks of a world: the hosts' and the vantage's, each a namespace whose one way out is the wire.
//!
//! All hosts share one network: their addresses lie on its loopback device. There is no link to the machine's own
//! network, so no packet can leave.

use super::error::Error;
use super::plan::{Vantage, World};
use super::server;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};

/// Names of the wire's ends.
const HOSTS_END: &str = "wire0";
const VANTAGE_END: &str = "eth0";

/// A network namespace that lives as long as this.
#[derive(Debug)]
pub(super) struct Network(File);

impl Network {
    /// The one that this thread is in.
    pub fn here() -> Result<Self, Error> {
        let open = File::open("/proc/thread-self/ns/net");
        open.map(Self).map_err(|why| Error::step("open its network", why))
    }

    /// Moves this thread into it.
    pub fn enter(&self) -> Result<(), Error> {
        setns(&self.0, CloneFlags::CLONE_NEWNET).map_err(|why| Error::step("enter a network", why))
    }
}

/// Gives the hosts their addresses in this network; returns this end of the wire.
pub(super) fn hosts(world: &World) -> Result<File, Error> {
    let end = device(HOSTS_END)?;
    let mut lines = vec!["link set lo up".to_owned()];
    for address in world.host.values().flat_map(|host| &host.addresses) {
        lines.push(format!("address add {} dev lo {}", alone(*address), nodad(*address)));
    }
    lines.extend(bring_up(HOSTS_END));
    lines.extend(default_routes(HOSTS_END));
    configure(&lines)?;
    // Answers leave by the wire whatever address they come from.
    setting("ipv4/conf/all/rp_filter", "0")?;
    setting("ipv4/conf/default/rp_filter", "0")?;
    setting(&format!("ipv4/conf/{HOSTS_END}/rp_filter"), "0")?;
    Ok(end)
}

/// A new network with the vantage's addresses and a way to the hosts; returns it and its end of the wire. This
/// thread is in it afterwards.
pub(super) fn vantage(vantage: &Vantage) -> Result<(Network, File), Error> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|why| Error::step("make the vantage's network", why))?;
    let end = device(VANTAGE_END)?;
    let mut lines = vec!["link set lo up".to_owned()];
    lines.extend(bring_up(VANTAGE_END));
    for address in &vantage.addresses {
        lines.push(format!("address add {} dev {VANTAGE_END} {}", alone(*address), nodad(*address)));
    }
    lines.extend(default_routes(VANTAGE_END));
    configure(&lines)?;
    setting("ipv4/ping_group_range", "0 0")?;
    Ok((Network::here()?, end))
}

fn alone(address: IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}

fn nodad(address: IpAddr) -> &'static str {
    if address.is_ipv6() { "nodad" } else { "" }
}

/// Without link-local addresses of its own, the device sends nothing by itself.
fn bring_up(device: &str) -> Vec<String> {
    vec![format!("link set {device} addrgenmode none"), format!("link set {device} mtu 1500 up")]
}

fn default_routes(device: &str) -> Vec<String> {
    vec![format!("route add 0.0.0.0/0 dev {device}"), format!("route add ::/0 dev {device}")]
}

/// `ip -batch`: one process for all of it.
fn configure(lines: &[String]) -> Result<(), Error> {
    let step = |why: String| Error::step("configure a network", why);
    let mut child = Command::new(server::find("ip").unwrap_or_default())
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| step(format!("ip: {why}")))?;
    let fed = child.stdin.take().map(|mut stdin| stdin.write_all(lines.join("\n").as_bytes()));
    let output = child.wait_with_output().map_err(|why| step(format!("ip: {why}")))?;
    if output.status.success() && fed.is_some_and(|fed| fed.is_ok()) {
        return Ok(());
    }
    Err(step(String::from_utf8_lossy(&output.stderr).lines().collect::<Vec<_>>().join(" / ")))
}

fn setting(name: &str, value: &str) -> Result<(), Error> {
    let file = format!("/proc/sys/net/{name}");
    fs::write(&file, value).map_err(|why| Error::step("configure a network", format!("{file}: {why}")))
}

// TUNSETIFF is declared with an int and takes a struct ifreq (linux/if_tun.h).
nix::ioctl_write_ptr_bad!(
    tun_set_iff,
    nix::request_code_write!(b'T', 202, std::mem::size_of::<libc::c_int>()),
    libc::ifreq
);

/// A TUN device in this network that gives whole IP packets without a header of its own, and never blocks.
fn device(name: &str) -> Result<File, Error> {
    let tun = File::options().read(true).write(true).open("/dev/net/tun").map_err(|why| {
        Error::missing(
            format!("/dev/net/tun: {why}"),
            "load the module tun and let users open it, or run as root",
        )
    })?;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_flags: (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short,
        },
    };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    // SAFETY: `request` is an ifreq that lives through the call, its name ends with a zero, and `tun` is open.
    unsafe { tun_set_iff(std::os::fd::AsRawFd::as_raw_fd(&tun), &raw const request) }
        .map_err(|why| Error::step("make a TUN device", why))?;
    fcntl(&tun, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(|why| Error::step("make a TUN device", why))?;
    Ok(tun)
}
