#!/usr/bin/env bash
# BitTorrent: aria2 on both ends with opentracker; HTTP tracker, the peer protocol, a DHT query.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.62.69 198.18.12.68
resolver tracker.example,198.18.62.69
mkdir -p "$work/seed" "$work/leech"
seq -f 'line %06.0f of a shared file' 1 1500 >"$work/seed/shared.txt"
"$python" "$repo/worlds/case/torrent.py" "$work/seed/shared.txt" http://tracker.example:6969/announce >"$work/shared.torrent" 2>"$work/allowed"
background tracker ip netns exec server opentracker -i 198.18.62.69 -p 6969 -P 6969 -d "$work" -w /allowed
wait_for 5 listening server 6969
share() { # NAMESPACE FOLDER PORT OPTIONS...
    background "aria-$2" ip netns exec "$1" aria2c --dir="$work/$2" --listen-port="$3" --enable-dht=false \
        --bt-enable-lpd=false --enable-peer-exchange=false --check-integrity=true --console-log-level=notice \
        --summary-interval=0 --disable-ipv6=true "${@:4}" "$work/shared.torrent"
}
record client eth0 "$work/bittorrent.pcap" not icmp6
share server seed 6881 --seed-ratio=0.0 --interface=198.18.12.68
sleep 2
share client leech 6882 --seed-time=0 --interface=198.18.0.10
wait_for 25 cmp "$work/seed/shared.txt" "$work/leech/shared.txt"
record_end 1
keep bittorrent "$work/bittorrent.pcap"
