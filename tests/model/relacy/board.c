#include "board.h"

#include "process/board.h"
#include "process/region.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static para__hall hall;
static para__board board;
static para__post post; /* under the mutex */
static board_kernel *run_unit;
static uint32_t mutex; /* the workshop's */
static bool is_ending, is_open, has_begun;
static unsigned settled_run;  /* by workers that have died in the open call */
static char job[BOARD_CALLS]; /* addresses alone */

typedef struct payload {
    unsigned call;
} payload;

/* What the board keeps is plain memory: what is written and read of it is told to Relacy here. A
 * ticket has one kernel call for each unit, so chunks are not how many tickets were finished. */
static unsigned finished[BOARD_WORKERS];
static bool is_mortal[BOARD_WORKERS];
static bool is_written[BOARD_TICKETS]; /* by who settles */

static void run(const void *of, size_t first, size_t count, para__runner *runner)
{
    const payload *const p = of;
    const unsigned w = runner->worker;
    model_see(&job[p->call]);
    for (unsigned t = 0; !is_mortal[w] && t < BOARD_TICKETS; t++)
        if (is_written[t] && board.ticket[t].first == first && board.ticket[t].count == count)
            model_see(&board.ticket[t].first);
    for (size_t i = first; i < first + count; i++) {
        run_unit(p->call, (unsigned)i, w);
        runner->tally.chunks++;
    }
    model_watch(&board.record[w].part[++finished[w] & 1]);
}

void board_make(board_kernel *kernel)
{
    run_unit = kernel;
    is_ending = is_open = has_begun = false;
    memset(finished, 0, sizeof finished);
    memset(is_mortal, 0, sizeof is_mortal);
    memset(board.record, 0, BOARD_WORKERS * sizeof board.record[0]);
    memset(board.ticket, 0, BOARD_TICKETS * sizeof board.ticket[0]);
    post = (para__post){
        .board = &board, .hall = &hall, .workers = BOARD_WORKERS, .sound = PARA__BOARD_TICKETS};
    mutex = 0;
    (void)para__load_relaxed((para__atomic_u32 *)&mutex);
    para__store_relaxed(&board.call, 0);
    para__store_relaxed(&hall.news, 0);
    para__store_relaxed(&hall.boards, 0);
    para__store_relaxed(&hall.caller, 0);
    para__store_relaxed(&board.joins, 0);
    para__store_relaxed(&board.settled, 0);
    para__store_relaxed(&board.stop, 0);
    para__store_relaxed(&board.spoilt, 0);
    for (unsigned w = 0; w < BOARD_WORKERS; w++) {
        para__store_relaxed(&board.record[w].told, 0);
        para__store_relaxed(&hall.worker[w].since_ticks, 0);
        para__store_relaxed(&hall.worker[w].board, 0);
        para__store_relaxed(&hall.worker[w].beats, 0);
        para__store_relaxed(&hall.worker[w].asleep, 0);
    }
    for (unsigned t = 0; t < BOARD_TICKETS; t++)
        para__store_relaxed(&board.word[t], 0);
}

/* ---- The caller ------------------------------------------------------------------------ */

static para__waking publish(unsigned call, unsigned units, unsigned tickets)
{
    const payload p = {call};
    const para__job published = {
        .run = run, .payload = &p, .payload_bytes = sizeof p, .units = units};
    memset(finished, 0, sizeof finished);
    settled_run = 0;
    is_open = has_begun = true;
    model_watch(&job[call]);
    memset(is_written, 0, sizeof is_written);
    memset(board.ticket, 0, BOARD_TICKETS * sizeof board.ticket[0]);
    return para__board_publish(&post, &published, BOARD_WORKERS, tickets);
}

static board_sum collect(void)
{
    const para__board_call c = post.call;
    para__outcome outcome = {.workers = 0};
    board_sum sum = {.run = settled_run};
    is_open = false;
    if (!para__board_collect(&post, &outcome))
        abort();
    for (unsigned w = 0; w < BOARD_WORKERS; w++) {
        const uint64_t told = para__load_relaxed(&board.record[w].told);
        if (para__done_read(told, c.epoch).count != 0)
            model_see(&board.record[w].part[told & 1]);
    }
    sum.run += (unsigned)outcome.tally.chunks;
    for (unsigned t = 0; t < c.tickets; t++) {
        const para__ticket_word w = para__ticket_read(para__load_relaxed(&board.word[t]));
        if (w.state == PARA__TICKET_LOST)
            sum.lost += (unsigned)board.ticket[t].count;
    }
    return sum;
}

