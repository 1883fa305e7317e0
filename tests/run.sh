#!/usr/bin/env bash
# All checks and tests on a fresh Debian machine with Rust and root: installs what is missing, then formatting, lints,
# documentation, unit tests, and the black-box tests on a Docker engine of their own.
#
#   tests/run.sh [FILTER]     FILTER: only the black-box tests whose names contain it
#
# Environment: RCOMPOSE_TEST_ENGINE (path of another dockerd), RCOMPOSE_TEST_COMPOSE (a docker-compose 2.40.3 binary for
# the tests side by side with it).
set -euo pipefail
cd "$(dirname "$0")/.."
. fixtures/lib.sh
machine_setup
filter=${1:-}

if [ -z "$filter" ]; then
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    say "formatting"
    cargo fmt --all --check
    say "lints"
    cargo clippy --workspace --all-targets --quiet -- -D warnings
    say "documentation"
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
    say "unit tests"
    # The engine's own tests start real containers with it.
    cargo build --package rcompose-engine --example engine --quiet
    cargo test --workspace --lib --bins --quiet
    say "hostile files"
    cargo test --test hostile --quiet
    say "tests of the binary without an engine"
    cargo test --test cli --test diagnostics --quiet
fi

say "black-box tests"
# Engine, projects and sockets of the tests are in a folder of this run, which has to be empty afterwards: the engine
# ends by itself as soon as the tests do.
TMPDIR=$(mktemp -d /tmp/rct.XXXXXX)
export TMPDIR
trap 'rmdir "$TMPDIR" 2>/dev/null || echo "left behind in $TMPDIR: $(ls "$TMPDIR")" >&2' EXIT
peer=
if [ -n "${RCOMPOSE_TEST_COMPOSE:-}" ]; then peer=--include-ignored; else say "without RCOMPOSE_TEST_COMPOSE the tests beside docker compose are ignored"; fi
cargo test --test blackbox -- $peer $filter
for _ in $(seq 600); do
    [ -n "$(ls "$TMPDIR")" ] || break
    sleep 0.2
done
[ -z "$(ls "$TMPDIR")" ] || fail "the tests left something behind"
say "all passed"
