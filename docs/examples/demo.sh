#!/bin/sh
# The demo: para from a C program, then the same through the para command on .npy files.
#   demo.sh BUILD_FOLDER [ROWS]
set -eu

build=$1
para=$build/src/cli/para
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# Shows a command as one would type it in the folder of the files, and runs it.
show() {
    printf '\n$ %s\n' "$*"
    "$@" 2>&1
}
para() {
    (cd "$folder" && "$para" "$@")
}

case $para in
/*) ;;
*) para=$PWD/$para ;;
esac

echo "== para from a C program (docs/examples/demo.c)"
"$build/docs/examples/demo" "$folder" ${2:+"$2"}

echo
echo "== para from the command line, on the program's rows and scores as NumPy files"
show para map row-norm rows.npy -o norms.npy --report
show para reduce max norms.npy
show para reduce sum scores.npy --report

echo
echo "The same bits with any number of workers:"
for workers in 1 2 3 5 8 64; do
    value=$(para reduce sum scores.npy --workers $workers --format hex)
    printf '  --workers %-3s --format hex   %s\n' "$workers" "$value"
    if [ "$value" != "${first:=$value}" ]; then
        echo "demo: the sums differ" >&2
        exit 1
    fi
done
