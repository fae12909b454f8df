#!/usr/bin/env bash
# Records the study: three builds of one messenger, eight runs each, interleaved in random blocks.
#
#   worlds/messenger/record.sh [SEED [RUNS]]
#
# client ── router (adds each country's round-trip time) ── internet (all servers, one namespace)
# Writes corpus/messenger/BUILD/runN.pcapng and plan.json, from which truth.py writes the truth.
WORLD_LIMIT=590
. "$(dirname "$0")/../world.sh"
here=$repo/worlds/messenger
out=$repo/corpus/messenger
seed=${1:-1}
runs=${2:-8}

"$python" "$here/plan.py" "$seed" "$runs" >"$work/plan.json"
ask() { "$python" "$here/servers.py" "$work/plan.json" "$@"; }

# The wires. Round-trip times in milliseconds are those of the planted places, seen from NL.
ns client
ns router
ns internet
link client eth0 router c0
link router s0 internet eth0
add client eth0 198.18.0.10/24 2001:2::10/64
add router c0 198.18.0.1/24 2001:2::1/64
add router s0 198.19.0.1/30 2001:2:0:ffff::1/64
add internet eth0 198.19.0.2/30 2001:2:0:ffff::2/64
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip netns exec router ip tuntap add dev tun0 mode tun
ip -n router link set tun0 up
ip netns exec router sysctl -qw net.ipv4.conf.tun0.rp_filter=0
ip -n client route add 198.18.0.0/15 via 198.18.0.1
ip -n client route add 2001:2::/48 via 2001:2::1
ip -n router route add 198.18.0.0/15 via 198.19.0.2
ip -n router route add 2001:2::/48 via 2001:2:0:ffff::2
ip -n router route add 198.18.0.0/15 dev tun0 table 100
ip -n router route add 2001:2::/48 dev tun0 table 100
ip -n router rule add iif c0 lookup 100
ip -n router -6 rule add iif c0 lookup 100
ip -n internet route add 198.18.0.0/24 via 198.19.0.1
ip -n internet route add 2001:2::/64 via 2001:2:0:ffff::1
for address in 198.18.1.53 $(ask addresses); do ip -n internet address add "$address" dev lo; done
# shellcheck disable=SC2046
background delay ip netns exec router "$python" "$here/delay.py" tun0 $(ask delays)

# The servers.
# shellcheck disable=SC2046
certificates kite.example $(ask names)
serve() { background "$1" ip netns exec internet "${@:2}"; }
mkdir -p "$work/www" "$work/prosody"
chmod 777 "$work" "$work/prosody"
printf 'tiananmen falun democracy petition strike %d\n' {1..40} >"$work/www/list.txt"
printf '{"name":"bob%d","address":"bob@kite.example"}\n' {1..20} >"$work/www/people.json"
printf 'MZ program, line %d\n' {1..150} >"$work/www/setup.exe"
ask nginx "$work" >"$work/nginx.conf"
serve nginx nginx -c "$work/nginx.conf"
sed "s,WORK,$work,g" "$here/prosody.cfg.lua" >"$work/prosody.cfg.lua"
chown -R prosody "$work/prosody" "$work/kite.example.key"
prosodyctl --config "$work/prosody.cfg.lua" register alice kite.example secret-of-alice >/dev/null 2>&1
serve prosody setpriv --reuid prosody --clear-groups prosody -F --config "$work/prosody.cfg.lua"
serve turn turnserver -n --stun-only --no-rfc5780 --no-cli --pidfile "$work/turn.pid" --log-file stdout \
    --listening-port 3478 $(ask listeners stun)
for address in $(ask pool directory); do
    serve "quic-${address//:/-}" gtlsserver -q -d "$work/www" "$address" 443 \
        "$work/directory.kite.example.key" "$work/directory.kite.example.pem"
done
for port in 80 443 5222 3478; do wait_for 10 listening internet $port; done

# The runs, in the plan's order.
rm -rf "$out/regular" "$out/co-branded" "$out/co-branded-zh"
for run in $(ask order); do
    ask zone "$run" >"$work/dnsmasq.conf"
    serve dns dnsmasq --keep-in-foreground --conf-file="$work/dnsmasq.conf" --user=root
    dns_pid=$last_background
    wait_for 5 listening internet 53
    record client eth0 "$work/run.pcap" not arp and not icmp6
    in_client "$python" "$here/client.py" "$work/plan.json" "$run" "$work/ca.pem"
    record_end
    mkdir -p "$out/$(dirname "$run")"
    editcap -F pcapng --capture-comment "Overheard world: messenger, $run" "$work/run.pcap" \
        "$out/$run.pcapng"
    kill "$dns_pid"
    wait "$dns_pid" || true
    echo "$run $(stat -c %s "$out/$run.pcapng") bytes"
done
cp "$work/plan.json" "$out/plan.json"
