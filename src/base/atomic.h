/* C17's atomics, under names short enough that a line still has room for its reason.
 *
 * Every operation that orders something takes, as its first argument, the label of the edge that it
 * is half of; an unknown label does not compile. A relaxed operation has no label, and a comment
 * beside it says why no order is needed. Order is always on the operation, never in a bare fence:
 * ThreadSanitizer cannot see fences. */
#ifndef PARA_BASE_ATOMIC_H
#define PARA_BASE_ATOMIC_H

#include "base/atomic_types.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A program built with ThreadSanitizer may be linked with a para that is not. Then the sanitizer
 * would not see the operations here, and would report a race for each element that a worker has
 * written. It searches all earlier reports each time, so such a program seemed to hang. So para
 * tells the sanitizer, if the process has one, what each operation orders, at its address: before a
 * release publishes, and after an acquire has read. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PARA__BUILT_WITH_TSAN
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(PARA__BUILT_WITH_TSAN)
#define para__tsan_acquire(p) ((void)(p))
#define para__tsan_release(p) ((void)(p))
#else
extern void __tsan_acquire(void *address) __attribute__((weak, cold));
extern void __tsan_release(void *address) __attribute__((weak, cold));
#define para__tsan_acquire(p) (__tsan_acquire ? __tsan_acquire((void *)(p)) : (void)0)
#define para__tsan_release(p) (__tsan_release ? __tsan_release((void *)(p)) : (void)0)
#endif

/* The edges: the word, and what it passes from thread to thread. docs/memory-model.md has the
 * arguments. */
enum para__edge {
    PARA__E1,  /* descriptor.call: a job, from its caller to each claimer */
    PARA__E2,  /* member.done, group.done: what helpers did, to the caller */
    PARA__E3,  /* lane.lease: a lane, from one lessee to the next */
    PARA__E4,  /* pool.starting, pool.ready: what threads wrote about themselves, to all */
    PARA__E5,  /* event.state and what is news: no wake-up is lost */
    PARA__E6,  /* para__default_pool: the pool or the novice, from its maker to all */
    PARA__E7,  /* the_machine: the machine's description, likewise */
    PARA__E8,  /* helper.acting: a worker's name, from one that acts in it to the next */
    PARA__E9,  /* para_mutex: what it guards, from one holder to the next */
    PARA__E10, /* a latch's state: the queues of those who wait */
    PARA__E11, /* para_semaphore: what was done before a release, to an acquirer */
    PARA__E12, /* para_cancel: what was done before a request, to those that see it */
    PARA__E13, /* a wait's event: what its waker did, to the sleeper */
    PARA__E14, /* after_fork's word: what a handler has done in a child, to all there */
    PARA__E15, /* process.c, own_threads: what main wrote before it left, to its stand-in's maker */
    PARA__E16, /* group.count: what participants did, to the last of them */
    PARA__E5_E16, /* both at once: in the caller's group it is news, as member.done is */
    PARA__E17,    /* seat.lease: a deque, from one owner to the next */
    PARA__E18,    /* deque.top and .bottom: a task, from who submits it to who takes it */
    PARA__E19, /* task.word, task_group.word: what tasks have done, to those that wait for them */
    PARA__E20, /* pool.crew: those that run tasks, from its maker to all */
    PARA__E21, /* pool.intake, stay.pool: a pool that ends, and who is inside its functions */
    PARA__E22, /* counts.over: what a task has submitted, to who counts tasks */
    PARA__E23, /* lookout.looking and what is queued: a task is seen by who looks out last */
    PARA__E24, /* names.bucket: a name, from who registers it first to all */
    PARA__E25, /* named.word: what is registered, to its requests, and back when they are over */
    PARA__E31, /* doing.level: what a thread is at, to a watchdog, which reads it whole or not */
    PARA__E32, /* frames.answered: a stack, from the thread that was asked to who asks */
    PARA__E30, /* ring.head, ring.slot: an event, from who tells of it to who reads it */
    PARA__E26, /* region.holders: what holders did, to who unmaps it */
    PARA__E27, /* board.call, board.word: a job, from its caller to the process that claims */
    PARA__E28, /* record.told: what worker processes did, to the caller; and board.joins */
    PARA__E29, /* hall.news and presence.asleep: the open call; no process sleeps through it */
    PARA__E18_E5,  /* both at once: a task in a deque is also news */
    PARA__E19_E21, /* both at once: after a task's end nobody enters its pool to wait for it */
    PARA__E20_E5,  /* both at once: so is the crew that has the first task */
    PARA__E2_E5,   /* both at once: member.done is also the news that a joiner may sleep through */
};

