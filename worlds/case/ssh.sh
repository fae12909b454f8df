#!/usr/bin/env bash
# SSH: OpenSSH's client and server, one remote command.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.70.22
resolver shell.example,198.18.70.22
mkdir -p /run/sshd "$work/home/.ssh"
ssh-keygen -q -t ed25519 -N '' -C world -f "$work/host_key"
ssh-keygen -q -t ed25519 -N '' -C world -f "$work/user_key"
cat >"$work/sshd_config" <<CONF
ListenAddress 198.18.70.22
HostKey $work/host_key
AuthorizedKeysFile $work/user_key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
DebianBanner no
PidFile none
CONF
background sshd ip netns exec server /usr/sbin/sshd -D -e -f "$work/sshd_config"
wait_for 5 listening server 22

record client eth0 "$work/ssh.pcap" not icmp6
in_client timeout 10 ssh -F none -i "$work/user_key" -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile="$work/known" -o LogLevel=ERROR root@shell.example true
record_end
keep ssh "$work/ssh.pcap"
