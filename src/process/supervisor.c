/* The supervisor sleeps in poll on the lives of all processes, and on a descriptor by which callers
 * tell it that something is to be done. All that it and callers share is under one mutex, which is
 * not held while somebody sleeps.
 *
 *     a worker ends    its life is readable: it is reaped, settled, and another one is forked
 *     the zygote ends  all workers end with it; it is forked anew, then they are. The same if it
 *                      does not answer
 *     a chunk is late  its worker is killed, and then ends like any
 *     too many die     the breaker is open: nobody is forked for a while
 *
 * The supervisor forks the zygote, since the system kills a child when the thread ends that has
 * forked it, and this one lasts as long as the pool. */
#include "process/desk.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/log.h"
#include "base/process.h"
#include "base/signal_fd.h"
#include "base/symbol.h"
#include "base/tuning_memory.h"
#include "base/tuning_processes.h"
#include "process/live.h"
#include "process/mapped.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const para_breaker breaker_config = {
    .error_percent = PARA__PROCESS_BREAKER_PERCENT,
    .least_calls = PARA__PROCESS_BREAKER_LEAST,
    .window_ns = (uint64_t)PARA__PROCESS_BREAKER_WINDOW_MS * PARA__NS_OF_MS,
    .pause_ns = (uint64_t)PARA__PROCESS_BREAKER_PAUSE_MS * PARA__NS_OF_MS,
    .probes = 1,
};

/* ---- The supervisor, with the mutex -------------------------------------------------------- */

/* Settles it in the call of that desk. What it has finished counts, whatever its end; how much. */
static unsigned settle_at(para__desk *desk, unsigned worker, para_death death, int number)
{
    const para__settlement s =
        para__board_settle(&desk->post, worker, &desk->policy, death, number);
    if (para__desk_doubts(desk, !s.is_spoilt))
        return 0;
    if (s.finished.count) {
        para__tally_add(&desk->dead.tally, &s.part.tally);
        desk->dead.left_out += s.part.left_out;
        desk->dead_workers++;
    }
    return s.finished.count;
}

/* ---- Its breaker --------------------------------------------------------------------------- */

static bool is_probe(const para__workshop *shop, const para__known *w)
{
    return shop->breaker.state == PARA_BREAKER_PROBING && w->is_successor &&
           w->period == shop->breaker.period;
}

static bool admit_worker(para__workshop *shop, para__known *w)
{
    if (w->is_successor && !para__breaker_admit(&shop->breaker, &breaker_config, para__now_ns()))
        return false;
    w->period = shop->breaker.period;
    return true;
}

/* A worker that was admitted could not be forked, or has ended without a death: that tells nothing,
 * and the next one is admitted in its place. */
static void take_back_admission(para__workshop *shop, const para__known *w)
{
    if (is_probe(shop, w))
        para__breaker_take_back(&shop->breaker, w->period);
}

/* A probe succeeds when it has finished a ticket; or has lived long, since there may be nothing for
 * it to do. */
static void look_at_probe(para__workshop *shop, unsigned i)
{
    para__known *const w = &shop->worker[i];
    const uint64_t now = para__now_ns();
    const uint32_t beats = para__load_relaxed(&shop->hall->worker[i].beats); /* a value */
    if (!para__known_lives(w) || !is_probe(shop, w) ||
        (beats == w->beats_then && now - w->born_ns < breaker_config.pause_ns))
        return;
    para__breaker_tell(&shop->breaker, &breaker_config, now, w->period, false);
    if (shop->breaker.state == PARA_BREAKER_CLOSED)
        para__log(PARA_LOG_BREAKER_CLOSED, 0, "worker processes live again");
}

static void look_at_probes(para__workshop *shop)
{
    for (unsigned i = 0; i < shop->config.workers; i++)
        look_at_probe(shop, i);
}

