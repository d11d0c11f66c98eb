/* A call on worker processes as its caller sees it. As many calls as there are desks go on at the
 * same time: workers look at all boards in turn, and take from each what is free. */
#include "process/desk.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/symbol.h"
#include "base/tuning_memory.h"
#include "base/tuning_processes.h"
#include "process/mapped.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How long a caller sleeps at most if there is something to look at, and if not. */
static const uint64_t watched_sleep_ns = (uint64_t)PARA__PROCESS_JOIN_MS * PARA__NS_OF_MS;
static const uint64_t plain_sleep_ns = (uint64_t)PARA__PROCESS_AUDIT_MS * PARA__NS_OF_MS;

void *para__desk_arena(para__desk *desk, unsigned number, size_t bytes)
{
    para__arena *const a = &desk->arenas[number];
    if (bytes > a->bytes || !a->memory) {
        para__region_free(desk->shop->region, a->memory);
        a->memory = para__region_alloc(desk->shop->region, bytes);
        a->bytes = a->memory ? bytes : 0;
    }
    a->is_needed |= bytes > PARA__BLOCK_SMALL && bytes > a->bytes / 4;
    return a->memory;
}

static bool has_large_arena(const para__desk *desk)
{
    bool has = false;
    for (unsigned i = 0; i < PARA__WORKSHOP_ARENAS; i++)
        has |= desk->arenas[i].bytes > PARA__BLOCK_SMALL;
    return has;
}

/* Large arenas that its call had need of are kept for a while. */
static void note_needs(para__desk *desk)
{
    for (unsigned i = 0; i < PARA__WORKSHOP_ARENAS; i++) {
        para__arena *const a = &desk->arenas[i];
        if (a->is_needed)
            a->needed_ns = para__now_ns();
        a->is_needed = false;
    }
}

/* Without the mutex: a large arena takes some time. Nobody else has the desk. */
static void free_arena(para__desk *desk, para__arena *a)
{
    para__workshop *const shop = desk->shop;
    desk->is_taken = true;
    pthread_mutex_unlock(&shop->mutex);
    para__region_free(shop->region, a->memory);
    *a = (para__arena){0};
    pthread_mutex_lock(&shop->mutex);
    desk->is_taken = false;
    pthread_cond_signal(&shop->vacated);
}

void para__desks_tidy(para__workshop *shop)
{
    const uint64_t now = para__now_ns();
    bool keeps = false;
    for (unsigned d = 0; shop->keeps && d < shop->desks; d++) {
        para__desk *const desk = &shop->desk[d];
        for (unsigned i = 0; !desk->is_taken && i < PARA__WORKSHOP_ARENAS; i++) {
            para__arena *const a = &desk->arenas[i];
            if (a->bytes > PARA__BLOCK_SMALL && now - a->needed_ns >= (uint64_t)PARA__KEPT_IDLE_NS)
                free_arena(desk, a);
        }
        keeps |= desk->is_taken || has_large_arena(desk);
    }
    shop->keeps = keeps;
}

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
    note_needs(desk);
    if (has_large_arena(desk) && !shop->keeps) {
        shop->keeps = true;
        para__supervisor_call(shop);
    }
    pthread_cond_signal(&shop->vacated);
    pthread_mutex_unlock(&shop->mutex);
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

