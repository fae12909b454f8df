//! The gateway: stands at a room's door, records every packet that crosses, and opens the real connections.
//!
//! For: live runs, live views and confinement, which differ in [`Options`] alone.
//! How: the app's packets come from the room's TUN device ([`device`]) and are recorded where they cross
//! ([`crossing`]). TCP is rewritten into the lobby, where the kernel ends it, and its bytes are moved to the real
//! connection ([`tcp`], [`flows`], [`guest`], [`relay`]). Datagrams and echoes leave by sockets of the host ([`outlet`]).
//! Questions for names are answered from upstream ([`dns`]). The real connections go straight or through a proxy
//! ([`upstream`]); what the [`policy`] denies is counted in its [`Class`]. To whom nothing was carried is known
//! ([`carried`]).
//! Promises: what crosses is recorded, and what cannot be recorded ends the gateway. A server that refuses or cannot
//! be reached looks so to the app ([`refusal`]). A proxy that is down is no network, never another way.
//! To extend: a further upstream is a variant of [`Upstream`] and a file of its room.

mod carried;
mod checksum;
mod compose;
mod counts;
mod crossing;
mod device;
mod dns;
mod flows;
mod guest;
mod outlet;
mod packet;
mod policy;
mod reassembly;
mod refusal;
mod relay;
mod running;
mod tcp;
mod upstream;

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::SystemTime;

use overheard_model::{Destination, Transport};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub use crate::confine::Class;
pub use crate::record::Direction;
pub use carried::Carried;
pub use counts::{Attempt, Counts};
pub use dns::Dns;
pub use policy::{Policy, Way};
pub use running::Running;
pub(crate) use upstream::without_login;
pub use upstream::{Login, Proxy, ProxyFault, Upstream, UpstreamError};

use crate::door::{Door, GATEWAY_V4, GATEWAY_V6};
use compose::icmp;
use crossing::Crossing;
use device::{FRAME, Offload, Tun};
use dns::Names;
use outlet::Outlets;
use packet::{Header, ICMP, ICMP_V6, TCP, UDP};
use policy::Verdict;
use reassembly::Reassembly;
use refusal::Refusal;
use tcp::Tcp;
use upstream::Failure;

/// Keeps what crosses.
pub trait Recorder {
    /// Takes one IP packet at the moment when it crosses. Its checksums are complete; one that the kernel left in one
    /// piece for a device to cut (segmentation offload) is one packet. An error ends the gateway.
    fn packet(&mut self, direction: Direction, time: SystemTime, ip: &[u8]) -> io::Result<()>;

    /// Called once when nothing crosses any more, so that what was kept is whole.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How the gateway behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub upstream: Upstream,
    pub dns: Dns,
    pub policy: Policy,
}

/// All that the parts of a running gateway share.
struct Gateway {
    crossing: Crossing,
    tcp: Tcp,
    outlets: Outlets,
    names: Names,
    upstream: Upstream,
    policy: Policy,
    fragments: RefCell<Reassembly>,
    carried: Carried,
}

impl Gateway {
    fn new(
        door: Door,
        options: Options,
        carried: Carried,
        crossing: impl FnOnce(Tun) -> Crossing,
    ) -> io::Result<Self> {
        Ok(Self {
            crossing: crossing(Tun::new(door.room)?),
            tcp: Tcp::new(Tun::new(door.lobby)?, door.tcp_v4, door.tcp_v6)?,
            outlets: Outlets::default(),
            names: Names::new(&options.dns)?,
            upstream: options.upstream,
            policy: options.policy,
            fragments: RefCell::default(),
            carried,
        })
    }

    /// Carries packets until something fails.
    async fn serve(self: &Rc<Self>) -> io::Result<()> {
        // Tasks of their own: when one is woken the others are not looked at.
        let mut parts = JoinSet::new();
        let [outbound, answers, v4, v6] = [(); 4].map(|()| Rc::clone(self));
        parts.spawn_local(async move { outbound.outbound().await });
        parts.spawn_local(async move { answers.tcp.answers(&answers).await });
        parts.spawn_local(async move { v4.tcp.accepted(false).await });
        parts.spawn_local(async move { v6.tcp.accepted(true).await });
        tokio::select! {
            Some(ended) = parts.join_next() => ended.unwrap_or_else(|panic| Err(io::Error::other(panic))),
            ended = self.crossing.failed() => ended,
        }
    }

    async fn outbound(self: &Rc<Self>) -> io::Result<()> {
        let mut frame = vec![0; FRAME];
        loop {
            let (offload, length) = self.crossing.next(&mut frame).await?;
            self.carry(offload, &mut frame[Offload::LENGTH..][..length]);
        }
    }

    /// One packet of the app.
    fn carry(self: &Rc<Self>, offload: Offload, ip: &mut [u8]) {
        let Some(header) = Header::read(ip) else { return self.drop_packet() };
        if let Some(fragment) = header.fragment {
            // One part alone is an attempt already; the others may never come.
            if !self.policy.allows_other() {
                return self.deny(ip, &header);
            }
            let whole = self.fragments.borrow_mut().part(ip, &header, fragment);
            if let Some(mut whole) = whole {
                self.carry(Offload::NONE, &mut whole);
            }
            return;
        }
        match header.protocol {
            TCP => tcp::outbound(self, offload, ip, &header),
            _ if is_housekeeping(ip, &header) => self.drop_packet(),
            UDP if header.ends(ip).is_some_and(|ends| self.names.udp(ends.1)) => {
                dns::question(self, ip, &header)
            }
            _ if !self.policy.allows_other() => self.deny(ip, &header),
            UDP | ICMP | ICMP_V6 if self.is_ours(header.destination) => self.own(ip, &header),
            UDP | ICMP | ICMP_V6 if is_carried(header.destination) => outlet::outbound(self, ip, &header),
            _ => {
                self.carried.tried(destination(ip, &header));
                self.drop_packet();
            }
        }
    }

