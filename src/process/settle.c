/* The board as the caller and who settles see it. They hold the workshop's mutex, so that nobody
 * but live workers changes anything under their hands. */
#include "process/board.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/futex.h"
#include "base/tuning_processes.h"

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

static void wake_caller(para__board *board)
{
    para__swap_release(E28, &board->joins, 0); /* a caller that swaps later sees what is settled */
    para__futex_wake_shared(&board->joins, INT_MAX);
}

void para__board_rouse(const para__post *post)
{
    (void)tell_news(post, 0, INT_MAX);
    wake_caller(post->board);
}

/* Also if what is said of boards or sleepers was written over. */
void para__board_remind(const para__post *post)
{
    para__hall *const hall = post->hall;
    if (para__load_relaxed(&hall->boards) <= post->number) /* written with the mutex alone */
        para__store_relaxed(&hall->boards, post->number + 1);
    (void)tell_news(post, 0, INT_MAX);
    para__futex_wake_shared(&hall->news, INT_MAX);
}

/* Its range has been written. */
static void free_ticket(para__board *board, unsigned t, uint32_t epoch, unsigned attempts)
{
    const para__ticket_word w = {
        .epoch = epoch, .attempts = attempts, .is_settled = true, .state = PARA__TICKET_FREE};
    para__store_release(E27, &board->word[t], para__ticket_word_of(w));
}

/* A word that is older than half of all epochs would seem to be of a later call; so would one that
 * a worker has spoilt, before it died of that. Then nobody would claim the ticket. So those that
 * the next call uses become those of the last one, unless they were since. */
static void renew_words(para__post *post, unsigned tickets)
{
    const para__ticket_word done = {.epoch = post->call.epoch, .state = PARA__TICKET_DONE};
    for (; post->sound < tickets; post->sound++)
        para__store_relaxed(&post->board->word[post->sound],
                            para__ticket_word_of(done)); /* no call is open */
}

/* Nothing that was told before counts. One that has done nothing for all epochs seems to have told
 * of this one. */
static void doubt_words(para__post *post)
{
    post->sound = 0;
    for (unsigned w = 0; w < post->workers; w++)
        para__store_relaxed(&post->board->record[w].told, 0); /* no call is open */
}

static void count_tickets(para__post *post, unsigned tickets)
{
    if (post->all.count > tickets)
        post->all = (para__done){0, 0};
    while (post->all.count < tickets)
        post->all = para__done_add(post->all, para__done_of(post->all.count));
}

/* ---- The caller ------------------------------------------------------------------------ */

/* What has happened in the last call. Mostly nothing, and then the line stays with all who read it.
 * Who has claimed reads it, so it needs no order of its own. */
static void forget_events(para__board *board)
{
    static const para_cancel none;
    if (para__load_relaxed(&board->stop) != UINT64_MAX)
        para__store_relaxed(&board->stop, UINT64_MAX);
    if (para__load_relaxed(&board->settled))
        para__store_relaxed(&board->settled, 0);
    if (para__load_relaxed(&board->spoilt))
        para__store_relaxed(&board->spoilt, 0);
    if (memcmp(&board->token, &none, sizeof none) != 0)
        board->token = none;
}

para__waking para__board_publish(para__post *post, const para__job *job, unsigned width,
                                 unsigned tickets)
{
    const para__board_call c = {.epoch = post->call.epoch + 1, .width = width, .tickets = tickets};
    para__board *const board = post->board;
    para__hall *const hall = post->hall;
    if (c.epoch % PARA__BOARD_EPOCHS == 0 || post->is_doubtful)
        doubt_words(post);
    if (post->sound < tickets)
        renew_words(post, tickets);
    post->is_doubtful = post->has_stopped = false;
    post->call = c;
    post->job = job;
    post->settled = (para__done){0, 0};
    count_tickets(post, tickets);
    board->run = job->run;
    board->kernel = job->kernel;
    board->units = post->units = job->units;
    board->dealt = post->dealt = tickets;
    board->fp = post->fp = para__fp_control();
    memcpy(board->payload, job->payload, job->payload_bytes);
    forget_events(board);
    para__store_release(E27, &board->call, para__board_word(c));
    if (para__load_relaxed(&hall->boards) <= post->number) /* written with the mutex alone */
        para__store_relaxed(&hall->boards, post->number + 1);
    const uint32_t cpu = (uint32_t)sched_getcpu() + 1;
    if (para__load_relaxed(&hall->caller) != cpu)
        para__store_relaxed(&hall->caller, cpu); /* a value alone */
    return tell_news(post, width,
                     job->units < width && width == post->workers ? (int)job->units : INT_MAX);
}

void para__board_close(para__post *post)
{
    post->job = NULL;
    post->call = (para__board_call){.epoch = post->call.epoch};
    para__store_relaxed(&post->board->call,
                        para__board_word(post->call)); /* seen late, there is nothing to do */
}

/* Sleeps until a call may be over. */
static void sleep_until_over(para__board *board, uint64_t deadline_ns)
{
    /* Who finishes the last ticket sees this, or what it told is seen here [E28]. */
    para__swap_seq_cst(E28, &board->joins, 1);
    if (!para__board_may_be_over(board))
        para__futex_wait_shared(&board->joins, 1, deadline_ns);
    para__store_relaxed(&board->joins, 0); /* its own; too late, it is woken in vain */
}

static bool is_over_soon(para__board *board)
{
    for (unsigned i = 0; i < PARA__PROCESS_LOOKS; i++) {
        if (para__board_may_be_over(board))
            return true;
        para__pause();
    }
    return false;
}

