#!/usr/bin/env bash
# OpenVPN over UDP and over TCP (TLS, tls-crypt absent) and WireGuard (wireguard-go), one ping's worth each.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.50.94 198.18.50.51
certificates server.example client.example
for proto in udp tcp; do
    [ $proto = udp ] && kind='udp4 udp4' || kind='tcp4-server tcp4-client'
    # shellcheck disable=SC2086
    set -- $kind
    background "server-$proto" ip netns exec server openvpn --dev tunx --dev-type tun --proto "$1" --tls-server --dh none \
        --local 198.18.50.94 --port 1194 --ifconfig 198.19.7.1 198.19.7.2 \
        --ca "$work/ca.pem" --cert "$work/server.example.pem" --key "$work/server.example.key"
    server_pid=$last_background
    wait_for 5 listening server 1194
    record client eth0 "$work/openvpn-$proto.pcap" not icmp6
    background "client-$proto" ip netns exec client openvpn --dev tunx --dev-type tun --proto "$2" --tls-client --nobind \
        --remote 198.18.50.94 1194 --ifconfig 198.19.7.2 198.19.7.1 \
        --ca "$work/ca.pem" --cert "$work/client.example.pem" --key "$work/client.example.key"
    client_pid=$last_background
    wait_for 15 grep -q 'Initialization Sequence Completed' "$work/client-$proto.log"
    in_client ping -q -c 3 -i 0.2 198.19.7.1 >"$work/o"
    record_end
    kill "$client_pid" "$server_pid"
    wait "$client_pid" "$server_pid" || true
    keep vpn "$work/openvpn-$proto.pcap"
done

for end in client server; do
    background "wg-$end" ip netns exec $end env WG_PROCESS_FOREGROUND=1 wireguard-go "wg-$end"
    wait_for 5 ip -n $end link show "wg-$end"
    (umask 077 && wg genkey >"$work/wg-$end.key" && wg pubkey <"$work/wg-$end.key" >"$work/wg-$end.pub")
done
ip netns exec server wg set wg-server listen-port 51820 private-key "$work/wg-server.key" \
    peer "$(cat "$work/wg-client.pub")" allowed-ips 198.19.8.2/32
ip netns exec client wg set wg-client private-key "$work/wg-client.key" peer "$(cat "$work/wg-server.pub")" \
    allowed-ips 198.19.8.1/32 endpoint 198.18.50.51:51820
ip -n server address add 198.19.8.1/30 dev wg-server
ip -n client address add 198.19.8.2/30 dev wg-client
record client eth0 "$work/wireguard.pcap" not icmp6
ip -n server link set wg-server up
ip -n client link set wg-client up
in_client ping -q -c 3 -i 0.2 198.19.8.1 >"$work/o"
record_end
keep vpn "$work/wireguard.pcap"
