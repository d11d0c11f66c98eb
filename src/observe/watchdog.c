/* Watchdogs. Threads note what they are at (base/doing.h) while one looks; worker processes always
 * do, in their shared memory. A watchdog's thread reads that, and remembers what it has told by the
 * time at which it began.
 *
 * Deadlock. Threads that sleep in a wait for a task, or for a group, wait for the threads that run
 * it, or tasks of it. Of those that sleep, all are taken to be stuck at first; one is not if nobody
 * runs what it waits for, since it may be just over, or if all who do are not stuck. What remains
 * waits for itself, or for what does. */
#include "base/backtrace.h"
#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/symbol.h"
#include "base/thread.h"
#include "base/tuning_observe.h"
#include "observe/look.h"
#include "pool/pool.h"
#include "pool/self.h"
#include "pool/visit.h"

#include <para/watchdog.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LEVELS = PARA__DOING_DEPTH };

/* What is known of a thread, or of a worker process. */
typedef struct seen_thread {
    uint64_t told[LEVELS + 1]; /* when what was told began; the last one: of a deadlock */
    pid_t thread;              /* at this look; 0: it has nothing to do in the pool */
    unsigned depth;
    struct {
        uint64_t since;
        uint64_t word[PARA__DOING_WORDS];
    } level[LEVELS];
    bool is_stuck;
} seen_thread;

struct para_watchdog_ {
    para_pool *pool;
    para_watchdog config;
    unsigned forks;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ends;
    bool is_ending; /* under the mutex */
    unsigned count; /* of `seen` that are in use */
    seen_thread seen[];
};

static para__guard dogs = PARA__GUARD_INIT; /* guards: */
static unsigned watching;                   /* watchdogs of this process, */
static bool has_stacks;                     /* and whether one of them has backtraces */
static para__frames stack_frames;

/* ---- Looking -------------------------------------------------------------------------------- */

static bool is_of_pool(const para_pool *pool, uint64_t whose)
{
    return whose == (uintptr_t)pool || whose == (uintptr_t)&pool->lanes;
}

/* A copy of what a thread is at. */
static void look_at_track(const para_pool *pool, para__track *track, seen_thread *seen)
{
    seen->thread = 0;
    seen->depth = 0;
    seen->is_stuck = false;
    if (track->state != PARA__TRACK_IN_USE || track->pid != getpid())
        return;
    for (unsigned l = 0; l < LEVELS; l++) {
        if (!para__doing_read(&track->doing, l, &seen->level[l].since, seen->level[l].word))
            break;
        seen->depth = l + 1;
        if (is_of_pool(pool, seen->level[l].word[5]))
            seen->thread = track->tid;
    }
}

static void look_at_tracks(struct para_watchdog_ *dog)
{
    para__tracks_lock();
    para__tracks *const tracks = para__tracks_get();
    const unsigned used = tracks ? para__load_relaxed(&tracks->used) : 0; /* under the guard */
    for (unsigned t = 0; t < used; t++)
        look_at_track(dog->pool, &tracks->track[t], &dog->seen[t]);
    dog->count = used;
    para__tracks_unlock();
}

/* ---- Deadlock ------------------------------------------------------------------------------- */

static bool waits(const seen_thread *seen)
{
    return seen->depth > 1 && seen->level[seen->depth - 1].word[0] == PARA__EVENT_AWAIT;
}

/* Whether what a thread waits for is run by one that is stuck. */
static bool has_stuck_runner(const struct para_watchdog_ *dog, const seen_thread *waiter)
{
    const uint64_t *const target = waiter->level[waiter->depth - 1].word;
    for (unsigned t = 0; t < dog->count; t++) {
        const seen_thread *const other = &dog->seen[t];
        for (unsigned l = 0; other->is_stuck && l < other->depth; l++) {
            const uint64_t *const word = other->level[l].word;
            if (word[0] == PARA__EVENT_TASK &&
                ((target[3] && word[3] == target[3]) || (target[4] && word[4] == target[4])))
                return true;
        }
    }
    return false;
}

