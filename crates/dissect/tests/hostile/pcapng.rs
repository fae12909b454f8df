//! pcapng files with more beside their packets than any file needs.

use super::cost::{FIXED, MIB, count_of, little, read_all, read_within, size, turn};
use super::lengths::pcapng_section;
use super::source::Lazy;

/// What is kept of comments, names and secrets; vectors that double hold three halves of it while they grow.
const KEPT: usize = 16 * MIB;

/// A block whose two lengths agree.
pub fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = padded as u32 + 12;
    let mut block = [kind, length].map(u32::to_le_bytes).concat();
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(length.to_le_bytes());
    block
}

/// An option with its padding.
fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let mut option = [code, value.len() as u16].map(u16::to_le_bytes).concat();
    option.extend(value);
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

fn section(options: &[u8]) -> Vec<u8> {
    block(0x0a0d_0d0a, &[&pcapng_section()[..], options].concat())
}

/// An Interface Description Block of Ethernet.
fn interface(options: &[u8]) -> Vec<u8> {
    block(1, &[&[1, 0, 0, 0, 0, 0, 0, 0], options].concat())
}

#[test]
fn interfaces_without_end_end_the_reading() {
    let _turn = turn();
    let blocks = size(100_000, 1_000_000);
    let (section, interface) = (section(&[]), interface(&[]));
    let source = Lazy::new(blocks, |n, file| file.extend(if n == 0 { &section } else { &interface }));
    // 65,536 interfaces are kept, of 48 bytes in a vector that doubles.
    let reading = read_within(2 * FIXED, &little(), blocks * interface.len() as u64, source);
    assert_eq!(count_of(&reading, "bad-block"), 1);
}

/// Sections forget their interfaces, and the names that they bring are bounded for the whole file.
#[test]
fn sections_without_end_take_no_memory() {
    let _turn = turn();
    let blocks = size(100_000, 1_000_000);
    let (section, interface) = (section(&[]), interface(&[]));
    let source = Lazy::new(blocks, |n, file| file.extend(if n % 2 == 0 { &section } else { &interface }));
    let reading = read_within(FIXED, &little(), blocks * 28, source);
    assert!(reading.capture.complete);
}

#[test]
fn comments_names_and_secrets_are_kept_within_a_bound() {
    let _turn = turn();
    let comments: Vec<u8> = (0..2000).flat_map(|_| option(1, &[b'c'; 500])).collect();
    // A record of a name block: an IPv4 address, then names that end with a zero.
    let names: Vec<u8> = (0..2000_u32)
        .flat_map(|n| option(1, &[&n.to_be_bytes()[..], b"a.example\0b.example\0"].concat()))
        .collect();
    let secrets = [&[0x54, 0x4c, 0x53, 0x4b][..], &(60_000_u32).to_le_bytes(), &[b's'; 60_000]].concat();
    let kinds = [section(&comments), block(4, &names), block(10, &secrets), interface(&comments)];
    let blocks = size(200, 2000);
    let bytes = kinds.iter().map(Vec::len).sum::<usize>() as u64 * blocks / 4;
    let source = Lazy::new(blocks, |n, file| file.extend(&kinds[n as usize % 4]));
    // The names go into the resolver's share of --memory once more.
    let reading = read_within(3 * KEPT + little().memory, &little(), bytes, source);
    assert!(count_of(&reading, "metadata-dropped") > 0);
}

/// One block with as many options of no length as it can hold: 16 million.
#[test]
fn options_without_content_are_walked_once() {
    let _turn = turn();
    let empty: Vec<u8> = [0x0bad_u16.to_le_bytes(), 0_u16.to_le_bytes()].concat();
    let many = empty.repeat(size(1 << 18, 15 << 20) as usize);
    let file = [section(&many), section(&[&empty.repeat(1000)[..], &[0xff; 4]].concat())].concat();
    // A block is read whole, at most 64 MiB of it, into a buffer that doubles.
    let reading = read_all(3 * 64 * MIB, &file);
    assert!(reading.capture.complete, "{:?}", reading.capture.problems);
}

/// Names that act on a terminal come to nothing: no host name holds such characters.
#[test]
fn names_of_blocks_hold_no_controls() {
    let _turn = turn();
    let names = b"\x0a\0\0\x01\x1b[31mred.example\0good.example\0a\xc2\x9bb\0\xe2\x80\xaeevil.example\0";
    let file = [section(&[]), interface(&[]), block(4, &option(1, names))].concat();
    let reading = read_all(FIXED, &file);
    assert!(reading.capture.complete);
    let shown = format!("{:?}", reading.endpoints);
    assert!(!shown.contains("red.example") && !shown.contains("evil"));
}
