#!/bin/sh
# musl.sh MUSL_GCC SOURCE_DIR: every source of the library, the kernels and the command compiles with musl,
# another C library; each of the three as one file, which is faster. Headers that musl does not have, hwloc's
# and the kernel's, come from the system.
compiler=$1 source=$2
failed=0
# compile FILE...
compile() {
    [ -e "$1" ] || { echo "there is no $1"; failed=1; }
    printf '#include "%s"\n' "$@" |
        "$compiler" -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I "$source/include" -I "$source/src" \
            -I "$source" -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" -x c - || failed=1
}
compile "$source"/kernels/*.c
compile "$source"/src/cli/*.c
set --
for file in "$source"/src/*/*.c; do
    case $file in
    */cli/*) ;;
    *) set -- "$@" "$file" ;;
    esac
done
compile "$@"
exit $failed
