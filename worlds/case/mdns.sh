#!/usr/bin/env bash
# Multicast DNS: python-zeroconf on both ends; a service with host name and address, then a visit.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.0.77
web 'server { listen 80; }'
background announce ip netns exec server "$python" "$repo/worlds/case/mdns_ends.py" announce 198.18.0.77

record client eth0 "$work/mdns.pcap" not icmp6 and not igmp
in_client "$python" "$repo/worlds/case/mdns_ends.py" find 198.18.0.10 >"$work/o"
in_client curl -sS -o "$work/o" http://198.18.0.77/
record_end
keep mdns "$work/mdns.pcap"
