# shellcheck shell=bash
# The ground that every recording stands on; source it first in a script.
#
# Promises: the script runs again inside its own mount, UTS, IPC, PID and network namespaces.
# There is no uplink: the only links are veth pairs between namespaces made here. /run, /tmp and
# $HOME are private tmpfs. When the script ends, however it ends, the kernel ends its processes and
# drops its namespaces with it: nothing is left to clean up.
# Gives: $repo, $work (scratch), ns, link, add, in_client, in_server, background, wait_for,
# record, record_end.
set -euo pipefail

if [ -z "${OVERHEARD_WORLD:-}" ]; then
    OVERHEARD_WORLD=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    export OVERHEARD_WORLD
    exec timeout --kill-after=5 "${WORLD_LIMIT:-500}" unshare --mount --uts --ipc --net --pid \
        --fork --kill-child --mount-proc bash "$0" "$@"
fi
trap 'echo "failed: $BASH_SOURCE:$LINENO: $BASH_COMMAND" >&2' ERR
set -E
repo=$OVERHEARD_WORLD
python=${WORLD_PYTHON:-python3}

# Private scratch.
mount -t tmpfs tmpfs /run
work=/run/world
mkdir -p "$work/home" /run/netns /run/lock
chmod 755 "$work"
export HOME=$work/home LC_ALL=C.UTF-8 TZ=UTC
hostname world
printf 'nameserver 198.18.1.53\noptions timeout:1 attempts:2\n' >"$work/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$work/hosts"
printf 'hosts: files dns\npasswd: files\ngroup: files\nshadow: files\n' >"$work/nsswitch.conf"
for file in resolv.conf hosts nsswitch.conf; do mount --bind "$work/$file" "/etc/$file"; done
ip link set lo up

# ns NAME: a namespace with loopback up and no router advertisements or duplicate address detection.
ns() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.default.router_solicitations=0 net.ipv4.ip_unprivileged_port_start=0 \
        net.ipv4.ping_group_range="0 65535"
}

# link NS1 DEV1 NS2 DEV2: a veth pair with locally administered MACs and without offloads, so that
# the capture holds frames as a wire would carry them.
links=0
link() {
    links=$((links + 1))
    ip -n "$1" link add "$2" address "02:00:00:00:0$links:01" type veth \
        peer name "$4" address "02:00:00:00:0$links:02" netns "$3"
    local at
    for at in "$1 $2" "$3 $4"; do
        # shellcheck disable=SC2086
        set -- $at
        ip netns exec "$1" ethtool -K "$2" tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
        ip -n "$1" link set "$2" up
    done
}

# add NS DEV ADDRESS...: assigns addresses, each with its prefix length.
add() {
    local in=$1 dev=$2 address
    shift 2
    for address in "$@"; do ip -n "$in" address add "$address" dev "$dev"; done
}

# two_ends SERVER_ADDRESS...: the usual small world, client and server on one wire. All addresses
# are on link, so that no route leads anywhere.
two_ends() {
    ns client
    ns server
    link client eth0 server eth0
    add client eth0 198.18.0.10/15 2001:2:0:0::10/48
    local address
    for address in "$@"; do
        case $address in
            *:*) add server eth0 "$address/48" ;;
            *) add server eth0 "$address/15" ;;
        esac
    done
    sleep 0.3
}

in_client() { ip netns exec client "$@"; }
in_server() { ip netns exec server "$@"; }

# background LOGNAME COMMAND...: starts a daemon; its output goes to $work/LOGNAME.log.
background() {
    local log=$work/$1.log
    shift
    "$@" >"$log" 2>&1 </dev/null &
    last_background=$!
}

# wait_for SECONDS COMMAND...: tries until the command succeeds, at most so long.
wait_for() {
    local tries=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "gave up waiting for: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}

# listening NS PORT: whether something in NS has a socket bound to that port.
listening() { ip netns exec "$1" ss -Hlntu | grep -q ":$2 "; }

# record NS DEV FILE [FILTER...]: starts tcpdump with whole packets. record_end stops it.
record() {
    local in=$1 dev=$2 file=$3
    shift 3
    rm -f "$work/tcpdump.log"
    background tcpdump ip netns exec "$in" tcpdump -Z root -U --immediate-mode -B 8192 -s 0 \
        -i "$dev" -w "$file" "$@"
    tcpdump_pid=$last_background
    wait_for 5 grep -q 'listening on' "$work/tcpdump.log"
}

record_end() {
    sleep "${1:-0.5}"
    kill -INT "$tcpdump_pid"
    wait "$tcpdump_pid" || true
}

# certificates NAME...: a certificate authority in $work/ca.pem and $work/NAME.{key,pem} for each.
certificates() {
    (
        cd "$work"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -keyout ca.key -out ca.pem -subj "/O=Overheard world/CN=World Root" 2>/dev/null
        for name in "$@"; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" \
                -out "$name.csr" -subj "/O=Overheard world/CN=$name" 2>/dev/null
            openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
                -out "$name.pem" -extfile <(printf 'subjectAltName=DNS:%s' "$name") 2>/dev/null
            chmod 644 "$name.key"
        done
    )
}

# resolver NAME,ADDRESS...: a DNS server at 198.18.1.53 that knows these names and no others.
resolver() {
    {
        printf '%s\n' no-resolv no-hosts local=/example/ local-ttl=60 bind-interfaces \
            listen-address=198.18.1.53 "pid-file=$work/dns.pid"
        printf 'host-record=%s\n' "$@"
    } >"$work/dnsmasq.conf"
    add server eth0 198.18.1.53/15
    background dns ip netns exec server dnsmasq --keep-in-foreground --user=root \
        --conf-file="$work/dnsmasq.conf"
    wait_for 5 listening server 53
}

# web CONFIGURATION: nginx in the server's namespace with these server blocks.
web() {
    mkdir -p "$work/www"
    printf 'line %d of a page that anyone on the wire may read\n' {1..20} >"$work/www/index.html"
    chmod 755 "$work"
    cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log stderr; user root;
events { worker_connections 64; }
http {
    access_log off; root $work/www; default_type text/plain; server_tokens off;
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f;
    uwsgi_temp_path $work/u; scgi_temp_path $work/s;
    $1
}
CONF
    background nginx ip netns exec server nginx -c "$work/nginx.conf"
    wait_for 5 listening server "${2:-80}"
}

# keep CASE FILE [NAME]: moves a recording into the case's folder.
keep() {
    mkdir -p "$repo/corpus/$1"
    mv "$2" "$repo/corpus/$1/${3:-$(basename "$2")}"
}
