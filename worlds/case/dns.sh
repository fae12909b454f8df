#!/usr/bin/env bash
# DNS: kdig and curl against Knot DNS: A, AAAA, CNAME chain, HTTPS with hints, PTR, a name that does
# not exist, an answer that needs TCP, and DNS over TLS through nginx as its TLS end.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.1.53 198.18.11.80 198.18.12.80 198.18.30.80 2001:2:0:11::80
certificates dot.example
printf 'big TXT "%s"\n' "$(printf 'x%.0s' {1..240})" >"$work/big"
cat >"$work/example.zone" <<ZONE
\$ORIGIN example.
\$TTL 300
@ SOA ns.example. root.example. 1 3600 600 86400 300
@ NS ns
ns A 198.18.1.53
plain A 198.18.11.80
plain AAAA 2001:2:0:11::80
www CNAME cdn
cdn CNAME node7.pool
node7.pool A 198.18.12.80
modern HTTPS 1 . alpn=h2,h3 ipv4hint=198.18.30.80 ipv6hint=2001:2:0:30::80
$(for n in 1 2 3 4 5 6 7 8; do sed "s/x/$n/g" "$work/big"; done)
ZONE
cat >"$work/reverse.zone" <<ZONE
\$ORIGIN 18.198.in-addr.arpa.
\$TTL 300
@ SOA ns.example. root.example. 1 3600 600 86400 300
@ NS ns.example.
80.30 PTR reversed.example.
ZONE
mkdir -p "$work/knot"
cat >"$work/knot.conf" <<CONF
server:
    listen: 198.18.1.53@53
    rundir: $work/knot
    identity: ""
    version: ""
database:
    storage: $work/knot
zone:
  - domain: example
    file: $work/example.zone
  - domain: 18.198.in-addr.arpa
    file: $work/reverse.zone
CONF
background knot ip netns exec server knotd -c "$work/knot.conf"
wait_for 5 listening server 53
cat >"$work/dot.conf" <<CONF
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; pid $work/dot.pid; error_log stderr; user root;
events { worker_connections 64; }
stream { server { listen 198.18.1.53:853 ssl; proxy_pass 198.18.1.53:53;
    ssl_certificate $work/dot.example.pem; ssl_certificate_key $work/dot.example.key; } }
CONF
background dot ip netns exec server nginx -c "$work/dot.conf"
web 'server { listen 80; listen [::]:80; }'
wait_for 5 listening server 853
dig() { in_client kdig @198.18.1.53 "$@" >"$work/o"; }

record client eth0 "$work/dns.pcap" not icmp6
dig plain.example A
in_client curl -sS -o "$work/o" http://www.example/
in_client curl -sS -6 -o "$work/o" http://plain.example/
dig modern.example HTTPS
in_client curl -sS -o "$work/o" http://198.18.30.80/
dig -x 198.18.30.80
dig nowhere.example A
dig big.example TXT +bufsize=512
dig plain.example A +tcp
dig plain.example A +tls-ca="$work/ca.pem" +tls-hostname=dot.example
record_end
keep dns "$work/dns.pcap"