/* Of those that were there before it opened it learns nothing, until it is closed. */
static void tell_breaker_of_death(para__workshop *shop, const para__known *w, unsigned finished)
{
    const uint64_t now = para__now_ns();
    const para_breaker_state before = shop->breaker.state;
    if (before != PARA_BREAKER_CLOSED && !is_probe(shop, w))
        return;
    for (unsigned i = 0; i < finished && i < PARA__PROCESS_BREAKER_LEAST; i++)
        para__breaker_tell(&shop->breaker, &breaker_config, now, shop->breaker.period, false);
    para__breaker_tell(&shop->breaker, &breaker_config, now, shop->breaker.period, true);
    if (before != PARA_BREAKER_OPEN && shop->breaker.state == PARA_BREAKER_OPEN)
        para__log(PARA_LOG_BREAKER_OPEN, 0, "too many worker processes die");
}

/* ---- Ends ---------------------------------------------------------------------------------- */

static void count_death(para__workshop *shop, const para__known *w, unsigned finished)
{
    tell_breaker_of_death(shop, w, finished);
    shop->deaths++;
    for (unsigned d = 0; d < shop->desks; d++)
        shop->desk[d].call_deaths += shop->desk[d].is_open;
}

/* On the track of a worker that has ended, which others may have then. */
static void tell_end(para__known *w, bool has_died, para_death death, int number)
{
    if (!w->track)
        return;
    para__track_tell(w->track, &(para__told){.kind = has_died ? PARA__EVENT_DIED : PARA__EVENT_DOWN,
                                             .detail = has_died ? (unsigned)death : 0,
                                             .id = has_died ? (uint64_t)number : 0});
    para__track_end(w->track);
    w->track = NULL;
}

/* A worker that is dead. Who has been retired, or has retired, did not die. */
static void bury_worker(para__workshop *shop, unsigned i, para_death death, int number,
                        bool is_retired)
{
    para__known *const w = &shop->worker[i];
    char how[PARA_DEATH_TEXT];
    look_at_probe(shop, i);
    w->told.process = 0; /* first: in a child that is forked in between, it would close it again */
    close(w->life);
    if (w->is_late)
        death = PARA_DEATH_OVERRUN;
    w->is_late = false;
    unsigned finished = 0;
    para__hall_forget(shop->hall, i);
    for (unsigned d = 0; d < shop->desks; d++) {
        para__desk *const desk = &shop->desk[d];
        desk->post.is_doubtful = true;
        if (desk->is_open && desk->trust == PARA__SOUND &&
            !para__desk_doubts(desk, para__board_is_sound(&desk->post)))
            finished += settle_at(desk, i, death, number);
    }
    tell_end(w, !is_retired, death, number);
    if (is_retired) {
        take_back_admission(shop, w);
        w->is_successor = is_probe(shop, w); /* the probe is still to be made, by the next one */
        return;
    }
    w->told.deaths++;
    w->told.death = death;
    w->told.number = number;
    para__log(PARA_LOG_PROCESS_DIED, i, "worker %u, %s", i,
              para_death_text(death, number, how, sizeof how));
    count_death(shop, w, finished);
    w->is_successor = true;
}

