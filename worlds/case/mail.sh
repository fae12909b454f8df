#!/usr/bin/env bash
# SMTP (swaks to aiosmtpd, plain and STARTTLS), IMAP and POP3 (curl to Dovecot).
. "$(dirname "$0")/../world.sh"
two_ends 198.18.30.25 198.18.30.43
resolver smtp.example,198.18.30.25 imap.example,198.18.30.43 pop.example,198.18.30.43
certificates smtp.example
background smtp ip netns exec server "$python" -m aiosmtpd -n -l 198.18.30.25:25 --tlscert \
    "$work/smtp.example.pem" --tlskey "$work/smtp.example.key" --no-requiretls
mkdir -p "$work/mail" "$work/dovecot"
chown mail "$work/mail"
cat >"$work/dovecot.conf" <<CONF
base_dir = $work/dovecot
state_dir = $work/dovecot
log_path = /dev/stderr
protocols = imap pop3
listen = 198.18.30.43
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:$work/mail
service anvil { 
  chroot =
}
service imap-login { 
  chroot =
}
service pop3-login { 
  chroot =
}
passdb { 
  driver = static
  args = password=secret
}
userdb { 
  driver = static
  args = uid=mail gid=mail home=$work/mail
}
CONF
background dovecot ip netns exec server dovecot -F -c "$work/dovecot.conf"
for port in 25 110 143; do wait_for 5 listening server $port; done
send() { in_client swaks --server smtp.example --helo client.example --from alice@kite.example \
    --to bob@kite.example --header 'X-Mailer: swaks' --body 'shall we meet in the park?' "$@" >"$work/o"; }

record client eth0 "$work/mail.pcap" not icmp6
send
send --tls
in_client curl -sS -o "$work/o" imap://alice:secret@imap.example/ -X 'STATUS INBOX (MESSAGES)'
in_client curl -sS -o "$work/o" pop3://alice:secret@pop.example/
record_end
keep mail "$work/mail.pcap"