static void find_stuck(struct para_watchdog_ *dog)
{
    bool changes = true;
    for (unsigned t = 0; t < dog->count; t++)
        dog->seen[t].is_stuck = waits(&dog->seen[t]);
    while (changes) {
        changes = false;
        for (unsigned t = 0; t < dog->count; t++)
            if (dog->seen[t].is_stuck && !has_stuck_runner(dog, &dog->seen[t])) {
                dog->seen[t].is_stuck = false;
                changes = true;
            }
    }
}

/* ---- Telling -------------------------------------------------------------------------------- */

static int worker_of(const para_pool *pool, pid_t thread)
{
    for (unsigned i = 0; i < pool->requested; i++)
        if (para__load_relaxed(&pool->worker[i].tid) == thread) /* see types.h */
            return (int)i;
    return -1;
}

/* Whether it is late, and was not told before. */
static bool is_to_be_told(const struct para_watchdog_ *dog, uint64_t since, uint64_t elapsed_ns,
                          uint64_t *last)
{
    if (elapsed_ns < dog->config.late_ns || *last == since)
        return false;
    *last = since;
    return true;
}

/* To the log, and to the program. */
static void tell(const struct para_watchdog_ *dog, const para_late *late)
{
    if (para__log_is_open()) {
        const bool is_circle = late->kind == PARA_LATE_DEADLOCK;
        char who[32] = "a thread";
        para__symbol symbol;
        para__symbol_find(late->function, &symbol);
        if (late->worker >= 0)
            snprintf(who, sizeof who, "worker %d", late->worker);
        para__log(is_circle ? PARA_LOG_DEADLOCK : PARA_LOG_LATE, late->id,
                  "%s has been %s %s (%s) for %ju ms", who, is_circle ? "waiting in" : "at",
                  symbol.name, symbol.place, (uintmax_t)(late->elapsed_ns / PARA__NS_OF_MS));
    }
    dog->config.late(late, dog->config.late_arg);
}

static void tell_level(struct para_watchdog_ *dog, seen_thread *seen, unsigned l)
{
    const uint64_t *const word = seen->level[l].word;
    const uint64_t since = seen->level[l].since;
    const uint64_t elapsed_ns = para__ns_since(since);
    const bool is_wait = word[0] == PARA__EVENT_AWAIT;
    if (is_wait ? !seen->is_stuck || l == 0 : !is_of_pool(dog->pool, word[5]))
        return;
    if (!is_to_be_told(dog, since, elapsed_ns, &seen->told[is_wait ? LEVELS : l]))
        return;
    const uint64_t *const work = is_wait ? seen->level[l - 1].word : word;
    const bool is_chunk = word[0] == PARA__EVENT_BATCH;
    const para_late late = {.kind = is_wait    ? PARA_LATE_DEADLOCK
                                    : is_chunk ? PARA_LATE_CHUNK
                                               : PARA_LATE_TASK,
                            .worker = worker_of(dog->pool, seen->thread),
                            .process = getpid(),
                            .thread = seen->thread,
                            .function = (uintptr_t)work[1],
                            .id = work[2],
                            .first = is_chunk ? (size_t)word[3] : 0,
                            .count = is_chunk ? (size_t)word[4] : 0,
                            .elapsed_ns = elapsed_ns,
                            .watchdog_ = dog,
                            .since_ = since};
    tell(dog, &late);
}

static void look_at_threads(struct para_watchdog_ *dog)
{
    look_at_tracks(dog);
    find_stuck(dog);
    for (unsigned t = 0; t < dog->count; t++)
        for (unsigned l = 0; dog->seen[t].thread && l < dog->seen[t].depth; l++)
            tell_level(dog, &dog->seen[t], l);
}