    /// A datagram or an echo to the gateway itself, which has no ports of its own.
    fn own(&self, ip: &[u8], header: &Header) {
        match outlet::echo(ip, header) {
            Some(request) => {
                let mut reply = request.to_vec();
                reply[0] = if header.source.is_ipv4() { 0 } else { 129 };
                self.send(icmp(header.destination, header.source, &reply));
            }
            None if header.protocol == UDP => self.refuse(Refusal::Port, ip, header),
            None => self.drop_packet(),
        }
    }

    fn judge_tcp(&self, destination: SocketAddr) -> Verdict {
        match self.names.tcp(destination) {
            Some(verdict) => verdict,
            None => match self.policy.tcp(destination) {
                Verdict::Upstream(to) if self.is_ours(to.ip()) || !is_carried(to.ip()) => Verdict::Closed,
                verdict => verdict,
            },
        }
    }

    /// Opens the connection by which the app shall reach `to`.
    async fn dial_for_app(&self, to: SocketAddr, verdict: Verdict) -> io::Result<TcpStream> {
        let to = Destination { address: to.ip(), port: to.port(), transport: Transport::Tcp };
        if self.upstream != Upstream::Direct {
            // Until a proxy has answered nothing was carried, as far as is known.
            self.carried.tried(to);
        }
        let dialled = self.dial(verdict).await;
        match &dialled {
            Err(error) if !self.upstream.went_out(error) => self.carried.tried(to),
            _ => self.carried.carried(to),
        }
        dialled
    }

    async fn dial(&self, verdict: Verdict) -> io::Result<TcpStream> {
        match verdict {
            Verdict::Upstream(to) => self.ask(self.upstream.dial(to)).await,
            Verdict::Straight(to) => tcp::connect(to).await,
            Verdict::Closed | Verdict::Denied => Err(nix::errno::Errno::ECONNREFUSED.into()),
        }
    }

    /// Asks something of the upstream and counts what became of it; an error is what the app is to see.
    async fn ask<T>(&self, asked: impl Future<Output = Result<T, Failure>>) -> io::Result<T> {
        self.crossing.count(|counts| counts.asked += 1);
        let answer = asked.await;
        self.crossing.count(|counts| match &answer {
            Err(Failure::Proxy(fault)) => *counts.proxy_faults.entry(*fault).or_default() += 1,
            _ => counts.answered += 1,
        });
        answer.map_err(Failure::seen)
    }

    /// Says to whom nothing was carried, and ends the recording.
    fn finish(&self) -> io::Result<()> {
        let (uncarried, beyond) = (self.carried.uncarried(), self.carried.beyond());
        self.crossing.count(|counts| (counts.uncarried, counts.uncarried_beyond) = (uncarried, beyond));
        self.crossing.finish()
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        address == GATEWAY_V4 || address == GATEWAY_V6
    }

    /// The gateway's address of a packet's family.
    fn address(&self, header: &Header) -> IpAddr {
        if header.source.is_ipv4() { GATEWAY_V4.into() } else { GATEWAY_V6.into() }
    }

    fn drop_packet(&self) {
        self.crossing.count(|counts| counts.dropped += 1);
    }

    /// Tells the app what became of its packet.
    fn refuse(&self, refusal: Refusal, ip: &[u8], header: &Header) {
        if let Some(answer) = refusal.answer(self.address(header), ip, header) {
            self.send(answer);
        }
    }

    fn deny(&self, ip: &[u8], header: &Header) {
        let attempt = Attempt {
            // Whatever has a header has a class; one that is cut off within it is no ordinary program's.
            class: Class::of(ip).unwrap_or(Class::Raw),
            protocol: header.protocol,
            address: header.destination,
            port: port(ip, header),
        };
        self.crossing.count(|counts| counts.denied(attempt));
        self.carried.tried(destination(ip, header));
        let refusal = if header.protocol == TCP { Refusal::Port } else { Refusal::Prohibited };
        self.refuse(refusal, ip, header);
    }

    fn send(&self, mut ip: Vec<u8>) {
        self.crossing.deliver(Offload::NONE, &mut ip);
    }
}

/// Where a packet is bound for.
fn destination(ip: &[u8], header: &Header) -> Destination {
    Destination { address: header.destination, port: port(ip, header), transport: header.protocol.into() }
}

/// The destination's port, zero where there is none.
fn port(ip: &[u8], header: &Header) -> u16 {
    match header.protocol {
        TCP | UDP => header.ends(ip).map_or(0, |(_, to)| to.port()),
        _ => 0,
    }
}

/// What the room's kernel says of itself: router and neighbour discovery, and the groups that it listens to.
fn is_housekeeping(ip: &[u8], header: &Header) -> bool {
    const IGMP: u8 = 2;
    match header.protocol {
        IGMP => true,
        ICMP_V6 => matches!(ip.get(header.transport), Some(130..=136 | 143)),
        _ => false,
    }
}

/// Whether the host's network has a way there that is not the host itself. A mapped address would be another's.
fn is_carried(address: IpAddr) -> bool {
    let mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    !(address.is_loopback() || address.is_unspecified() || mapped)
}
