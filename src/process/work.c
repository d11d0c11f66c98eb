/* A worker process at the board. It allocates nothing and takes no lock, so it can end at any
 * instruction: who settles it then knows what it had. */
#include "process/board.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/tuning_processes.h"
#include "process/output.h"

#include <limits.h>
#include <sched.h>

bool para__board_spins(uint64_t spent_ns)
{
    if (spent_ns < PARA__PROCESS_PAUSE_NS) {
        para__pause();
        return true;
    }
    sched_yield();
    return spent_ns < PARA__PROCESS_SPIN_NS;
}

static bool is_on_callers_cpu(const para__hall *hall)
{
    return para__load_relaxed(&hall->caller) == (uint32_t)sched_getcpu() + 1; /* a value alone */
}

static bool has_news_soon(para__hall *hall, uint32_t seen)
{
    for (unsigned i = 0; i < PARA__PROCESS_LOOKS; i++) {
        if (para__load_relaxed(&hall->news) != seen) /* who awaits them looks again */
            return true;
        para__pause();
    }
    return false;
}

bool para__hall_spin_for_news(para__hall *hall, uint32_t seen)
{
    const uint64_t start = para__now_ns();
    while (!has_news_soon(hall, seen)) {
        if (is_on_callers_cpu(hall))
            sched_yield();
        if (!para__board_spins(para__now_ns() - start))
            return false;
    }
    return true;
}

uint32_t para__hall_await_news(para__hall *hall, unsigned worker, uint32_t seen)
{
    para__presence *const self = &hall->worker[worker];
    uint32_t news = para__load_acquire(E29, &hall->news);
    while (news == seen) {
        para__swap_seq_cst(E29, &self->asleep, 1);
        if (para__load_seq_cst(E29, &hall->news) == seen)
            para__futex_wait_shared(&hall->news, seen, UINT64_MAX);
        para__store_relaxed(&self->asleep, 0); /* its own; too late, it is woken in vain */
        news = para__load_acquire(E29, &hall->news);
    }
    return news;
}

/* The tickets of that call that a worker says it has finished. */
static para__done finished_of(para__record *record, uint32_t epoch)
{
    return para__done_read(para__load_seq_cst(E28, &record->told), epoch);
}

para__done para__board_done(para__board *board, para__board_call call)
{
    para__done done = {0, 0};
    for (unsigned w = 0; w < call.width && w < PARA__PROCESSES_MAX; w++)
        done = para__done_add(done, finished_of(&board->record[w], call.epoch));
    return done;
}

bool para__board_may_be_over(para__board *board)
{
    /* Its caller, and workers of that call, have seen it. */
    const para__board_call c = para__board_read(para__load_relaxed(&board->call));
    /* A worker that sees too little of this is told by the news, and looks once more. */
    const uint64_t settled = para__load_relaxed(&board->settled);
    return settled + para__board_done(board, c).count >= c.tickets;
}

/* A word of a later call is that of a worker that is late; of an earlier one, nobody's. */
static bool claim_ticket(para__atomic_u64 *claim, uint32_t epoch, unsigned worker,
                         para__ticket_word *claimed)
{
    uint64_t word = para__load_relaxed(claim); /* the swap decides */
    para__ticket_word w = para__ticket_read(word);
    if (w.epoch != epoch) {
        if ((int32_t)(w.epoch - epoch) > 0)
            return false;
        w = (para__ticket_word){.epoch = epoch, .state = PARA__TICKET_FREE};
    }
    if (w.state != PARA__TICKET_FREE)
        return false;
    w.state = PARA__TICKET_CLAIMED;
    w.worker = worker;
    *claimed = w;
    return para__cas_acquire(E27, claim, &word, para__ticket_word_of(w));
}

/* A ticket that this worker has claimed is finished; false: its word is not as it was left. */
static bool finish_ticket(para__record *record, para__atomic_u64 *claim, para__ticket_word claimed,
                          uint32_t finished, const para__part *part)
{
    uint64_t left = para__ticket_word_of(claimed);
    record->part[finished & 1] = *part;
    claimed.state = PARA__TICKET_DONE;
    /* In this order: who settles trusts the part if the ticket is done. */
    return para__cas_release(E27, claim, &left, para__ticket_word_of(claimed));
}

/* Runs a ticket's units; in the caller's floating-point environment, like those of the call before
 * it. */
