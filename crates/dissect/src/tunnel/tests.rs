//! Tunnels stated byte by byte: each holds the same UDP datagram, from port 5 to port 6.

use crate::ip::tests::{RAW, join, told, udp, v4, v6};

fn inner() -> Vec<u8> {
    v4(17, &udp(5, 6, b"inner"))
}

fn inner6() -> Vec<u8> {
    v6(17, &udp(5, 6, b"inner"))
}

/// In an Ethernet frame.
fn bridged() -> Vec<u8> {
    join(&[&[2; 12], &[0x08, 0x00], &inner()])
}

fn gre(parts: &[&[u8]]) -> String {
    told(RAW, &v4(47, &join(parts)))
}

#[test]
fn ip_in_ip() {
    assert_eq!(told(RAW, &v4(4, &inner())), "5>6 ip-in-ip");
    assert_eq!(told(RAW, &v4(41, &inner6())), "5>6 6in4");
    assert_eq!(told(RAW, &v6(41, &inner6())), "5>6 ip-in-ip");
    assert_eq!(told(RAW, &v6(4, &inner())), "5>6 ip-in-ip");
    assert_eq!(told(RAW, &v4(4, b"no packet")), "ip-4", "the outer packet counts");
}

#[test]
fn gre_with_its_options() {
    assert_eq!(gre(&[&[0, 0, 8, 0], &inner()]), "5>6 gre");
    assert_eq!(gre(&[&[0, 0, 0x86, 0xdd], &inner6()]), "5>6 gre");
    assert_eq!(gre(&[&[0xb0, 0, 8, 0], &[0; 12], &inner()]), "5>6 gre", "checksum, key, sequence");
    let routes = [0, 0, 0, 0, 0, 2, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0];
    assert_eq!(gre(&[&[0x40, 0, 8, 0], &routes, &inner()]), "5>6 gre", "source routes");
    assert_eq!(gre(&[&[0, 0, 0x65, 0x58], &bridged()]), "5>6 gre");
    assert_eq!(gre(&[&[0, 0, 0x88, 0x47], &[0, 0, 1, 64], &inner()]), "5>6 gre/mpls");
    assert_eq!(gre(&[&[0, 0, 0x88, 0x3e], &[0, 0, 1, 64], &inner()]), "5>6 gre", "WCCP");
    assert_eq!(gre(&[&[0, 0, 0, 0], b"keepalive"]), "ip-47");
    assert_eq!(gre(&[&[0xb0, 0, 8, 0]]), "ip-47", "cut short");
}

#[test]
fn gre_of_pptp() {
    let ppp = join(&[&[0xff, 0x03, 0x00, 0x21], &inner()]);
    assert_eq!(gre(&[&[0x30, 0x81, 0x88, 0x0b], &[0; 12], &ppp]), "5>6 gre");
    assert_eq!(gre(&[&[0x20, 0x01, 0x88, 0x0b], &[0; 4], &[0x21], &inner()]), "5>6 gre", "compressed");
}

#[test]
fn mirrored_ethernet() {
    assert_eq!(gre(&[&[0, 0, 0x88, 0xbe], &bridged()]), "5>6 gre", "ERSPAN I");
    assert_eq!(gre(&[&[0x10, 0, 0x88, 0xbe], &[0; 4], &[0x10; 8], &bridged()]), "5>6 gre", "II");
    assert_eq!(gre(&[&[0x10, 0, 0x22, 0xeb], &[0; 4], &[0x20; 12], &bridged()]), "5>6 gre", "III");
    let platform = join(&[&[0x20; 11], &[0x01], &[0; 8]]);
    assert_eq!(gre(&[&[0x10, 0, 0x22, 0xeb], &[0; 4], &platform, &bridged()]), "5>6 gre");
}

#[test]
fn access_points_of_aruba() {
    let data = join(&[&[0x08, 0x01], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner()]);
    assert_eq!(gre(&[&[0, 0, 0x82, 0x10], &data]), "5>6 gre");
}

/// In UDP to a port, in IPv4.
fn to_port(port: u16, parts: &[&[u8]]) -> String {
    told(RAW, &v4(17, &udp(1000, port, &join(parts))))
}

#[test]
fn teredo() {
    assert_eq!(to_port(3544, &[&inner6()]), "5>6 teredo");
    let origin = [0, 0, 0xff, 0xfe, 1, 2, 3, 4];
    let authentication = [0, 1, 1, 2, b'i', b'a', b'u', 1, 2, 3, 4, 5, 6, 7, 8, 0];
    assert_eq!(to_port(3544, &[&authentication, &origin, &inner6()]), "5>6 teredo");
    assert_eq!(told(RAW, &v4(17, &udp(3544, 9, &inner6()))), "5>6 teredo", "from the server");
    let missing = &inner6()[..50];
    assert_eq!(to_port(3544, &[missing]), "1000>3544", "it must fit");
    assert_eq!(to_port(3544, &[b"something else"]), "1000>3544");
}

