/* Atomics: C17's, under names short enough that a line still has room for its reason.
 *
 * Every use carries at its side either the label of the edge that it is half of, [E1] and so on, as
 * listed in docs/memory-model.md, or the reason why no order is needed. Order is always on the
 * operation, never in a bare fence: ThreadSanitizer cannot see fences. */
#ifndef PARA_BASE_ATOMIC_H
#define PARA_BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define para__load_relaxed(p)     atomic_load_explicit((p), memory_order_relaxed)
#define para__load_acquire(p)     atomic_load_explicit((p), memory_order_acquire)
#define para__load_seq_cst(p)     atomic_load_explicit((p), memory_order_seq_cst)
#define para__store_relaxed(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define para__store_release(p, v) atomic_store_explicit((p), (v), memory_order_release)
#define para__store_seq_cst(p, v) atomic_store_explicit((p), (v), memory_order_seq_cst)
#define para__swap_acquire(p, v)  atomic_exchange_explicit((p), (v), memory_order_acquire)
#define para__swap_seq_cst(p, v)  atomic_exchange_explicit((p), (v), memory_order_seq_cst)
#define para__add_relaxed(p, v)   atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define para__add_acq_rel(p, v)   atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define para__cas_relaxed(p, e, v)                                               \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_relaxed, \
                                            memory_order_relaxed)
#define para__cas_seq_cst(p, e, v)                                               \
    atomic_compare_exchange_strong_explicit((p), (e), (v), memory_order_seq_cst, \
                                            memory_order_relaxed)

/* Cache lines come in pairs: x86 fetches the neighbour of a line that is missed, and some Arm cores
 * have lines of 128 bytes. What different threads write stands this far apart. */
#define PARA__LINE 128

/* Tells the core that it spins: frees its resources for a sibling thread, and leaves the loop
 * without the penalty of a mis-speculated load. */
static inline void para__pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif
