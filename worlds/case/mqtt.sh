#!/usr/bin/env bash
# MQTT: mosquitto_pub and the Mosquitto broker, versions 3.1.1 and 5.
. "$(dirname "$0")/../world.sh"
two_ends 198.18.100.18
resolver mqtt.example,198.18.100.18
printf 'listener 1883 198.18.100.18\nallow_anonymous true\nuser root\n' >"$work/mosquitto.conf"
background mosquitto ip netns exec server mosquitto -c "$work/mosquitto.conf"
wait_for 5 listening server 1883

record client eth0 "$work/mqtt.pcap" not icmp6
in_client mosquitto_pub -h mqtt.example -i alice -t park/bench -m 'meet at eight'
in_client mosquitto_pub -V 5 -q 1 -h mqtt.example -i alice -t park/bench -m 'meet at nine'
record_end
keep mqtt "$work/mqtt.pcap"
