#!/usr/bin/env python3
"""Makes distance: holds every packet from the client back for the round-trip time of its goal.

    delay.py TUN PREFIX=MILLISECONDS...

Reads packets from a tun device and writes them back to it when their time has come. The way back
is not delayed, so a handshake takes the round-trip time as a whole. Ends with its world.
"""
import fcntl
import heapq
import ipaddress
import os
import select
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def open_tun(name):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


def goal(packet):
    at = slice(16, 20) if packet[0] >> 4 == 4 else slice(24, 40)
    return ipaddress.ip_address(packet[at])


def main():
    tun = open_tun(sys.argv[1])
    pairs = (argument.split("=") for argument in sys.argv[2:])
    delays = [(ipaddress.ip_network(prefix), float(ms) / 1000) for prefix, ms in pairs]
    held = []
    count = 0
    while True:
        pause = max(0, held[0][0] - time.monotonic()) if held else None
        if select.select([tun], [], [], pause)[0]:
            packet = os.read(tun, 65535)
            address = goal(packet)
            delay = next((delay for prefix, delay in delays if address in prefix), 0)
            count += 1
            heapq.heappush(held, (time.monotonic() + delay, count, packet))
        while held and held[0][0] <= time.monotonic():
            os.write(tun, heapq.heappop(held)[2])


if __name__ == "__main__":
    main()
