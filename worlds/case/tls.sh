#!/usr/bin/env bash
# TLS 1.2 and 1.3: curl and openssl against nginx; full and resumed, with and without SNI, a hello
# retry, and a ClientHello that takes several segments. The secrets of tls13 are kept for the
# formats case.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.11.43 198.18.30.43 198.18.50.43
resolver secure.example,198.18.11.43 retry.example,198.18.30.43
certificates secure.example retry.example
secure() { # NAME ADDRESS OPTIONS
    printf 'server { listen %s:443 ssl; ssl_certificate %s.pem; ssl_certificate_key %s.key; %s
        location / { return 200 "secret words\\n"; } }\n' "$2" "$work/$1" "$work/$1" "$3"
}
web "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:x:1m;
    $(secure secure.example 198.18.11.43 '')
    $(secure retry.example 198.18.30.43 'ssl_ecdh_curve secp384r1;')
    $(secure secure.example 198.18.50.43 '')" 443
get() { in_client curl -sS -o "$work/o" --cacert "$work/ca.pem" "$@"; }
hello() { printf 'GET / HTTP/1.0\r\n\r\n' | in_client timeout 5 openssl s_client -ign_eof "$@" >"$work/o" 2>&1 || return 1; }

record client eth0 "$work/tls12.pcap" not icmp6
get --tls-max 1.2 https://secure.example/
hello -tls1_2 -connect 198.18.11.43:443 -servername secure.example -sess_out "$work/ticket12"
hello -tls1_2 -connect 198.18.11.43:443 -servername secure.example -sess_in "$work/ticket12"
hello -tls1_2 -connect 198.18.50.43:443 -noservername
record_end
keep tls12 "$work/tls12.pcap"

record client eth0 "$work/tls13.pcap" not icmp6
export SSLKEYLOGFILE=$work/tls13.keys
get https://secure.example/
unset SSLKEYLOGFILE
hello -tls1_3 -connect 198.18.11.43:443 -servername secure.example -sess_out "$work/ticket13"
hello -tls1_3 -connect 198.18.11.43:443 -servername secure.example -sess_in "$work/ticket13"
get --tlsv1.3 --curves X25519:P-384 https://retry.example/
long=$(printf ',protocol-number-%03d' {1..200})
hello -tls1_3 -connect 198.18.50.43:443 -servername long.example -alpn "http/1.1$long"
record_end
keep tls13 "$work/tls13.pcap"
keep formats "$work/tls13.keys"
