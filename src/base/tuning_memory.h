/* The constants of memory: from where it comes, how much is kept, and how large stacks are. Entries
 * are as in tuning.h. */
#ifndef PARA_BASE_TUNING_MEMORY_H
#define PARA_BASE_TUNING_MEMORY_H

#include "base/constant.h"

/* ---- Of calls: executor/lease.c, plan/tree.c, data ------------------------------------------- */

/* Memory of less lies on the caller's stack: of reductions and scans, and of sorts. Bytes.
 * Reasoned: accumulators of some numbers, and a short array; no call of para's takes 16 KiB. */
#define PARA__SMALL_BYTES      1024
#define PARA__SMALL_SORT_BYTES 4096

/* A participant's memory of less is not pages of its own. Bytes. Reasoned: a page. */
PARA__COUNT(PARA__STRIP_LEAST, 4096) /* - */

/* A call needs what a lane keeps if it uses more than one of so many parts of it; and what has so
 * many huge pages is rounded up to whole ones. Reasoned: a quarter, and 12 %. */
PARA__COUNT(PARA__KEPT_PART, 4)        /* - */
PARA__COUNT(PARA__STRIP_HUGE_PAGES, 8) /* - */

/* Larger blocks are pages, which go back to the system as soon as they are freed. Bytes. Reasoned:
 * the C library would keep them. */
#define PARA__BLOCK_SMALL ((size_t)1 << 20)

/* Blocks that no call has needed for so long are given back. ns. Measured: to have them anew costs
 * some 0.1 s a GiB. */
PARA__REAL(PARA__KEPT_IDLE_NS, 1e9) /* - */

/* A worker's units of a reduction: so many bytes of partials stay in its cache, but in these
 * bounds. Reasoned. */
PARA__COUNT(PARA__PARTIALS_CACHED_BYTES, 1 << 20) /* - */
PARA__COUNT(PARA__UNITS_LEAST, 8)                 /* - */
PARA__COUNT(PARA__UNITS_MOST, 256)                /* - */

/* Accumulators while a node of a reduction is folded: more are not piled up, and one that is larger
 * stays in its slot. Bytes. Reasoned: half of the first-level cache is left to data. */
PARA__COUNT(PARA__PILE_BYTES, 4096) /* - */

/* ---- Placement: topology/bind.c -------------------------------------------------------------- */

/* While an array is dealt out to nodes, about so many runs of it have a policy of their own.
 * Reasoned: few of the 65530 mappings that a process may have. */
PARA__COUNT(PARA__RUNS_AT_ONCE, 64) /* - */

/* ---- Stacks: base/thread.c ------------------------------------------------------------------- */

/* The least stack of a thread, and that where the main thread's is unlimited. Bytes. Reasoned: what
 * main threads usually have; and so much that few need more: it costs addresses, and memory only
 * where it is used. */
#define PARA__STACK_BYTES           ((size_t)8 << 20)
#define PARA__STACK_UNLIMITED_BYTES ((size_t)256 << 20)

/* One that is asked for has at least so much. Bytes. Reasoned: the C library takes thread-local
 * variables from it. */
#define PARA__STACK_LEAST_BYTES ((size_t)64 << 10)

/* The guard below each stack. Bytes. Reasoned: a large array that does not fit hits it, instead of
 * the neighbour's stack. */
#define PARA__STACK_GUARD_BYTES ((size_t)64 << 20)

#endif
