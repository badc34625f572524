#!/bin/sh
# A processor in POSIX shell with jq: one job after the other, {"name": "…"} becomes a greeting.
# It needs only `concurrency` 1 a process; what it prints beside the protocol goes to stderr.
# shellcheck disable=SC2016 # the $names in single quotes are those of jq
set -eu

say() { jq -nc "$@"; }

greet() { # seq line
    name=$(printf '%s' "$2" | jq -r '.data.name // empty')
    if [ -z "$name" ]; then
        say --argjson seq "$1" '{type: "error", $seq, name: "UnrecoverableError", message: "no name"}'
        return
    fi
    say --argjson seq "$1" '{type: "progress", $seq, value: 50}'
    say --argjson seq "$1" --arg row "greeting $name" '{type: "log", $seq, $row}'
    say --argjson seq "$1" --arg name "$name" '{type: "result", $seq, value: {text: "Hello, \($name)!"}}'
}

while IFS= read -r line; do
    case $(printf '%s' "$line" | jq -r .type) in
    hello) say '{type: "ready", concurrency: 1}' ;;
    job) greet "$(printf '%s' "$line" | jq .seq)" "$line" ;;
    close) exit 0 ;;
    *) ;; # a cancel comes too late here; nothing was asked that could be answered
    esac
done
