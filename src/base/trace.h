/* The hook: what the engine tells of what it does, and to whom.
 *
 * While nobody looks, para__traced is 0 and an event costs a load. Else each thread counts what it
 * does, and writes it into a ring of its own (base/ring.h) if events are wanted. `observe` reads
 * both. All of a thread's memory is one track. Tracks lie in one piece of shared memory without
 * pointers inside: functions are told by their addresses, which the reader resolves.
 *
 * An event has a begin and an end, in ticks; an instant has both at once. Events of one thread are
 * written when they end, and lie within each other as its functions do. */
#ifndef PARA_BASE_TRACE_H
#define PARA_BASE_TRACE_H

#include "base/atomic.h"
#include "base/clock.h"
#include "base/doing.h"
#include "base/events.h"
#include "base/histogram.h"
#include "base/ring.h"

#include <sys/types.h>

/* What a thread counts. */
typedef enum para__count {
    PARA__COUNT_CHUNKS, /* kernel calls */
    PARA__COUNT_UNITS,  /* elements of maps, blocks of reductions */
    PARA__COUNT_BUSY,   /* ticks in kernels and tasks */
    PARA__COUNT_CLAIMS, /* batches of shared calls, */
    PARA__COUNT_STOLEN, /* and those of another's slice */
    PARA__COUNT_PARKS,
    PARA__COUNT_PARKED,  /* ticks asleep */
    PARA__COUNT_WAKES,   /* others that it has woken */
    PARA__COUNT_CALLS,   /* that it has made */
    PARA__COUNT_JOINED,  /* ticks in which it waited for participants of its calls */
    PARA__COUNT_QUEUED,  /* tasks that it has submitted */
    PARA__COUNT_BEGUN,   /* tasks that it has run, or begun to */
    PARA__COUNT_DROPPED, /* tasks that ended here without having run */
    PARA__COUNTS
} para__count;

/* Of a track:
 *
 *            claim              end               claim: its numbers go to the past
 *     FREE ---------> IN USE ---------> LEFT -------------------------------------> IN USE
 *
 * Each step is made under the guard of the tracks, which orders what a track's threads write. */
typedef enum para__track_state {
    PARA__TRACK_FREE,
    PARA__TRACK_IN_USE,
    PARA__TRACK_LEFT
} para__track_state;

typedef struct para__track {
    para__track_state state; /* this to drained: under the guard */
    pid_t pid, tid;          /* 0: of a process that is to be forked */
    unsigned life;           /* its number among the threads that had the track */
    char name[16];           /* the thread's */
    uint64_t drained, lost;  /* events that somebody has taken; and that were overwritten before */
    para__atomic_u64
        count[PARA__COUNTS];     /* by its thread; each a value on its own: orders nothing */
    para__histogram waits, runs; /* how long its tasks were queued, and ran */
    para__doing doing;           /* tasks, batches and waits for tasks that are not over, if a
                                    watchdog looks. A word each: kind, function, id, a and b as
                                    below, and the pool's address, or that of its lanes */
    para__ring ring;
} para__track;

enum { PARA__TRACKS = 1088 }; /* the workers of a large pool, and 64 others */

typedef struct para__tracks {
    para__atomic_u32 used;     /* tracks that were ever claimed: a hint, they do not move */
    para__atomic_u32 news;     /* a futex: goes on when a thread has told much. Orders nothing: what
                                  a reader misses it finds later */
    para__atomic_u32 looks;    /* para__traced, for worker processes; a value on its own */
    para__atomic_u64 homeless; /* events of threads without a track; a count on its own */
    uint64_t past[PARA__COUNTS]; /* under the guard: of threads whose tracks others have now */
    uint64_t past_waits[PARA__HISTOGRAM_BUCKETS + 1], past_runs[PARA__HISTOGRAM_BUCKETS + 1];
    uint64_t past_lost;
    para__track track[PARA__TRACKS];
} para__tracks;

/* Who looks, as bits: 0: nobody. A value on its own: late news means an event more or less. */
enum {
    PARA__LOOKS_NUMBERS = 1,
    PARA__LOOKS_EVENTS = 2,
    PARA__LOOKS_DOING = 4,  /* a watchdog, */
    PARA__LOOKS_STACKS = 8, /* which may ask for backtraces: base/backtrace.h */
    PARA__LOOKS_TOOL = 16   /* a profiler: see below */
};
extern para__atomic_u32 para__traced;

/* With PARA__LOOKS_TOOL it is told of each event that is not of a worker process, on its thread.
 * Set before main() begins, and never after. */
extern void (*para__trace_listener)(const para__told *told);

/* The slower halves of the next functions. They keep errno, and compute nothing in floating
 * point. */
para__mark para__trace_mark(void);
para__mark para__trace_mark_of(const para__told *told, uintptr_t owner);
void para__trace_tell(para__mark since, const para__told *told);
void para__trace_begun(uint64_t queued_ticks, uintptr_t function);

static inline bool para__is_traced(void)
{
    return __builtin_expect(para__load_relaxed(&para__traced) != 0, 0); /* see above */
}

/* Something begins; then it ends. */
static inline para__mark para__trace_begin(void)
{
    return para__is_traced() ? para__trace_mark() : (para__mark){0};
}

/* Likewise, of something that may take too long, in that pool. Of a task a is its address, and b
 * that of its group; of a batch the first unit, and how many; of a wait that of the task, or of the
 * group. */
#define para__trace_begin_of(owner, ...)                                                           \
    (para__is_traced() ? para__trace_mark_of(&(const para__told){__VA_ARGS__}, (uintptr_t)(owner)) \
                       : (para__mark){0})

#define para__trace_end(since, ...)                                      \
    do {                                                                 \
        if (__builtin_expect((since).ticks != 0, 0))                     \
            para__trace_tell((since), &(const para__told){__VA_ARGS__}); \
    } while (0)

/* Something happens at once. */
#define para__trace_instant(...)                                                 \
    do {                                                                         \
        if (para__is_traced())                                                   \
            para__trace_tell((para__mark){0}, &(const para__told){__VA_ARGS__}); \
    } while (0)

/* A task begins that was queued at that time; 0: not known. */
static inline void para__trace_task(uint64_t queued_ticks, uintptr_t function)
{
    if (para__is_traced())
        para__trace_begun(queued_ticks, function);
}

/* ---- Worker processes -----------------------------------------------------------------
 *
 * A worker process tells into a track that its parent has claimed for it: the tracks' memory is
 * shared, so both see the same. Who looks is told by a word there. */

/* A track for a process that will be forked; NULL: there is none. The parent tells its number as
 * soon as that is known, and that it has ended. */
para__track *para__track_reserve(para__tracks *tracks, const char *name);
void para__track_give(para__track *track, pid_t process);
void para__track_end(para__track *track);

/* Told by the parent, of a process that is not there yet, or not any more. */
void para__track_tell(para__track *track, const para__told *told);

/* In the process: from now on its thread tells into that track, as far as somebody looks. Called
 * before each call, since that may have changed. */
void para__track_join(para__tracks *tracks, para__track *track);

/* ---- For `observe` -------------------------------------------------------------------- */

/* The tracks of this process, NULL before the first look; made by the second function, or NULL if
 * there is no memory. */
para__tracks *para__tracks_get(void);
para__tracks *para__tracks_make(void);

/* Under it the states of tracks change. */
void para__tracks_lock(void);
void para__tracks_unlock(void);

#endif
