-- The chat server of the messenger world; WORK is filled in by record.sh.
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping" }
modules_disabled = { "s2s" }
data_path = "WORK/prosody"
pidfile = "WORK/prosody.pid"
log = { info = "*console" }
interfaces = { "*" }
c2s_require_encryption = true
authentication = "internal_plain"

VirtualHost "kite.example"
    ssl = { key = "WORK/kite.example.key", certificate = "WORK/kite.example.pem" }
