#!/bin/sh
# headers.sh INCLUDE_DIR COMPILER [OPTION...]: compiles each public header as the only include of a file,
# and twice, so that its guard is tried as well.
include=$1
shift
failed=0
count=0
for header in "$include"/para/*.h; do
    name=para/${header##*/}
    printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
        "$@" -I "$include" -Wall -Wextra -Wpedantic -Werror -fsyntax-only - ||
        { echo "$name does not compile alone"; failed=1; }
    count=$((count + 1))
done
echo "$count headers"
[ "$failed" -eq 0 ] && [ "$count" -gt 1 ]