static bool has_ended(int life)
{
    struct pollfd p = {.fd = life, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* Waits until a process has ended that was killed. The program may have lost the right to kill it;
 * then it ends by itself, unless it is stopped. So a pool that is to end waits for so long only, in
 * all. False: that has passed. */
static bool await_end(const para__workshop *shop, int life, int *patience_ms)
{
    struct pollfd p = {.fd = life, .events = POLLIN};
    while (*patience_ms > 0) {
        const int n = poll(&p, 1, PARA__FORK_PAUSE_MS);
        if (n > 0)
            return true;
        if (n == 0 && para__load_relaxed(&shop->is_ending)) /* a value alone */
            *patience_ms -= PARA__FORK_PAUSE_MS;
    }
    return has_ended(life);
}

/* Reads the end of a worker whose zygote has ended before: it falls to this process if that is the
 * first of a container, or has asked for orphans (PR_SET_CHILD_SUBREAPER). */
static void reap_orphan(int life)
{
    enum { BY_PIDFD = 3 }; /* P_PIDFD, which older headers do not have */
    siginfo_t end;
    (void)waitid((idtype_t)BY_PIDFD, (id_t)life, &end, WEXITED | WNOHANG); /* else it is not ours */
}

/* Ends all processes: nothing is known of how they end. */
static void end_processes(para__workshop *shop, bool is_retired)
{
    int patience_ms = PARA__ZYGOTE_ANSWER_MS;
    for (unsigned i = 0; i < shop->config.workers; i++)
        if (para__known_lives(&shop->worker[i]))
            (void)para__process_kill(shop->worker[i].life); /* else the system does, after it */
    if (shop->zygote.process) {
        para__zygote_kill(&shop->zygote);
        para__zygote_leave(&shop->zygote, await_end(shop, shop->zygote.life, &patience_ms));
    }
    for (unsigned i = 0; i < shop->config.workers; i++)
        if (para__known_lives(&shop->worker[i])) {
            if (await_end(shop, shop->worker[i].life, &patience_ms))
                reap_orphan(shop->worker[i].life);
            bury_worker(shop, i, PARA_DEATH_UNKNOWN, 0, is_retired);
        }
}

static void look_for_dead(para__workshop *shop)
{
    if (shop->zygote.process && has_ended(shop->zygote.life)) {
        end_processes(shop, false);
        return;
    }
    for (unsigned i = 0; i < shop->config.workers; i++) {
        para__known *const w = &shop->worker[i];
        para_death death = PARA_DEATH_UNKNOWN;
        int number = 0;
        if (!para__known_lives(w) || !has_ended(w->life))
            continue;
        const int error = para__zygote_reap(&shop->zygote, w->told.process, &death, &number);
        const bool retires =
            para__swap_relaxed(&shop->hall->worker[i].retires, 0); /* it has ended */
        bury_worker(shop, i, death, number, retires && death == PARA_DEATH_EXIT);
        if (error == ETIMEDOUT || error == EPIPE) {
            end_processes(shop, false);
            return;
        }
    }
}

/* Nobody knows which worker has written over a board, and it may do so again: so all of them end.
 * Their calls on other boards are settled as after any death. */
static void purge_workers(para__workshop *shop)
{
    unsigned spoilt = 0;
    for (unsigned d = 0; d < shop->desks; d++)
        spoilt += shop->desk[d].is_open && shop->desk[d].trust == PARA__SPOILT;
    if (spoilt == 0)
        return;
    end_processes(shop, false);
    for (unsigned d = 0; d < shop->desks; d++) {
        para__desk *const desk = &shop->desk[d];
        if (!desk->is_open || desk->trust != PARA__SPOILT)
            continue;
        desk->trust = PARA__PURGED;
        para__board_close(&desk->post);
        para__board_rouse(&desk->post);
    }
    pthread_cond_broadcast(&shop->renewed);
}

/* The system refuses a process: it is tried again after a pause, but a call that has no workers
 * fails at some time. */
static void pause_forks(para__workshop *shop, int error)
{
    shop->refusals++;
    para__log(PARA_LOG_PROCESS_REFUSED, 0, "%s", strerror(error));
    shop->pause_until_ns = para__now_ns() + (uint64_t)PARA__FORK_PAUSE_MS * PARA__NS_OF_MS;
}

static bool fork_zygote(para__workshop *shop)
{
    const para__birth birth = {.enter = para__live_enter,
                               .run = para__live_run,
                               .of = &shop->living,
                               .processes = &shop->config.processes};
    shop->loads = para__symbol_loads();
    shop->mapped = para__mapped_latest();
    shop->hall->tracks = shop->tracks = para__tracks_get();
    shop->error = para__zygote_fork(&shop->zygote, &birth, &shop->limit);
    return shop->error == 0;
}

/* It has a track before it tells anything there. An error number, or 0. */
static int fork_worker(para__workshop *shop, unsigned i, pid_t *process)
{
    char name[16];
    para__known *const w = &shop->worker[i];
    para__presence *const self = &shop->hall->worker[i];
    shop->hall->tracks = shop->tracks;      /* a dead worker may have written over it */
    para__store_relaxed(&self->retires, 0); /* these two are nobody's now */
    para__store_relaxed(&self->process, 0);
    snprintf(name, sizeof name, "para process %u", i % 100);
    w->track = self->track = para__track_reserve(shop->tracks, name);
    if (w->track)
        para__track_tell(w->track,
                         &(para__told){.kind = PARA__EVENT_UP, .detail = w->told.deaths > 0});
    const int error = para__zygote_bear(&shop->zygote, i, process, &w->life);
    if (w->track && !error)
        para__track_give(w->track, *process);
    else if (w->track) {
        para__track_end(w->track);
        w->track = NULL;
    }
    return error;
}

/* From now on whatever it does is settled when it ends, so it may begin. */
static void know_worker(para__workshop *shop, unsigned i, pid_t process)
{
    para__known *const w = &shop->worker[i];
    para__presence *const self = &shop->hall->worker[i];
    w->told.process = process;
    w->told.births++;
    w->born_ns = para__now_ns();
    w->beats_then = para__load_relaxed(&self->beats); /* values, both */
    para__store_relaxed(&self->process, (uint32_t)process);
    para__futex_wake_shared(&self->process, INT_MAX);
}

/* So that no worker waits for ever: another may have written over that. */
static void remind_workers(para__workshop *shop)
{
    for (unsigned i = 0; i < shop->config.workers; i++) {
        const para__known *const w = &shop->worker[i];
        para__presence *const self = &shop->hall->worker[i];
        if (!para__known_lives(w) ||
            para__load_relaxed(&self->process) == (uint32_t)w->told.process) /* a value alone */
            continue;
        para__store_relaxed(&self->process, (uint32_t)w->told.process);
        para__futex_wake_shared(&self->process, INT_MAX);
    }
}

/* Forks who is missing, as far as the breaker and the system allow. */
static void fork_missing(para__workshop *shop)
{
    if (para__now_ns() < shop->pause_until_ns)
        return;
    if (!shop->zygote.process && !fork_zygote(shop)) {
        pause_forks(shop, shop->error);
        return;
    }
    for (unsigned i = 0; i < shop->config.workers; i++) {
        para__known *const w = &shop->worker[i];
        pid_t process = 0;
        if (para__known_lives(w) || !admit_worker(shop, w))
            continue;
        const int error = fork_worker(shop, i, &process);
        if (error) {
            take_back_admission(shop, w);
            if (error == ETIMEDOUT || error == EPIPE)
                end_processes(shop, false);
            pause_forks(shop, error);
            return;
        }
        know_worker(shop, i, process);
        if (w->told.deaths)
            para__log(PARA_LOG_PROCESS_STARTED, i, "worker %u: process %ld", i, (long)process);
        shop->refusals = 0;
    }
}

/* Kills workers whose chunk takes too long. */
static void look_for_late(para__workshop *shop)
{
    const uint64_t most = shop->config.processes.chunk_ns;
    for (unsigned i = 0; most && shop->open && i < shop->config.workers; i++) {
        para__known *const w = &shop->worker[i];
        const uint64_t since = para__load_relaxed(&shop->hall->worker[i].since_ticks); /* a value */
        if (!para__known_lives(w) || w->is_late || para__ns_since(since) <= most)
            continue;
        w->is_late = para__process_kill(w->life);
        if (w->is_late)
            para__log(PARA_LOG_PROCESS_LATE, i, "worker %u: a chunk takes longer than %ju ms", i,
                      (uintmax_t)(most / PARA__NS_OF_MS));
    }
}

/* Whether none of the workers lives that a call of that width may have. */
static bool has_no_worker(const para__workshop *shop, unsigned width)
{
    for (unsigned i = 0; i < para__min(width, shop->config.workers); i++)
        if (para__known_lives(&shop->worker[i]))
            return false;
    return true;
}

/* Calls that have no workers, and will not have any soon, fail. */
static void look_for_hopeless(para__workshop *shop)
{
    const bool is_refused = shop->refusals >= PARA__FORK_REFUSALS;
    const bool is_broken = shop->breaker.state == PARA_BREAKER_OPEN;
    if (!shop->open || !(is_refused || is_broken))
        return;
    for (unsigned d = 0; d < shop->desks; d++) {
        para__desk *const desk = &shop->desk[d];
        if (!desk->is_open || desk->failure || !has_no_worker(shop, desk->post.call.width))
            continue;
        desk->failure = is_broken ? "too many have died, and the pool's breaker is open"
                                  : "the system refuses new ones";
        para__board_abandon(&desk->post);
    }
}

/* How long the supervisor may sleep, in ms; negative: until something happens. */
static int sleep_ms(const para__workshop *shop)
{
    const bool is_awaited = para__count_alive(shop) < shop->config.workers ||
                            shop->breaker.state == PARA_BREAKER_PROBING;
    const uint64_t most = shop->config.processes.chunk_ns;
    int ms = -1;
    if (shop->keeps)
        ms = (int)(PARA__KEPT_IDLE_NS / PARA__NS_OF_MS);
    if (is_awaited)
        ms = PARA__FORK_PAUSE_MS;
    if (most && shop->open) {
        const int part = (int)para__clamp(most / 4 / PARA__NS_OF_MS, 1, 100);
        ms = ms < 0 ? part : para__min(ms, part);
    }
    return ms;
}

static void await_something(para__workshop *shop)
{
    struct pollfd *const polled = shop->polled;
    const unsigned workers = shop->config.workers;
    const int ms = sleep_ms(shop);
    polled[0] = (struct pollfd){.fd = shop->call, .events = POLLIN};
    polled[1] =
        (struct pollfd){.fd = shop->zygote.process ? shop->zygote.life : -1, .events = POLLIN};
    for (unsigned i = 0; i < workers; i++)
        polled[PARA__LIVES + i] =
            (struct pollfd){.fd = para__known_lives(&shop->worker[i]) ? shop->worker[i].life : -1,
                            .events = POLLIN};
    pthread_mutex_unlock(&shop->mutex);
    if (poll(polled, PARA__LIVES + workers, ms) > 0 && polled[0].revents) {
        uint64_t times;
        const ssize_t n = read(shop->call, &times, sizeof times);
        (void)n; /* it was readable, and nobody else reads */
    }
    pthread_mutex_lock(&shop->mutex);
}

/* Between calls: nobody has a claim. */
static void renew_zygote(para__workshop *shop)
{
    end_processes(shop, true);
    for (int i = 0; i < PARA__ZYGOTE_TRIES && !shop->zygote.process; i++) {
        shop->pause_until_ns = 0;
        fork_missing(shop);
        if (shop->error != ETIMEDOUT && shop->error != EPIPE && shop->error != EAGAIN)
            break;
    }
    shop->renews = false;
    pthread_cond_broadcast(&shop->renewed);
}

void *para__supervise(void *of)
{
    para__workshop *const shop = of;
    para__thread_name("para supervisor");
    pthread_mutex_lock(&shop->mutex);
    while (!para__load_relaxed(&shop->is_ending)) { /* both: a value alone */
        look_at_probes(shop);
        look_for_dead(shop);
        purge_workers(shop);
        remind_workers(shop);
        if (shop->renews && !shop->open)
            renew_zygote(shop);
        fork_missing(shop);
        look_for_late(shop);
        look_for_hopeless(shop);
        para__desks_tidy(shop);
        if (!para__load_relaxed(&shop->is_ending))
            await_something(shop);
    }
    end_processes(shop, true);
    pthread_mutex_unlock(&shop->mutex);
    para__process_thread_ends();
    return NULL;
}

void para__supervisor_call(para__workshop *shop)
{
    para__signal_fd_tell(shop->call);
}
