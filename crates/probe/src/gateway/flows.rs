//! The app's TCP connections: which slot of the lobby's addresses each has, and how far it has come.
//!
//! Promises: at most [`MOST`] at a time. A slot is taken again only when its connection has been over for
//! [`LINGER`], so that late segments of the old one never reach the new one.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::guest::News;
use crate::door::{LOBBY_FLOWS_V4, LOBBY_FLOWS_V6};

/// Slots: far below what a /10 holds; memory is the bound.
const MOST: usize = 1 << 20;

/// As long as Linux keeps a connection in TIME-WAIT.
const LINGER: Duration = Duration::from_secs(60);

/// For the last step of a handshake between two kernels of one machine; an app that has gone never takes it.
const GREETING: Duration = Duration::from_secs(30);

/// The app's end and the server's.
pub type Ends = (SocketAddr, SocketAddr);

/// Which address of the lobby a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(u32);

#[derive(Debug)]
pub enum Stage {
    /// The server is being asked; the app's SYN is held.
    Dialling,
    /// The server has answered; the app's SYN is in the lobby, whose listener will hand the connection over.
    Greeting(oneshot::Sender<TcpStream>, Rc<News>),
    Open(Rc<News>),
    Over,
    /// Over, and a new connection has the same ends.
    Replaced,
}

#[derive(Debug)]
struct Flow {
    ends: Ends,
    stage: Stage,
}

#[derive(Debug, Default)]
pub struct Flows {
    flows: Vec<Flow>,
    by_ends: HashMap<Ends, Slot>,
    /// Slots of connections that the lobby was to accept, and since when; the oldest first.
    greeted: VecDeque<(Instant, Slot)>,
    /// Slots of connections that are over, and since when; the oldest first.
    over: VecDeque<(Instant, Slot)>,
}

impl Slot {
    /// The address that stands for the connection in the lobby.
    pub fn address(self, v6: bool) -> IpAddr {
        match v6 {
            false => IpAddr::V4((u32::from(LOBBY_FLOWS_V4) + self.0).into()),
            true => IpAddr::V6((u128::from(LOBBY_FLOWS_V6) + u128::from(self.0)).into()),
        }
    }

    /// The slot that an address of the lobby stands for.
    pub fn of(address: IpAddr) -> Option<Self> {
        let number = match address {
            IpAddr::V4(address) => u32::from(address).checked_sub(LOBBY_FLOWS_V4.into()),
            IpAddr::V6(address) => u128::from(address)
                .checked_sub(LOBBY_FLOWS_V6.into())
                .and_then(|number| u32::try_from(number).ok()),
        };
        number.map(Self)
    }
}

impl Flows {
    pub fn find(&self, ends: &Ends) -> Option<Slot> {
        self.by_ends.get(ends).copied()
    }

    pub fn ends(&self, slot: Slot) -> Option<Ends> {
        let flow = self.flows.get(slot.0 as usize)?;
        (!matches!(flow.stage, Stage::Dialling | Stage::Replaced)).then_some(flow.ends)
    }

    pub fn stage(&mut self, slot: Slot) -> &mut Stage {
        &mut self.flows[slot.0 as usize].stage
    }

    /// A slot for a new connection; none where all are taken.
    pub fn open(&mut self, ends: Ends) -> Option<Slot> {
        if let Some(former) = self.find(&ends) {
            *self.stage(former) = Stage::Replaced;
        }
        let flow = Flow { ends, stage: Stage::Dialling };
        let slot = match self.over.front() {
            Some((since, slot)) if since.elapsed() > LINGER => {
                let slot = *slot;
                self.over.pop_front();
                self.forget(slot);
                self.flows[slot.0 as usize] = flow;
                slot
            }
            _ if self.flows.len() < MOST => {
                self.flows.push(flow);
                Slot(self.flows.len() as u32 - 1)
            }
            _ => return None,
        };
        self.by_ends.insert(ends, slot);
        Some(slot)
    }

    /// The server has answered; `waiting` gets the connection that the lobby accepts. Those that have waited for longer
    /// than [`GREETING`] are given up when the next one comes: a timer for each would cost more than they do.
    pub fn greet(&mut self, slot: Slot, waiting: oneshot::Sender<TcpStream>, news: Rc<News>) {
        while let Some((since, former)) = self.greeted.front().copied()
            && since.elapsed() > GREETING
        {
            self.greeted.pop_front();
            if let stage @ Stage::Greeting(..) = self.stage(former) {
                *stage = Stage::Over;
            }
        }
        self.greeted.push_back((Instant::now(), slot));
        *self.stage(slot) = Stage::Greeting(waiting, news);
    }

    /// The lobby has accepted a connection; who waits for it, if somebody does.
    pub fn accepted(&mut self, slot: Slot) -> Option<oneshot::Sender<TcpStream>> {
        let stage = &mut self.flows.get_mut(slot.0 as usize)?.stage;
        match std::mem::replace(stage, Stage::Over) {
            Stage::Greeting(waiting, news) => {
                *stage = Stage::Open(news);
                Some(waiting)
            }
            other => {
                *stage = other;
                None
            }
        }
    }

    /// The connection has ended; what is still under way finds its ends for [`LINGER`].
    pub fn over(&mut self, slot: Slot) {
        if !matches!(self.stage(slot), Stage::Replaced) {
            *self.stage(slot) = Stage::Over;
        }
        self.over.push_back((Instant::now(), slot));
    }

    /// The connection never came to be.
    pub fn fail(&mut self, slot: Slot) {
        self.forget(slot);
        self.over(slot);
        *self.stage(slot) = Stage::Replaced;
    }

    fn forget(&mut self, slot: Slot) {
        let ends = self.flows[slot.0 as usize].ends;
        if self.by_ends.get(&ends) == Some(&slot) {
            self.by_ends.remove(&ends);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(port: u16) -> Ends {
        (SocketAddr::from(([10, 219, 0, 2], port)), SocketAddr::from(([198, 18, 0, 1], 80)))
    }

    #[test]
    fn a_slot_stands_for_one_address_of_each_family() {
        let mut flows = Flows::default();
        let slots = [1, 2, 3].map(|port| flows.open(ends(port)).expect("a slot"));
        for slot in slots {
            assert_eq!(Slot::of(slot.address(false)), Some(slot));
            assert_eq!(Slot::of(slot.address(true)), Some(slot));
        }
        assert_eq!(Slot::of("10.219.1.1".parse().expect("an address")), None);
    }

    #[test]
    fn a_new_connection_with_old_ends_has_a_slot_of_its_own() {
        let mut flows = Flows::default();
        let old = flows.open(ends(1)).expect("a slot");
        *flows.stage(old) = Stage::Open(Rc::default());
        flows.over(old);
        assert_eq!(flows.ends(old), Some(ends(1)), "late segments still find their way");
        let new = flows.open(ends(1)).expect("a slot");
        assert_ne!(old, new);
        assert_eq!((flows.find(&ends(1)), flows.ends(old)), (Some(new), None));
    }

    #[test]
    fn a_connection_is_handed_over_once_to_who_waits() {
        let mut flows = Flows::default();
        let slot = flows.open(ends(1)).expect("a slot");
        assert!(flows.accepted(slot).is_none(), "nobody waits yet");
        let (sender, _waiting) = oneshot::channel();
        flows.greet(slot, sender, Rc::default());
        assert!(flows.accepted(slot).is_some());
        assert!(flows.accepted(slot).is_none(), "nobody waits any more");
        assert!(matches!(flows.stage(slot), Stage::Open(_)));
        assert!(flows.accepted(Slot(7)).is_none(), "nobody's slot");
    }
}
