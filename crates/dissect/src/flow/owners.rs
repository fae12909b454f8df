//! Which process a flow belongs to, where whoever recorded it said so with the flow's first packet.
//!
//! Promises: costs nothing where nobody says anything; at most [`MOST`] flows have an owner, and a process that
//! owns many is kept once.

use overheard_model::Process;
use std::collections::HashSet;
use std::sync::Arc;

/// Flows whose owners are kept: as many as our own recordings list.
const MOST: usize = 1 << 18;

/// Owners by the number of the packet that names them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    /// In the order of the packets.
    named: Vec<(u64, Arc<Process>)>,
    known: HashSet<Arc<Process>>,
}

impl Owners {
    /// Packets come in order. False where there is no room any more.
    pub(crate) fn add(&mut self, packet: u64, process: Arc<Process>) -> bool {
        if self.named.len() >= MOST {
            return false;
        }
        let process = match self.known.get(&process) {
            Some(known) => known.clone(),
            None => {
                self.known.insert(process.clone());
                process
            }
        };
        self.named.push((packet, process));
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The owner of the flow that began with this packet.
    pub(crate) fn of(&self, packet: u64) -> Option<Arc<Process>> {
        let at = self.named.binary_search_by_key(&packet, |(named, _)| *named).ok()?;
        self.named.get(at).map(|(_, process)| process.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_owns_many_flows_is_kept_once() {
        let curl = || Arc::new("curl (pid 12) < bash (pid 7)".parse::<Process>().unwrap());
        let mut owners = Owners::default();
        assert!(owners.add(1, curl()) && owners.add(4, curl()));
        let [one, four] = [1, 4].map(|packet| owners.of(packet).unwrap());
        assert!(Arc::ptr_eq(&one, &four));
        assert_eq!((owners.of(2), &*four), (None, &*curl()));
    }

    #[test]
    fn there_is_a_bound() {
        let curl = Arc::new("curl (pid 12)".parse::<Process>().unwrap());
        let mut owners = Owners::default();
        let kept = (0..MOST as u64 + 7).filter(|packet| owners.add(*packet, curl.clone())).count();
        assert_eq!(kept, MOST);
    }
}