void para__board_join(const para__post *post, para__waking waking, uint64_t expected_ns,
                      uint64_t patience_ns)
{
    para__board *const board = post->board;
    const uint64_t start = para__now_ns();
    if (waking == PARA__SLEEPERS_WOKEN || expected_ns > PARA__PROCESS_PAUSE_NS)
        sched_yield();
    while (!is_over_soon(board)) {
        const uint64_t spent = para__now_ns() - start;
        if (waking == PARA__SLEEPERS_LEFT && spent > PARA__PROCESS_PATIENCE_NS) {
            para__futex_wake_shared(&post->hall->news, INT_MAX);
            waking = PARA__SLEEPERS_WOKEN;
            sched_yield();
        }
        if (!para__board_spins(spent)) {
            sleep_until_over(board, start + para__min(patience_ns, UINT64_MAX - start));
            return;
        }
    }
}

static bool is_all(const para__post *post, para__done done)
{
    return done.count == post->all.count && done.sum == post->all.sum;
}

para__progress para__board_look(const para__post *post)
{
    const para__board_call c = post->call;
    const para__done done = para__done_add(post->settled, para__board_done(post->board, c));
    if (done.count < c.tickets)
        return PARA__BOARD_OPEN;
    return is_all(post, done) ? PARA__BOARD_OVER : PARA__BOARD_SPOILT;
}

/* Chunks are left out if one has failed, or the call is cancelled, and then somebody says so. */
bool para__board_collect(const para__post *post, para__outcome *outcome)
{
    para__board *const board = post->board;
    const para__board_call c = post->call;
    para__done done = post->settled;
    for (unsigned w = 0; w < c.width; w++) {
        para__record *const record = &board->record[w];
        const uint64_t told = para__load_relaxed(&record->told); /* look has seen the same */
        if (para__done_read(told, c.epoch).count == 0)
            continue;
        const para__part *const part = &record->part[told & 1];
        done = para__done_add(done, para__done_read(told, c.epoch));
        if (part->told != told)
            return false;
        para__tally_add(&outcome->tally, &part->tally);
        outcome->left_out += part->left_out;
        outcome->workers += part->tally.chunks != 0;
    }
    if (!is_all(post, done)) /* it has changed since */
        return false;
    return outcome->tally.ending != PARA__ENDED_WHOLE || post->has_stopped ||
           para__load_relaxed(&board->stop) == UINT64_MAX; /* a value alone */
}

/* ---- Who settles ------------------------------------------------------------------------ */

/* The range of a ticket that is settled for the first time. */
static void write_range(const para__post *post, unsigned t)
{
    const para__range units = para__board_range(post->units, post->dealt, t);
    post->board->ticket[t].first = units.first;
    post->board->ticket[t].count = units.count;
}

static void count_settled(para__post *post, para__done done)
{
    post->settled = para__done_add(post->settled, done);
    para__add_relaxed(&post->board->settled, done.count); /* a hint, until the mutex is taken */
}

static void lose_ticket(para__post *post, unsigned t, unsigned attempts, para_death death,
                        int number)
{
    para__board *const board = post->board;
    para__ticket *const ticket = &board->ticket[t];
    ticket->attempts = (uint8_t)attempts;
    ticket->death = (uint8_t)death;
    ticket->number = number;
    para__store_relaxed(&board->word[t], /* read with the mutex */
                        para__ticket_word_of((para__ticket_word){.epoch = post->call.epoch,
                                                                 .attempts = attempts,
                                                                 .state = PARA__TICKET_LOST}));
    count_settled(post, para__done_of(t));
}

/* The chunks that have not begun are left out. */
static void stop_call(para__post *post)
{
    post->has_stopped = true;
    para__store_relaxed(&post->board->stop, 0); /* a bound on its own, as in para__runner */
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
    post->sound = para__max(post->sound, c->tickets);
    count_tickets(post, c->tickets);
    para__store_release(E27, &board->call, para__board_word(*c)); /* as in publish */
    return true;
}

void para__hall_forget(para__hall *hall, unsigned worker)
{
    para__store_relaxed(&hall->worker[worker].since_ticks,
                        0); /* nobody else writes these any more */
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
    for (unsigned t = 0; t < c.tickets; t++) {
        para__ticket_word w =
            para__ticket_read(para__load_acquire(E27, &board->word[t])); /* its last store there */
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
        s.finished = para__done_add(s.finished, para__done_of(t));
        w.state = PARA__TICKET_SETTLED;
        para__store_relaxed(&board->word[t], para__ticket_word_of(w)); /* read with the mutex */
    }
    if (s.finished.count) {
        s.part = record->part[s.finished.count & 1];
        s.is_spoilt = s.part.told != para__done_word(c.epoch, s.finished);
    }
    /* Nobody else writes it any more. First it tells less, then the sum is whole again. */
    para__store_relaxed(&record->told, 0);
    count_settled(post, s.finished);
    if (s.had_claim && attempts < policy->attempts)
        free_ticket(board, claimed, c.epoch, attempts);
    else if (s.had_claim && !(policy->halves && halve_ticket(post, claimed, policy->attempts))) {
        lose_ticket(post, claimed, attempts, death, number);
        if (!policy->goes_on)
            stop_call(post);
    }
    para__board_rouse(post);
    return s;
}

void para__board_abandon(para__post *post)
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
        count_settled(post, para__done_of(t));
    }
    stop_call(post);
    para__board_rouse(post);
}
