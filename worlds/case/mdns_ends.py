#!/usr/bin/env python3
"""Announces or finds a printer over multicast DNS on one IPv4 address.

    mdns_ends.py announce|find ADDRESS
"""
import socket
import sys
import time

from zeroconf import IPVersion, ServiceInfo, Zeroconf

KIND, NAME = "_ipp._tcp.local.", "Printer._ipp._tcp.local."


def main(role, address):
    multicast = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    if role == "announce":
        where = [socket.inet_aton(address)]
        multicast.register_service(ServiceInfo(KIND, NAME, 80, addresses=where, server="printer.local."))
        time.sleep(60)
    else:
        found = multicast.get_service_info(KIND, NAME, timeout=8000)
        print(found)
        assert found and found.server == "printer.local."
    multicast.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
