#!/usr/bin/env python3
"""Carries packets in a tunnel, in user space, where the kernel has no such link.

    tunnel.py KIND DEVICE WIRE LOCAL REMOTE

Makes DEVICE and moves what is sent on it to REMOTE in the encapsulation KIND: vlan and qinq
(IEEE 802.1Q, 802.1ad, on the Ethernet device WIRE), gre (RFC 2784), 6in4 (RFC 4213),
ipip (RFC 2003), geneve (RFC 8926), gtp-u (3GPP TS 29.281), teredo's encapsulation (RFC 4380, without its servers and
addresses), and of IPv4 only mpls (RFC 3032) and pppoe (RFC 2516). Ends with its world.
"""
import contextlib
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0001, 0x0002, 0x1000
TAGS = {"vlan": "8100 0064", "qinq": "88a8 0007 8100 0064"}
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
IP_PROTOCOL = {"gre": 47, "6in4": 41, "ipip": 4}
PORTS = {"geneve": 6081, "gtp-u": 2152, "teredo": 3544}
MPLS, PPPOE = "8847", "8864"


def device(kind, name):
    flags = IFF_TAP if kind in (*TAGS, "geneve", "mpls", "pppoe") else IFF_TUN
    opened = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(opened, TUNSETIFF, struct.pack("16sH", name.encode(), flags | IFF_NO_PI))
    return opened


class Ethernet:
    """Frames with tags after the addresses. The frame's own addresses stay as they are."""

    def __init__(self, kind, wire, *_):
        self.tag = bytes.fromhex(TAGS[kind])
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.bind((wire, 0))
        # The kernel takes the outer tag off what it receives and tells of it aside.
        self.socket.setsockopt(263, 8, 1)

    def send(self, frame):
        self.socket.send(frame[:12] + self.tag + frame[12:])

    def receive(self):
        frame, aside, _, address = self.socket.recvmsg(65535, 256)
        if address[2] == socket.PACKET_OUTGOING or not aside:
            return None
        inner = self.tag[4:]
        status, *_, tag, _ = struct.unpack("IIIHHHH", aside[0][2])
        return frame[:12] + frame[12 + len(inner) :] if status & 0x10 and tag else None


class Ip:
    """An IP protocol of its own, with a GRE header or without."""

    def __init__(self, kind, _, local, remote):
        self.gre, self.remote = kind == "gre", remote
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, IP_PROTOCOL[kind])
        self.socket.bind((local, 0))

    def send(self, packet):
        header = struct.pack(">HH", 0, ETHERTYPE[packet[0] >> 4]) if self.gre else b""
        self.socket.sendto(header + packet, (self.remote, 0))

    def receive(self):
        packet = self.socket.recv(65535)
        return packet[(packet[0] & 15) * 4 + (4 if self.gre else 0) :]


class Udp:
    """Ethernet (Geneve) or IP (GTP-U, Teredo) over UDP."""

    def __init__(self, kind, _, local, remote):
        self.kind, self.remote, self.port = kind, remote, PORTS[kind]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((local, self.port))

    def header(self, length):
        if self.kind == "geneve":
            return bytes.fromhex("0000 6558 00002a00")
        return struct.pack(">BBHI", 0x30, 255, length, 42) if self.kind == "gtp-u" else b""

    def send(self, packet):
        self.socket.sendto(self.header(len(packet)) + packet, (self.remote, self.port))

    def receive(self):
        return self.socket.recv(65535)[len(self.header(0)) :]


class Labelled:
    """IPv4 under a header that replaces the Ethernet type: an MPLS label or a PPPoE connection."""

    def __init__(self, kind, wire, *_):
        self.mpls = kind == "mpls"
        self.type = bytes.fromhex(MPLS if self.mpls else PPPOE)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        self.socket.bind((wire, 0))

    def send(self, frame):
        packet = frame[14:]
        label = bytes.fromhex("0002a140") if self.mpls else struct.pack(">BBHHH", 17, 0, 42, len(packet) + 2, 0x21)
        self.socket.send(frame[:12] + self.type + label + packet)

    def receive(self):
        frame, address = self.socket.recvfrom(65535)
        if address[2] == socket.PACKET_OUTGOING or frame[12:14] != self.type:
            return None
        return frame[:12] + bytes.fromhex("0800") + frame[18 if self.mpls else 22 :]


def room(kind):
    if kind in TAGS:
        return Ethernet
    if kind in PORTS:
        return Udp
    return Ip if kind in IP_PROTOCOL else Labelled


def main(kind, name, wire, local, remote):
    inside = device(kind, name)
    outside = room(kind)(kind, wire, local, remote)
    while True:
        for ready in select.select([inside, outside.socket], [], [])[0]:
            if ready is inside:
                outside.send(os.read(inside, 65535))
            elif packet := outside.receive():
                # A device that is down refuses: the packet is lost, as on any link.
                with contextlib.suppress(OSError):
                    os.write(inside, packet)


if __name__ == "__main__":
    main(*sys.argv[1:])
