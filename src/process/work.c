/* A worker process at the board. It allocates nothing and takes no lock, so it can end at any
 * instruction: who settles it then knows what it had. */
#include "process/board.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/tuning.h"

#include <limits.h>
#include <sched.h>

bool para__board_spins(uint64_t start_ns)
{
    const uint64_t spent_ns = para__now_ns() - start_ns;
    if (spent_ns < PARA__PROCESS_PAUSE_NS) {
        para__pause();
        return true;
    }
    sched_yield();
    return spent_ns < PARA__PROCESS_SPIN_NS;
}

bool para__hall_spin_for_news(para__hall *hall, uint32_t seen)
{
    sched_yield(); /* a caller that waits for the call may have no other CPU */
    const uint64_t start = para__now_ns();
    bool is_new;
    while (!(is_new = para__load_relaxed(&hall->news) != seen) && /* who awaits them looks again */
           para__board_spins(start))
        continue;
    return is_new;
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

static uint64_t told_word(uint32_t epoch, uint32_t finished)
{
    return (uint64_t)epoch << 32 | finished;
}

/* How many tickets of that call a worker says it has finished. */
static uint32_t finished_of(para__record *record, uint32_t epoch)
{
    const uint64_t told = para__load_seq_cst(E28, &record->told);
    return told >> 32 == epoch ? (uint32_t)told : 0;
}

bool para__board_is_over(para__board *board, para__board_call call)
{
    /* A worker that sees too little of this is told by the news, and looks once more. */
    uint64_t over = para__load_relaxed(&board->settled);
    for (unsigned w = 0; w < call.width && w < PARA__PROCESSES_MAX; w++)
        over += finished_of(&board->record[w], call.epoch);
    return over >= call.tickets;
}

bool para__board_may_be_over(para__board *board)
{
    /* Its caller, and workers of that call, have seen it. */
    return para__board_is_over(board, para__board_read(para__load_relaxed(&board->call)));
}

static bool claim_ticket(para__ticket *ticket, uint32_t epoch, unsigned worker)
{
    uint64_t word = para__load_relaxed(&ticket->word); /* the swap decides */
    para__ticket_word w = para__ticket_read(word);
    if (w.epoch != epoch || w.state != PARA__TICKET_FREE)
        return false;
    w.state = PARA__TICKET_CLAIMED;
    w.worker = worker;
    return para__cas_acquire(E27, &ticket->word, &word, para__ticket_word_of(w));
}

/* A ticket that this worker has claimed is finished. */
static void finish_ticket(para__record *record, para__ticket *ticket, uint32_t epoch,
                          uint32_t finished, const para__part *part)
{
    para__ticket_word w = para__ticket_read(para__load_relaxed(&ticket->word)); /* its own */
    record->part[finished & 1] = *part;
    w.state = PARA__TICKET_DONE;
    /* In this order: who settles trusts the part if the ticket is done. */
    para__store_release(E27, &ticket->word, para__ticket_word_of(w));
    para__store_release(E28, &record->told, told_word(epoch, finished));
}

/* Runs a ticket's units; in the caller's floating-point environment, like those of the call before
 * it. */
static void run_ticket(para__board *board, const para__ticket *ticket, unsigned worker,
                       unsigned kind, para__part *part)
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
    board->run(board->payload, ticket->first, ticket->count, &runner);
    runner.tally.fp_flags |= para__fp_flags();
    para__trace_end(since, .kind = PARA__EVENT_BATCH, .function = board->kernel, .a = ticket->first,
                    .b = ticket->count, .c = worker,
                    .chunks = (unsigned)(runner.tally.chunks - chunks), .is_busy = true);
    part->tally = runner.tally;
    part->left_out = para__load_relaxed(&left_out); /* its own */
}

/* Of two that end at the same time, one sees what the other has told [E28]. */
static void tell_caller(para__board *board, para__record *record)
{
    const uint64_t told = para__load_relaxed(&record->told); /* its own */
    para__swap_seq_cst(E28, &record->told, told);
    if (para__board_may_be_over(board) && para__load_seq_cst(E28, &board->joins)) {
        para__swap_relaxed(&board->joins, 0); /* one that wakes looks at what was told */
        para__futex_wake_shared(&board->joins, INT_MAX);
    }
}

/* A worker begins with the tickets at its own place, so that the same memory is its own from call
 * to call, and goes on with those of the next. */
unsigned para__board_work(para__board *board, unsigned worker, unsigned kind)
{
    /* The news have brought it, and a ticket brings all that is read of it. */
    const para__board_call c = para__board_read(para__load_relaxed(&board->call));
    para__record *const record = &board->record[worker];
    para__presence *const self = &board->hall->worker[worker];
    if (self->track)
        para__track_join(board->hall->tracks, self->track);
    if (worker >= c.width || c.tickets == 0)
        return 0;
    const uint32_t before = finished_of(record, c.epoch);
    uint32_t finished = before;
    para__part part = {0};
    if (finished)
        part = record->part[finished & 1];
    const unsigned start = (unsigned)((uint64_t)worker * c.tickets / c.width);
    bool has_entered = false;
    para__fp own = PARA__FP_DEFAULT;
    para__store_relaxed(&self->board, board->number); /* values on their own, as below */
    para__store_relaxed(&self->since_ns, para__now_ns());
    for (unsigned i = 0; i < c.tickets; i++) {
        const unsigned t = start + i < c.tickets ? start + i : start + i - c.tickets;
        para__ticket *const ticket = &board->ticket[t];
        if (!claim_ticket(ticket, c.epoch, worker))
            continue;
        if (!has_entered)
            own = para__fp_swap(board->fp); /* a ticket has brought it */
        has_entered = true;
        run_ticket(board, ticket, worker, kind, &part);
        finish_ticket(record, ticket, c.epoch, ++finished, &part);
        para__store_relaxed(&self->beats, para__load_relaxed(&self->beats) + 1);
        para__store_relaxed(&self->since_ns, para__now_ns());
    }
    para__store_relaxed(&self->since_ns, 0);
    if (has_entered)
        (void)para__fp_swap(own);
    if (finished)
        tell_caller(board, record);
    return finished - before;
}
