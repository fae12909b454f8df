#!/usr/bin/env python3
"""Rewrites one recording in the other file formats: corpus/formats/ from corpus/tls13/tls13.pcap.

Every file but the two cut short holds the same packets, at the same times in microseconds except for
simple packet blocks, which have none. Standard tools are used where they write a format (editcap,
gzip, zstd); what they do not write is written here: big-endian pcap, and a pcapng with two sections
of either byte order, enhanced and obsolete packet blocks, a name block, statistics and comments.
Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
"""
import pathlib
import struct
import subprocess

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "corpus"
BASE, OUT = CORPUS / "tls13" / "tls13.pcap", CORPUS / "formats"
SHB, IDB, PB, SPB, NRB, ISB, EPB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
COMMENT, TSRESOL, ISB_DROPPED = 1, 9, 5


def packets():
    """(seconds, microseconds, frame) of the base, which is a little-endian pcap."""
    raw, at = BASE.read_bytes(), 24
    while at < len(raw):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", raw, at)
        yield seconds, micros, raw[at + 16 : at + 16 + kept]
        at += 16 + kept


def pcap(order, nanoseconds):
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)
    for seconds, micros, frame in packets():
        fraction = micros * 1000 if nanoseconds else micros
        out += struct.pack(order + "IIII", seconds, fraction, len(frame), len(frame)) + frame
    return out


def padded(content):
    return content + bytes(-len(content) % 4)


class Section:
    """Blocks of one pcapng section in one byte order."""

    def __init__(self, order, comment):
        self.order = order
        options = self.option(COMMENT, comment.encode()) + self.option(0, b"")
        self.blocks = self.block(SHB, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1) + options)

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def option(self, code, content):
        return self.pack("HH", code, len(content)) + padded(content)

    def block(self, kind, body):
        length = 12 + len(body)
        return self.pack("II", kind, length) + body + self.pack("I", length)

    def add(self, kind, body):
        self.blocks += self.block(kind, body)

    def interface(self, resolution):
        """An Ethernet interface whose ticks are 10^-resolution seconds."""
        self.add(IDB, self.pack("HHI", 1, 0, 0) + self.option(TSRESOL, bytes([resolution])) + self.option(0, b""))

    def enhanced(self, interface, ticks, frame, comment=None):
        head = self.pack("IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        options = self.option(COMMENT, comment.encode()) + self.option(0, b"") if comment else b""
        self.add(EPB, head + padded(frame) + options)

    def old(self, interface, ticks, frame):
        head = self.pack("HHIIII", interface, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        self.add(PB, head + padded(frame))

    def names(self, address, *names):
        record = bytes(map(int, address.split("."))) + b"".join(n.encode() + b"\0" for n in names)
        self.add(NRB, self.pack("HH", 1, len(record)) + padded(record) + self.pack("HH", 0, 0))

    def statistics(self, interface, ticks, dropped):
        count = self.option(ISB_DROPPED, self.pack("Q", dropped)) + self.option(0, b"")
        self.add(ISB, self.pack("III", interface, ticks >> 32, ticks & 0xFFFFFFFF) + count)


def sections():
    """First half big-endian on two interfaces (µs and ns), second half little-endian as old blocks."""
    base = list(packets())
    half = len(base) // 2
    first = Section(">", "first section, big-endian")
    first.interface(6)
    first.interface(9)
    first.names("198.18.50.43", "alias.example")
    for number, (seconds, micros, frame) in enumerate(base[:half]):
        ticks = seconds * 1_000_000 + micros
        comment = "the first packet of all" if number == 0 else None
        first.enhanced(number % 2, ticks * (1000 if number % 2 else 1), frame, comment)
    first.statistics(0, base[half - 1][0] * 1_000_000, 3)
    second = Section("<", "second section, little-endian")
    second.interface(6)
    for seconds, micros, frame in base[half:]:
        second.old(0, seconds * 1_000_000 + micros, frame)
    return first.blocks + second.blocks


def simple():
    """Simple packet blocks: no times at all."""
    section = Section("<", "packets without times")
    section.interface(6)
    for _, _, frame in packets():
        section.add(SPB, section.pack("I", len(frame)) + padded(frame))
    return section.blocks


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)


def main():
    OUT.mkdir(exist_ok=True)
    (OUT / "big-endian.pcap").write_bytes(pcap(">", False))
    (OUT / "big-endian-ns.pcap").write_bytes(pcap(">", True))
    (OUT / "sections.pcapng").write_bytes(sections())
    (OUT / "simple.pcapng").write_bytes(simple())
    run("editcap", "-F", "nsecpcap", BASE, OUT / "nanoseconds.pcap")
    secrets = f"tls,{OUT / 'tls13.keys'}"
    run("editcap", "-F", "pcapng", "--inject-secrets", secrets, "-a", "4:the first question", BASE, OUT / "secrets.pcapng")
    (OUT / "gzip.pcap.gz").write_bytes(subprocess.check_output(["gzip", "-9nc", BASE]))
    (OUT / "zstd.pcap.zst").write_bytes(subprocess.check_output(["zstd", "-19qc", BASE]))
    (OUT / "gzip.pcapng.gz").write_bytes(subprocess.check_output(["gzip", "-9nc", OUT / "secrets.pcapng"]))
    # Cut in the middle of the last packet.
    (OUT / "cut.pcap").write_bytes(BASE.read_bytes()[:-20])
    (OUT / "cut.pcapng").write_bytes((OUT / "sections.pcapng").read_bytes()[:-20])


if __name__ == "__main__":
    main()