static void run_ticket(para__board *board, para__range units, unsigned worker, unsigned kind,
                       para__part *part)
{
    para__atomic_u64 left_out;
    para__store_relaxed(&left_out, part->left_out); /* its own */
    para__runner runner = {.worker = worker,
                           .stop = &board->stop,
                           .left_out = &left_out,
                           .kind = kind,
                           .tally = part->tally};
    const size_t chunks = runner.tally.chunks;
    const para__mark since = para__trace_begin();
    board->run(board->payload, units.first, units.count, &runner);
    runner.tally.fp_flags |= para__fp_flags();
    para__trace_end(since, .kind = PARA__EVENT_BATCH, .function = board->kernel, .a = units.first,
                    .b = units.count, .c = worker,
                    .chunks = (unsigned)(runner.tally.chunks - chunks), .is_busy = true);
    part->tally = runner.tally;
    part->left_out = para__load_relaxed(&left_out); /* its own */
}

/* Of two that end at the same time, one sees what the other has told [E28]. */
static void tell_caller(para__board *board, para__record *record, uint64_t told)
{
    para__swap_seq_cst(E28, &record->told, told);
    if (para__board_may_be_over(board) && para__load_seq_cst(E28, &board->joins)) {
        para__swap_relaxed(&board->joins, 0); /* one that wakes looks at what was told */
        para__futex_wake_shared(&board->joins, INT_MAX);
    }
}

/* The units of a ticket; false: the job has none such, so the board was written over. */
static bool find_range(const para__board *board, unsigned t, para__ticket_word claimed,
                       para__range *units)
{
    const para__ticket *const ticket = &board->ticket[t];
    if (!claimed.is_settled && t >= board->dealt)
        return false;
    *units = claimed.is_settled ? (para__range){ticket->first, ticket->count}
                                : para__board_range(board->units, board->dealt, t);
    return units->first <= board->units && units->count <= board->units - units->first;
}

/* A worker begins with the tickets at its own place, so that the same memory is its own from call
 * to call, and goes on with those of the next. */
unsigned para__board_work(para__hall *hall, para__board *boards, unsigned number, unsigned worker,
                          unsigned kind)
{
    para__board *const board = &boards[number];
    const para__board_call c = para__board_read(para__load_acquire(E27, &board->call));
    para__record *const record = &board->record[worker];
    para__presence *const self = &hall->worker[worker];
    if (self->track)
        para__track_join(hall->tracks, self->track);
    const bool is_spoilt = c.width > PARA__PROCESSES_MAX || c.tickets > PARA__BOARD_TICKETS;
    if (worker >= c.width || c.tickets == 0 || is_spoilt)
        return 0;
    const para__done before = finished_of(record, c.epoch);
    para__done finished = before;
    para__part part = {0};
    if (finished.count)
        part = record->part[finished.count & 1];
    bool is_sound = finished.count == 0 || part.told == para__done_word(c.epoch, finished);
    const unsigned start = (unsigned)((uint64_t)worker * c.tickets / c.width);
    bool has_entered = false;
    para__fp own = PARA__FP_DEFAULT;
    para__store_relaxed(&self->board, number); /* values on their own, as below */
    uint64_t ticks = para__ticks();
    para__store_relaxed(&self->since_ticks, ticks);
    for (unsigned i = 0; i < c.tickets && is_sound; i++) {
        const unsigned t = start + i < c.tickets ? start + i : start + i - c.tickets;
        para__ticket_word claimed;
        para__range units;
        if (!claim_ticket(&board->word[t], c.epoch, worker, &claimed))
            continue;
        is_sound = find_range(board, t, claimed, &units);
        if (!is_sound)
            break;
        if (!has_entered)
            own = para__fp_swap(board->fp);
        has_entered = true;
        run_ticket(board, units, worker, kind, &part);
        finished = para__done_add(finished, para__done_of(t));
        part.told = para__done_word(c.epoch, finished);
        const uint64_t now = para__ticks();
        part.tally.busy_ticks += now - ticks;
        ticks = now;
        is_sound = finish_ticket(record, &board->word[t], claimed, finished.count, &part);
        para__store_relaxed(&self->beats, para__load_relaxed(&self->beats) + 1);
        para__store_relaxed(&self->since_ticks, ticks);
    }
    para__store_relaxed(&self->since_ticks, 0);
    if (has_entered)
        (void)para__fp_swap(own);
    if (has_entered)
        para__printing_write();
    if (!is_sound)
        para__store_relaxed(&board->spoilt, 1); /* a value alone */
    else if (finished.count)
        tell_caller(board, record, part.told);
    return finished.count - before.count;
}
