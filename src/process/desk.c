/* A call on worker processes as its caller sees it. As many calls as there are desks go on at the
 * same time: workers look at all boards in turn, and take from each what is free. */
#include "process/desk.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/symbol.h"
#include "base/tuning.h"
#include "process/mapped.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { JOIN_NS = 1000000 };

static para__desk *free_desk(para__workshop *shop)
{
    for (unsigned d = 0; d < shop->desks; d++)
        if (!shop->desk[d].is_taken)
            return &shop->desk[d];
    return NULL;
}

para__desk *para__workshop_enter(para__workshop *shop)
{
    para__desk *desk;
    const int cancel_state = para__cancellation_off();
    pthread_mutex_lock(&shop->mutex);
    while (!(desk = free_desk(shop)))
        pthread_cond_wait(&shop->vacated, &shop->mutex);
    desk->is_taken = true;
    pthread_mutex_unlock(&shop->mutex);
    para__cancellation_restore(cancel_state);
    return desk;
}

void para__desk_leave(para__desk *desk)
{
    para__workshop *const shop = desk->shop;
    pthread_mutex_lock(&shop->mutex);
    para__board_close(&desk->post);
    desk->is_taken = false;
    pthread_cond_signal(&shop->vacated);
    pthread_mutex_unlock(&shop->mutex);
}

void *para__desk_arena(para__desk *desk, unsigned number, size_t bytes)
{
    para__arena *const a = &desk->arenas[number];
    if (bytes > a->bytes || !a->memory) {
        para__region_free(desk->shop->region, a->memory);
        a->memory = para__region_alloc(desk->shop->region, bytes);
        a->bytes = a->memory ? bytes : 0;
    }
    return a->memory;
}

const para_cancel *para__desk_token(para__desk *desk)
{
    return &desk->post.board->token;
}

void para__desk_name(para__desk *desk, const para__work_name *work)
{
    desk->work = *work;
}

bool para__workshop_sees(para__workshop *shop, const void *memory, size_t bytes)
{
    if (para__region_has(shop->region, memory, bytes))
        return true;
    const uint64_t mapped = para__mapped_with(memory, bytes);
    if (!mapped)
        return false;
    pthread_mutex_lock(&shop->mutex);
    shop->wanted = para__max(shop->wanted, mapped);
    pthread_mutex_unlock(&shop->mutex);
    return true;
}

void para__death_tell(para_death death, int number, char text[PARA__DEATH_TEXT])
{
    if (death == PARA_DEATH_SIGNAL && number == SIGSYS)
        snprintf(text, PARA__DEATH_TEXT, "by signal %d: it made a system call that is not allowed",
                 number);
    else if (death == PARA_DEATH_SIGNAL)
        snprintf(text, PARA__DEATH_TEXT, "by signal %d (%s)", number, strsignal(number));
    else if (death == PARA_DEATH_EXIT)
        snprintf(text, PARA__DEATH_TEXT, "by exit(%d)", number);
    else
        snprintf(text, PARA__DEATH_TEXT, "%s",
                 death == PARA_DEATH_OVERRUN ? "as it took too long" : "of an unknown cause");
}

/* Has the zygote forked anew if there are libraries, or files of the call, that it does not know.
 * That waits until no call is open, and calls wait for it. */
static void know_all(para__workshop *shop)
{
    const bool is_seen = !para__is_traced() || para__tracks_get() == shop->tracks;
    if (!is_seen || para__symbol_loads() != shop->loads || shop->wanted > shop->mapped) {
        shop->renews = true;
        para__supervisor_call(shop);
    }
    while (shop->renews)
        pthread_cond_wait(&shop->renewed, &shop->mutex);
}

/* Whether the last job of the desk was one like this, and brief. */
static bool is_brief_job(const para__desk *desk, const para__job *job)
{
    return desk->was_brief && desk->last_kernel == job->kernel && desk->last_run == job->run &&
           desk->last_units == job->units;
}

