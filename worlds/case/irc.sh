#!/usr/bin/env bash
# IRC in the clear: ii and ngIRCd.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.90.67
resolver irc.example,198.18.90.67
cat >"$work/ngircd.conf" <<CONF
[Global]
Name = irc.example
Info = a server of the world
Listen = 198.18.90.67
Ports = 6667
ServerUID = root
ServerGID = root
[Options]
PAM = no
Ident = no
DNS = no
CONF
background ircd ip netns exec server ngircd -n -f "$work/ngircd.conf"
wait_for 5 listening server 6667

record client eth0 "$work/irc.pcap" not icmp6
background ii ip netns exec client ii -s irc.example -n alice -f Alice -i "$work/irc"
wait_for 5 test -p "$work/irc/irc.example/in"
sleep 1
echo '/j #park' >"$work/irc/irc.example/in"
wait_for 5 test -p "$work/irc/irc.example/#park/in"
echo 'shall we meet at eight?' >"$work/irc/irc.example/#park/in"
sleep 0.5
echo '/q' >"$work/irc/irc.example/in"
record_end
keep irc "$work/irc.pcap"
