//! Reads the kernel's tables of sockets: `/proc/PID/net/{tcp,udp,icmp,raw}` and their IPv6 sisters.
//!
//! For: pings and raw sockets, which [`super::sock_diag`] does not answer for, and kernels that do not offer it.
//! Source: proc_pid_net(5), `net/ipv4/{tcp,udp,ping,raw}.c`. Promises: lines that cannot be read are passed over.

use super::opening::Ends;
use overheard_model::Transport;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// The inode of the socket with these ends; `net` is the folder of tables.
pub(super) fn inode(net: &Path, ends: &Ends) -> Option<u64> {
    tables(ends).into_iter().find_map(|(table, port)| {
        let text = std::fs::read_to_string(net.join(table)).ok()?;
        text.lines().skip(1).filter_map(Row::read).find(|row| row.is(ends, port)).map(|row| row.inode)
    })
}

/// Tables in which the socket may stand, and the number that stands where others have the local port: a socket of
/// IPv6 may speak IPv4 as well, and a raw socket has its protocol's number.
fn tables(ends: &Ends) -> Vec<(&'static str, u16)> {
    let (port, number) = (ends.src.port(), u16::from(ends.transport.number()));
    match (ends.transport, ends.src.is_ipv4()) {
        (Transport::Tcp, true) => vec![("tcp", port), ("tcp6", port)],
        (Transport::Tcp, false) => vec![("tcp6", port)],
        (Transport::Udp, true) => vec![("udp", port), ("udp6", port)],
        (Transport::Udp, false) => vec![("udp6", port)],
        (Transport::Icmp, _) => vec![("icmp", port), ("raw", number)],
        (Transport::Icmp6, _) => vec![("icmp6", port), ("raw6", number)],
        (_, true) => vec![("raw", number), ("raw", 255)],
        (_, false) => vec![("raw6", number), ("raw6", 255)],
    }
}

/// One socket.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    inode: u64,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let local = end(fields.nth(1)?)?;
        let remote = end(fields.next()?)?;
        // State, queues, timer, retransmissions, user, timeout.
        let inode = fields.nth(6)?.parse().ok()?;
        Some(Self { local, remote, inode })
    }

    fn is(&self, ends: &Ends, port: u16) -> bool {
        let fits = |address: IpAddr, wanted: IpAddr| address.is_unspecified() || address == wanted;
        self.inode != 0
            && self.local.1 == port
            && fits(self.local.0, ends.src.ip())
            && fits(self.remote.0, ends.dst.ip())
            && (self.remote.1 == 0 || self.remote.1 == ends.dst.port())
    }
}

/// `0100007F:0035`: an address as words in the machine's byte order, and a port.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match address.len() {
        8 => Ipv4Addr::from_octets(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            Ipv6Addr::from_octets(words.concat().try_into().ok()?).to_canonical()
        }
        _ => return None,
    };
    Some((ip, port))
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_ipv6_that_speaks_ipv4_is_found() {
        let line = "   3: 0000000000000000FFFF00000A0012C6:9C40 0000000000000000FFFF0000350112C6:01BB 02 \
                    00000001:00000000 01:00000064 00000000  1000        0 48213 2 0000000000000000 100 0 0 10 0";
        let row = Row::read(line).unwrap();
        let ends = |dst: &str| Ends {
            transport: Transport::Tcp,
            src: "198.18.0.10:40000".parse().unwrap(),
            dst: dst.parse().unwrap(),
        };
        assert_eq!(row.inode, 48213);
        assert!(row.is(&ends("198.18.1.53:443"), 40000));
        assert!(!row.is(&ends("198.18.1.54:443"), 40000));
        assert!(!row.is(&ends("198.18.1.53:444"), 40000));
    }

    #[test]
    fn an_unbound_socket_fits_any_end() {
        let line = "  12: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 77 2 0 0";
        let ends = Ends {
            transport: Transport::Udp,
            src: "198.18.0.10:5353".parse().unwrap(),
            dst: "224.0.0.251:5353".parse().unwrap(),
        };
        assert!(Row::read(line).unwrap().is(&ends, 5353));
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in ["", "sl local_address", "1: 00000000:14E9 zz", "1: 0000:00 00:00 1 2 3 4 5 6 7 8 9"] {
            assert_eq!(Row::read(line), None, "{line}");
        }
    }
}
