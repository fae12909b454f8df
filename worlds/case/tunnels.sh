#!/usr/bin/env bash
# One HTTP fetch inside each kind of tunnel: VXLAN by the kernel, the others by tunnel.py.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.30.1
web 'server { listen 80; listen [::]:80; }'

# inside KIND CLIENT SERVER PREFIX: both ends up, addresses on them, a fetch recorded.
inside() {
    local kind=$1 url=$3 end
    for end in client server; do
        wait_for 5 ip -n $end link show "in-$kind"
        [ "$kind" = 6in4 ] || [ "$kind" = teredo ] || ip netns exec $end sysctl -qw "net.ipv6.conf.in-$kind.disable_ipv6=1"
        ip -n $end link set "in-$kind" mtu 1400 up
    done
    ip -n client address add "$2/$4" dev "in-$kind"
    ip -n server address add "$3/$4" dev "in-$kind"
    # Neighbours are told, so that no ARP travels inside.
    case $kind in
        vlan | qinq | geneve | vxlan | mpls | pppoe)
            ip -n client neigh add "$3" lladdr 02:00:00:00:10:02 dev "in-$kind"
            ip -n server neigh add "$2" lladdr 02:00:00:00:10:01 dev "in-$kind"
            ;;
    esac
    case $3 in *:*) url="[$3]" ;; esac
    sleep 0.3
    record client eth0 "$work/$kind.pcap"
    in_client curl -sS --max-time 10 -o "$work/o" -H "Host: inside-$kind.example" "http://$url/"
    record_end
    tcpdump -r "$work/$kind.pcap" -w "$work/$kind.kept.pcap" not icmp6 and not igmp 2>"$work/o"
    mv "$work/$kind.kept.pcap" "$work/$kind.pcap"
    keep tunnels "$work/$kind.pcap"
    ip -n client link set "in-$kind" down
    ip -n server link set "in-$kind" down
}

for kind in vlan qinq gre 6in4 ipip geneve gtp-u teredo mpls pppoe; do
    background "$kind-client" ip netns exec client "$python" "$repo/worlds/tunnel.py" $kind in-$kind eth0 198.18.0.10 198.18.30.1
    background "$kind-server" ip netns exec server "$python" "$repo/worlds/tunnel.py" $kind in-$kind eth0 198.18.30.1 198.18.0.10
    for end in client server; do
        wait_for 5 ip -n $end link show in-$kind
        number=$([ $end = client ] && echo 1 || echo 2)
        case $kind in
            vlan | qinq | geneve | mpls | pppoe) ip -n $end link set in-$kind address "02:00:00:00:10:0$number" ;;
        esac
    done
    case $kind in
        vlan) inside vlan 198.19.1.10 198.19.1.80 24 ;;
        qinq) inside qinq 198.19.2.10 198.19.2.80 24 ;;
        gre) inside gre 198.19.3.10 198.19.3.80 24 ;;
        6in4) inside 6in4 2001:2:0:9::10 2001:2:0:9::80 64 ;;
        ipip) inside ipip 198.19.4.10 198.19.4.80 24 ;;
        geneve) inside geneve 198.19.5.10 198.19.5.80 24 ;;
        gtp-u) inside gtp-u 198.19.7.10 198.19.7.80 24 ;;
        teredo) inside teredo 2001:2:0:a::10 2001:2:0:a::80 64 ;;
        mpls) inside mpls 198.19.8.10 198.19.8.80 24 ;;
        pppoe) inside pppoe 198.19.10.10 198.19.10.80 24 ;;
    esac
done

ip -n client link add in-vxlan address 02:00:00:00:10:01 type vxlan id 42 local 198.18.0.10 remote 198.18.30.1 dstport 4789
ip -n server link add in-vxlan address 02:00:00:00:10:02 type vxlan id 42 local 198.18.30.1 remote 198.18.0.10 dstport 4789
inside vxlan 198.19.6.10 198.19.6.80 24