board_sum board_call(unsigned call, unsigned units, unsigned tickets)
{
    model_lock(&mutex);
    para__waking waking = publish(call, units, tickets);
    while (para__board_look(&post) == PARA__BOARD_OPEN) {
        model_unlock(&mutex);
        para__board_join(&post, waking, 0, UINT64_MAX);
        waking = PARA__NOBODY_SLEPT;
        model_lock(&mutex);
    }
    if (para__board_look(&post) != PARA__BOARD_OVER)
        abort();
    const board_sum sum = collect();
    para__board_close(&post);
    model_unlock(&mutex);
    return sum;
}

void board_end(void)
{
    is_ending = true;
    para__board_rouse(&post);
}

/* ---- A worker --------------------------------------------------------------------------- */

bool board_serve(unsigned worker, unsigned steps)
{
    jmp_buf death;
    if (setjmp(death))
        return false;
    is_mortal[worker] = steps != 0;
    model_mortal(&death, steps);
    uint32_t seen = para__load_relaxed(&hall.news) - 1; /* as supervisor.c */
    while (!is_ending) {
        seen = para__hall_await_news(&hall, worker, seen);
        if (para__load_relaxed(&hall.boards) != 0)
            (void)para__board_work(&hall, &board, 0, worker, 0);
    }
    model_mortal(NULL, 0);
    return true;
}

void board_serve_once(unsigned worker)
{
    (void)para__hall_await_news(&hall, worker, 0);
    (void)para__board_work(&hall, &board, 0, worker, 0);
}

void board_work_early(unsigned worker)
{
    (void)para__board_work(&hall, &board, 0, worker, 0);
}

/* ---- Who settles ------------------------------------------------------------------------ */

static void watch_range(unsigned ticket)
{
    model_watch(&board.ticket[ticket].first);
    is_written[ticket] = true;
}

/* The system tells of a death after it, so all that the process has stored is there: the newest
 * value of each word is what is loaded from now on. That orders nothing else. */
static void see_newest(unsigned worker, bool halves)
{
    const para__board_call c = post.call;
    for (unsigned t = 0; t < BOARD_TICKETS; t++) {
        const para__ticket_word w = para__ticket_read(para__add_relaxed(&board.word[t], 0));
        if (w.epoch == c.epoch && w.state == PARA__TICKET_CLAIMED && w.worker == worker)
            watch_range(t);
    }
    if (halves && c.tickets < BOARD_TICKETS)
        watch_range(c.tickets);
}

void board_settle(unsigned worker, unsigned attempts, bool halves)
{
    const para__board_policy policy = {.attempts = attempts, .halves = halves, .goes_on = true};
    model_lock(&mutex);
    see_newest(worker, halves);
    para__hall_forget(&hall, worker);
    const para__settlement s = para__board_settle(&post, worker, &policy, PARA_DEATH_UNKNOWN, 0);
    if (s.is_spoilt)
        abort();
    if (s.finished.count)
        model_see(&board.record[worker].part[s.finished.count & 1]);
    settled_run += (unsigned)s.part.tally.chunks;
    model_unlock(&mutex);
}

void board_abandon(void)
{
    while (!has_begun)
        model_pause();
    model_lock(&mutex);
    if (is_open)
        para__board_abandon(&post);
    model_unlock(&mutex);
}

/* ---- A region --------------------------------------------------------------------------- */

static para__region *region;
static _Alignas(64) char region_memory[512];
static bool is_making;

void *board_alloc(void)
{
    return is_making ? region_memory : NULL;
}

void board_region_make(unsigned holders)
{
    const char *why;
    is_making = true;
    region = para__region_make(&why);
    is_making = false;
    if (!region)
        abort();
    model_watch(region_memory);
    while (--holders)
        para__region_hold(region);
}

void board_region_use(void)
{
    model_see(region_memory);
}

void board_region_release(void)
{
    para__region_release(region);
}