const char *para_death_text(para_death death, int number, char *text, size_t bytes)
{
    if (death == PARA_DEATH_SIGNAL && number == SIGSYS)
        snprintf(text, bytes, "by signal %d: it made a system call that is not allowed", number);
    else if (death == PARA_DEATH_SIGNAL)
        snprintf(text, bytes, "by signal %d (%s)", number, strsignal(number));
    else if (death == PARA_DEATH_EXIT)
        snprintf(text, bytes, "by exit(%d)", number);
    else
        snprintf(text, bytes, "%s",
                 death == PARA_DEATH_OVERRUN ? "as it took too long" : "of an unknown cause");
    return text;
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

/* How long workers are at work on the job, by the desk's last one; UINT64_MAX if that was another
 * one, so that nobody knows. ns. */
static uint64_t expected_ns(const para__desk *desk, const para__job *job)
{
    const bool is_same = desk->last_kernel == job->kernel && desk->last_run == job->run &&
                         desk->last_units == job->units;
    return is_same ? desk->last_ns : UINT64_MAX;
}

/* A call as its caller gives it. */
typedef struct desk_call {
    para__desk *desk;
    const para__job *job;
    unsigned width;
    const para__board_policy *policy;
    const para_cancel *cancel;
} desk_call;

bool para__desk_doubts(para__desk *desk, bool is_sound)
{
    if (!is_sound && desk->trust == PARA__SOUND) {
        desk->trust = PARA__SPOILT;
        para__log(PARA_LOG_BOARD_SPOILT, desk->post.number,
                  "a worker has written over the words of a call");
    }
    return desk->trust != PARA__SOUND;
}

/* A short call is divided into fewer tickets: to claim one would show. */
static para__waking begin_work(const desk_call *c)
{
    para__desk *const desk = c->desk;
    const size_t most = para__min(c->job->units, (size_t)c->width * PARA__PROCESS_TICKETS);
    const uint64_t worth = expected_ns(desk, c->job) / PARA__PROCESS_TICKET_NS;
    const bool is_held =
        desk->shop->config.processes.chunk_ns != 0; /* a ticket may not take long */
    const unsigned tickets = (unsigned)para__clamp(is_held ? most : worth, 1, most);
    desk->policy = *c->policy;
    desk->units = c->job->units;
    desk->dead = (para__part){0};
    desk->dead_workers = 0;
    desk->failure = NULL;
    desk->trust = PARA__SOUND;
    desk->look_ns = 0;
    desk->rests = 0;
    desk->is_open = true;
    desk->shop->open++;
    return para__board_publish(&desk->post, c->job, c->width, tickets);
}

/* Whether there is nothing to wait for any more. */
static bool is_at_end(para__desk *desk)
{
    if (desk->trust != PARA__SOUND)
        return true;
    const para__progress p = para__board_look(&desk->post);
    if (p == PARA__BOARD_OPEN)
        return false;
    (void)para__desk_doubts(desk, p == PARA__BOARD_OVER && para__board_is_intact(&desk->post));
    return true;
}

/* Now and then, as the call lasts. */
static void look_after(para__desk *desk)
{
    const uint64_t now = para__now_ns();
    if (now < desk->look_ns)
        return;
    const bool is_first = desk->look_ns == 0;
    desk->look_ns = now + plain_sleep_ns;
    if (is_first)
        return;
    desk->rests = para__board_rests(&desk->post) ? desk->rests + 1 : 0;
    if (para__desk_doubts(desk,
                          para__board_is_sound(&desk->post) && desk->rests < PARA__PROCESS_RESTS))
        return;
    para__board_remind(&desk->post);
    para__supervisor_call(desk->shop);
}

static void await_purge(para__desk *desk)
{
    para__supervisor_call(desk->shop);
    while (desk->trust == PARA__SPOILT)
        pthread_cond_wait(&desk->shop->renewed, &desk->shop->mutex);
}

/* What has become of it; false: its words were spoilt, so nothing is known of that. */
static bool end_work(para__desk *desk, para__outcome *outcome)
{
    para__workshop *const shop = desk->shop;
    bool is_known = desk->trust == PARA__SOUND;
    if (is_known) {
        outcome->tally = desk->dead.tally;
        outcome->left_out = desk->dead.left_out;
        outcome->workers = desk->dead_workers;
        is_known = !para__desk_doubts(desk, para__board_collect(&desk->post, outcome));
    }
    if (!is_known)
        await_purge(desk);
    desk->is_open = false;
    if (--shop->open == 0 && shop->renews)
        para__supervisor_call(shop);
    return is_known;
}

/* Waits until it has ended. */
static void await_work(const desk_call *c, para__waking waking)
{
    para__desk *const desk = c->desk;
    /* Who was woken for one of few units may have been stopped: then all are. */
    bool rouses = c->job->units < c->width;
    uint64_t expects = expected_ns(desk, c->job);
    while (!is_at_end(desk)) {
        pthread_mutex_unlock(&desk->shop->mutex);
        para__board_join(&desk->post, waking, expects,
                         c->cancel || rouses ? watched_sleep_ns : plain_sleep_ns);
        waking = PARA__NOBODY_SLEPT;
        expects = 0;
        if (c->cancel && para_cancel_requested(c->cancel))
            para_cancel_request(&desk->post.board->token);
        pthread_mutex_lock(&desk->shop->mutex);
        if (is_at_end(desk))
            break;
        if (rouses)
            para__board_rouse(&desk->post);
        rouses = false;
        look_after(desk);
    }
}

static bool run_work(const desk_call *c, para__outcome *outcome)
{
    para__desk *const desk = c->desk;
    para__workshop *const shop = desk->shop;
    know_all(shop);
    const para__waking waking = begin_work(c);
    if (shop->config.processes.chunk_ns != 0 || para__count_alive(shop) < c->width)
        para__supervisor_call(shop);
    const para__mark since = para__trace_begin();
    await_work(c, waking);
    para__trace_end(since, .kind = PARA__EVENT_JOIN, .function = c->job->kernel);
    return end_work(desk, outcome);
}

/* All of it is lost: as there is no worker for it, all of it is given up. */
static void lose_work(const desk_call *c)
{
    (void)para__board_publish(&c->desk->post, c->job, 0, (unsigned)para__min(c->job->units, 1));
    para__board_abandon(&c->desk->post);
}

/* Whether all of the job was done in that time: else one like it may take longer by any factor. */
static bool tells_work(const para__desk *desk, const para__outcome *outcome, bool is_whole)
{
    return is_whole && !desk->failure && outcome->deaths == 0 && outcome->left_out == 0 &&
           outcome->tally.ending == PARA__ENDED_WHOLE;
}

para_status para__desk_run(para__desk *desk, const para__job *job, unsigned width,
                           const para__board_policy *policy, const para_cancel *cancel,
                           para__outcome *outcome)
{
    para__workshop *const shop = desk->shop;
    const desk_call call = {desk, job, width, policy, cancel};
    unsigned attempts = 1;
    const int cancel_state = para__cancellation_off();
    pthread_mutex_lock(&shop->mutex);
    desk->call_deaths = 0;
    bool is_whole = run_work(&call, outcome);
    while (!is_whole && attempts++ < policy->attempts)
        is_whole = run_work(&call, outcome);
    if (!is_whole)
        lose_work(&call);
    outcome->deaths = desk->call_deaths;
    desk->last_kernel = job->kernel;
    desk->last_run = job->run;
    desk->last_units = job->units;
    desk->last_ns = tells_work(desk, outcome, is_whole)
                        ? (uint64_t)((double)outcome->tally.busy_ticks * para__ns_per_tick())
                        : UINT64_MAX;
    const char *const failure = desk->failure;
    pthread_mutex_unlock(&shop->mutex);
    para__cancellation_restore(cancel_state);
    if (!is_whole)
        return para__fail(PARA_ERR_WORKER_DIED,
                          "a worker has written over the memory by which calls are handed out, in "
                          "each of %u attempts",
                          policy->attempts);
    return failure ? para__fail(PARA_ERR_WORKER_DIED, "no worker is left: %s", failure) : PARA_OK;
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
