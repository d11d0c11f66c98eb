#!/bin/sh
# vectorised.sh INCLUDE_DIR SOURCE PATTERN COMPILER [OPTION...]: the compiler says, in words that match the
# pattern, that it vectorised the loop of each line that begins with PARA_.
include=$1 source=$2 pattern=$3
shift 3
said=$(LC_ALL=C "$@" -I "$include" -c -o /dev/null "$source" 2>&1) || { printf '%s\n' "$said"; exit 1; }
lines=$(grep -n '^PARA_' "$source" | cut -d: -f1)
[ -n "$lines" ] || exit 1
for line in $lines; do
    printf '%s\n' "$said" | grep -Eq "vectorised.c:$line:.*$pattern" || {
        echo "not vectorised: $(sed -n "${line}p" "$source")"
        exit 1
    }
done
