#!/bin/sh
# tls.sh READELF LIBRARY: its thread-local memory is small. The C library keeps some 1.6 KiB for all libraries that are
# loaded late and have theirs at a fixed distance: four plug-ins with a para of their own have to fit.
set -e
bytes=$("$1" -lW "$2" | awk '$1 == "TLS" { print $6 }')
[ -n "$bytes" ]
[ "$((bytes))" -le 400 ] || { echo "$((bytes)) bytes of thread-local memory: 400 at most"; exit 1; }
