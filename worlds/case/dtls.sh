#!/usr/bin/env bash
# DTLS 1.2: openssl's client and server, and a ClientHello in fragments.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.60.44
resolver dtls.example,198.18.60.44
certificates dtls.example
background dtls ip netns exec server sh -c "sleep 60 | openssl s_server -dtls1_2 -accept 198.18.60.44:4433 \
    -cert $work/dtls.example.pem -key $work/dtls.example.key"
wait_for 5 listening server 4433
say() { (sleep 0.5; echo 'shall we meet at eight?'; sleep 0.5; echo Q) |
    in_client timeout 8 openssl s_client -dtls1_2 -connect dtls.example:4433 -servername dtls.example "$@" >"$work/o" 2>&1; }

record client eth0 "$work/dtls.pcap" not icmp6
say
say -mtu 256
record_end
keep dtls "$work/dtls.pcap"
