#!/bin/sh
# macros.sh INCLUDE_DIR SOURCE COMPILER [OPTION...]: compiles macros.c without a warning; with each fault,
# by an error or a warning of its own, it must not compile.
include=$1 source=$2
shift 2
compile() {
    "$@" -I "$include" -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Werror -Wno-unused -Wunused-result \
        -Wunused-value -c -o /dev/null "$source"
}
compile "$@" -DFAULT=0 || exit 1
compile "$@" -DFAULT=0 -DPARA_CHECK_LOCKS || exit 1
for fault in 1 2 3 4 5 6; do
    compile "$@" -DFAULT=$fault 2>/dev/null && { echo "fault $fault compiles"; exit 1; }
done
exit 0
