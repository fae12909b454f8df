#!/usr/bin/env bash
# SIP and RTP: a SIPp call with its recorded G.711 speech, echoed by the other SIPp.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.40.60
cd "$work"
ln -s /usr/share/sip-tester pcap
background uas ip netns exec server sipp -sn uas -i 198.18.40.60 -p 5060 -mi 198.18.40.60 -mp 6000 \
    -rtp_echo -nostdin -m 1
wait_for 5 listening server 5060

record client eth0 "$work/sip.pcap" not icmp6
in_client timeout 30 sipp -sn uac_pcap -i 198.18.0.10 -p 5061 -mi 198.18.0.10 -mp 7000 -m 1 -nostdin \
    198.18.40.60:5060 >"$work/o" 2>&1
record_end
# The speech is long and says nothing new after two seconds: packets of the call's frame and those.
editcap -r "$work/sip.pcap" "$work/short.pcap" 1-250
tshark -r "$work/sip.pcap" -Y 'sip && frame.number > 250' -w "$work/end.pcap" -F pcap
mergecap -F pcap -w "$work/sip-rtp.pcap" "$work/short.pcap" "$work/end.pcap"
keep sip "$work/sip-rtp.pcap"
