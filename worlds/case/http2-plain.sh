#!/usr/bin/env bash
# HTTP/2 in the clear with prior knowledge: curl and nghttp against nginx.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.80
resolver two.example,198.18.11.80
web 'server { listen 80 http2; }'

record client eth0 "$work/http2-plain.pcap" not icmp6
in_client curl -sS -o "$work/o" --http2-prior-knowledge http://two.example/
in_client nghttp -n http://two.example/ http://two.example/index.html
record_end
keep http2-plain "$work/http2-plain.pcap"
