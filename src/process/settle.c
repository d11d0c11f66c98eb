/* The board as the caller and who settles see it. They hold the workshop's mutex, so that nobody
 * but live workers changes anything under their hands. */
#include "process/board.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/tuning.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

/* Wakes that many workers, or all. Whether any slept. */
static bool tell_news(const para__post *post, int count)
{
    para__hall *const hall = post->hall;
    bool sleeps = false;
    para__add_seq_cst(E29, &hall->news, 1);
    for (unsigned w = 0; w < post->workers && !sleeps; w++)
        sleeps = para__load_seq_cst(E29, &hall->worker[w].asleep) != 0;
    if (sleeps)
        para__futex_wake_shared(&hall->news, count);
    return sleeps;
}

void para__board_rouse(const para__post *post)
{
    para__board *const board = post->board;
    (void)tell_news(post, INT_MAX);
    para__swap_release(E28, &board->joins, 0); /* a caller that swaps later sees what is settled */
    para__futex_wake_shared(&board->joins, INT_MAX);
}

static void free_ticket(para__ticket *ticket, uint32_t epoch, unsigned attempts)
{
    para__store_release(E27, &ticket->word,
                        para__ticket_word_of((para__ticket_word){
                            .epoch = epoch, .attempts = attempts, .state = PARA__TICKET_FREE}));
}

/* ---- The caller ------------------------------------------------------------------------ */

bool para__board_publish(para__post *post, const para__job *job, unsigned width, unsigned tickets)
{
    const para__board_call c = {.epoch = post->call.epoch + 1, .width = width, .tickets = tickets};
    const size_t each = job->units / tickets, more = job->units % tickets;
    size_t first = 0;
    para__board *const board = post->board;
    para__hall *const hall = post->hall;
    post->call = c;
    board->run = job->run;
    board->kernel = job->kernel;
    board->fp = para__fp_control();
    memcpy(board->payload, job->payload, job->payload_bytes);
    para__store_relaxed(&board->stop, UINT64_MAX); /* both: read by who has claimed */
    para__store_relaxed(&board->settled, 0);
    for (unsigned t = 0; t < tickets; t++) {
        para__ticket *const ticket = &board->ticket[t];
        ticket->first = first;
        ticket->count = each + (t < more);
        first += ticket->count;
        free_ticket(ticket, c.epoch, 0);
    }
    /* The news bring both, and its tickets bring the job. */
    para__store_relaxed(&board->call, para__board_word(c));
    if (para__load_relaxed(&hall->boards) <= post->number) /* written with the mutex alone */
        para__store_relaxed(&hall->boards, post->number + 1);
    return tell_news(post, tickets < width && width == post->workers ? (int)tickets : INT_MAX);
}

void para__board_close(para__post *post)
{
    post->call = (para__board_call){.epoch = post->call.epoch};
    para__store_relaxed(&post->board->call,
                        para__board_word(post->call)); /* seen late, there is nothing to do */
}

void para__board_join(para__board *board, uint64_t deadline_ns, bool yields)
{
    if (yields)
        sched_yield();
    const uint64_t start = para__now_ns();
    do
        if (para__board_may_be_over(board))
            return;
    while (para__board_spins(start));
    /* Who finishes the last ticket sees this, or what it told is seen here [E28]. */
    para__swap_seq_cst(E28, &board->joins, 1);
    if (!para__board_may_be_over(board))
        para__futex_wait_shared(&board->joins, 1, deadline_ns);
    para__store_relaxed(&board->joins, 0); /* its own; too late, it is woken in vain */
}

void para__board_collect(const para__post *post, para__outcome *outcome)
{
    para__board *const board = post->board;
    const para__board_call c = post->call;
    for (unsigned w = 0; w < c.width; w++) {
        para__record *const record = &board->record[w];
        const uint64_t told = para__load_relaxed(&record->told); /* is_over has seen the same */
        if (told >> 32 != c.epoch || (uint32_t)told == 0)
            continue;
        const para__part *const part = &record->part[told & 1];
        para__tally_add(&outcome->tally, &part->tally);
        outcome->left_out += part->left_out;
        outcome->workers += part->tally.chunks != 0;
    }
}

/* ---- Who settles ------------------------------------------------------------------------ */

