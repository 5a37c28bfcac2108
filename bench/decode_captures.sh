#!/bin/bash
# Makes the captures that bench/decode.sh measures with: sysbench against a MariaDB of its own on loopback, taken by tcpdump.
#
#   bench/decode_captures.sh FOLDER [PORT]
#
# FOLDER gets ro_text, ro_ps, rw_text, point, point_ps (.pcap) and NAME.truth, what the server counted meanwhile. Needs mariadbd,
# mariadb-install-db, sysbench, tcpdump and the right to capture on lo; about 700 MB of room. Existing captures stay.
set -euo pipefail
folder=${1:?usage: bench/decode_captures.sh FOLDER [PORT]}
port=${2:-33077}
mkdir -p "$folder"
folder=$(realpath "$folder")
server=$(mktemp -d)
socket=$server/socket
server_pid=

clean_up() {
  [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
  rm -rf "$server"
}
trap clean_up EXIT

mariadb-install-db --no-defaults --datadir="$server/data" --auth-root-authentication-method=normal --skip-test-db >"$server/install.log" 2>&1
mariadbd --no-defaults --user="$(id -un)" --datadir="$server/data" --socket="$socket" --port="$port" --bind-address=127.0.0.1 \
  --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync >"$server/log" 2>&1 &
server_pid=$!
ask() { mariadb --no-defaults -N -S "$socket" -u root "$@"; }
for _ in $(seq 100); do ask -e 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
ask -e "CREATE DATABASE sbtest; CREATE USER bench@'127.0.0.1' IDENTIFIED BY 'bench'; GRANT ALL ON sbtest.* TO bench@'127.0.0.1'"
tables=(--tables=4 --table-size=10000)
connection=(--db-driver=mysql --mysql-host=127.0.0.1 --mysql-port="$port" --mysql-user=bench --mysql-password=bench --mysql-db=sbtest --mysql-ssl=off)
sysbench oltp_read_only "${connection[@]}" "${tables[@]}" prepare >/dev/null

# Short of the disk's pace the kernel's buffer may overflow: tcpdump says so, and the script ends.
take() {  # NAME WORKLOAD THREADS EVENTS PS_MODE
  local name=$1
  [ -s "$folder/$name.pcap" ] && return
  tcpdump -i lo -s 0 -B 65536 -w "$folder/$name.tmp" "tcp port $port" 2>"$server/tcpdump" &
  local tap=$!
  until grep -q 'listening on' "$server/tcpdump"; do sleep 0.1; done
  local counters="SHOW GLOBAL STATUS WHERE Variable_name REGEXP '^Com_(select|insert|update|delete|begin|commit|stmt_)|^Questions$|^Com_stmt'"
  ask -e "$counters" >"$server/before"
  sysbench "$2" "${connection[@]}" "${tables[@]}" --threads="$3" --events="$4" --time=0 --db-ps-mode="$5" run >/dev/null
  ask -e "$counters" >"$server/after"
  sleep 1
  kill -INT "$tap"; wait "$tap" || true
  if ! grep -q '^0 packets dropped by kernel' "$server/tcpdump"; then
    echo "$name: packets were lost while capturing: $(tr '\n' ' ' <"$server/tcpdump")" >&2
    exit 1
  fi
  join "$server/before" "$server/after" | awk '$3 != $2 { print $1, $3 - $2 }' >"$folder/$name.truth"
  mv "$folder/$name.tmp" "$folder/$name.pcap"
  echo "$name: $(stat -c %s "$folder/$name.pcap") bytes"
}
take ro_text oltp_read_only 8 5000 disable
take ro_ps oltp_read_only 8 5000 auto
take rw_text oltp_read_write 16 3000 disable
take point oltp_point_select 16 200000 disable
take point_ps oltp_point_select 8 100000 auto
