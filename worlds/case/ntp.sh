#!/usr/bin/env bash
# NTP: ntpdig and a chronyd that serves its own clock and never sets it.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.90.123
resolver time.example,198.18.90.123
printf 'local stratum 3\nallow all\nbindaddress 198.18.90.123\ncmdport 0\npidfile %s\n' "$work/chrony.pid" \
    >"$work/chrony.conf"
background chronyd ip netns exec server chronyd -x -d -u root -f "$work/chrony.conf"
wait_for 5 listening server 123

record client eth0 "$work/ntp.pcap" not icmp6
in_client timeout 15 ntpdig time.example >"$work/o"
record_end
keep ntp "$work/ntp.pcap"
