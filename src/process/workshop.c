/* The supervisor sleeps in poll on the lives of all processes, and on a descriptor by which callers
 * tell it that something is to be done. All that it and callers share is under one mutex, which is
 * not held while somebody sleeps.
 *
 *     a worker ends    its life is readable: it is reaped, settled, and another one is forked
 *     the zygote ends  or does not answer: so do all workers; it is forked anew, then they
 *     a chunk is late  its worker is killed, and then ends like any
 *     too many die     the breaker is open: nobody is forked for a while
 *
 * The supervisor forks the zygote, since the system kills a child when the thread ends that has
 * forked it, and this one lasts as long as the pool. */
#include "process/workshop.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/signal_fd.h"
#include "base/status.h"
#include "base/symbol.h"
#include "base/tuning.h"
#include "plan/breaker.h"
#include "process/live.h"
#include "process/mapped.h"
#include "process/zygote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* LIVES: descriptors before those of workers. ZYGOTES_MOST: tries, if one was killed at once. */
enum { NS_A_MS = 1000000, LIVES = 2, ZYGOTES_MOST = 3 };

/* A worker as the supervisor knows it. */
typedef struct worker_life {
    para__worker_life told;
    int life; /* descriptor, if it has a process */
    bool is_late;
} worker_life;

typedef struct arena {
    void *memory;
    size_t bytes;
} arena;

struct para__workshop {
    para__region *region;
    para__board *board;
    para__workshop_config config;
    para__living living; /* of its workers */
    unsigned fork_count;
    pthread_t supervisor;
    int call;             /* descriptor: something is to be done */
    pthread_mutex_t turn; /* held by a call from beginning to end */
    arena arenas[PARA__WORKSHOP_ARENAS];
    pthread_mutex_t mutex; /* guards all that follows, and the board; see board.h */
    int error;             /* why a zygote could not be forked, */
    para__limit limit;     /* and what it is held to that the system does not grant */
    bool is_ending;
    bool is_open;              /* a call is in progress, */
    bool has_failed;           /* which has no workers and gets none */
    para__board_policy policy; /* of the call, */
    para__part dead;           /* what workers have done of it that died, */
    unsigned dead_workers;     /* how many of these have done something, */
    unsigned call_deaths;      /* and how many died */
    uint64_t loads;            /* libraries, when the zygote was forked */
    uint64_t mapped;           /* the latest file that was mapped then, */
    uint64_t wanted;           /* and the latest that a call wants */
    bool renews;               /* a zygote that knows more is asked for, */
    pthread_cond_t renewed;    /* and is there */
    para__zygote zygote;
    uint64_t pause_until_ns; /* the system has refused a process: not before */
    unsigned refusals;       /* in a row */
    para__breaker breaker;
    uint64_t deaths;
    struct pollfd *polled; /* [LIVES + workers] */
    worker_life worker[];
};

static const para_breaker breaker_config = {
    .error_percent = PARA__PROCESS_BREAKER_PERCENT,
    .least_calls = PARA__PROCESS_BREAKER_LEAST,
    .window_ns = (uint64_t)10000 * NS_A_MS,
    .pause_ns = (uint64_t)PARA__PROCESS_BREAKER_PAUSE_MS * NS_A_MS,
    .probes = 1,
};

/* ---- The supervisor, with the mutex -------------------------------------------------------- */

static bool is_alive(const worker_life *w)
{
    return w->told.process != 0;
}

/* What it has done of the open call counts, whatever its end. */
static void keep_part(para__workshop *shop, const para__settlement *s)
{
    if (s->finished == 0)
        return;
    para__tally_add(&shop->dead.tally, &s->part.tally);
    shop->dead.left_out += s->part.left_out;
    shop->dead_workers++;
}