static void look_at_processes(struct para_watchdog_ *dog)
{
    for (unsigned i = 0; i < dog->pool->requested; i++) {
        const para__worker_life life = para__workshop_life(dog->pool->shop, i);
        if (!life.process || !life.work.function ||
            !is_to_be_told(dog, life.since_ticks, life.busy_ns, &dog->seen[i].told[0]))
            continue;
        const para_late late = {.kind = life.work.is_task ? PARA_LATE_TASK : PARA_LATE_CHUNK,
                                .worker = (int)i,
                                .process = life.process,
                                .thread = life.process,
                                .function = life.work.function,
                                .id = life.work.id,
                                .elapsed_ns = life.busy_ns,
                                .watchdog_ = dog,
                                .since_ = life.since_ticks};
        tell(dog, &late);
    }
}

/* Until it ends, or the time has come for the next look. */
static bool sleep_until_look(struct para_watchdog_ *dog)
{
    const uint64_t ns = para__clamp(dog->config.late_ns / 4, PARA__NS_OF_MS,
                                    (uint64_t)PARA__WATCHDOG_MS * PARA__NS_OF_MS);
    const uint64_t at = para__now_ns() + ns;
    const struct timespec until = para__timespec(at);
    pthread_mutex_lock(&dog->mutex);
    while (!dog->is_ending && para__now_ns() < at)
        pthread_cond_timedwait(&dog->ends, &dog->mutex, &until);
    const bool is_ending = dog->is_ending;
    pthread_mutex_unlock(&dog->mutex);
    return !is_ending;
}

static void *keep_watch(void *of)
{
    struct para_watchdog_ *const dog = of;
    para__thread_name("para watchdog");
    while (sleep_until_look(dog)) {
        if (dog->pool->shop)
            look_at_processes(dog);
        else
            look_at_threads(dog);
    }
    para__process_thread_ends();
    return NULL;
}

/* ---- Life ----------------------------------------------------------------------------------- */

/* In a child none of the parent's is there. */
static void forget_dogs(void)
{
    watching = 0;
    if (has_stacks)
        para__backtrace_end();
    has_stacks = false;
}

static para_status take_stacks(void)
{
    if (has_stacks)
        return para__fail(PARA_ERR_BUSY, "another watchdog has backtraces");
    if (!para__backtraces_are_safe())
        return para__fail(PARA_ERR_UNSUPPORTED, "backtraces with this C library");
    if (!para__backtrace_begin(&stack_frames))
        return para__fail(PARA_ERR_BUSY, "the program has a handler of SIGURG");
    has_stacks = true;
    return PARA_OK;
}

/* The bits that threads look at; under the guard. */
static para_status begin_looking(const para_watchdog *config)
{
    para_status status = config->backtraces ? take_stacks() : PARA_OK;
    if (status)
        return status;
    status =
        para__look(PARA__LOOKS_DOING | (config->backtraces ? (unsigned)PARA__LOOKS_STACKS : 0));
    if (!status)
        watching++;
    else if (config->backtraces) {
        para__backtrace_end();
        has_stacks = false;
    }
    return status;
}

static void end_looking(const para_watchdog *config)
{
    if (config->backtraces) {
        para__look_away(PARA__LOOKS_STACKS);
        para__backtrace_end();
        has_stacks = false;
    }
    if (--watching == 0)
        para__look_away(PARA__LOOKS_DOING);
}

