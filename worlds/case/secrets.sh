#!/usr/bin/env bash
# Secrets: connections whose client logged them. openssl with AES-CBC, its MAC over the text or over what was encrypted, full
# and resumed; aioquic in version 1 and 2 with each cipher, key updates, new connection identifiers, early data and datagrams;
# ngtcp2, whose client posts a page over HTTP/3, updates its keys and moves to another port meanwhile.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.61 198.18.30.61 198.18.50.61
certificates block.example lines.example page.example

# The MAC over the text, which openssl has no option for.
printf '%s\n' 'openssl_conf = a' '[a]' 'ssl_conf = b' '[b]' 'system_default = c' '[c]' 'Options = -EncryptThenMac' \
    >"$work/plain-mac.cnf"
background block ip netns exec server openssl s_server -rev -quiet -accept 198.18.11.61:4433 -tls1_2 \
    -key "$work/block.example.key" -cert "$work/block.example.pem" -cipher 'ALL:@SECLEVEL=0'
wait_for 5 listening server 4433
say() { # SUITE TEXT OPTIONS
    { sleep 0.2; printf '%s\n' "$2"; sleep 0.3; } | in_client timeout 5 openssl s_client -quiet -no_ign_eof -tls1_2 \
        -connect 198.18.11.61:4433 -servername block.example -cipher "$1:@SECLEVEL=0" -keylogfile "$work/block.keys" "${@:3}" >>"$work/o" 2>&1
}
record client eth0 "$work/block.pcap" not icmp6
for suite in AES128-SHA AES256-SHA AES128-SHA256 AES256-SHA384; do
    say "ECDHE-ECDSA-$suite" "we meet by the river, $suite"
    OPENSSL_CONF=$work/plain-mac.cnf say "ECDHE-ECDSA-$suite" "we meet by the sea, $suite"
done
say ECDHE-ECDSA-AES128-SHA "we meet by the lake, first" -sess_out "$work/ticket"
say ECDHE-ECDSA-AES128-SHA "we meet by the lake, resumed" -sess_in "$work/ticket"
record_end

background lines ip netns exec server "$python" "$repo/worlds/case/quic_lines.py" serve 198.18.30.61 \
    "$work/lines.example.pem" "$work/lines.example.key"
wait_for 5 listening server 4434
lines() { in_client timeout 10 "$python" "$repo/worlds/case/quic_lines.py" say 198.18.30.61 "$work/lines.keys" "$@"; }
record client eth0 "$work/lines.pcap" not icmp6
lines 1 AES_128_GCM_SHA256 "we meet by the river, version 1" update "again by the river, other keys" \
    update "at last by the river, third keys"
lines 1 AES_256_GCM_SHA384 "we meet by the sea, AES-256" identifier "again by the sea, another identifier"
lines 1 CHACHA20_POLY1305_SHA256 "we meet by the lake, ChaCha20" update "again by the lake, other keys"
lines 2 AES_128_GCM_SHA256 "we meet on the hill, version 2" update "again on the hill, other keys"
lines 1 AES_128_GCM_SHA256 datagram "we meet in the wood, a datagram" long "we meet in the wood, far down a stream"
lines 1 AES_128_GCM_SHA256 ticket "we meet at the gate, first"
lines 1 AES_128_GCM_SHA256 early "we meet at the gate, early"
record_end

mkdir -p "$work/www"
printf 'a page over HTTP/3\n' >"$work/www/index.html"
{ head -c 60000 /dev/zero | tr '\0' '.'; printf 'we meet under the bridge, after the move'; } >"$work/post"
background page ip netns exec server gtlsserver -q -d "$work/www" 198.18.50.61 443 \
    "$work/page.example.key" "$work/page.example.pem"
wait_for 5 listening server 443
printf '198.18.50.61 page.example\n' >>"$work/hosts"
record client eth0 "$work/page.pcap" not icmp6
SSLKEYLOGFILE=$work/page.keys in_client timeout 10 gtlsclient -q --exit-on-all-streams-close --timeout=3s \
    --change-local-addr=60ms --key-update=90ms --delay-stream=120ms -d "$work/post" page.example 443 https://page.example/
record_end

for capture in block lines page; do
    editcap --inject-secrets "tls,$work/$capture.keys" "$work/$capture.pcap" "$work/$capture.pcapng"
    keep secrets "$work/$capture.pcapng"
done