static void lose_ticket(para__board *board, para__ticket *ticket, uint32_t epoch, unsigned attempts,
                        para_death death, int number)
{
    ticket->attempts = (uint8_t)attempts;
    ticket->death = (uint8_t)death;
    ticket->number = number;
    para__store_relaxed(&ticket->word, /* read with the mutex */
                        para__ticket_word_of((para__ticket_word){
                            .epoch = epoch, .attempts = attempts, .state = PARA__TICKET_LOST}));
    para__add_relaxed(&board->settled, 1); /* a hint, until the mutex is taken */
}

/* Makes two tickets of one; false: it is one unit, or there is no room. The halves are tried once
 * each, since the whole has been tried often enough; a single unit as often as any. */
static bool halve_ticket(para__post *post, para__ticket *ticket, unsigned attempts)
{
    para__board *const board = post->board;
    para__board_call *const c = &post->call;
    if (ticket->count < 2 || c->tickets == PARA__BOARD_TICKETS)
        return false;
    para__ticket *const other = &board->ticket[c->tickets];
    const uint64_t half = ticket->count / 2;
    other->first = ticket->first + half;
    other->count = ticket->count - half;
    ticket->count = half;
    free_ticket(other, c->epoch, other->count > 1 ? attempts - 1 : 0);
    free_ticket(ticket, c->epoch, half > 1 ? attempts - 1 : 0);
    c->tickets++;
    para__store_relaxed(&board->call, para__board_word(*c)); /* as in publish */
    return true;
}

void para__hall_forget(para__hall *hall, unsigned worker)
{
    para__store_relaxed(&hall->worker[worker].since_ns, 0); /* nobody else writes these any more */
    para__store_relaxed(&hall->worker[worker].asleep, 0);
}

para__settlement para__board_settle(para__post *post, unsigned worker,
                                    const para__board_policy *policy, para_death death, int number)
{
    para__board *const board = post->board;
    para__record *const record = &board->record[worker];
    const para__board_call c = post->call;
    para__settlement s = {0};
    para__ticket *claimed = NULL;
    unsigned attempts = 0;
    for (unsigned t = 0; t < c.tickets; t++) {
        para__ticket *const ticket = &board->ticket[t];
        para__ticket_word w =
            para__ticket_read(para__load_acquire(E27, &ticket->word)); /* its last store there */
        if (w.epoch != c.epoch || w.worker != worker ||
            (w.state != PARA__TICKET_DONE && w.state != PARA__TICKET_CLAIMED))
            continue;
        if (w.state == PARA__TICKET_CLAIMED) {
            claimed = ticket;
            attempts = w.attempts + 1;
            continue;
        }
        s.finished++;
        w.state = PARA__TICKET_SETTLED;
        para__store_relaxed(&ticket->word, para__ticket_word_of(w)); /* read with the mutex alone */
    }
    if (s.finished)
        s.part = record->part[s.finished & 1];
    /* Nobody else writes it any more. First it tells less, then the sum is whole again. */
    para__store_relaxed(&record->told, 0);
    para__add_relaxed(&board->settled, s.finished);
    s.had_claim = claimed != NULL;
    if (claimed && attempts < policy->attempts)
        free_ticket(claimed, c.epoch, attempts);
    else if (claimed && !(policy->halves && halve_ticket(post, claimed, policy->attempts))) {
        lose_ticket(board, claimed, c.epoch, attempts, death, number);
        if (!policy->goes_on)
            para__store_relaxed(&board->stop, 0); /* a bound on its own, as in para__runner */
    }
    para__board_rouse(post);
    return s;
}

void para__board_abandon(const para__post *post)
{
    para__board *const board = post->board;
    const para__board_call c = post->call;
    for (unsigned t = 0; t < c.tickets; t++) {
        para__ticket *const ticket = &board->ticket[t];
        uint64_t word = para__load_relaxed(&ticket->word);
        const para__ticket_word w = para__ticket_read(word);
        if (w.epoch == c.epoch && w.state == PARA__TICKET_FREE &&
            para__cas_relaxed(&ticket->word, &word, word | PARA__TICKET_LOST)) { /* likewise */
            ticket->attempts = (uint8_t)w.attempts;
            ticket->death = PARA_DEATH_UNKNOWN;
            ticket->number = 0;
            para__add_relaxed(&board->settled, 1);
        }
    }
    para__store_relaxed(&board->stop, 0);
    para__board_rouse(post);
}
