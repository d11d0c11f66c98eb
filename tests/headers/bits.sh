#!/bin/sh
# bits.sh INCLUDE_DIR COMPILER: for 32 bits no public header compiles, and what the compiler says first is why.
include=$1 compiler=$2
options=-U__LP64__
if echo | "$compiler" -m32 -x c -fsyntax-only - 2>/dev/null; then # no header of the system is needed for that
    options="$options -m32"
fi
failed=0
for header in "$include"/para/*.h; do
    for option in $options; do
        said=$(echo "#include <para/${header##*/}>" | LC_ALL=C "$compiler" "$option" -I "$include" -x c -fsyntax-only - 2>&1)
        case $(printf '%s\n' "$said" | grep -m 1 'error:') in
        *"para needs a 64-bit system"*) ;;
        *) echo "para/${header##*/} with $option: $said"; failed=1 ;;
        esac
    done
done
exit $failed