#[test]
fn teredo_on_any_port_has_a_teredo_address_and_fits_exactly() {
    let mut packet = inner6();
    assert_eq!(to_port(5000, &[&packet]), "1000>5000", "no Teredo address");
    packet[24..28].copy_from_slice(&[0x20, 0x01, 0, 0]);
    let origin = [0, 0, 0xff, 0xfe, 1, 2, 3, 4];
    assert_eq!(to_port(5000, &[&packet]), "5>6 teredo");
    assert_eq!(to_port(5000, &[&origin, &packet]), "5>6 teredo");
    assert_eq!(to_port(5000, &[&packet, &[0]]), "1000>5000", "a byte too many");
    assert_eq!(to_port(5000, &[&packet[..packet.len() - 1]]), "1000>5000", "a byte too few");
}

#[test]
fn capwap() {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let radio = |control: [u8; 2]| join(&[&control, &[2; 22], &snap, &inner()]);
    let native = [0, 0x10, 0x03, 0x00, 0, 0, 0, 0];
    assert_eq!(to_port(5247, &[&native, &radio([0x08, 0x01])]), "5>6 capwap");
    assert_eq!(to_port(5247, &[&native, &radio([0x11, 0x08])]), "5>6 capwap", "frame control swapped");
    let bridge = [0, 0x10, 0x02, 0x00, 0, 0, 0, 0];
    assert_eq!(to_port(5247, &[&bridge, &bridged()]), "5>6 capwap");
    let encrypted = [1, 0, 0, 0, 0x17, 0xfe, 0xfd, 0];
    assert_ne!(to_port(5247, &[&encrypted, &bridged()]), "5>6 capwap");
}

#[test]
fn vxlan() {
    for port in [4789, 8472] {
        assert_eq!(to_port(port, &[&[8, 0, 0, 0, 0, 0, 1, 0], &bridged()]), "5>6 vxlan");
    }
    assert_eq!(to_port(4789, &[&[0, 0, 0, 0, 0, 0, 1, 0], &bridged()]), "1000>4789", "no network");
    let mut too_long = bridged();
    too_long[14 + 3] += 1;
    assert_eq!(to_port(4789, &[&[8, 0, 0, 0, 0, 0, 1, 0], &too_long]), "1000>4789");
}

#[test]
fn geneve() {
    assert_eq!(to_port(6081, &[&[0, 0, 0x65, 0x58, 0, 0, 1, 0], &bridged()]), "5>6 geneve");
    let options = [2, 0, 8, 0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(to_port(6081, &[&options, &inner()]), "5>6 geneve");
    assert_eq!(to_port(6081, &[&[0x40, 0, 8, 0, 0, 0, 1, 0], &inner()]), "1000>6081", "version 1");
}

#[test]
fn gtp_u() {
    let length = inner().len() as u8;
    assert_eq!(to_port(2152, &[&[0x30, 255, 0, length, 0, 0, 0, 1], &inner()]), "5>6 gtp-u");
    // Sequence number, then a PDU session container of one word and another of two.
    let extended = [0x36, 255, 0, length + 16, 0, 0, 0, 1, 0, 1, 0, 0x85];
    let extensions = [1, 0, 9, 0x32, 2, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(to_port(2152, &[&extended, &extensions, &inner()]), "5>6 gtp-u");
    assert_eq!(to_port(2152, &[&[0x30, 1, 0, length, 0, 0, 0, 1], &inner()]), "1000>2152", "an echo");
    let endless = [0x34, 255, 0, length + 8, 0, 0, 0, 1, 0, 1, 0, 0x85, 0, 0, 9, 9];
    assert_eq!(to_port(2152, &[&endless, &inner()]), "1000>2152", "an extension of no length");
}

#[test]
fn l2tp() {
    let ppp = join(&[&[0xff, 0x03, 0x00, 0x21], &inner()]);
    assert_eq!(to_port(1701, &[&[0x00, 0x02, 0, 1, 0, 1], &ppp]), "5>6 l2tp");
    let full = [0x4a, 0x02, 0, 60, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 9, 9];
    assert_eq!(to_port(1701, &[&full, &ppp]), "5>6 l2tp", "length, sequence, offset");
    assert_eq!(to_port(1701, &[&[0xc8, 0x02, 0, 12, 0, 1, 0, 1], &ppp]), "1000>1701", "control");
}

#[test]
fn tunnels_within_tunnels_are_bounded() {
    let vxlan = udp(9, 4789, &join(&[&[8, 0, 0, 0, 0, 0, 1, 0], &bridged()]));
    assert_eq!(told(RAW, &v4(47, &join(&[&[0, 0, 8, 0], &v4(17, &vxlan)]))), "5>6 gre/vxlan");
    let mut deep = inner();
    for _ in 0..8 {
        deep = v4(4, &deep);
    }
    let eight = ["ip-in-ip"; 8].join("/");
    assert_eq!(told(RAW, &deep), format!("5>6 {eight}"));
    assert_eq!(told(RAW, &v4(4, &deep)), format!("ip-4 {eight}"), "the ninth stays shut");
}
