#include "base/trace.h"

#include "base/backtrace.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/module.h"
#include "base/process.h"
#include "base/thread.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* For bpftrace, perf and SystemTap: kind, detail, function, id, a and b of an event
 * (base/events.h), when it began and how long it took, in ticks. */
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define PROBE_EVENT(told, begun, ticks)                                                         \
    DTRACE_PROBE8(para, event, (int)(told)->kind, (told)->detail, (told)->function, (told)->id, \
                  (told)->a, (told)->b, (begun), (ticks))
#else
#define PROBE_EVENT(told, begun, ticks) ((void)0)
#endif

para__atomic_u32 para__traced;
void (*para__trace_listener)(const para__told *told);

static para__guard tracks_guard = PARA__GUARD_INIT;
static para__tracks *the_tracks; /* of this process, or of its parent; changed under the guard */
static unsigned tracks_forks;    /* the process that made them */

/* The calling thread's. */
static PARA__THREAD_LOCAL struct {
    para__track *track;
    unsigned forks;     /* the process in which it was claimed; 0: in none */
    uint64_t last_push; /* when it last began something that may take too long */
    bool is_open;       /* for backtraces */
} own_track;
static para__key track_key; /* the same, for the thread's end */

/* ---- Tracks --------------------------------------------------------------------------- */

void para__tracks_lock(void)
{
    para__guard_enter(&tracks_guard);
}

void para__tracks_unlock(void)
{
    para__guard_leave(&tracks_guard);
}

/* In a child nobody looks any more, until somebody asks for it there. */
static void forget_parents(void)
{
    para__store_relaxed(&para__traced, 0); /* both: one thread */
    the_tracks = NULL;
    tracks_forks = para__fork_count();
}

para__tracks *para__tracks_get(void)
{
    return tracks_forks == para__fork_count() ? the_tracks : NULL;
}

