#!/bin/sh
# install.sh shared|static CMAKE SOURCE_DIR BUILD_DIR WORK_DIR CC CXX
# Installs para below WORK_DIR (shared: the build there is; static: one made for it), moves it to show
# that it does not matter where it lies, and builds and runs a C and a C++ program that use it: through
# find_package, and through pkg-config.
set -eu
kind=$1 cmake=$2 source=$3 build=$4 work=$5
export CC="$6" CXX="$7"
consumer=$source/tests/install/consumer
rm -rf "$work"
mkdir -p "$work"

if [ "$kind" = static ]; then
    build=$work/build
    "$cmake" -S "$source" -B "$build" -DBUILD_SHARED_LIBS=OFF -DPARA_BUILD_TESTS=OFF -DPARA_BUILD_CLI=OFF
    "$cmake" --build "$build" --parallel 2
fi
"$cmake" --install "$build" --prefix "$work/first"
mv "$work/first" "$work/prefix"
prefix=$work/prefix

echo "== find_package"
"$cmake" -S "$consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix"
"$cmake" --build "$work/consumer"
"$work/consumer/consumer_c"
"$work/consumer/consumer_cxx"

echo "== pkg-config"
pc=$(find "$prefix" -name para.pc)
PKG_CONFIG_PATH=${pc%/para.pc}
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
"$CC" -std=c11 -o "$work/pc_c" "$consumer/main.c" $cflags $libs
# shellcheck disable=SC2086
"$CXX" -std=c++17 -o "$work/pc_cxx" "$consumer/main.cpp" $cflags $libs
LD_LIBRARY_PATH=$libdir "$work/pc_c"
LD_LIBRARY_PATH=$libdir "$work/pc_cxx"

command=$prefix/bin/para
if [ -x "$command" ]; then
    echo "== the installed command"
    "$command" --version
fi
