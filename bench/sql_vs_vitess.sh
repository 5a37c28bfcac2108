#!/usr/bin/env bash
# How much faster the sql room is than the Vitess parser's normaliser: both in turns over the same statements, in one run, in
# processor time; the best pass of each counts. Needs Go (it fetches vitess.io/vitess as vitess_normalizer/go.sum pins it).
#
#   bench/sql_vs_vitess.sh CORPUS.json [TURNS]     for example ../shared/corpora/vitess_lobsters.json; TURNS default 5
set -euo pipefail
corpus=$(realpath "${1:?give a file: a JSON array of objects with the key sql}")
turns=${2:-5}
cd "$(dirname "$0")/.."
build=build/release
[ -x $build/bench_sql_speed ] || { echo "$0: no $build/bench_sql_speed; cmake --preset release -DDARKTAP_BENCH=ON && cmake --build build/release --target bench_sql_speed" >&2; exit 2; }
command -v go >/dev/null || { echo "$0: no Go toolchain; install it from your distribution" >&2; exit 2; }
mkdir -p build/bench
go -C bench/vitess_normalizer build -mod=readonly -o "$PWD/build/bench/vitess_normalizer" .

best() { sort -g | tail -1; }
ours=() whole=() theirs=()
echo "load average at the start: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) cores"
for turn in $(seq "$turns"); do
  out=$($build/bench_sql_speed "$corpus" 2)
  ours+=("$(awk '$1 == "fingerprint" {print $2}' <<<"$out")")
  whole+=("$(awk '$1 == "understand" {print $2}' <<<"$out")")
  theirs+=("$(build/bench/vitess_normalizer "$corpus" 2 | awk '{for (i = 1; i < NF; ++i) if ($(i + 1) == "MB/s") print $i}')")
  echo "turn $turn: fingerprint ${ours[-1]}, understand ${whole[-1]}, Vitess ${theirs[-1]} MB/s"
done
awk -v ours="$(printf '%s\n' "${ours[@]}" | best)" -v whole="$(printf '%s\n' "${whole[@]}" | best)" -v theirs="$(printf '%s\n' "${theirs[@]}" | best)" 'BEGIN {
  printf "best: fingerprint %.1f MB/s, understand %.1f MB/s, Vitess normaliser %.1f MB/s\n", ours, whole, theirs
  printf "ratio: fingerprint %.1f x, understand %.1f x\n", ours / theirs, whole / theirs
}'
