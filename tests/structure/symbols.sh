#!/bin/sh
# symbols.sh NM shared LIBRARY INCLUDE_DIR: the library exports exactly what the public headers declare.
# symbols.sh NM static ARCHIVE INCLUDE_DIR: the archive has all of that, and every other global name in
# it begins with para__, so that it cannot clash with a program's own.
nm=$1 kind=$2 library=$3 include=$4
declared=$(sed -n 's/^\(PARA_[A-Z]*_ \)\{0,1\}PARA_API .*[ *]\(para_[a-z0-9_]*\)(.*/\2/p' "$include"/para/*.h |
    grep -v '^para_openmp_' | sort -u) # those are of libpara-openmp
if [ "$kind" = shared ]; then
    symbols=$("$nm" -D --defined-only "$library") || exit 1
else
    symbols=$("$nm" -g --defined-only "$library") || exit 1
fi
# Lines are "address type name"; the version's own name is absolute, of type A.
global=$(printf '%s\n' "$symbols" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u)
if [ "$kind" = static ]; then
    global=$(printf '%s\n' "$global" | grep -v -e '^para__' -e '^DW\.ref\.' -e '^_\.stapsdt\.base$')
    # The last two are the compiler's, for cleanups, and that of sys/sdt.h: hidden, and weak.
fi
[ -n "$declared" ] || { echo "no declarations found in $include"; exit 1; }
[ "$global" = "$declared" ] && exit 0
printf 'declared in the headers:\n%s\nin %s:\n%s\n' "$declared" "$library" "$global"
exit 1
