#!/bin/sh
# install.sh shared|static CMAKE SOURCE_DIR BUILD_DIR WORK_DIR CC CXX FC
# Installs para below WORK_DIR (shared: the build there is; static: one made for it, as a unity build, with the
# command), moves it to show that it does not matter where it lies, and builds and runs programs that use it:
# through find_package, with one language enabled alone, and through pkg-config, with sanitizers as well. FC may
# be empty.
set -eu
kind=$1 cmake=$2 source=$3 build=$4 work=$5
export CC="$6" CXX="$7" FC="$8"
tests=$source/tests/install
rm -rf "$work"
mkdir -p "$work"
libpara=$build/src/libpara.so

if [ "$kind" = static ]; then
    build=$work/build
    "$cmake" -S "$source" -B "$build" -DBUILD_SHARED_LIBS=OFF -DPARA_BUILD_TESTS=OFF -DPARA_WARNINGS_AS_ERRORS=ON \
        -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0
    "$cmake" --build "$build" --parallel 2
fi
"$cmake" --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix

for language in C CXX ${FC:+Fortran}; do
    echo "== find_package, $language"
    "$cmake" -S "$tests/consumer" -B "$work/consumer-$language" -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGES="$language"
    "$cmake" --build "$work/consumer-$language"
    for program in "$work/consumer-$language"/consumer_*; do
        "$program"
    done
done

echo "== pkg-config"
pc=$(find "$prefix" -name para.pc)
PKG_CONFIG_PATH=${pc%/para.pc}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
if [ "$kind" = static ]; then
    set -- --static
else
    set --
fi
cflags=$(pkg-config --cflags para)
libs=$(pkg-config "$@" --libs para)
libdir=$(pkg-config --variable=libdir para)
# shellcheck disable=SC2086 # flags are words
"$CC" -std=c11 -o "$work/pc_c" "$tests/consumer/main.c" $cflags $libs
# shellcheck disable=SC2086
"$CXX" -std=c++17 -o "$work/pc_cxx" "$tests/consumer/main.cpp" $cflags $libs
LD_LIBRARY_PATH=$libdir "$work/pc_c"
LD_LIBRARY_PATH=$libdir "$work/pc_cxx"
if pkg-config --exists para-openmp; then
    # shellcheck disable=SC2046
    "$CC" -std=c11 -fopenmp -o "$work/pc_openmp" "$source/docs/examples/openmp.c" \
        $(pkg-config "$@" --cflags --libs para-openmp)
    LD_LIBRARY_PATH=$libdir "$work/pc_openmp"
fi

if [ "$kind" = shared ]; then
    echo "== the program of README.md, by the command there"
    (
        cd "$work"
        cp "$source/docs/examples/first.c" .
        sed -n 's/^    cc \(-O2 first\.c .*\)/"$CC" \1/p' "$source/README.md" >command
        LD_LIBRARY_PATH=$libdir sh -e command | grep 'the sum of'
    )
fi

# A program for each sanitizer that compilers here have, against the para that is built with none. With addresses
# laid out at random, ThreadSanitizer does not start on some systems.
echo "== programs that sanitizers watch"
fixed=
if setarch -R true 2>/dev/null; then
    fixed='setarch -R'
fi
for compiler in "$CC" clang; do
    for sanitizer in thread address undefined; do
        echo 'int main(void) { return 0; }' >"$work/none.c"
        "$compiler" "-fsanitize=$sanitizer" -o "$work/none" "$work/none.c" 2>/dev/null || continue
        for checking in '' -DPARA_CHECK_LOCKS; do
            echo "$compiler -fsanitize=$sanitizer $checking"
            # shellcheck disable=SC2086
            "$compiler" -std=c11 -g -O1 -pthread "-fsanitize=$sanitizer" -fno-sanitize-recover=all $checking -o "$work/watched" \
                "$tests/sanitized/main.c" $cflags $libs
            # shellcheck disable=SC2086
            LD_LIBRARY_PATH=$libdir $fixed timeout -k 5 60 "$work/watched"
        done
    done
done

command=$prefix/bin/para
if [ -x "$command" ]; then
    echo "== the installed command"
    "$command" --version
fi

if [ "$kind" = shared ]; then
    echo "== names of the library"
    version=$("$command" --version | sed 's/[^0-9]*//')
    case $version in # before 1.0.0 a minor version may break what an earlier one promised
    0.*) abi=${version%.*} ;;
    *) abi=${version%%.*} ;;
    esac
    for name in "libpara.so.$abi" "PARA_$abi"; do
        objdump -p "$libdir/libpara.so" | grep -qwF "$name" || { echo "there is no $name"; exit 1; }
    done
else
    echo "== two plug-ins, each with a static para"
    for name in one two; do
        # shellcheck disable=SC2086
        "$CC" -std=c11 -shared -fPIC -o "$work/$name.so" "$tests/plugin/plugin.c" $cflags $libs
        if nm -D --defined-only "$work/$name.so" | grep para_; then
            echo "the plug-in exports names of para"
            exit 1
        fi
    done
    "$CC" -D_DEFAULT_SOURCE -o "$work/host" "$tests/plugin/host.c" -ldl
    export PARA_NUM_WORKERS=8 # some of them run as their module is closed
    "$work/host" "$work/one.so" "$work/two.so"
    if [ -e "$libpara" ]; then
        # shellcheck disable=SC2086
        "$CC" -D_DEFAULT_SOURCE -DHOST_HAS_PARA -o "$work/host" "$tests/plugin/host.c" $cflags "$libpara" \
            -Wl,-rpath,"${libpara%/*}" -ldl
        "$work/host" "$work/one.so" "$work/two.so"
    fi

    echo "== a plug-in that is unloaded, or makes its pool while another is loaded"
    # shellcheck disable=SC2086
    "$CC" -std=c11 -shared -fPIC -o "$work/pair.so" "$tests/plugin/pair.c" $cflags $libs
    "$CC" -shared -fPIC -o "$work/hook.so" "$source/tests/topology/loading_hook.c"
    "$CC" -D_DEFAULT_SOURCE -rdynamic -pthread -o "$work/pair_host" "$tests/plugin/pair_host.c" -ldl
    "$work/pair_host" unload "$work/pair.so" "$work/hook.so"
    "$work/pair_host" load "$work/pair.so" "$work/hook.so"

    echo "== a program that is linked statically"
    # shellcheck disable=SC2086
    "$CC" -static -std=c11 -o "$work/static" "$tests/consumer/main.c" $cflags $libs
    "$work/static"
    HWLOC_SYNTHETIC=pu:2 "$work/static" # it cannot load hwloc, and passes the description over
fi
