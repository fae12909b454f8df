//! Where tshark and we count a packet in different conversations, and why: the whole list.
//!
//! To extend: a rule that says what it explains by the difference itself and by the others of the same
//! capture, never by a file's name, and its reason.

use super::answers::{Counts, Tuple};

/// A conversation that is counted otherwise.
#[derive(Debug)]
pub struct Difference {
    pub tuple: Tuple,
    pub theirs: Option<Counts>,
    pub ours: Option<Counts>,
    /// What our flow travelled in.
    pub tunnel: Option<String>,
}

impl Difference {
    fn is(&self, transport: &str) -> bool {
        self.tuple.transport == transport
    }

    fn is_icmp(&self) -> bool {
        self.tuple.transport.starts_with("icmp")
    }

    /// Packets that have no ports for tshark: `ip-17`, or `ip-44` for a fragment of IPv6.
    fn is_portless(&self) -> bool {
        self.tuple.transport.starts_with("ip-")
    }

    fn theirs_alone(&self) -> bool {
        self.ours.is_none()
    }

    fn ours_alone(&self) -> bool {
        self.theirs.is_none()
    }

    fn tunnel_has(&self, layer: &str) -> bool {
        self.tunnel.as_deref().is_some_and(|tunnel| tunnel.split('/').any(|own| own == layer))
    }

    /// We count more in both directions, or as many.
    fn ours_is_more(&self) -> bool {
        self.ours.is_some_and(|ours| ours.iter().zip(self.theirs.unwrap_or_default()).all(|(o, t)| *o >= t))
    }

    fn on_port(&self, port: u16) -> bool {
        self.tuple.ends.iter().any(|end| end.1 == port)
    }
}

/// A reason to count otherwise.
pub struct Disagreement {
    pub name: &'static str,
    pub reason: &'static str,
    /// Whether it explains a difference, given all of the same capture.
    pub explains: fn(&Difference, &[Difference]) -> bool,
}

pub const DISAGREEMENTS: &[Disagreement] = &[
    Disagreement {
        name: "fragments",
        reason: "tshark shows a packet's fragments between two addresses, and only the last with ports; \
                 here all of them count for the conversation that they were put together for",
        explains: |difference, all| {
            let apart = |other: &Difference| other.is_portless() && other.theirs_alone();
            match difference.is_portless() {
                true => difference.theirs_alone(),
                false => !difference.is_icmp() && difference.ours_is_more() && all.iter().any(apart),
            }
        },
    },
    Disagreement {
        name: "ICMP in tunnels",
        reason: "the answers give ICMP by the outermost addresses; here the innermost packet counts",
        explains: |difference, _| {
            difference.is_icmp()
                && (difference.theirs_alone() || (difference.ours_alone() && difference.tunnel.is_some()))
        },
    },
    Disagreement {
        name: "Teredo",
        reason: "tshark's table joins the inner addresses with the outer packet's ports, gives bubbles \
                 (no next header, ip-59) those ports too, and opens the tunnel on the server's port only",
        explains: |difference, all| {
            let entered = |other: &Difference| other.tunnel_has("teredo");
            entered(difference)
                || (difference.theirs_alone() && difference.is("udp") && all.iter().any(entered))
        },
    },
    Disagreement {
        name: "tunnels that stay closed",
        reason: "tshark opens what is no tunnel of a host's own traffic: AYIYA, GTP', packets sampled by sFlow",
        explains: |difference, all| {
            const AYIYA: u16 = 5072;
            const GTP_PRIME: u16 = 3386;
            const SFLOW: u16 = 6343;
            let closed = |other: &Difference| {
                other.is("udp")
                    && other.tunnel.is_none()
                    && other.ours_is_more()
                    && [AYIYA, GTP_PRIME, SFLOW].iter().any(|port| other.on_port(*port))
            };
            closed(difference) || (difference.theirs_alone() && all.iter().any(closed))
        },
    },
    Disagreement {
        name: "broken TCP headers",
        reason: "a TCP header whose length leads beyond the packet, or into itself, has no ports here",
        explains: |difference, all| {
            let hosts = |difference: &Difference| difference.tuple.ends.clone().map(|end| end.0);
            let counted_as = |one: &Difference, other: &Difference| {
                one.is("tcp")
                    && !one.ours_is_more()
                    && other.is("ip-6")
                    && other.ours_is_more()
                    && hosts(one) == hosts(other)
            };
            all.iter().any(|other| counted_as(difference, other) || counted_as(other, difference))
        },
    },
];