/* A brief call is not divided more than it has to be: to claim a ticket would show. */
static para__waking begin_work(para__desk *desk, const para__job *job, unsigned width,
                               const para__board_policy *policy)
{
    const size_t most = is_brief_job(desk, job) ? width : (size_t)width * PARA__PROCESS_TICKETS;
    const unsigned tickets = (unsigned)para__min(job->units, most);
    desk->policy = *policy;
    desk->units = job->units;
    desk->dead = (para__part){0};
    desk->dead_workers = 0;
    desk->call_deaths = 0;
    desk->has_failed = false;
    desk->is_open = true;
    desk->shop->open++;
    desk->post.board->token = (para_cancel){0};
    return para__board_publish(&desk->post, job, width, tickets);
}

static void end_work(para__desk *desk, para__outcome *outcome)
{
    para__workshop *const shop = desk->shop;
    desk->is_open = false;
    if (--shop->open == 0 && shop->renews)
        para__supervisor_call(shop);
    outcome->tally = desk->dead.tally;
    outcome->left_out = desk->dead.left_out;
    outcome->workers = desk->dead_workers;
    outcome->deaths = desk->call_deaths;
    para__board_collect(&desk->post, outcome);
}

para_status para__desk_run(para__desk *desk, const para__job *job, unsigned width,
                           const para__board_policy *policy, const para_cancel *cancel,
                           para__outcome *outcome)
{
    para__workshop *const shop = desk->shop;
    para__board *const board = desk->post.board;
    const bool is_watched = shop->config.processes.chunk_ns != 0;
    const int cancel_state = para__cancellation_off();
    pthread_mutex_lock(&shop->mutex);
    know_all(shop);
    /* Who was woken for one of few tickets may have been stopped: then all are. */
    bool rouses = job->units < width;
    para__waking waking = begin_work(desk, job, width, policy);
    if (is_watched || para__count_alive(shop) < width)
        para__supervisor_call(shop);
    bool is_brief = true;
    const para__mark since = para__trace_begin();
    while (!para__board_is_over(board, desk->post.call)) {
        pthread_mutex_unlock(&shop->mutex);
        is_brief &= para__board_join(
            &desk->post, cancel || rouses ? para__now_ns() + JOIN_NS : UINT64_MAX, waking);
        waking = PARA__NOBODY_SLEPT;
        if (cancel && para_cancel_requested(cancel))
            para_cancel_request(&board->token);
        pthread_mutex_lock(&shop->mutex);
        if (rouses && !para__board_is_over(board, desk->post.call))
            para__board_rouse(&desk->post);
        rouses = false;
    }
    para__trace_end(since, .kind = PARA__EVENT_JOIN, .function = job->kernel);
    end_work(desk, outcome);
    desk->last_kernel = job->kernel;
    desk->last_run = job->run;
    desk->last_units = job->units;
    desk->was_brief = is_brief;
    const bool has_failed = desk->has_failed;
    pthread_mutex_unlock(&shop->mutex);
    para__cancellation_restore(cancel_state);
    return has_failed ? para__fail(PARA_ERR_WORKER_DIED,
                                   "no worker is left: the system refuses new ones, or too many "
                                   "have died, and the pool's breaker is open")
                      : PARA_OK;
}

bool para__desk_next_lost(const para__desk *desk, unsigned *index, para__lost *lost)
{
    const para__board_call c = desk->post.call; /* the caller's own */
    while (*index < c.tickets) {
        const para__ticket *const ticket = &desk->post.board->ticket[(*index)++];
        const para__ticket_word w = para__ticket_read(para__load_relaxed(
            &desk->post.board->word[*index - 1])); /* the call is over, seen with the mutex */
        if (w.epoch != c.epoch || w.state != PARA__TICKET_LOST)
            continue;
        /* A worker may have changed it, and who asks fills what is lost. */
        const size_t first = para__min((size_t)ticket->first, desk->units);
        const size_t count = para__min((size_t)ticket->count, desk->units - first);
        *lost = (para__lost){.first = first,
                             .count = count,
                             .attempts = ticket->attempts,
                             .death = (para_death)ticket->death,
                             .number = ticket->number};
        return true;
    }
    return false;
}
