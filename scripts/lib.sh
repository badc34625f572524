# Sourced by the other scripts: where things are, and what to say.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The tables of the workflow engine's contract.
# shellcheck disable=SC2034 # others read it
workflow_schema=$top/worker/workflow/spec/schema.sql

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# usage: prints the comment block at the head of the calling script.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# as_postgres COMMAND…: PostgreSQL's programs refuse to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# The newest PostgreSQL's folder of programs; initdb and postgres are not on the PATH.
postgres_bin() {
    local dir
    dir=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
    [ -x "$dir/initdb" ] || return 1
    printf '%s\n' "$dir"
}

# build PRESET [TARGET…]: configures once, builds, quietly unless it fails.
build() {
    local preset=$1 log="$top/build/$1.log"
    shift
    mkdir -p "$top/build"
    if ! { cmake --preset "$preset" -S "$top" && cmake --build --preset "$preset" ${1:+--target "$@"}; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 60 "$log" >&2
        die "the $preset build failed; all of it is in $log"
    fi
}
