#include "observe/timer.h"

#include "base/atomic.h"
#include "base/clock.h"
#include "base/fork.h"
#include "base/fpenv.h"
#include "base/futex.h"
#include "base/process.h"
#include "base/thread.h"

#include <errno.h>
#include <string.h>

static para__guard timers_life = PARA__GUARD_INIT;  /* who starts and stops */
static para__guard timers_table = PARA__GUARD_INIT; /* within it, and the thread's */

static struct {
    unsigned on; /* timers; under timers_life */
    pthread_t thread;
    para__atomic_u32 news;  /* a futex: changes with the table. Orders nothing: the guard does */
    struct {                /* under timers_table */
        void (*look)(void); /* NULL: it is off */
        uint64_t every_ns, next_ns;
    } timer[PARA__TIMERS];
    bool ends;
    int running; /* the timer whose look is called; PARA__TIMERS: none */
} the_timers = {.running = PARA__TIMERS};

static void tell_timers(void)
{
    para__add_relaxed(&the_timers.news, 1); /* see above */
    para__futex_wake(&the_timers.news, INT32_MAX);
}

/* The timer that is due first; PARA__TIMERS: there is none. Under the guard. */
static int first_due(void)
{
    int first = PARA__TIMERS;
    for (int i = 0; i < PARA__TIMERS; i++)
        if (the_timers.timer[i].look &&
            (first == PARA__TIMERS ||
             the_timers.timer[i].next_ns < the_timers.timer[first].next_ns))
            first = i;
    return first;
}

/* Without the guard for as long as it looks, so that nobody waits who forks meanwhile. */
static void run_look(int which, uint64_t now_ns)
{
    void (*const call)(void) = the_timers.timer[which].look;
    the_timers.running = which;
    the_timers.timer[which].next_ns = now_ns + the_timers.timer[which].every_ns;
    para__guard_leave(&timers_table);
    call();
    para__guard_enter(&timers_table);
    the_timers.running = PARA__TIMERS;
    tell_timers();
}

static void *run_timers(void *arg)
{
    para__thread_name("para/timers");
    (void)para__fp_swap(PARA__FP_DEFAULT);
    para__guard_enter(&timers_table);
    while (!the_timers.ends) {
        const uint32_t news = para__load_relaxed(&the_timers.news); /* see above */
        const int which = first_due();
        const uint64_t now_ns = para__now_ns();
        const uint64_t next_ns =
            which == PARA__TIMERS ? UINT64_MAX : the_timers.timer[which].next_ns;
        if (next_ns <= now_ns) {
            run_look(which, now_ns);
            continue;
        }
        para__guard_leave(&timers_table);
        para__futex_wait_until(&the_timers.news, news, next_ns);
        para__guard_enter(&timers_table);
    }
    para__guard_leave(&timers_table);
    para__process_thread_ends();
    return arg;
}

static void set_timer(para__timer which, uint64_t every_ns, void (*call)(void))
{
    para__guard_enter(&timers_table);
    the_timers.timer[which].look = call;
    the_timers.timer[which].every_ns = every_ns;
    the_timers.timer[which].next_ns = 0;
    tell_timers();
    para__guard_leave(&timers_table);
}

para_status para__timer_start(para__timer which, uint64_t every_ns, void (*call)(void))
{
    int error = 0;
    para__guard_enter(&timers_life);
    set_timer(which, every_ns, call);
    if (the_timers.on++ == 0) {
        the_timers.ends = false;
        error = para__thread_start(&the_timers.thread, &(para__stack){0}, run_timers, NULL);
    }
    if (error) {
        the_timers.on--;
        set_timer(which, 0, NULL);
    }
    para__guard_leave(&timers_life);
    return error ? para__fail(PARA_ERR_THREAD, "%s", strerror(error)) : PARA_OK;
}

static void await_look(para__timer which)
{
    para__guard_enter(&timers_table);
    while (the_timers.running == (int)which) {
        const uint32_t news = para__load_relaxed(&the_timers.news); /* see above */
        para__guard_leave(&timers_table);
        para__futex_wait_until(&the_timers.news, news, UINT64_MAX);
        para__guard_enter(&timers_table);
    }
    para__guard_leave(&timers_table);
}

void para__timer_stop(para__timer which)
{
    const int saved = errno;
    para__guard_enter(&timers_life);
    set_timer(which, 0, NULL);
    await_look(which);
    if (--the_timers.on == 0) {
        para__guard_enter(&timers_table);
        the_timers.ends = true;
        tell_timers();
        para__guard_leave(&timers_table);
        pthread_join(the_timers.thread, NULL);
    }
    para__guard_leave(&timers_life);
    errno = saved;
}

/* The thread has not come along. */
static void forget_timers(void)
{
    for (int i = 0; i < PARA__TIMERS; i++)
        the_timers.timer[i].look = NULL;
    the_timers.on = 0;
    the_timers.running = PARA__TIMERS;
}

__attribute__((constructor(101))) static void begin_timers(void)
{
    para__fork_handle(PARA__FORK_TIMERS_LIFE, &timers_life, NULL);
    para__fork_handle(PARA__FORK_TIMERS, &timers_table, forget_timers);
}
