#include "observe/beat.h"

#include "base/atomic.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/fpenv.h"
#include "base/futex.h"
#include "base/process.h"
#include "base/thread.h"

#include <errno.h>
#include <string.h>

static para__guard beats_life = PARA__GUARD_INIT;  /* who starts and stops */
static para__guard beats_table = PARA__GUARD_INIT; /* within it, and the thread's */

static struct {
    unsigned on; /* beats; under beats_life */
    pthread_t thread;
    para__atomic_u32 news;  /* a futex: changes with the table. Orders nothing: the guard does */
    struct {                /* under beats_table */
        void (*look)(void); /* NULL: it is off */
        uint64_t every_ns, next_ns;
    } beat[PARA__BEATS];
    bool ends;
    int running; /* the beat whose look is called; PARA__BEATS: none */
} the_beats = {.running = PARA__BEATS};

static void tell_beats(void)
{
    para__add_relaxed(&the_beats.news, 1); /* see above */
    para__futex_wake(&the_beats.news, INT32_MAX);
}

/* The beat that is due first; PARA__BEATS: there is none. Under the guard. */
static int first_due(void)
{
    int first = PARA__BEATS;
    for (int i = 0; i < PARA__BEATS; i++)
        if (the_beats.beat[i].look &&
            (first == PARA__BEATS || the_beats.beat[i].next_ns < the_beats.beat[first].next_ns))
            first = i;
    return first;
}

/* Without the guard for as long as it looks, so that nobody waits who forks meanwhile. */
static void run_look(int which, uint64_t now_ns)
{
    void (*const call)(void) = the_beats.beat[which].look;
    the_beats.running = which;
    the_beats.beat[which].next_ns = now_ns + the_beats.beat[which].every_ns;
    para__guard_leave(&beats_table);
    call();
    para__guard_enter(&beats_table);
    the_beats.running = PARA__BEATS;
    tell_beats();
}

static void *run_beats(void *arg)
{
    para__thread_name("para/beats");
    (void)para__fp_swap(PARA__FP_DEFAULT);
    para__guard_enter(&beats_table);
    while (!the_beats.ends) {
        const uint32_t news = para__load_relaxed(&the_beats.news); /* see above */
        const int which = first_due();
        const uint64_t now_ns = para__now_ns();
        const uint64_t next_ns = which == PARA__BEATS ? UINT64_MAX : the_beats.beat[which].next_ns;
        if (next_ns <= now_ns) {
            run_look(which, now_ns);
            continue;
        }
        para__guard_leave(&beats_table);
        para__futex_wait_until(&the_beats.news, news, next_ns);
        para__guard_enter(&beats_table);
    }
    para__guard_leave(&beats_table);
    para__process_thread_ends();
    return arg;
}

static void set_beat(para__beat which, uint64_t every_ns, void (*call)(void))
{
    para__guard_enter(&beats_table);
    the_beats.beat[which].look = call;
    the_beats.beat[which].every_ns = every_ns;
    the_beats.beat[which].next_ns = 0;
    tell_beats();
    para__guard_leave(&beats_table);
}

para_status para__beat_start(para__beat which, uint64_t every_ns, void (*call)(void))
{
    int error = 0;
    para__guard_enter(&beats_life);
    set_beat(which, every_ns, call);
    if (the_beats.on++ == 0) {
        the_beats.ends = false;
        error = para__thread_start(&the_beats.thread, &(para__stack){0}, run_beats, NULL);
    }
    if (error) {
        the_beats.on--;
        set_beat(which, 0, NULL);
    }
    para__guard_leave(&beats_life);
    return error ? para__fail(PARA_ERR_THREAD, "%s", strerror(error)) : PARA_OK;
}

static void await_look(para__beat which)
{
    para__guard_enter(&beats_table);
    while (the_beats.running == (int)which) {
        const uint32_t news = para__load_relaxed(&the_beats.news); /* see above */
        para__guard_leave(&beats_table);
        para__futex_wait_until(&the_beats.news, news, UINT64_MAX);
        para__guard_enter(&beats_table);
    }
    para__guard_leave(&beats_table);
}

void para__beat_stop(para__beat which)
{
    const int saved = errno;
    para__guard_enter(&beats_life);
    set_beat(which, 0, NULL);
    await_look(which);
    if (--the_beats.on == 0) {
        para__guard_enter(&beats_table);
        the_beats.ends = true;
        tell_beats();
        para__guard_leave(&beats_table);
        pthread_join(the_beats.thread, NULL);
    }
    para__guard_leave(&beats_life);
    errno = saved;
}

/* The thread has not come along. */
static void forget_beats(void)
{
    for (int i = 0; i < PARA__BEATS; i++)
        the_beats.beat[i].look = NULL;
    the_beats.on = 0;
    the_beats.running = PARA__BEATS;
}

__attribute__((constructor(101))) static void begin_beats(void)
{
    para__fork_handle(PARA__FORK_BEATS_LIFE, &beats_life, NULL);
    para__fork_handle(PARA__FORK_BEATS, &beats_table, forget_beats);
}
