#!/bin/sh
# subproject.sh static|shared CMAKE SOURCE_DIR WORK_DIR CC CXX FC
# Para as a subproject, where BUILD_SHARED_LIBS is not set (static) or ON (shared): what the parent's own library
# becomes, also when it is configured again, what is built and installed, and whether that library can be
# exported. Static: also for parents in C++ or Fortran alone. FC may be empty.
set -eu
kind=$1 cmake=$2 source=$3 work=$4
export CC="$5" CXX="$6" FC="$7"
tests=$source/tests/install
rm -rf "$work"
mkdir -p "$work"

fail() {
    echo "$*"
    exit 1
}

# configure SOURCE_DIR BUILD_DIR [OPTION...]: unity builds are the fastest.
configure() {
    from=$1 to=$2
    shift 2
    "$cmake" -S "$from" -B "$to" -DPARA_SOURCE_DIR="$source" -DCMAKE_UNITY_BUILD=ON \
        -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 "$@"
}

if [ "$kind" = shared ]; then
    set -- -DBUILD_SHARED_LIBS=ON
    suffix=so
else
    set --
    suffix=a
fi
echo "== a parent"
configure "$tests/parent" "$work/parent" "$@"
configure "$tests/parent" "$work/parent"
"$cmake" --build "$work/parent" --parallel 2
[ -e "$work/parent/libown.$suffix" ] || fail "the parent's own library is of another kind"
[ -e "$work/parent/para/src/libpara.$suffix" ] || fail "para is of another kind"
[ ! -e "$work/parent/para/src/cli" ] || fail "the command is built"
"$cmake" --install "$work/parent" --prefix "$work/prefix"
[ -z "$(find "$work/prefix" -name '*para*')" ] || fail "para is installed unasked"

echo "== a user of what the parent exports"
"$cmake" --install "$work/parent" --prefix "$work/prefix" --component para
"$cmake" -S "$tests/parent/user" -B "$work/user" -DCMAKE_PREFIX_PATH="$work/prefix"
"$cmake" --build "$work/user"
libpara=$(find "$work/prefix" -name "libpara.$suffix")
LD_LIBRARY_PATH=${libpara%/*} "$work/user/user"

if [ "$kind" = static ]; then
    for language in CXX ${FC:+Fortran}; do
        echo "== a parent in $language"
        configure "$tests/consumer" "$work/$language" -DLANGUAGES="$language"
        "$cmake" --build "$work/$language" --parallel 2
        "$work/$language/consumer_$language"
    done
fi
