#!/usr/bin/env bash
# SOCKS5: curl through microsocks, the name resolved by the proxy, once without and once with TLS.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.50.10 198.18.11.80
resolver web.example,198.18.11.80 secure.example,198.18.11.80 proxy.example,198.18.50.10
certificates secure.example
web "server { listen 80; } server { listen 443 ssl; ssl_certificate $work/secure.example.pem;
    ssl_certificate_key $work/secure.example.key; }"
background socks ip netns exec server microsocks -i 198.18.50.10 -p 1080
wait_for 5 listening server 1080

record client eth0 "$work/socks.pcap" not icmp6
in_client curl -sS -o "$work/o" --proxy socks5h://proxy.example:1080 http://web.example/
in_client curl -sS -o "$work/o" --proxy socks5h://proxy.example:1080 --cacert "$work/ca.pem" https://secure.example/
record_end
keep socks "$work/socks.pcap"
