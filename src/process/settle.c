/* The board as the caller and who settles see it. They hold the workshop's mutex, so that nobody
 * but live workers changes anything under their hands. */
#include "process/board.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/tuning.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

/* Wakes that many workers, if none below `width` is awake. */
static para__waking tell_news(const para__post *post, unsigned width, int count)
{
    para__hall *const hall = post->hall;
    unsigned sleepers = 0, awake = 0;
    para__add_seq_cst(E29, &hall->news, 1);
    for (unsigned w = 0; w < post->workers; w++) {
        const bool sleeps = para__load_seq_cst(E29, &hall->worker[w].asleep) != 0;
        sleepers += sleeps;
        awake += !sleeps && w < width;
    }
    if (sleepers == 0)
        return PARA__NOBODY_SLEPT;
    if (awake)
        return PARA__SLEEPERS_LEFT;
    para__futex_wake_shared(&hall->news, count);
    return PARA__SLEEPERS_WOKEN;
}

void para__board_rouse(const para__post *post)
{
    para__board *const board = post->board;
    (void)tell_news(post, 0, INT_MAX);
    para__swap_release(E28, &board->joins, 0); /* a caller that swaps later sees what is settled */
    para__futex_wake_shared(&board->joins, INT_MAX);
}

/* Its range has been written. */
static void free_ticket(para__board *board, unsigned t, uint32_t epoch, unsigned attempts)
{
    const para__ticket_word w = {
        .epoch = epoch, .attempts = attempts, .is_settled = true, .state = PARA__TICKET_FREE};
    para__store_release(E27, &board->word[t], para__ticket_word_of(w));
}

/* A word that is older than half of all epochs would seem to be of a later call; so would one that
 * a worker has spoilt, before it died of that. Then nobody would claim the ticket. So all become
 * those of the last call. */
static void renew_words(const para__post *post)
{
    const para__ticket_word done = {.epoch = post->call.epoch, .state = PARA__TICKET_DONE};
    for (unsigned t = 0; t < PARA__BOARD_TICKETS; t++)
        para__store_relaxed(&post->board->word[t],
                            para__ticket_word_of(done)); /* no call is open */
    /* One that has done nothing for all epochs seems to have told of this one. */
    for (unsigned w = 0; w < post->workers; w++)
        para__store_relaxed(&post->board->record[w].told, 0); /* likewise */
}

/* ---- The caller ------------------------------------------------------------------------ */

para__waking para__board_publish(para__post *post, const para__job *job, unsigned width,
                                 unsigned tickets)
{
    const para__board_call c = {.epoch = post->call.epoch + 1, .width = width, .tickets = tickets};
    para__board *const board = post->board;
    para__hall *const hall = post->hall;
    if (c.epoch % PARA__BOARD_EPOCHS == 0 || post->is_doubtful)
        renew_words(post);
    post->is_doubtful = false;
    post->call = c;
    board->run = job->run;
    board->kernel = job->kernel;
    board->units = post->units = job->units;
    board->dealt = post->dealt = tickets;
    board->fp = para__fp_control();
    memcpy(board->payload, job->payload, job->payload_bytes);
    para__store_relaxed(&board->stop, UINT64_MAX); /* both: read by who has claimed */
    para__store_relaxed(&board->settled, 0);
    para__store_release(E27, &board->call, para__board_word(c));
    if (para__load_relaxed(&hall->boards) <= post->number) /* written with the mutex alone */
        para__store_relaxed(&hall->boards, post->number + 1);
    para__store_relaxed(&hall->caller, (uint32_t)sched_getcpu() + 1); /* a value alone */
    return tell_news(post, width,
                     tickets < width && width == post->workers ? (int)tickets : INT_MAX);
}

void para__board_close(para__post *post)
{
    post->call = (para__board_call){.epoch = post->call.epoch};
    para__store_relaxed(&post->board->call,
                        para__board_word(post->call)); /* seen late, there is nothing to do */
}

/* Sleeps until a call may be over; false: that was not brief. */
static bool wait_for_end(para__board *board, uint64_t deadline_ns)
{
    /* Who finishes the last ticket sees this, or what it told is seen here [E28]. */
    para__swap_seq_cst(E28, &board->joins, 1);
    if (!para__board_may_be_over(board))
        para__futex_wait_shared(&board->joins, 1, deadline_ns);
    para__store_relaxed(&board->joins, 0); /* its own; too late, it is woken in vain */
    return false;
}

