#!/bin/sh
# atomics.sh COMPILER SOURCE_DIR: what is atomic is read and written by the operations of base/atomic.h alone.
# A plain access to one of its types does not compile; no other source goes around these types; and the words of
# public structs, which are plain in headers that are C++ as well, have no use but by their address.
compiler=$1 source=$2
failed=0
say() {
    echo "$1"
    failed=1
}

compile() {
    LC_ALL=C "$compiler" -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -I "$source/src" -DFAULT="$1" \
        "$source/tests/structure/atomics.c" 2>&1
}
compile 0 || say "without a fault atomics.c does not compile"
while read -r fault pattern; do
    if said=$(compile "$fault"); then
        say "fault $fault compiles"
    elif ! printf '%s\n' "$said" | grep -Eq "error: .*($pattern)"; then
        say "fault $fault is refused for another reason: $said"
    fi
done <<'END'
1 incompatible types? |from incompatible type
2 incompatible types? |from incompatible type
3 wrong type argument|cannot increment
4 invalid operands
5 scalar
6 incompatible types? |with incompatible result type
7 incompatible types? |from incompatible type
8 invalid operands
9 not a structure
10 undeclared
END

# refuse WHY PATTERN FILE...: no line of these matches.
refuse() {
    why=$1 pattern=$2
    shift 2
    [ -e "$1" ] || say "there is no $1"
    if grep -nE "$pattern" "$@"; then
        say "$why"
    fi
}
set --
for file in "$source"/src/*/*.[ch]; do
    case $file in
    */base/atomic.h | */base/atomic_types.h) ;;
    *) set -- "$@" "$file" ;;
    esac
done
refuse "an atomic that is none of base/atomic_types.h" '_Atomic|(^|[^a-z_/])(__)?atomic_([^f]|f[^l])' "$@"
refuse "what is inside an atomic" '(->|\.)raw([^a-z_]|$)' "$@"
refuse "a plain use of a lock's word" '(^|[^&a-z_])(mutex|semaphore|cancel)->word' "$@" "$source"/include/para/*.h
exit $failed
