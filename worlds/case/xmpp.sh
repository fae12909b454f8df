#!/usr/bin/env bash
# XMPP: slixmpp and Prosody, once in the clear and once with STARTTLS.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.20.31
resolver plain.example,198.18.20.31 starttls.example,198.18.20.31
certificates starttls.example
mkdir -p "$work/prosody"
cat >"$work/prosody.cfg.lua" <<CONF
modules_enabled = { "roster", "saslauth", "tls", "disco" }
modules_disabled = { "s2s" }
data_path = "$work/prosody"
pidfile = "$work/prosody/pid"
log = { info = "*console" }
interfaces = { "*" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
VirtualHost "plain.example"
VirtualHost "starttls.example"
    ssl = { key = "$work/starttls.example.key", certificate = "$work/starttls.example.pem" }
CONF
chown -R prosody "$work/prosody" "$work/starttls.example.key"
for host in plain.example starttls.example; do
    prosodyctl --config "$work/prosody.cfg.lua" register alice "$host" secret >"$work/o" 2>&1
done
background prosody ip netns exec server setpriv --reuid prosody --clear-groups prosody -F \
    --config "$work/prosody.cfg.lua"
wait_for 10 listening server 5222

for kind in plain starttls; do
    record client eth0 "$work/$kind.pcap" not icmp6
    in_client "$python" "$repo/worlds/case/xmpp_client.py" "$kind" "$work/ca.pem"
    record_end
    keep xmpp "$work/$kind.pcap"
done
