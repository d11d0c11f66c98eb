#!/bin/sh
# macros.sh INCLUDE_DIR SOURCE COMPILER [OPTION...]: compiles macros.c without a warning; with each fault,
# by an error or a warning of its own, it must not compile: the one that names it.
include=$1 source=$2
shift 2
compile() {
    "$@" -I "$include" -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Werror -Wno-unused -Wunused-result \
        -Wunused-value -c -o /dev/null "$source"
}
compile "$@" -DFAULT=0 || exit 1
compile "$@" -DFAULT=0 -DPARA_CHECK_LOCKS || exit 1

# fault NUMBER PATTERN COMPILER [OPTION...]
fault() {
    fault=$1 pattern=$2
    shift 2
    if said=$(LC_ALL=C compile "$@" -DFAULT="$fault" 2>&1); then
        echo "fault $fault compiles"
        exit 1
    fi
    printf '%s\n' "$said" | grep -Eq "$pattern" || {
        echo "fault $fault is refused for another reason: $said"
        exit 1
    }
}
for n in 1 2 3 4; do
    fault $n 'error: .*(array.* is negative|array with a negative size)' "$@"
done
for n in 10 11 12 13 14 15 16 17 24 25 26 27 28 29 30 34 35 39; do # loops and their arguments
    fault $n 'error: .*(another_type|cannot convert|invalid conversion|no matching function|too (few|many) arg|expected expression)' "$@"
done
lines=$(LC_ALL=C compile "$@" -DFAULT=10 2>&1 | wc -l)
[ "$lines" -le 65 ] || { echo "a wrong argument is $lines lines"; exit 1; }
for n in 18 19 20 36; do
    fault $n 'error: ignoring return value' "$@"
    # Installed headers are a system's, of whose macros gcc says less, and g++ nothing.
    case " $* " in
    *" c++ "*) ;;
    *) fault $n 'error: ignoring return value' "$@" -isystem "$include" ;;
    esac
done
fault 37 'error: .*(array of voids|incomplete (element )?type|not a pointer-to-object)' "$@"
fault 33 'error: .*(incompatible|makes integer from pointer|[Ii]nvalid conversion|no matching function|cannot convert)' "$@"
fault 21 'lacks_its_type_or_its_name' "$@"
fault 22 "error: .*break.* (not within|not in) loop" "$@"
fault 23 'error: .*(no return statement|does not return a value|should return a value)' "$@"
fault 31 'lacks_its_type_or_its_name' "$@"
fault 38 'or_an_identity_has_commas' "$@"
fault 32 'error: (invalid initializer|could not convert|initializing .* with an expression|no viable conversion|conversion from)' "$@"

# Each of these statuses, with checked locks and without.
lines=$(sed -n '/ignored:/,/until here/{/^    para_/p}' "$source" | grep -c .)
ignored() {
    expected=$1
    shift
    noted=$(LC_ALL=C "$@" -DFAULT=40 -I "$include" -Wunused-result -c -o /dev/null "$source" 2>&1 |
        grep -c 'warning: ignoring return value') # clang ends after 20 errors
    [ "$noted" -eq "$expected" ] || { echo "$noted of $expected ignored statuses are noted"; exit 1; }
}
ignored $((lines - 3)) "$@"
ignored "$lines" "$@" -DPARA_CHECK_LOCKS
case " $* " in
*" c++ "*) # guards that hold for no longer than their own line
    for n in 5 6; do
        fault $n 'error: ignoring .*nodiscard' "$@"
    done ;;
esac
exit 0