static para_status make_dog(para_pool *pool, para_watchdog *watchdog)
{
    const unsigned most = pool->shop ? pool->requested : PARA__TRACKS;
    struct para_watchdog_ *const dog = para__alloc(sizeof *dog + most * sizeof dog->seen[0]);
    const para__stack stack = {0};
    pthread_condattr_t monotonic;
    if (!dog)
        return para__fail(PARA_ERR_MEMORY, "a watchdog");
    dog->pool = pool;
    dog->config = *watchdog;
    dog->forks = para__fork_count();
    pthread_mutex_init(&dog->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&dog->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
    para__guard_enter(&dogs);
    para_status status = begin_looking(watchdog);
    if (!status && para__thread_start(&dog->thread, &stack, keep_watch, dog) != 0) {
        end_looking(watchdog);
        status = para__fail(PARA_ERR_THREAD, "a watchdog's");
    }
    para__guard_leave(&dogs);
    if (status)
        para__free(dog);
    else
        watchdog->watchdog_ = dog;
    return status;
}

static bool is_in_use(const para_watchdog *watchdog)
{
    return watchdog->watchdog_ && watchdog->watchdog_->forks == para__fork_count();
}

para_status para_watchdog_begin(para_pool *pool, para_watchdog *watchdog)
{
    para__stay *stay;
    if (!watchdog || watchdog->size != sizeof *watchdog)
        return para__fail(PARA_ERR_ARGUMENT, "%s",
                          watchdog ? "watchdog.size: use PARA_WATCHDOG_INIT" : "no watchdog");
    if (!watchdog->late || watchdog->late_ns < PARA__NS_OF_MS)
        return para__fail(PARA_ERR_ARGUMENT, "%s",
                          !watchdog->late ? "watchdog.late is NULL"
                                          : "watchdog.late_ns is less than 1000000");
    if (is_in_use(watchdog))
        return para__fail(PARA_ERR_BUSY, "the watchdog is in use");
    para_status status = para__pool_visit(&pool, &stay);
    if (!status && para__pool_is_forked(pool))
        status = para__pool_fail_forked();
    const int cancel_state = para__cancellation_off();
    if (!status && !para__pool_watch(pool))
        status = para__fail(PARA_ERR_ENDING, "the pool is being destroyed");
    else if (!status && (status = make_dog(pool, watchdog)))
        para__pool_unwatch(pool);
    para__cancellation_restore(cancel_state);
    para__pool_leave(stay);
    return status;
}

para_status para_watchdog_end(para_watchdog *watchdog)
{
    if (!watchdog || !watchdog->watchdog_)
        return para__fail(PARA_ERR_ARGUMENT, "%s", watchdog ? "it is not in use" : "no watchdog");
    struct para_watchdog_ *const dog = watchdog->watchdog_;
    const bool is_own = dog->forks == para__fork_count();
    if (is_own && pthread_equal(dog->thread, pthread_self()))
        return para__fail(PARA_ERR_BUSY, "the calling thread is in its `late`");
    const int cancel_state = para__cancellation_off();
    watchdog->watchdog_ = NULL;
    if (is_own) {
        pthread_mutex_lock(&dog->mutex);
        dog->is_ending = true;
        pthread_cond_signal(&dog->ends);
        pthread_mutex_unlock(&dog->mutex);
        pthread_join(dog->thread, NULL);
        para__guard_enter(&dogs);
        end_looking(&dog->config);
        para__guard_leave(&dogs);
        para__pool_unwatch(dog->pool);
    }
    para__free(dog);
    para__cancellation_restore(cancel_state);
    return PARA_OK;
}

/* ---- Backtraces ----------------------------------------------------------------------------- */

static void send_to_thread(void *of)
{
    syscall(SYS_tgkill, getpid(), *(const pid_t *)of, SIGURG);
}

para_status para_late_backtrace(const para_late *late, void *frames[], unsigned most,
                                unsigned *count)
{
    if (!late || !late->watchdog_ || !frames || !count)
        return para__fail(PARA_ERR_ARGUMENT, "a NULL");
    struct para_watchdog_ *const dog = late->watchdog_;
    unsigned found = 0;
    if (!dog->config.backtraces)
        return para__fail(PARA_ERR_UNSUPPORTED, "the watchdog has no backtraces");
    pid_t thread = late->thread;
    bool has_answered;
    if (dog->pool->shop)
        has_answered = para__workshop_stack(dog->pool->shop, (unsigned)late->worker, late->process,
                                            frames, most, &found);
    else if ((has_answered = para__backtrace_ask(&stack_frames, thread, send_to_thread, &thread)))
        for (; found < most && found < stack_frames.count; found++)
            frames[found] = (void *)stack_frames.frame[found];
    if (!has_answered)
        return para__fail(PARA_ERR_TIMEOUT, "thread %d does not answer", thread);
    *count = found;
    return PARA_OK;
}

__attribute__((constructor(101))) static void guard_dogs(void)
{
    para__fork_handle(PARA__FORK_WATCHDOG, &dogs, forget_dogs);
}