bool para__board_join(const para__post *post, uint64_t deadline_ns, para__waking waking)
{
    para__board *const board = post->board;
    const uint64_t start = para__now_ns();
    uint64_t spent = 0;
    if (waking == PARA__SLEEPERS_WOKEN)
        sched_yield();
    while (!para__board_may_be_over(board)) {
        spent = para__now_ns() - start;
        if (waking == PARA__SLEEPERS_LEFT && spent > PARA__PROCESS_PATIENCE_NS) {
            para__futex_wake_shared(&post->hall->news, INT_MAX);
            waking = PARA__SLEEPERS_WOKEN;
            sched_yield();
        }
        if (!para__board_spins(spent))
            return wait_for_end(board, deadline_ns);
    }
    return para__now_ns() - start < PARA__PROCESS_BRIEF_NS;
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

/* The range of a ticket that is settled for the first time. */
static void write_range(const para__post *post, unsigned t)
{
    const para__range units = para__board_range(post->units, post->dealt, t);
    post->board->ticket[t].first = units.first;
    post->board->ticket[t].count = units.count;
}

static void lose_ticket(para__board *board, unsigned t, uint32_t epoch, unsigned attempts,
                        para_death death, int number)
{
    para__ticket *const ticket = &board->ticket[t];
    ticket->attempts = (uint8_t)attempts;
    ticket->death = (uint8_t)death;
    ticket->number = number;
    para__store_relaxed(&board->word[t], /* read with the mutex */
                        para__ticket_word_of((para__ticket_word){
                            .epoch = epoch, .attempts = attempts, .state = PARA__TICKET_LOST}));
    para__add_relaxed(&board->settled, 1); /* a hint, until the mutex is taken */
}

/* Makes two tickets of one; false: it is one unit, or there is no room. The halves are tried once
 * each, since the whole has been tried often enough; a single unit as often as any. */
static bool halve_ticket(para__post *post, unsigned t, unsigned attempts)
{
    para__board *const board = post->board;
    para__board_call *const c = &post->call;
    para__ticket *const ticket = &board->ticket[t];
    if (ticket->count < 2 || c->tickets == PARA__BOARD_TICKETS)
        return false;
    para__ticket *const other = &board->ticket[c->tickets];
    const uint64_t half = ticket->count / 2;
    other->first = ticket->first + half;
    other->count = ticket->count - half;
    ticket->count = half;
    free_ticket(board, c->tickets, c->epoch, other->count > 1 ? attempts - 1 : 0);
    free_ticket(board, t, c->epoch, half > 1 ? attempts - 1 : 0);
    c->tickets++;
    para__store_release(E27, &board->call, para__board_word(*c)); /* as in publish */
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
    unsigned claimed = 0, attempts = 0;
    if (para__load_relaxed(&board->call) != para__board_word(c)) /* the dead worker has spoilt */
        para__store_relaxed(&board->call, para__board_word(c));  /* it; the news bring it */
    for (unsigned t = 0; t < c.tickets; t++) {
        para__ticket_word w =
            para__ticket_read(para__load_acquire(E27, &board->word[t])); /* its last store there */
        if ((int32_t)(w.epoch - c.epoch) > 0) /* spoilt: nobody claims it so */
            para__store_relaxed(&board->word[t],
                                para__ticket_word_of((para__ticket_word){.epoch = c.epoch - 1}));
        if (w.epoch != c.epoch || w.worker != worker ||
            (w.state != PARA__TICKET_DONE && w.state != PARA__TICKET_CLAIMED))
            continue;
        if (w.state == PARA__TICKET_CLAIMED) {
            claimed = t;
            s.had_claim = true;
            attempts = w.attempts + 1;
            if (!w.is_settled)
                write_range(post, t);
            continue;
        }
        s.finished++;
        w.state = PARA__TICKET_SETTLED;
        para__store_relaxed(&board->word[t], para__ticket_word_of(w)); /* read with the mutex */
    }
    if (s.finished)
        s.part = record->part[s.finished & 1];
    /* Nobody else writes it any more. First it tells less, then the sum is whole again. */
    para__store_relaxed(&record->told, 0);
    para__add_relaxed(&board->settled, s.finished);
    if (s.had_claim && attempts < policy->attempts)
        free_ticket(board, claimed, c.epoch, attempts);
    else if (s.had_claim && !(policy->halves && halve_ticket(post, claimed, policy->attempts))) {
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
        uint64_t word = para__load_relaxed(&board->word[t]);
        para__ticket_word w = para__ticket_read(word);
        const bool is_new = w.epoch != c.epoch;
        if (!is_new && w.state != PARA__TICKET_FREE)
            continue;
        if (is_new)
            w = (para__ticket_word){.epoch = c.epoch};
        w.state = PARA__TICKET_LOST;
        if (!para__cas_relaxed(&board->word[t], &word, para__ticket_word_of(w))) /* likewise */
            continue;
        if (is_new)
            write_range(post, t);
        board->ticket[t].attempts = (uint8_t)w.attempts;
        board->ticket[t].death = PARA_DEATH_UNKNOWN;
        board->ticket[t].number = 0;
        para__add_relaxed(&board->settled, 1);
    }
    para__store_relaxed(&board->stop, 0);
    para__board_rouse(post);
}