static void count_death(para__workshop *shop, const para__settlement *s)
{
    const uint64_t now = para__now_ns();
    for (unsigned i = 0; i < s->finished && i < PARA__PROCESS_BREAKER_LEAST; i++)
        para__breaker_tell(&shop->breaker, &breaker_config, now, shop->breaker.period, false);
    para__breaker_tell(&shop->breaker, &breaker_config, now, shop->breaker.period, true);
    shop->deaths++;
    shop->call_deaths++;
}

/* A worker that is dead. Who has been retired, or has retired, did not die. */
static void bury_worker(para__workshop *shop, unsigned i, para_death death, int number,
                        bool is_retired)
{
    worker_life *const w = &shop->worker[i];
    close(w->life);
    w->told.process = 0;
    if (w->is_late)
        death = PARA_DEATH_OVERRUN;
    w->is_late = false;
    const para__settlement s = para__board_settle(shop->board, i, &shop->policy, death, number);
    keep_part(shop, &s);
    if (is_retired)
        return;
    w->told.deaths++;
    w->told.death = death;
    w->told.number = number;
    count_death(shop, &s);
}

static bool has_ended(int life)
{
    struct pollfd p = {.fd = life, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

static void await_end(int life)
{
    struct pollfd p = {.fd = life, .events = POLLIN};
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        continue;
}

/* Ends all processes: nothing is known of how they end. */
static void end_processes(para__workshop *shop, bool is_retired)
{
    for (unsigned i = 0; i < shop->config.workers; i++)
        if (is_alive(&shop->worker[i]))
            para__process_kill(shop->worker[i].life);
    para__zygote_kill(&shop->zygote);
    for (unsigned i = 0; i < shop->config.workers; i++)
        if (is_alive(&shop->worker[i])) {
            await_end(shop->worker[i].life);
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
        worker_life *const w = &shop->worker[i];
        para_death death = PARA_DEATH_UNKNOWN;
        int number = 0;
        if (!is_alive(w) || !has_ended(w->life))
            continue;
        const int error = para__zygote_reap(&shop->zygote, w->told.process, &death, &number);
        const bool retires =
            para__swap_relaxed(&shop->board->record[i].retires, 0); /* it has ended */
        bury_worker(shop, i, death, number, retires && death == PARA_DEATH_EXIT);
        if (error == ETIMEDOUT || error == EPIPE) {
            end_processes(shop, false);
            return;
        }
    }
}

/* The system refuses a process: it is tried again after a pause, but a call that has no workers
 * fails at some time. */
static void pause_forks(para__workshop *shop)
{
    shop->refusals++;
    shop->pause_until_ns = para__now_ns() + (uint64_t)PARA__FORK_PAUSE_MS * NS_A_MS;
}

static bool fork_zygote(para__workshop *shop)
{
    const para__birth birth = {.enter = para__live_enter,
                               .run = para__live_run,
                               .of = &shop->living,
                               .processes = &shop->config.processes};
    shop->loads = para__symbol_loads();
    shop->mapped = para__mapped_latest();
    shop->error = para__zygote_fork(&shop->zygote, &birth, &shop->limit);
    return shop->error == 0;
}

static unsigned count_alive(const para__workshop *shop)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < shop->config.workers; i++)
        alive += is_alive(&shop->worker[i]);
    return alive;
}

/* Forks who is missing, as far as the breaker and the system allow. */
static void fork_missing(para__workshop *shop)
{
    if (para__now_ns() < shop->pause_until_ns)
        return;
    if (!shop->zygote.process && !fork_zygote(shop)) {
        pause_forks(shop);
        return;
    }
    for (unsigned i = 0; i < shop->config.workers; i++) {
        worker_life *const w = &shop->worker[i];
        pid_t process = 0;
        if (is_alive(w) || !para__breaker_admit(&shop->breaker, &breaker_config, para__now_ns()))
            continue;
        const int error = para__zygote_bear(&shop->zygote, i, &process, &w->life);
        if (error) {
            if (error == ETIMEDOUT || error == EPIPE)
                end_processes(shop, false);
            pause_forks(shop);
            return;
        }
        w->told.process = process;
        shop->refusals = 0;
    }
}

