#!/usr/bin/env bash
# FTP: curl and vsftpd, passive. The links keep their offloads: the capture has frames larger than
# the link would carry and checksums that were never filled in, as captures on a real host do.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.80.21
ip netns exec client ethtool -K eth0 tx on tso on gso on gro on >"$work/o" 2>&1 || true
ip netns exec server ethtool -K eth0 tx on tso on gso on gro on >"$work/o" 2>&1 || true
resolver ftp.example,198.18.80.21
mkdir -p "$work/ftp" "$work/empty"
printf 'file line %d: words that anyone can read\n' {1..800} >"$work/ftp/readme.txt"
cat >"$work/vsftpd.conf" <<CONF
listen=YES
listen_address=198.18.80.21
background=NO
anonymous_enable=YES
anon_root=$work/ftp
secure_chroot_dir=$work/empty
pasv_min_port=40021
pasv_max_port=40021
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
CONF
background ftpd ip netns exec server vsftpd "$work/vsftpd.conf"
wait_for 5 listening server 21

record client eth0 "$work/ftp.pcap" not icmp6
in_client curl -sS -o "$work/o" ftp://ftp.example/readme.txt
record_end
keep ftp "$work/ftp.pcap"