para__tracks *para__tracks_make(void)
{
    if (tracks_forks != para__fork_count())
        forget_parents();
    if (!the_tracks) {
        const int saved = errno;
        void *const made = mmap(NULL, sizeof *the_tracks, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        the_tracks = made == MAP_FAILED ? NULL : made;
        errno = saved;
    }
    return the_tracks;
}

/* What a thread has counted, for another that is to have its track. */
static void move_to_past(para__track *track)
{
    for (unsigned i = 0; i < PARA__COUNTS; i++) { /* all relaxed: under the guard */
        the_tracks->past[i] += para__load_relaxed(&track->count[i]);
        para__store_relaxed(&track->count[i], 0);
    }
    for (unsigned i = 0; i <= PARA__HISTOGRAM_BUCKETS; i++) {
        para__atomic_u64 *const waits =
            i < PARA__HISTOGRAM_BUCKETS ? &track->waits.count[i] : &track->waits.sum;
        para__atomic_u64 *const runs =
            i < PARA__HISTOGRAM_BUCKETS ? &track->runs.count[i] : &track->runs.sum;
        the_tracks->past_waits[i] += para__load_relaxed(waits); /* all: likewise */
        the_tracks->past_runs[i] += para__load_relaxed(runs);
        para__store_relaxed(waits, 0);
        para__store_relaxed(runs, 0);
    }
    the_tracks->past_lost += track->lost;
    track->lost = 0;
}

/* Events that nobody has read are kept while somebody may. */
static bool is_free(para__track *track)
{
    if (track->state != PARA__TRACK_LEFT)
        return track->state == PARA__TRACK_FREE;
    return !(para__load_relaxed(&para__traced) & PARA__LOOKS_EVENTS) || /* see trace.h */
           track->drained == para__load_relaxed(&track->ring.head);     /* under the guard */
}

/* A track of that name, of which all else is to be set. */
static para__track *claim_track(const char *name)
{
    para__track *found = NULL;
    const unsigned used = para__load_relaxed(&the_tracks->used); /* both: under the guard */
    for (unsigned i = 0; i < used && !found; i++)
        found = is_free(&the_tracks->track[i]) ? &the_tracks->track[i] : NULL;
    if (!found && used < PARA__TRACKS) {
        found = &the_tracks->track[used];
        para__store_relaxed(&the_tracks->used, used + 1);
    }
    if (!found)
        return NULL;
    if (found->state == PARA__TRACK_LEFT)
        move_to_past(found);
    found->state = PARA__TRACK_IN_USE;
    found->life++;
    found->pid = found->tid = 0;
    found->drained = para__load_relaxed(&found->ring.head); /* nobody has missed what is before */
    strncpy(found->name, name, sizeof found->name - 1);
    return found;
}

static para__track *claim_own_track(void)
{
    char name[16];
    if (prctl(PR_GET_NAME, name) != 0)
        strcpy(name, "?");
    para__track *const found = claim_track(name);
    if (found) {
        found->pid = getpid();
        found->tid = gettid();
    }
    return found;
}

static void leave_track(void *track)
{
    if (own_track.track != track || own_track.forks != para__fork_count())
        return;
    para__tracks_lock();
    own_track.track->state = PARA__TRACK_LEFT;
    para__store_relaxed(&own_track.track->doing.depth, 0); /* its own */
    para__tracks_unlock();
    own_track.track = NULL;
    own_track.forks = 0;
}

/* For a thread that has none in this process. */
__attribute__((noinline, cold)) static para__track *find_track(void)
{
    const int saved = errno;
    para__track *found = NULL;
    para__tracks_lock();
    if (tracks_forks != para__fork_count())
        forget_parents();
    if (the_tracks)
        found = claim_own_track();
    para__tracks_unlock();
    if (found && !para__key_set(&track_key, found)) { /* its end would not be seen */
        para__track_end(found);
        found = NULL;
    }
    if (found) {
        own_track.track = found;
        own_track.forks = para__fork_count();
    } else if (para__tracks_get())
        para__add_relaxed(&the_tracks->homeless, 1); /* a count on its own */
    errno = saved;
    return found;
}

static inline para__track *track_here(void)
{
    return own_track.forks == para__fork_count() ? own_track.track : find_track();
}

/* ---- Telling -------------------------------------------------------------------------- */

static inline void count_more(para__track *track, para__count which, uint64_t more)
{
    para__store_relaxed(&track->count[which], /* both: its thread's own */
                        para__load_relaxed(&track->count[which]) + more);
}

static void count_told(para__track *track, const para__told *told, uint64_t ticks)
{
    switch (told->kind) {
    case PARA__EVENT_CALL:
        count_more(track, PARA__COUNT_CALLS, 1);
        if (told->is_busy) {
            count_more(track, PARA__COUNT_CHUNKS, told->chunks);
            count_more(track, PARA__COUNT_UNITS, told->a);
        }
        break;
    case PARA__EVENT_BATCH:
        count_more(track, PARA__COUNT_CLAIMS, 1);
        count_more(track, PARA__COUNT_STOLEN, told->detail != 0);
        count_more(track, PARA__COUNT_CHUNKS, told->chunks);
        count_more(track, PARA__COUNT_UNITS, told->b);
        break;
    case PARA__EVENT_JOIN:
        count_more(track, PARA__COUNT_JOINED, ticks);
        break;
    case PARA__EVENT_PARK:
        count_more(track, PARA__COUNT_PARKS, 1);
        count_more(track, PARA__COUNT_PARKED, ticks);
        break;
    case PARA__EVENT_WAKE:
        count_more(track, PARA__COUNT_WAKES, 1);
        break;
    case PARA__EVENT_QUEUED:
        count_more(track, PARA__COUNT_QUEUED, 1);
        break;
    case PARA__EVENT_TASK:
        para__histogram_count(&track->runs, ticks);
        break;
    case PARA__EVENT_DROPPED:
        count_more(track, PARA__COUNT_DROPPED, 1);
        break;
    default:
        break;
    }
}

para__mark para__trace_mark(void)
{
    para__track *const track = track_here();
    if (!track)
        return (para__mark){0};
    return (para__mark){.ticks = para__ticks(),
                        .busy = para__load_relaxed(&track->count[PARA__COUNT_BUSY])}; /* its own */
}

/* Each has a time of its own. */
para__mark para__trace_mark_of(const para__told *told, uintptr_t owner)
{
    para__mark mark = para__trace_mark();
    const uint32_t looks = para__load_relaxed(&para__traced); /* see trace.h */
    para__track *const track = own_track.track;
    if (mark.ticks == 0 || !(looks & PARA__LOOKS_DOING))
        return mark;
    mark.ticks = own_track.last_push < mark.ticks ? mark.ticks : own_track.last_push + 1;
    own_track.last_push = mark.ticks;
    const uint64_t word[PARA__DOING_WORDS] = {told->kind, told->function, told->id,
                                              told->a,    told->b,        owner};
    if (looks & PARA__LOOKS_STACKS && para__load_relaxed(&track->doing.depth) == 0) /* its own */
        own_track.is_open = para__backtrace_open();
    para__doing_push(&track->doing, mark.ticks, (uintptr_t)__builtin_frame_address(0), word);
    return mark;
}

static void end_doing(para__track *track, uint64_t since)
{
    if (para__load_relaxed(&track->doing.depth) == 0) /* its own, as below */
        return;
    para__doing_pop(&track->doing, since);
    if (own_track.is_open && para__load_relaxed(&track->doing.depth) == 0) {
        para__backtrace_close();
        own_track.is_open = false;
    }
}

/* Tells the reader that a thread's ring has filled by a part. */
__attribute__((noinline, cold)) static void knock(void)
{
    para__tracks *const own = para__tracks_get();
    const int saved = errno;
    if (own) {
        para__add_relaxed(&own->news, 1); /* see trace.h */
        para__futex_wake(&own->news, 1);
    }
    errno = saved;
}

static void tell_on(para__track *track, para__mark since, const para__told *told)
{
    const uint64_t now = para__ticks();
    const uint64_t begun = since.ticks ? since.ticks : now;
    if (since.ticks)
        end_doing(track, since.ticks);
    count_told(track, told, now - begun);
    PROBE_EVENT(told, begun, now - begun);
    if (told->is_busy) /* with all that lies within: that was counted already */
        para__store_relaxed(&track->count[PARA__COUNT_BUSY],
                            since.busy + now - begun);             /* its own */
    if (!(para__load_relaxed(&para__traced) & PARA__LOOKS_EVENTS)) /* see trace.h */
        return;
    const uint64_t word[PARA__RING_WORDS] = {told->kind | (uint64_t)told->detail << 8,
                                             begun,
                                             now,
                                             told->function,
                                             told->id,
                                             told->a,
                                             told->b,
                                             told->c};
    para__ring_put(&track->ring, word);
    if (para__load_relaxed(&track->ring.head) % PARA__RING_KNOCKS == 0) /* its own */
        knock();
}

void para__trace_tell(para__mark since, const para__told *told)
{
    para__track *const track = track_here();
    if (!track)
        return;
    tell_on(track, since, told);
    if (para__load_relaxed(&para__traced) & PARA__LOOKS_TOOL) /* see trace.h */
        para__trace_listener(told);
}

void para__trace_begun(uint64_t queued_ticks, uintptr_t function)
{
    para__track *const track = track_here();
    if (!track)
        return;
    const uint64_t now = para__ticks();
    count_more(track, PARA__COUNT_BEGUN, 1);
    if (queued_ticks)
        para__histogram_count(&track->waits, now > queued_ticks ? now - queued_ticks : 0);
    para__trace_tell((para__mark){0},
                     &(const para__told){.kind = PARA__EVENT_BEGUN, .function = function});
}

/* ---- Worker processes ----------------------------------------------------------------- */

para__track *para__track_reserve(para__tracks *tracks, const char *name)
{
    para__tracks_lock();
    para__track *const found = tracks && tracks == para__tracks_get() ? claim_track(name) : NULL;
    para__tracks_unlock();
    return found;
}

void para__track_give(para__track *track, pid_t process)
{
    para__tracks_lock();
    track->pid = track->tid = process;
    para__tracks_unlock();
}

void para__track_end(para__track *track)
{
    para__tracks_lock();
    track->state = PARA__TRACK_LEFT;
    if (track->pid == 0) /* there was no process: what was told of it is not to be read */
        track->drained = para__ring_end(&track->ring);
    para__tracks_unlock();
}

void para__track_tell(para__track *track, const para__told *told)
{
    if (para__is_traced())
        tell_on(track, (para__mark){0}, told);
}

void para__track_join(para__tracks *tracks, para__track *track)
{
    own_track.track = track;
    own_track.forks = para__fork_count();
    para__store_relaxed(&para__traced, /* both: see trace.h; a process of one thread */
                        para__load_relaxed(&tracks->looks) &
                            (PARA__LOOKS_NUMBERS | PARA__LOOKS_EVENTS));
}

__attribute__((constructor(101))) static void begin_tracks(void)
{
    para__key_make(&track_key, leave_track);
    para__fork_handle(PARA__FORK_TRACKS, &tracks_guard, forget_parents);
}
