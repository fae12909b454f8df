#!/usr/bin/env bash
# Link types: one HTTP fetch over IPv4 and IPv6, seen on the pseudo-device "any" (SLL2, and SLL1 as
# older captures have it) and on a tun device (raw IP).
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.80 2001:2:0:11::80
resolver one.example,198.18.11.80 six.example,2001:2:0:11::80
web 'server { listen 80; listen [::]:80; }'
fetch() {
    in_client curl -sS --max-time 10 -o "$work/o" http://one.example/
    in_client curl -sS --max-time 10 -o "$work/o" http://six.example/
}

for type in LINUX_SLL LINUX_SLL2; do
    record client any "$work/$type.pcap" -y $type not icmp6
    fetch
    record_end
    keep links "$work/$type.pcap" "$(echo "${type#LINUX_}" | tr A-Z a-z).pcap"
done

# The same wire as a tun device, through the tunnel that ipip gives.
for end in client server; do
    [ $end = client ] && set -- 198.18.0.10 198.18.11.80 || set -- 198.18.11.80 198.18.0.10
    background "tun-$end" ip netns exec $end "$python" "$repo/worlds/tunnel.py" gre raw0 eth0 "$1" "$2"
    wait_for 5 ip -n $end link show raw0
    ip -n $end link set raw0 mtu 1400 up
done
ip -n client address add 198.19.9.10/24 dev raw0
ip -n client address add 2001:2:0:19::10/64 dev raw0
ip -n server address add 198.19.9.80/24 dev raw0
ip -n server address add 2001:2:0:19::80/64 dev raw0
record client raw0 "$work/raw.pcap" not icmp6
in_client curl -sS --max-time 10 -o "$work/o" -H 'Host: one.example' http://198.19.9.80/
in_client curl -sS --max-time 10 -o "$work/o" -H 'Host: six.example' 'http://[2001:2:0:19::80]/'
record_end
keep links "$work/raw.pcap"
