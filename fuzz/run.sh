#!/bin/sh
# Builds a fuzz target and runs it, with a stable compiler and nothing else installed but a C++ compiler.
#
#   fuzz/run.sh TARGET [libFuzzer options]     for example: fuzz/run.sh checkin -max_total_time=120
#   fuzz/run.sh all [libFuzzer options]        one after the other; stops at the first finding
#   fuzz/run.sh replay                         the seed corpus through every check, once
#
# What it finds new goes to fuzz/findings/TARGET (not committed), what breaks a check to fuzz/artifacts/TARGET.
# docs/guides/fuzzing.md says what the flags below do and what they leave out.
set -eu
cd "$(dirname "$0")"

targets="checkin endpoint filter packed startup token"
export CARGO_TARGET_DIR="${FUZZ_TARGET_DIR:-$PWD/target}"
host=$(rustc -vV | sed -n 's/^host: //p')

usage() {
    sed -n '2,9s/^# \{0,1\}//p' run.sh >&2
    echo "targets: $targets" >&2
    exit 2
}

# The versions that ship are the versions that are fuzzed: the lock file is the program's, plus libFuzzer.
[ Cargo.lock -nt ../Cargo.lock ] || { cp ../Cargo.lock Cargo.lock && touch Cargo.lock; }

# With --target the flags do not reach build scripts and macros, which could not link.
export RUSTFLAGS="--cfg fuzzing \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1"

build() {
    cargo build --target "$host" --bins ${FUZZ_CARGO_OPTIONS:-}
}

fuzz() {
    target=$1
    shift
    mkdir -p "findings/$target" "artifacts/$target"
    set -- "-artifact_prefix=artifacts/$target/" "-max_len=4096" "-timeout=10" "$@"
    if [ -f "dictionaries/$target.dict" ]; then
        set -- "-dict=dictionaries/$target.dict" "$@"
    fi
    "$CARGO_TARGET_DIR/$host/debug/$target" "$@" "findings/$target" "corpus/$target"
}

[ $# -gt 0 ] || usage
name=$1
shift
case " $targets all replay " in
*" $name "*) ;;
*) usage ;;
esac
case $name in
replay)
    cargo test --target "$host" ${FUZZ_CARGO_OPTIONS:-} "$@"
    ;;
all)
    build
    for target in $targets; do
        fuzz "$target" "$@"
    done
    ;;
*)
    build
    fuzz "$name" "$@"
    ;;
esac