/* Kills workers whose chunk takes too long. */
static void look_for_late(para__workshop *shop)
{
    const uint64_t most = shop->config.processes.chunk_ns;
    const uint64_t now = para__now_ns();
    for (unsigned i = 0; most && shop->is_open && i < shop->config.workers; i++) {
        worker_life *const w = &shop->worker[i];
        const uint64_t since = para__load_relaxed(&shop->board->record[i].since_ns); /* a value */
        if (!is_alive(w) || w->is_late || since == 0 || now < since || now - since <= most)
            continue;
        w->is_late = true;
        para__process_kill(w->life);
    }
}

/* A call that has no workers, and will not have any soon, fails. */
static void look_for_hopeless(para__workshop *shop)
{
    const bool is_refused = shop->refusals >= PARA__FORK_REFUSALS;
    const bool is_broken = shop->breaker.state == PARA_BREAKER_OPEN;
    if (!shop->is_open || shop->has_failed || count_alive(shop) > 0 || !(is_refused || is_broken))
        return;
    shop->has_failed = true;
    para__board_abandon(shop->board);
}

/* How long the supervisor may sleep, in ms; negative: until something happens. */
static int sleep_ms(const para__workshop *shop)
{
    const bool is_missing = count_alive(shop) < shop->config.workers;
    const uint64_t most = shop->config.processes.chunk_ns;
    int ms = -1;
    if (is_missing)
        ms = PARA__FORK_PAUSE_MS;
    if (most && shop->is_open) {
        const int part = (int)para__clamp(most / 4 / NS_A_MS, 1, 100);
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
        polled[LIVES + i] = (struct pollfd){
            .fd = is_alive(&shop->worker[i]) ? shop->worker[i].life : -1, .events = POLLIN};
    pthread_mutex_unlock(&shop->mutex);
    if (poll(polled, LIVES + workers, ms) > 0 && polled[0].revents) {
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
    for (int i = 0; i < ZYGOTES_MOST && !shop->zygote.process; i++) {
        shop->pause_until_ns = 0;
        fork_missing(shop);
        if (shop->error != ETIMEDOUT && shop->error != EPIPE && shop->error != EAGAIN)
            break;
    }
    shop->renews = false;
    pthread_cond_broadcast(&shop->renewed);
}

static void *supervise(void *of)
{
    para__workshop *const shop = of;
    para__thread_name("para supervisor");
    pthread_mutex_lock(&shop->mutex);
    while (!shop->is_ending) {
        look_for_dead(shop);
        if (shop->renews)
            renew_zygote(shop);
        fork_missing(shop);
        look_for_late(shop);
        look_for_hopeless(shop);
        if (!shop->is_ending)
            await_something(shop);
    }
    end_processes(shop, true);
    pthread_mutex_unlock(&shop->mutex);
    para__process_thread_ends();
    return NULL;
}

/* ---- Life ---------------------------------------------------------------------------------- */

static void release_shop(para__workshop *shop)
{
    if (shop->call >= 0)
        para__signal_fd_drop(shop->call);
    if (shop->region)
        para__region_release(shop->region);
    para__free(shop->polled);
    para__free(shop);
}

static void call_supervisor(para__workshop *shop)
{
    para__signal_fd_tell(shop->call);
}

static void end_supervisor(para__workshop *shop)
{
    pthread_mutex_lock(&shop->mutex);
    shop->is_ending = true;
    pthread_mutex_unlock(&shop->mutex);
    call_supervisor(shop);
    pthread_join(shop->supervisor, NULL);
}

static para_status make_shop(para__workshop *shop, const char **why)
{
    shop->call = para__signal_fd_make();
    shop->polled = para__alloc((LIVES + shop->config.workers) * sizeof *shop->polled);
    shop->region = para__region_make(why);
    if (shop->region)
        shop->board = para__region_alloc(shop->region, sizeof *shop->board);
    if (shop->call < 0 || !shop->polled || !shop->board)
        return PARA_ERR_MEMORY;
    shop->board->workers = shop->config.workers;
    shop->living = (para__living){.board = shop->board,
                                  .processes = &shop->config.processes,
                                  .enter = shop->config.enter,
                                  .of = shop->config.of};
    shop->renews = true; /* the first zygote is made like any later one */
    if (para__thread_start(&shop->supervisor, &shop->config.stack, supervise, shop) != 0) {
        *why = "the supervisor's thread";
        return PARA_ERR_THREAD;
    }
    pthread_mutex_lock(&shop->mutex);
    while (shop->renews)
        pthread_cond_wait(&shop->renewed, &shop->mutex);
    const int error = shop->zygote.process ? 0 : shop->error;
    pthread_mutex_unlock(&shop->mutex);
    if (error == 0)
        return PARA_OK;
    end_supervisor(shop);
    *why = error == ENOTSUP  ? para__limit_text(shop->limit)
           : error == ENOSYS ? "pidfd_open"
                             : "the zygote";
    return error == ENOSYS || error == ENOTSUP ? PARA_ERR_UNSUPPORTED : PARA_ERR_THREAD;
}

para_status para__workshop_make(para__workshop **made, const para__workshop_config *config)
{
    const char *why = "out of memory";
    para__workshop *const shop =
        para__alloc(sizeof *shop + config->workers * sizeof shop->worker[0]);
    if (!shop)
        return para__fail(PARA_ERR_MEMORY, "a pool of %u processes", config->workers);
    shop->config = *config;
    shop->fork_count = para__fork_count();
    shop->policy = (para__board_policy){.attempts = 1};
    pthread_mutex_init(&shop->turn, NULL);
    pthread_mutex_init(&shop->mutex, NULL);
    pthread_cond_init(&shop->renewed, NULL);
    const int saved = errno;
    const para_status status = make_shop(shop, &why);
    errno = saved;
    if (status) {
        release_shop(shop);
        return para__fail(status, "a pool of %u processes: %s", config->workers, why);
    }
    *made = shop;
    return PARA_OK;
}

/* In a child of fork() the descriptors are copies, and the memory stays the parent's. */
static void forget_shop(para__workshop *shop)
{
    for (unsigned i = 0; i < shop->config.workers; i++)
        if (is_alive(&shop->worker[i]))
            close(shop->worker[i].life);
    if (shop->zygote.process) {
        close(shop->zygote.life);
        close(shop->zygote.socket);
    }
}

void para__workshop_end(para__workshop *shop)
{
    if (shop->fork_count != para__fork_count())
        forget_shop(shop);
    else
        end_supervisor(shop);
    release_shop(shop);
}

para__region *para__workshop_region(const para__workshop *shop)
{
    return shop->region;
}

const para_survival *para__workshop_survival(const para__workshop *shop)
{
    return &shop->config.processes.survival;
}

para__worker_life para__workshop_life(para__workshop *shop, unsigned worker)
{
    pthread_mutex_lock(&shop->mutex);
    para__worker_life life = shop->worker[worker].told;
    life.bound = (para_status)para__load_relaxed(&shop->board->record[worker].bound);
    pthread_mutex_unlock(&shop->mutex);
    return life;
}

unsigned para__workshop_alive(para__workshop *shop, uint64_t *deaths)
{
    pthread_mutex_lock(&shop->mutex);
    const unsigned alive = count_alive(shop);
    *deaths = shop->deaths;
    pthread_mutex_unlock(&shop->mutex);
    return alive;
}

/* ---- Calls ---------------------------------------------------------------------------------- */

void para__workshop_enter(para__workshop *shop)
{
    pthread_mutex_lock(&shop->turn);
}

void para__workshop_leave(para__workshop *shop)
{
    pthread_mutex_unlock(&shop->turn);
}

void *para__workshop_arena(para__workshop *shop, unsigned number, size_t bytes)
{
    arena *const a = &shop->arenas[number];
    if (bytes > a->bytes || !a->memory) {
        para__region_free(shop->region, a->memory);
        a->memory = para__region_alloc(shop->region, bytes);
        a->bytes = a->memory ? bytes : 0;
    }
    return a->memory;
}

const para_cancel *para__workshop_token(para__workshop *shop)
{
    return &shop->board->token;
}

void para__workshop_want(para__workshop *shop, uint64_t mapped)
{
    pthread_mutex_lock(&shop->mutex);
    shop->wanted = para__max(shop->wanted, mapped);
    pthread_mutex_unlock(&shop->mutex);
}

/* Has the zygote forked anew if there are libraries, or files of the call, that it does not know.
 */
static void know_all(para__workshop *shop)
{
    if (para__symbol_loads() == shop->loads && shop->wanted <= shop->mapped)
        return;
    shop->renews = true;
    call_supervisor(shop);
    while (shop->renews)
        pthread_cond_wait(&shop->renewed, &shop->mutex);
}

/* Whether workers had to be woken. */
static bool begin_work(para__workshop *shop, const para__job *job, unsigned width,
                       const para__board_policy *policy)
{
    const size_t most = (size_t)width * PARA__PROCESS_TICKETS;
    shop->policy = *policy;
    shop->dead = (para__part){0};
    shop->dead_workers = 0;
    shop->call_deaths = 0;
    shop->has_failed = false;
    shop->is_open = true;
    shop->board->token = (para_cancel){0};
    return para__board_publish(shop->board, job, width, (unsigned)para__min(job->units, most));
}

static void end_work(para__workshop *shop, para__outcome *outcome)
{
    shop->is_open = false;
    shop->policy = (para__board_policy){.attempts = 1};
    outcome->tally = shop->dead.tally;
    outcome->left_out = shop->dead.left_out;
    outcome->workers = shop->dead_workers;
    outcome->deaths = shop->call_deaths;
    para__board_collect(shop->board, outcome);
}

para_status para__workshop_run(para__workshop *shop, const para__job *job, unsigned width,
                               const para__board_policy *policy, const para_cancel *cancel,
                               para__outcome *outcome)
{
    const bool is_watched = shop->config.processes.chunk_ns != 0;
    const int cancel_state = para__cancellation_off();
    pthread_mutex_lock(&shop->mutex);
    know_all(shop);
    bool woken = begin_work(shop, job, width, policy);
    if (is_watched || count_alive(shop) < width)
        call_supervisor(shop);
    while (!para__board_is_over(shop->board)) {
        pthread_mutex_unlock(&shop->mutex);
        para__board_join(shop->board, cancel ? para__now_ns() + NS_A_MS : UINT64_MAX, woken);
        woken = false;
        if (cancel && para_cancel_requested(cancel))
            para_cancel_request(&shop->board->token);
        pthread_mutex_lock(&shop->mutex);
    }
    end_work(shop, outcome);
    const bool has_failed = shop->has_failed;
    pthread_mutex_unlock(&shop->mutex);
    para__cancellation_restore(cancel_state);
    return has_failed ? para__fail(PARA_ERR_WORKER_DIED, "there is no worker, and none can be had")
                      : PARA_OK;
}

bool para__workshop_next_lost(para__workshop *shop, unsigned *index, para__lost *lost)
{
    const para__board_call c = para__board_read(para__load_relaxed(&shop->board->call)); /* ours */
    while (*index < c.tickets) {
        const para__ticket *const ticket = &shop->board->ticket[(*index)++];
        const para__ticket_word w = para__ticket_read(
            para__load_relaxed(&ticket->word)); /* the call is over, seen with the mutex */
        if (w.epoch != c.epoch || w.state != PARA__TICKET_LOST)
            continue;
        *lost = (para__lost){.first = ticket->first,
                             .count = ticket->count,
                             .attempts = ticket->attempts,
                             .death = (para_death)ticket->death,
                             .number = ticket->number};
        return true;
    }
    return false;
}
