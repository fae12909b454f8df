#!/usr/bin/env bash
# STUN and TURN: coturn's own clients and server; the relayed peer is on the server's side.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.50.61 198.18.50.62
resolver stun.example,198.18.50.61
background turn ip netns exec server turnserver -n --no-cli --pidfile "$work/turn.pid" --log-file stdout \
    --listening-ip=198.18.50.61 --relay-ip=198.18.50.61 --no-rfc5780 --lt-cred-mech --realm=stun.example \
    --user=alice:secret --no-tls --no-dtls --userdb="$work/turn.db"
background peer ip netns exec server turnutils_peer -L 198.18.50.62 -p 3480
wait_for 5 listening server 3478

record client eth0 "$work/stun.pcap" not icmp6
in_client turnutils_stunclient stun.example >"$work/o"
in_client timeout 20 turnutils_uclient -u alice -w secret -e 198.18.50.62 -r 3480 -n 3 -m 1 -c \
    198.18.50.61 >"$work/o"
record_end
keep stun "$work/stun.pcap"
