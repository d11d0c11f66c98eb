/* A workshop from its making to its end, and what can be asked of it meanwhile. */
#include "process/desk.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/signal_fd.h"
#include "base/status.h"
#include "base/tuning_processes.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static void release_shop(para__workshop *shop)
{
    if (shop->call >= 0)
        para__signal_fd_drop(shop->call);
    if (shop->region)
        para__region_release(shop->region);
    para__free(shop->desk);
    para__free(shop->polled);
    para__free(shop);
}

static void end_supervisor(para__workshop *shop)
{
    para__store_relaxed(&shop->is_ending, true); /* a value alone: the call has it look */
    para__supervisor_call(shop);
    pthread_join(shop->supervisor, NULL);
}

static bool make_desks(para__workshop *shop)
{
    const unsigned desks = shop->config.workers + PARA__PROCESS_DESKS;
    shop->desk = para__alloc(desks * sizeof *shop->desk);
    shop->hall = para__region_alloc(shop->region, sizeof *shop->hall);
    para__board *const boards = para__region_alloc(shop->region, desks * sizeof *boards);
    if (!shop->desk || !shop->hall || !boards)
        return false;
    for (unsigned d = 0; d < desks; d++) {
        shop->desk[d] = (para__desk){.shop = shop,
                                     .post = {.board = &boards[d],
                                              .hall = shop->hall,
                                              .workers = shop->config.workers,
                                              .sound = PARA__BOARD_TICKETS,
                                              .number = d}};
    }
    shop->desks = desks;
    return true;
}

static para_status make_shop(para__workshop *shop, const char **why)
{
    shop->call = para__signal_fd_make();
    shop->polled = para__alloc((PARA__LIVES + shop->config.workers) * sizeof *shop->polled);
    shop->region = para__region_make(why);
    if (shop->call < 0 || !shop->polled || !shop->region || !make_desks(shop))
        return PARA_ERR_MEMORY;
    shop->living = (para__living){.hall = shop->hall,
                                  .boards = shop->desk[0].post.board,
                                  .desks = shop->desks,
                                  .processes = &shop->config.processes,
                                  .enter = shop->config.enter,
                                  .of = shop->config.of};
    shop->renews = true; /* the first zygote is made like any later one */
    if (para__thread_start(&shop->supervisor, &shop->config.stack, para__supervise, shop) != 0) {
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
    pthread_mutex_init(&shop->asking, NULL);
    pthread_mutex_init(&shop->mutex, NULL);
    pthread_cond_init(&shop->renewed, NULL);
    pthread_cond_init(&shop->vacated, NULL);
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
        if (para__known_lives(&shop->worker[i]))
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
    life.bound = (para_status)para__load_relaxed(&shop->hall->worker[worker].bound);
    life.beats = para__load_relaxed(&shop->hall->worker[worker].beats); /* all values alone */
    life.since_ticks = para__load_relaxed(&shop->hall->worker[worker].since_ticks);
    life.busy_ns = para__ns_since(life.since_ticks);
    if (life.since_ticks) {
        const unsigned board = para__load_relaxed(&shop->hall->worker[worker].board);
        const para__desk *const desk = &shop->desk[board < shop->desks ? board : 0];
        life.work = desk->is_open ? desk->work : (para__work_name){0};
    }
    pthread_mutex_unlock(&shop->mutex);
    return life;
}

/* A process that is asked for its stack. */
typedef struct asked_worker {
    para__workshop *shop;
    unsigned worker;
    int process;
} asked_worker;

static bool is_that_process(const asked_worker *a)
{
    const para__known *const w = &a->shop->worker[a->worker];
    return para__known_lives(w) && w->told.process == a->process;
}

static void send_urgent(void *of)
{
    const asked_worker *const a = of;
    pthread_mutex_lock(&a->shop->mutex);
    if (is_that_process(a))
        (void)para__process_signal(a->shop->worker[a->worker].life, SIGURG);
    pthread_mutex_unlock(&a->shop->mutex);
}

bool para__workshop_stack(para__workshop *shop, unsigned worker, int process, void **frames,
                          unsigned most, unsigned *count)
{
    para__frames *const answer = &shop->hall->worker[worker].frames;
    asked_worker asked = {shop, worker, process};
    const int cancel_state = para__cancellation_off();
    pthread_mutex_lock(&shop->asking);
    bool answers = para__backtrace_ask(answer, 0, send_urgent, &asked);
    pthread_mutex_lock(&shop->mutex);
    answers = answers && is_that_process(&asked); /* else it may be another one's */
    const unsigned n = answers ? para__min(answer->count, PARA__FRAMES) : 0;
    for (unsigned i = 0; i < n && i < most; i++)
        frames[i] = (void *)answer->frame[i];
    pthread_mutex_unlock(&shop->mutex);
    pthread_mutex_unlock(&shop->asking);
    para__cancellation_restore(cancel_state);
    *count = para__min(n, most);
    return answers;
}

unsigned para__count_alive(const para__workshop *shop)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < shop->config.workers; i++)
        alive += para__known_lives(&shop->worker[i]);
    return alive;
}

unsigned para__workshop_alive(para__workshop *shop, uint64_t *deaths)
{
    pthread_mutex_lock(&shop->mutex);
    const unsigned alive = para__count_alive(shop);
    *deaths = shop->deaths;
    pthread_mutex_unlock(&shop->mutex);
    return alive;
}
