//! Carries datagrams and echoes: each socket of the app gets one socket of the host.
//!
//! Promises: one port of the app is one port of the host whomever it speaks to, so that peers find each other through
//! it as through a home router (RFC 4787, endpoint-independent mapping and filtering); answers come from whoever sent
//! them; ICMP errors come back with their type, code and sender; a socket that is silent for [`IDLE`] is closed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use overheard_model::{Destination, Transport};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::packet::{Header, ICMP, ICMP_V6, UDP, word};
use super::refusal::Refusal;
use super::upstream::Upstream;
use super::upstream::line::{Line, Received};
use super::{Gateway, compose};

/// RFC 4787 asks for two minutes at least (REQ-5).
const IDLE: Duration = Duration::from_secs(120);

/// Datagrams that wait for their socket; more are lost, as in any full queue.
const QUEUE: usize = 256;

/// Sockets at a time; beyond them new ones are dropped until others fall silent.
const MOST: usize = 16_384;

/// What tells the app's sockets apart. The port of an echo is its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub app: SocketAddr,
    pub is_echo: bool,
}

/// What the app sent: the payload of UDP, or a whole ICMP message.
#[derive(Debug)]
pub struct Datagram {
    pub to: SocketAddr,
    pub ttl: u8,
    pub payload: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Outlets(RefCell<HashMap<Origin, mpsc::Sender<Datagram>>>);

impl Origin {
    /// The packet that carries this payload from `from` to the app.
    fn inbound(&self, from: SocketAddr, payload: &[u8]) -> Vec<u8> {
        match self.is_echo {
            true => compose::icmp(from.ip(), self.app.ip(), &self.own(payload)),
            false => compose::udp(from, self.app, payload),
        }
    }

    /// The packet by which the app sent this payload.
    fn outbound(&self, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
        match self.is_echo {
            true => compose::icmp(self.app.ip(), to.ip(), &self.own(payload)),
            false => compose::udp(self.app, to, payload),
        }
    }

    fn bound_for(&self, datagram: &Datagram) -> Destination {
        let transport = match (self.is_echo, self.app.is_ipv4()) {
            (false, _) => Transport::Udp,
            (true, true) => Transport::Icmp,
            (true, false) => Transport::Icmp6,
        };
        Destination { address: datagram.to.ip(), port: datagram.to.port(), transport }
    }

    /// An echo with the app's identifier: the host's kernel has one of its own.
    fn own(&self, message: &[u8]) -> Vec<u8> {
        let mut message = message.to_vec();
        if let Some(id) = message.get_mut(4..6) {
            id.copy_from_slice(&self.app.port().to_be_bytes());
        }
        message
    }
}

/// The ICMP message, if it asks for an echo.
pub fn echo<'a>(ip: &'a [u8], header: &Header) -> Option<&'a [u8]> {
    let message = &ip[header.transport..header.end];
    let asks = match header.protocol {
        ICMP => 8,
        ICMP_V6 => 128,
        _ => return None,
    };
    (message.len() >= 8 && message[0] == asks && message[1] == 0).then_some(message)
}

/// A datagram or an ICMP message of the app.
pub fn outbound(gateway: &Rc<Gateway>, ip: &[u8], header: &Header) {
    let Some((origin, datagram)) = read(ip, header) else { return gateway.drop_packet() };
    if gateway.upstream != Upstream::Direct {
        gateway.carried.tried(origin.bound_for(&datagram));
    }
    if !gateway.upstream.carries(origin.is_echo) {
        return gateway.refuse(Refusal::Prohibited, ip, header);
    }
    let mut outlets = gateway.outlets.0.borrow_mut();
    if outlets.len() >= MOST && !outlets.contains_key(&origin) {
        return gateway.drop_packet();
    }
    let queue = outlets.entry(origin).or_insert_with(|| {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let gateway = Rc::clone(gateway);
        tokio::task::spawn_local(async move {
            carry(&gateway, origin, receiver).await;
            gateway.outlets.0.borrow_mut().remove(&origin);
        });
        sender
    });
    if queue.try_send(datagram).is_err() {
        gateway.drop_packet();
    }
}

fn read(ip: &[u8], header: &Header) -> Option<(Origin, Datagram)> {
    let (app, to, payload) = match header.protocol {
        UDP => {
            let (app, to) = header.ends(&ip[..header.end])?;
            let length = usize::from(word(ip, header.transport + 4)?);
            (app, to, ip[..header.end].get(header.transport + 8..header.transport + length)?)
        }
        _ => {
            let message = echo(ip, header)?;
            let app = SocketAddr::new(header.source, word(message, 4)?);
            (app, SocketAddr::new(header.destination, 0), message)
        }
    };
    let origin = Origin { app, is_echo: header.protocol != UDP };
    Some((origin, Datagram { to, ttl: header.ttl, payload: payload.to_vec() }))
}

/// All that one socket of the app sends and receives.
async fn carry(gateway: &Gateway, origin: Origin, mut queue: mpsc::Receiver<Datagram>) {
    let line = match gateway.ask(gateway.upstream.line(origin)).await {
        Ok(line) => line,
        Err(error) => {
            while let Ok(datagram) = queue.try_recv() {
                refuse(gateway, origin, &datagram, &error);
            }
            return;
        }
    };
    let mut buffer = vec![0; 65_536];
    let mut last = Instant::now();
    let mut latest = None;
    loop {
        tokio::select! {
            datagram = queue.recv() => {
                let Some(datagram) = datagram else { return };
                match send(gateway, origin, &line, &datagram).await {
                    Err(error) => refuse(gateway, origin, &datagram, &error),
                    // One after the other mostly goes to the same.
                    Ok(()) if latest == Some(datagram.to) => {}
                    Ok(()) => {
                        latest = Some(datagram.to);
                        gateway.carried.carried(origin.bound_for(&datagram));
                    }
                }
            }
            received = line.receive(&mut buffer) => match received {
                Ok(received) => deliver(gateway, origin, received),
                Err(_line_is_cut) => return,
            },
            () = tokio::time::sleep_until(last + IDLE) => return,
        }
        last = Instant::now();
    }
}

/// Sends; what the network said of earlier datagrams is told first, as it would keep this one from being sent.
async fn send(gateway: &Gateway, origin: Origin, line: &Line, datagram: &Datagram) -> io::Result<()> {
    let mut sent = line.send(datagram).await;
    while sent.is_err() {
        let Some(received) = line.error() else { break };
        deliver(gateway, origin, received);
        sent = line.send(datagram).await;
    }
    sent
}

fn deliver(gateway: &Gateway, origin: Origin, received: Received<'_>) {
    match received {
        Received::Payload { from, payload } if from.is_ipv4() == origin.app.is_ipv4() => {
            gateway.send(origin.inbound(from, payload));
        }
        Received::Error { from, to, kind, code, info, payload } => {
            let ip = origin.outbound(to, &payload);
            if let Some(header) = Header::read(&ip) {
                gateway.send(compose::error(from, &header, kind, code, info, &ip));
            }
        }
        Received::Payload { .. } | Received::Nothing => {}
    }
}

fn refuse(gateway: &Gateway, origin: Origin, datagram: &Datagram, error: &io::Error) {
    gateway.carried.tried(origin.bound_for(datagram));
    let ip = origin.outbound(datagram.to, &datagram.payload);
    if let Some(header) = Header::read(&ip) {
        gateway.refuse(Refusal::of(error), &ip, &header);
    }
}