/* There is no seq_cst store, because emulators let a seq_cst load overtake it: under QEMU 7.2,
 * aarch64 on x86, one in some hundred of two threads that each store and look misses the other. A
 * swap is what compilers make of such a store on x86 anyway. */
#define para__load_relaxed(p)        atomic_load_explicit(&(p)->raw, memory_order_relaxed)
#define para__load_acquire(e, p)     PARA__TAKES(e, load, &(p)->raw, memory_order_acquire)
#define para__load_seq_cst(e, p)     PARA__TAKES(e, load, &(p)->raw, memory_order_seq_cst)
#define para__store_relaxed(p, v)    atomic_store_explicit(&(p)->raw, (v), memory_order_relaxed)
#define para__store_release(e, p, v) PARA__GIVES(e, store, &(p)->raw, (v), memory_order_release)
#define para__swap_relaxed(p, v)     atomic_exchange_explicit(&(p)->raw, (v), memory_order_relaxed)
#define para__swap_acquire(e, p, v)  PARA__TAKES(e, exchange, &(p)->raw, (v), memory_order_acquire)
#define para__swap_release(e, p, v)  PARA__GIVES(e, exchange, &(p)->raw, (v), memory_order_release)
#define para__swap_seq_cst(e, p, v)  PARA__BOTH(e, exchange, &(p)->raw, (v), memory_order_seq_cst)
#define para__add_relaxed(p, v)      atomic_fetch_add_explicit(&(p)->raw, (v), memory_order_relaxed)
#define para__add_release(e, p, v)   PARA__GIVES(e, fetch_add, &(p)->raw, (v), memory_order_release)
#define para__add_seq_cst(e, p, v)   PARA__BOTH(e, fetch_add, &(p)->raw, (v), memory_order_seq_cst)
#define para__or_relaxed(p, v)       atomic_fetch_or_explicit(&(p)->raw, (v), memory_order_relaxed)
#define para__or_release(e, p, v)    PARA__GIVES(e, fetch_or, &(p)->raw, (v), memory_order_release)
#define para__and_relaxed(p, v)      atomic_fetch_and_explicit(&(p)->raw, (v), memory_order_relaxed)
#define para__cas_relaxed(p, known, v)                                                     \
    atomic_compare_exchange_strong_explicit(&(p)->raw, (known), (v), memory_order_relaxed, \
                                            memory_order_relaxed)
/* Ordered if they succeed; if not, a relaxed load. */
#define para__cas_acquire(e, p, known, v) \
    PARA__TAKES(e, compare_exchange_strong, &(p)->raw, (known), (v), PARA__CAS(acquire))
#define para__cas_release(e, p, known, v) \
    PARA__GIVES(e, compare_exchange_strong, &(p)->raw, (known), (v), PARA__CAS(release))
#define para__cas_seq_cst(e, p, known, v) \
    PARA__BOTH(e, compare_exchange_strong, &(p)->raw, (known), (v), PARA__CAS(seq_cst))
#define PARA__CAS(order) memory_order_##order, memory_order_relaxed

#define PARA__ORDERED(e, operation, ...) \
    ((void)PARA__##e, atomic_##operation##_explicit(__VA_ARGS__))
#define PARA__GIVES(e, operation, p, ...) \
    (para__tsan_release(p), PARA__ORDERED(e, operation, p, __VA_ARGS__))
#define PARA__TAKES(e, operation, p, ...)                                       \
    __extension__({                                                             \
        const __auto_type taken_ = PARA__ORDERED(e, operation, p, __VA_ARGS__); \
        para__tsan_acquire(p);                                                  \
        taken_;                                                                 \
    })
#define PARA__BOTH(e, operation, p, ...) \
    (para__tsan_release(p), PARA__TAKES(e, operation, p, __VA_ARGS__))

/* Cache lines come in pairs: x86 fetches the neighbour of a line that is missed, and some Arm cores
 * have lines of 128 bytes. What different threads write stands this far apart. */
#define PARA__LINE 128

/* Tells the core that the thread spins: this frees resources for a sibling thread, and leaves the
 * loop without the penalty of a mis-speculated load. */
static inline void para__pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

#endif
