#!/usr/bin/env bash
# All checks and tests on a fresh Debian machine with Rust and root: installs what is missing, then formatting, lints,
# documentation, unit tests, and the black-box tests on engines of their own: Docker, then the bundled one.
#
#   tests/run.sh [FILTER]     FILTER: only the black-box tests whose names contain it
#
# Environment: RCOMPOSE_TEST_ENGINE (only one engine: docker, bundled, or the path of another dockerd), RCOMPOSE_TEST_COMPOSE (a
# docker-compose 2.40.3 binary for the tests side by side with it).
set -euo pipefail
cd "$(dirname "$0")/.."
. fixtures/lib.sh
machine_setup
packages dockerd=docker.io ps=procps git=git ssh-keygen=openssh-client zsh=zsh fish=fish
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

# Engine, projects and sockets of the tests are in a folder of this run, which has to be empty afterwards: the engine
# ends by itself as soon as the tests do.
TMPDIR=$(mktemp -d /tmp/rct.XXXXXX)
export TMPDIR
trap 'rmdir "$TMPDIR" 2>/dev/null || echo "left behind in $TMPDIR: $(ls "$TMPDIR")" >&2' EXIT
peer=
if [ -n "${RCOMPOSE_TEST_COMPOSE:-}" ]; then peer=--include-ignored; else say "without RCOMPOSE_TEST_COMPOSE the tests beside docker compose are ignored"; fi

# Prints, and passes over, what cannot hold on an engine yet: tests/blackbox/ENGINE.txt names each with the reason.
skipped() {
    local list=tests/blackbox/$1.txt name reason
    skip=()
    [ -f "$list" ] || return 0
    while IFS=' ' read -r name reason; do
        case $name in '' | '#'*) continue ;; esac
        grep -qx "$name: test" <<<"$names" || fail "$list names a test that does not exist: $name"
        echo "not on the engine \"$1\" yet: $name: $reason" >&2
        skip+=(--skip "$name")
    done <"$list"
}

# Fails when a test that was passed over holds by now: its line has to go.
still_failing() {
    local name
    for name in "${skip[@]}"; do
        case $name in --skip) continue ;; *"$filter"*) ;; *) continue ;; esac
        ! RCOMPOSE_TEST_ENGINE=$1 cargo test --quiet --test blackbox -- --include-ignored --exact "$name" >/dev/null 2>&1 ||
            fail "$name holds on the engine \"$1\": take it out of tests/blackbox/$1.txt"
    done
}

names=$(cargo test --quiet --test blackbox -- --list)
for engine in ${RCOMPOSE_TEST_ENGINE:-docker bundled}; do
    say "black-box tests on the engine: $engine"
    skipped "$engine"
    # Without a filter names to pass over are whole ones.
    RCOMPOSE_TEST_ENGINE=$engine cargo test --test blackbox -- $peer "${skip[@]}" ${filter:---exact}
    still_failing "$engine"
done
for _ in $(seq 600); do
    [ -n "$(ls "$TMPDIR")" ] || break
    sleep 0.2
done
[ -z "$(ls "$TMPDIR")" ] || fail "the tests left something behind"
say "all passed"
