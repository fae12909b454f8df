//! Carries the app's TCP: holds each SYN until the real server has answered, then lets the lobby's kernel answer it.
//!
//! Promises: a connection is established for the app only once it is established upstream, so the round-trip time of
//! the app's handshake holds the server's; one that is refused or cannot be reached upstream is so for the app.
//! Segments are rewritten, never made up: sequence numbers, options and payload are those of the two kernels.

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use nix::sys::socket::{self, setsockopt, sockopt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::device::{FRAME, Offload, Tun};
use super::flows::{Ends, Flows, Slot, Stage};
use super::guest::{Guest, News, Signal};
use super::packet::{self, Header, Segment, TCP};
use super::policy::Verdict;
use super::refusal::Refusal;
use super::relay::{Pipes, relay};
use super::{Direction, Gateway};

pub struct Tcp {
    lobby: Tun,
    v4: Entrance,
    v6: Entrance,
    flows: RefCell<Flows>,
    pipes: Pipes,
}

/// A listener in the lobby. As with what it accepts ([`super::guest`]), nothing happens to it but by the app's segments.
struct Entrance {
    listener: TcpListener,
    at: SocketAddr,
    /// A handshake may have been completed.
    knocked: Signal,
}

impl Tcp {
    pub fn new(lobby: Tun, v4: TcpListener, v6: TcpListener) -> io::Result<Self> {
        let (v4, v6) = (Entrance::new(v4)?, Entrance::new(v6)?);
        Ok(Self { lobby, v4, v6, flows: RefCell::default(), pipes: Pipes::default() })
    }

    /// Segments from the lobby go to the app.
    pub async fn answers(&self, gateway: &Gateway) -> io::Result<()> {
        let mut frame = vec![0; FRAME];
        loop {
            let (offload, length) = self.lobby.read(&mut frame).await?;
            let ip = &mut frame[Offload::LENGTH..][..length];
            let Some(header) = Header::read(ip).filter(|header| header.protocol == TCP) else { continue };
            let ends = Slot::of(header.destination).and_then(|slot| self.flows.borrow().ends(slot));
            let Some((app, server)) = ends else { continue };
            if Segment::read(ip, &header).is_none() {
                continue;
            }
            packet::redirect(ip, &header, offload.is_partial(), server, app);
            gateway.crossing.deliver(offload, ip);
        }
    }

    /// Connections that the lobby has accepted go to those who wait for them.
    pub async fn accepted(&self, v6: bool) -> io::Result<()> {
        let entrance = self.entrance(v6);
        loop {
            entrance.knocked.raised().await;
            let (stream, peer) = match entrance.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    entrance.knocked.lower();
                    continue;
                }
                Err(_) => {
                    // Out of file descriptors: those who wait in the queue get their turn when others have ended.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            stream.set_nonblocking(true)?;
            let waiting = Slot::of(peer.ip()).and_then(|slot| self.flows.borrow_mut().accepted(slot));
            if let Some(waiting) = waiting {
                let _gone = waiting.send(stream);
            }
        }
    }

    fn entrance(&self, v6: bool) -> &Entrance {
        if v6 { &self.v6 } else { &self.v4 }
    }
}

impl Entrance {
    fn new(listener: TcpListener) -> io::Result<Self> {
        // The queue is ours to size: the app's connections arrive as fast as it asks for them.
        socket::listen(&listener, socket::Backlog::MAXALLOWABLE)?;
        // Between the lobby and the app is memory, whose capacity nobody needs to find out. Where the system's choice is
        // BBR, its pacing would set a timer for every few segments.
        let _slower_without = setsockopt(&listener, sockopt::TcpCongestion, &"reno".into());
        // What it accepts is so, too.
        setsockopt(&listener, sockopt::TcpNoDelay, &true)?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        Ok(Self { listener, at, knocked: Signal::default() })
    }
}

/// Hands a segment of the app to the lobby. One that the lobby does not take is lost as on any wire: the app's kernel
/// sends it again.
fn forward(gateway: &Gateway, slot: Slot, ends: Ends, offload: Offload, ip: &mut [u8], header: &Header) {
    let v6 = ends.0.is_ipv6();
    let from = SocketAddr::new(slot.address(v6), ends.0.port());
    packet::redirect(ip, header, offload.is_partial(), from, gateway.tcp.entrance(v6).at);
    if let Err(error) = gateway.tcp.lobby.write(offload, ip) {
        gateway.crossing.lost(Direction::Outbound, &error);
    }
}

/// A segment of the app.
pub fn outbound(gateway: &Rc<Gateway>, offload: Offload, ip: &mut [u8], header: &Header) {
    let (Some(ends), Some(segment)) = (header.ends(ip), Segment::read(ip, header)) else {
        return gateway.drop_packet();
    };
    let tcp = &gateway.tcp;
    let known = tcp.flows.borrow().find(&ends);
    let Some(slot) = known.filter(|slot| !(segment.opens() && is_over(tcp, *slot))) else {
        return begin(gateway, offload, ip, header, ends, segment);
    };
    match tcp.flows.borrow_mut().stage(slot) {
        // The held one again; the server is being asked.
        Stage::Dialling => return,
        stage @ Stage::Greeting(..) if segment.resets() => *stage = Stage::Over,
        Stage::Greeting(_, news) => {
            news.brings(&segment);
            tcp.entrance(ends.0.is_ipv6()).knocked.raise();
        }
        Stage::Open(news) => news.brings(&segment),
        Stage::Over | Stage::Replaced => {}
    }
    forward(gateway, slot, ends, offload, ip, header);
}

fn is_over(tcp: &Tcp, slot: Slot) -> bool {
    matches!(tcp.flows.borrow_mut().stage(slot), Stage::Over)
}

/// A segment of no connection that we know.
fn begin(gateway: &Rc<Gateway>, offload: Offload, ip: &[u8], header: &Header, ends: Ends, segment: Segment) {
    let verdict = gateway.judge_tcp(ends.1);
    match verdict {
        Verdict::Denied => return gateway.deny(ip, header),
        Verdict::Closed => return gateway.refuse(Refusal::Port, ip, header),
        _ if !segment.opens() => return gateway.refuse(Refusal::Port, ip, header),
        Verdict::Upstream(_) | Verdict::Straight(_) => {}
    }
    let Some(slot) = gateway.tcp.flows.borrow_mut().open(ends) else { return gateway.drop_packet() };
    let syn = ip.to_vec();
    let (gateway, header) = (Rc::clone(gateway), header.clone());
    tokio::task::spawn_local(
        async move { carry(&gateway, slot, ends, verdict, offload, syn, &header).await },
    );
}

/// One connection, from its SYN to its end.
async fn carry(
    gateway: &Gateway,
    slot: Slot,
    ends: Ends,
    verdict: Verdict,
    offload: Offload,
    mut syn: Vec<u8>,
    header: &Header,
) {
    let server = match gateway.dial_for_app(ends.1, verdict).await {
        Ok(server) => server,
        Err(error) => {
            gateway.tcp.flows.borrow_mut().fail(slot);
            return gateway.refuse(Refusal::of(&error), &syn, header);
        }
    };
    let (sender, greeted) = oneshot::channel();
    let news = Rc::<News>::default();
    gateway.tcp.flows.borrow_mut().greet(slot, sender, Rc::clone(&news));
    forward(gateway, slot, ends, offload, &mut syn, header);
    if let Ok(app) = greeted.await {
        relay(&gateway.tcp.pipes, Guest::new(app, news), server).await;
    }
    gateway.tcp.flows.borrow_mut().over(slot);
}

/// A connection straight from the host.
pub async fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
