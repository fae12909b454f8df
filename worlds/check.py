#!/usr/bin/env python3
"""Holds the captures in corpus/ to their stated truth, with tshark as the witness.

    worlds/check.py [CASE...]

For each capture: every address lies in 198.18.0.0/15, 2001:2::/48, or is link-local, multicast,
unspecified or loopback; every MAC is locally administered, multicast or absent; the TCP and
UDP conversations are exactly the stated ones, as often as stated; and what the capture's secrets
open holds the stated texts, each in its packet. Exits 1 with a line per failure.
"""
import csv
import ipaddress
import pathlib
import subprocess
import sys
import tomllib
from collections import Counter

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
RANGES = [ipaddress.ip_network(net) for net in ("198.18.0.0/15", "2001:2::/48")]
FIELDS = ["eth.src", "eth.dst", "sll.src.eth", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
          "tcp.stream", "tcp.srcport", "tcp.dstport", "udp.stream", "udp.srcport", "udp.dstport"]  # fmt: skip


def rows(capture):
    fields = [part for field in FIELDS for part in ("-e", field)]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a", *fields]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    for line in shown.splitlines():
        yield dict(zip(FIELDS, ([v for v in value.split(",") if v] for value in line.split("\t"))))


def in_world(text):
    address = ipaddress.ip_address(text)
    if any(address in net for net in RANGES):
        return True
    return (address.is_link_local or address.is_multicast or address.is_unspecified
            or address.is_loopback or text == "255.255.255.255")  # fmt: skip


def local_mac(text):
    first = int(text.split(":")[0], 16)
    return first & 3 != 0 or text == "00:00:00:00:00:00"


def last(row, *fields):
    """The innermost value: tunnels repeat a field, the last one is inside."""
    values = [value for field in fields for value in row[field]]
    return values[-1] if values else None


def conversations(capture, failures):
    """(transport, src, dst, dst_port) of each stream, by its first packet."""
    seen, found = set(), Counter()
    for row in rows(capture):
        for field in ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst"):
            failures += [f"stray address {a}" for a in row[field] if not in_world(a)]
        for field in ("eth.src", "eth.dst", "sll.src.eth"):
            failures += [f"foreign MAC {m}" for m in row[field] if not local_mac(m)]
        transport = "tcp" if row["tcp.stream"] else "udp" if row["udp.stream"] else None
        if transport is None:
            continue
        src, dst = last(row, "ip.src", "ipv6.src"), last(row, "ip.dst", "ipv6.dst")
        ports = last(row, f"{transport}.srcport"), last(row, f"{transport}.dstport")
        # TCP connections may use a pair of ports again; tshark splits UDP that SDP announced.
        ends = frozenset([(src, ports[0]), (dst, ports[1])])
        stream = last(row, "tcp.stream") if transport == "tcp" else ends
        if (transport, stream) not in seen:
            seen.add((transport, stream))
            found[transport, src, dst, int(ports[1])] += 1
    return found


# What was under encryption, as bytes.
OPENED = ["data.data", "quic.stream_data", "quic.dg"]


def opened(capture):
    """(packet, address, port, bytes) of all that the capture's secrets open."""
    fields = ["frame.number", "ip.dst", "tcp.dstport", "udp.dstport", *OPENED]
    fields = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "occurrence=a", *fields]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    for line in shown.splitlines():
        number, address, tcp, udp, *said = line.split("\t")
        for part in (part for field in said for part in field.split(",") if part):
            yield int(number), address, int(tcp or udp), bytes.fromhex(part)


def check_texts(capture, stated, failures):
    pieces = list(opened(capture)) if stated else []
    for text in stated:
        to = text["dst"], text["dst_port"]
        found = [n for n, *end, said in pieces if tuple(end) == to and text["said"].encode() in said]
        if found != [text["packet"]]:
            failures.append(f"{text['said']!r}: stated in packet {text['packet']}, found in {found}")


def compare(found, stated, failures):
    for key in found.keys() | stated.keys():
        want, have = stated.get(key, 0), found.get(key, 0)
        # None: any number but none.
        if have != want and not (want is None and have):
            failures.append(f"{' '.join(map(str, key))}: stated {want}, found {have}")


def check_case(case):
    truth = tomllib.loads((case / "truth.toml").read_text())
    for capture in truth["captures"]:
        flows = [f for f in truth.get("flow", []) if capture in f.get("captures", truth["captures"])]
        stated = {(f["transport"], f["src"], f["dst"], f["dst_port"]): 0 for f in flows
                  if f["transport"] in ("tcp", "udp")}  # fmt: skip
        for f in flows:
            if f["transport"] in ("tcp", "udp"):
                key = (f["transport"], f["src"], f["dst"], f["dst_port"])
                count = f.get("count", 1)
                stated[key] = None if count == "some" else stated[key] + count
        failures = []
        compare(conversations(case / capture, failures), stated, failures)
        texts = [text for text in truth.get("text", []) if text["capture"] == capture]
        check_texts(case / capture, texts, failures)
        yield capture, failures


def check_study(study):
    with open(study / "contacts.csv", newline="") as table:
        contacts = list(csv.DictReader(table))
    for capture in sorted(study.glob("*/run*.pcapng")):
        build, run = capture.parent.name, capture.stem
        failures = []
        found = {key[2:] + key[:1] for key in conversations(capture, failures)}
        stated = {(c["address"], int(c["port"]), c["transport"]) for c in contacts
                  if (c["build"], c["run"]) == (build, run)}  # fmt: skip
        failures += [f"unplanned {end}" for end in found - stated]
        failures += [f"planned but absent {end}" for end in stated - found]
        yield f"{build}/{run}", failures


def main():
    wanted = sys.argv[1:]
    bad = 0
    for truth in sorted(CORPUS.glob("*/truth.toml")):
        case = truth.parent
        if (wanted and case.name not in wanted) or case.name == "tom-skype-2012":
            continue
        study = (case / "contacts.csv").exists()
        for capture, failures in check_study(case) if study else check_case(case):
            print(f"{'FAIL' if failures else 'ok  '} {case.name}/{capture}")
            for failure in sorted(set(failures)):
                print(f"     {failure}")
            bad += bool(failures)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
