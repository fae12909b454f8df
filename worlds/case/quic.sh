#!/usr/bin/env bash
# QUIC: ngtcp2's client and server (version 1, version 2, Retry), aioquic with a ClientHello that
# takes several packets (version 1 and 2), and Chromium, whose hello does so by itself and is shuffled.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.51 198.18.30.51 198.18.50.51 198.18.70.51
resolver quic.example,198.18.11.51 retry.example,198.18.30.51 large.example,198.18.50.51 two.example,198.18.70.51
certificates quic.example retry.example large.example two.example
mkdir -p "$work/www"
printf 'a page over HTTP/3\n' >"$work/www/index.html"
serve() { background "quic-$1" ip netns exec server gtlsserver -q -d "$work/www" "${@:3}" "$2" 443 \
    "$work/$1.key" "$work/$1.pem"; }
serve quic.example 198.18.11.51
serve retry.example 198.18.30.51 --validate-addr
background quic-v2 ip netns exec server "$python" "$repo/worlds/case/quic_server.py" 198.18.70.51 \
    "$work/two.example.pem" "$work/two.example.key"
serve large.example 198.18.50.51
wait_for 5 listening server 443
get() { in_client timeout 10 gtlsclient -q --exit-on-all-streams-close --timeout=3s "$@"; }

record client eth0 "$work/ngtcp2.pcap" not icmp6
get quic.example 443 https://quic.example/
get -v v2draft --other-versions=v2draft,v1 quic.example 443 https://quic.example/
get retry.example 443 https://retry.example/
record_end
keep quic "$work/ngtcp2.pcap"

record client eth0 "$work/aioquic.pcap" not icmp6
in_client "$python" "$repo/worlds/case/quic_client.py" large.example "$work/ca.pem" 1 2>"$work/o"
in_client "$python" "$repo/worlds/case/quic_client.py" two.example "$work/ca.pem" 2 2>"$work/o"
record_end
keep quic "$work/aioquic.pcap"

record client eth0 "$work/chromium.pcap" not icmp6
pin=$(openssl x509 -in "$work/large.example.pem" -pubkey -noout | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -binary | base64)
in_client timeout -k 2 25 chromium --headless --no-sandbox --disable-gpu --disable-background-networking \
    --disable-component-update --disable-sync --no-first-run --no-pings --disable-features=OptimizationHints \
    --user-data-dir="$work/chromium" --origin-to-force-quic-on=large.example:443 --proxy-server=direct:// \
    --ignore-certificate-errors-spki-list="$pin" --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE large.example' \
    --dump-dom https://large.example/ >"$work/page" 2>"$work/chromium.log" || cat "$work/chromium.log"
grep -q 'a page over HTTP/3' "$work/page"
record_end
keep quic "$work/chromium.pcap"
