#!/bin/bash
# The table of docs/performance.md: how fast captures are decoded, as ratios to libpcap counting their packets.
#
#   bench/decode.sh FOLDER [BUILD [ROUNDS]]    BUILD: where bench_decode_speed and darktap are (default build/release), ROUNDS: default 9
#
# FOLDER holds the captures of bench/decode_captures.sh; ro_text_mss.pcap is made from ro_text.pcap where it is missing.
set -euo pipefail
folder=${1:?usage: bench/decode.sh FOLDER [BUILD [ROUNDS]]}
build=${2:-build/release}
rounds=${3:-9}
[ -s "$folder/ro_text_mss.pcap" ] || "$build/bench_reseg" "$folder/ro_text.pcap" "$folder/ro_text_mss.pcap"
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
for name in ro_text ro_ps rw_text point point_ps ro_text_mss; do
  [ -s "$folder/$name.pcap" ] && "$build/bench_decode_speed" "$folder/$name.pcap" "$rounds" "$build/darktap"
done
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
