#!/bin/sh
# fuzz/run.sh [SECONDS [TARGET...]]: runs fuzz targets one after the other on a stable toolchain.
#
# A target starts from fuzz/seeds/TARGET and what earlier runs found in fuzz/corpus/TARGET; what
# breaks it is left in fuzz/artifacts/TARGET. 60 seconds each and all targets by default. An input may
# take 30 seconds of wall time, so that a busy machine is not taken for a hang.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- yaml template dotenv scalars ports volumes dockerfile load
host=$(rustc -vV | sed -n 's/^host: //p')

# What cargo-fuzz passes when no sanitizer is asked for.
instrument="--cfg fuzzing -Cpasses=sancov-module
 -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
 -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares
 -Ccodegen-units=16"
RUSTFLAGS=$(echo $instrument) cargo build --quiet --release --target "$host" --bins

for target; do
    mkdir -p "corpus/$target" "artifacts/$target"
    echo "== $target, $seconds s"
    "target/$host/release/$target" "corpus/$target" "seeds/$target" \
        -max_total_time="$seconds" -rss_limit_mb=512 -timeout=30 -max_len=4096 \
        -dict=compose.dict -artifact_prefix="artifacts/$target/" -print_final_stats=1
done
