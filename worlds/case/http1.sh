#!/usr/bin/env bash
# HTTP/1: curl and nginx; one connection that carries two Hosts, and a CONNECT through tinyproxy.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.80 198.18.12.80 2001:2:0:11::80
resolver one.example,198.18.11.80 six.example,2001:2:0:11::80 proxy.example,198.18.12.80
web 'server { listen 80; listen [::]:80; keepalive_timeout 5; }'
printf 'Port 3128\nListen 198.18.12.80\nTimeout 20\nMaxClients 4\nConnectPort 80\n' >"$work/proxy.conf"
background proxy ip netns exec server tinyproxy -d -c "$work/proxy.conf"
wait_for 5 listening server 3128

record client eth0 "$work/http1.pcap" not icmp6
in_client curl -sS -o "$work/o" http://one.example/
in_client curl -sS -o "$work/o" http://six.example/missing
in_client curl -sS -o "$work/o" -H 'Host: first.example' http://198.18.11.80/ \
    --next -sS -o "$work/o" -H 'Host: second.example:80' http://198.18.11.80/index.html
in_client curl -sS -o "$work/o" --proxytunnel --proxy http://proxy.example:3128 http://one.example/
record_end
keep http1 "$work/http1.pcap"
