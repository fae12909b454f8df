#!/usr/bin/env bash
# IP fragments: DNS answers of 1.7 kB over UDP on a link of 1280 bytes, IPv4 and IPv6, as
# kdig asks and Knot answers; the name and address are only in the reassembled answer.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.1.53 2001:2:0:0::53 198.18.12.80
{
    printf '$ORIGIN example.\n$TTL 300\n@ SOA ns.example. root.example. 1 3600 600 86400 300\n@ NS ns\nns A 198.18.1.53\n'
    printf 'big CNAME pool\n'
    printf 'pool A 198.18.12.%d\n' {80..180}
} >"$work/example.zone"
mkdir -p "$work/knot"
cat >"$work/knot.conf" <<CONF
server:
    listen: [ 198.18.1.53@53, "2001:2::53@53" ]
    rundir: $work/knot
    identity: ""
    version: ""
    udp-max-payload: 4096
database:
    storage: $work/knot
zone:
  - domain: example
    file: $work/example.zone
CONF
background knot ip netns exec server knotd -c "$work/knot.conf"
wait_for 5 listening server 53
web 'server { listen 80; }'
for end in client server; do ip -n $end link set eth0 mtu 1280; done

record client eth0 "$work/fragments.pcap" 'ip or (ip6 and not icmp6)'
in_client kdig @198.18.1.53 big.example A +bufsize=4096 +ignore >"$work/o"
in_client kdig @2001:2::53 big.example A +bufsize=4096 +ignore >"$work/o"
in_client curl -sS -o "$work/o" http://198.18.12.80/
record_end
keep fragments "$work/fragments.pcap"
