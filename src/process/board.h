/* A call on worker processes, in memory that all of them share: what is to be done, who has claimed
 * which part of it, what is done. Each call that is in progress has a board of its own. What all
 * boards of a pool have in common is their hall: the news, and what each worker is doing.
 *
 * A call is divided into tickets, ranges of its units. Each has a word of its own, and a worker
 * claims one by changing its word from FREE to CLAIMED with its own number: so a claim is recorded
 * in the instant in which it is made, before the kernel runs, and whoever finds a worker dead finds
 * in the words what it had:
 *
 *            a worker [E27]          it, when the kernel has returned
 *     FREE ------------------> CLAIMED ------------------------------> DONE
 *       ^                         |                                      |
 *       |   who settles: to be    |  tried often enough                  |  who settles a worker
 *       |   tried once more       v                                      v  that has died
 *       +---------------- its worker has died ----> LOST              SETTLED
 *
 * The word has the call's epoch, so that a worker that comes late claims nothing of the next call.
 * A ticket whose word is of an earlier call is free: so nothing is written of tickets when a call
 * is published, and the words stay with the workers that have had them last. Each ticket of a call
 * has its epoch before the call is over, so a late claim finds another word than it expects.
 *
 * Job and payload are written before the word of the call [E27], and stay until all tickets are
 * done: whoever has claimed may read them. A ticket's range follows from its number, unless it was
 * settled: then who settles has written it, before the ticket is free again.
 *
 * What a worker has done is a count in a word of its own, `told`, with the epoch [E28]: told once,
 * when it finds no more tickets, since the caller looks at it all the time. A call is over when
 * these and what was settled are as many as there are tickets, and the same ones: beside each count
 * is a sum over the tickets' numbers. A worker's tally is written twice in
 * turn: that of a count is whole when the ticket's word is DONE, so one that dies in between leaves
 * the other. If it dies before it has told, its tickets tell.
 *
 * This is not the protocol of share/lane.h, though jobs, tallies and runners are the same. There a
 * claim is a subtraction from a count of tickets: cheaper, and without a trace of who has made it.
 * It trusts that each who claims finishes.
 *
 * A kernel may write over all of this, and live on. What the caller knows of the call itself it
 * compares: at the end, after a death, and now and then (audit.c). A worker that finishes a ticket
 * finds its word as it left it, or says that the board is spoilt. Then nothing on it is believed:
 * all workers are ended, and the call begins anew or fails.
 *
 * Roles: the workers; the caller, who publishes, joins and collects; who settles. The last two hold
 * the same mutex, but for waiting. */
#ifndef PARA_PROCESS_BOARD_H
#define PARA_PROCESS_BOARD_H

#include "base/backtrace.h"
#include "base/fpenv.h"
#include "base/trace.h"
#include "plan/divide.h"
#include "share/job.h"

#include <para/process.h>

enum { PARA__PROCESSES_MAX = 1024, PARA__BOARD_TICKETS = 1 << 16 };

/* Each so many epochs, and after a death, words are renewed before they are used. */
enum { PARA__BOARD_EPOCHS = 1 << 30 };

typedef enum para__ticket_state {
    PARA__TICKET_FREE,
    PARA__TICKET_CLAIMED,
    PARA__TICKET_DONE,
    PARA__TICKET_SETTLED, /* done by a worker that has died since */
    PARA__TICKET_LOST     /* given up */
} para__ticket_state;

/* What who settles writes of a ticket. */
typedef struct para__ticket {
    uint64_t first, count; /* units */
    uint8_t attempts;      /* of one that is lost, like the next two */
    uint8_t death;         /* a para_death */
    int32_t number;
} para__ticket;

/* Epoch: 32 bits; attempts before this one: 8; worker: 16; whether it has a range of its own: 1;
 * state: 7. */
typedef struct para__ticket_word {
    uint32_t epoch;
    unsigned attempts, worker;
    bool is_settled;
    para__ticket_state state;
} para__ticket_word;

static inline uint64_t para__ticket_word_of(para__ticket_word w)
{
    return (uint64_t)w.epoch << 32 | (uint64_t)w.attempts << 24 | (uint64_t)w.worker << 8 |
           (w.is_settled ? 0x80u : 0u) | w.state;
}

static inline para__ticket_word para__ticket_read(uint64_t word)
{
    return (para__ticket_word){.epoch = (uint32_t)(word >> 32),
                               .attempts = word >> 24 & 0xff,
                               .worker = word >> 8 & 0xffff,
                               .is_settled = word >> 7 & 1,
                               .state = (para__ticket_state)(word & 0x7f)};
}

/* Which tickets are done: how many, and a sum over their numbers, by which a ticket that was run
 * twice does not stand for one that was not. */
typedef struct para__done {
    uint32_t count, sum;
} para__done;

enum { PARA__DONE_COUNT_BITS = 17, PARA__DONE_SUM_BITS = 15 };

static inline para__done para__done_add(para__done a, para__done b)
{
    return (para__done){a.count + b.count, (a.sum + b.sum) & ((1u << PARA__DONE_SUM_BITS) - 1)};
}

static inline para__done para__done_of(unsigned ticket)
{
    /* Knuth's multiplicative hash: its upper bits are those that are mixed. */
    return (para__done){1, (ticket * 2654435761u) >> (32 - PARA__DONE_SUM_BITS)};
}

/* As it is told: epoch 32 bits, sum 15, count 17. */
static inline uint64_t para__done_word(uint32_t epoch, para__done d)
{
    return (uint64_t)epoch << 32 | (uint64_t)d.sum << PARA__DONE_COUNT_BITS | d.count;
}

/* Nothing, if it was told of another call. */
static inline para__done para__done_read(uint64_t told, uint32_t epoch)
{
    if (told >> 32 != epoch)
        return (para__done){0, 0};
    return (para__done){told & ((1u << PARA__DONE_COUNT_BITS) - 1),
                        (uint32_t)told >> PARA__DONE_COUNT_BITS};
}

/* What a worker has done of a call. */
typedef struct para__part {
    para__tally tally;
    uint64_t left_out;
    uint64_t told; /* what it tells if this is the last: else the part was written over */
} para__part;

/* A worker's place on the board: written by that worker, and by who settles it when it is dead. */
typedef struct para__record {
    _Alignas(PARA__LINE) para__atomic_u64 told; /* [E28] a para__done_word: what it has finished */
    _Alignas(PARA__LINE) para__part part[2];    /* [number of finished tickets & 1] */
} para__record;

/* What a worker is doing: written by that worker, and by who settles it when it is dead. */
typedef struct para__presence {
    /* Written for each ticket, so in a line of their own. All are values alone, that order nothing:
     * when it began to look for its present ticket, by the processor's ticks, 0: it has none; the
     * number of the board that this is on; how many tickets it has finished. */
    _Alignas(PARA__LINE) para__atomic_u64 since_ticks;
    para__atomic_u32 board, beats;
    /* Read by each call. */
    _Alignas(PARA__LINE) para__atomic_u32 asleep; /* [E29] it waits for news */
    para__atomic_int bound;   /* a para_status: how it was bound when it began; a value alone */
    para__atomic_u32 process; /* its number, once who settles it knows it: not before does it claim.
                                 A value on its own */
    para__atomic_u32 retires; /* it ends by itself, between two calls, to be replaced. The end of a
                                 process brings it to who waits for that */
    para__frames frames;      /* what it answers when it is asked for its stack */
    para__track *track;       /* where it tells of itself: set before it is forked. NULL: nowhere */
} para__presence;

typedef struct para__hall {
    _Alignas(PARA__LINE) para__atomic_u32 news; /* [E29] changes when there may be a free ticket */
    para__atomic_u32 boards; /* how many have had a call, the first ones; the news bring it */
    para__atomic_u32 caller; /* 1 + the CPU that the last call was published on: a value alone */
    para__tracks *tracks;    /* that workers see: set before the zygote is forked */
    para__presence worker[PARA__PROCESSES_MAX];
} para__hall;

/* A call that begins writes the first lines, up to the payload's end, and workers fetch these from
 * its caller's CPU. It leaves the next line as it is, if nothing has happened in the last call. */
typedef struct para__board {
    /* [E27] The open call: epoch 32 bits, its width 12, the number of tickets 20. */
    _Alignas(PARA__LINE) para__atomic_u64 call;
    /* Frozen by a claim. */
    para__run *run;
    uintptr_t kernel; /* for those who look */
    size_t units;     /* in so many tickets, */
    unsigned dealt;   /* before any is halved */
    para__fp fp;
    _Alignas(PARA__LINE) char payload[PARA__PAYLOAD_BYTES];

    _Alignas(PARA__LINE) para__atomic_u32 joins; /* [E28] 1: the caller sleeps */
    para__atomic_u32 spoilt;  /* a worker has found words that others have written over. A value
                                 alone: the caller looks now and then */
    para__atomic_u64 settled; /* tickets that dead workers have finished, or that are lost: read
                                 under the mutex, and by workers as a hint */
    para__atomic_u64 stop;    /* as in para__runner */
    para_cancel token;        /* stands for the caller's, which workers cannot see */

    para__record record[PARA__PROCESSES_MAX];
    _Alignas(PARA__LINE) para__atomic_u64 word[PARA__BOARD_TICKETS]; /* [E27] of each ticket */
    para__ticket ticket[PARA__BOARD_TICKETS];
} para__board;

enum { PARA__BOARD_WIDTH_BITS = 12, PARA__BOARD_TICKET_BITS = 20 };

typedef struct para__board_call {
    uint32_t epoch;
    unsigned width, tickets;
} para__board_call;

static inline uint64_t para__board_word(para__board_call c)
{
    return (uint64_t)c.epoch << 32 | (uint64_t)c.width << PARA__BOARD_TICKET_BITS | c.tickets;
}

static inline para__board_call para__board_read(uint64_t word)
{
    return (para__board_call){.epoch = (uint32_t)(word >> 32),
                              .width = word >> PARA__BOARD_TICKET_BITS &
                                       ((1u << PARA__BOARD_WIDTH_BITS) - 1),
                              .tickets = word & ((1u << PARA__BOARD_TICKET_BITS) - 1)};
}

/* The units of a ticket that was not settled. */
static inline para__range para__board_range(size_t units, unsigned dealt, unsigned t)
{
    const size_t each = units / dealt, more = units % dealt;
    return (para__range){t * each + para__min(t, more), each + (t < more)};
}

/* What the program knows of a board, in memory of its own: a worker may have written anything into
 * the shared memory, and what it has written there is followed by itself alone. */
typedef struct para__post {
    para__board *board; /* these four are set once */
    para__hall *hall;
    unsigned workers, number;
    para__board_call call; /* the open one, as the board says it too. With the mutex */
    size_t units;          /* likewise */
    unsigned dealt;
    const para__job *job; /* likewise, while it is open */
    para__fp fp;
    para__done all;     /* what is done when all tickets are */
    para__done settled; /* tickets that dead workers have finished, or that are lost */
    bool has_stopped;   /* who settles has stopped it */
    bool is_doubtful;   /* a worker has died since its last call began, */
    unsigned sound;     /* and words from there on may be spoilt or too old */
} para__post;

/* Lets a moment pass for one that has spun for so long; false: it is time to sleep. There are as
 * many workers as CPUs, and a caller besides: so who spins yields after a while. */
bool para__board_spins(uint64_t spent_ns);

/* ---- Workers --------------------------------------------------------------------------- */

/* Spins for news other than those seen, for a while; whether there are any. A worker on the CPU of
 * the last caller yields all the time: else it would keep that one from what it waits for. */
bool para__hall_spin_for_news(para__hall *hall, uint32_t seen);

/* Waits until the news differ from those seen, and returns them. */
uint32_t para__hall_await_news(para__hall *hall, unsigned worker, uint32_t seen);

/* Claims and runs tickets of that board's open call until none is free. kind: as in para__runner.
 * How many it has run. What leads there is the worker's own, since others may spoil the board. */
unsigned para__board_work(para__hall *hall, para__board *boards, unsigned number, unsigned worker,
                          unsigned kind);

/* ---- The caller ------------------------------------------------------------------------ */

/* What became of sleeping workers when a call was published. */
typedef enum para__waking {
    PARA__NOBODY_SLEPT,
    PARA__SLEEPERS_WOKEN,
    PARA__SLEEPERS_LEFT /* as others are awake: they may do all of it before these are */
} para__waking;

/* Publishes a job, on the workers below width, and wakes them if all of them sleep; if there are
 * fewer units than workers, and each worker may take them, only so many. The last call is over.
 * With the mutex. */
para__waking para__board_publish(para__post *post, const para__job *job, unsigned width,
                                 unsigned tickets);

typedef enum para__progress {
    PARA__BOARD_OPEN,
    PARA__BOARD_OVER,  /* all tickets of the open call are done or lost */
    PARA__BOARD_SPOILT /* what workers have told cannot be */
} para__progress;

/* How the open call stands. With the mutex. */
para__progress para__board_look(const para__post *post);

/* What workers have told of a call. */
para__done para__board_done(para__board *board, para__board_call call);

/* Whether it may be over by what the board says of the call: a hint. */
bool para__board_may_be_over(para__board *board);

/* Waits until that may be so, or for so long; after a while it wakes workers that were left
 * asleep. A worker gets the caller's CPU at once if some were woken, or if they are expected to
 * work for long; else they are faster without. */
void para__board_join(const para__post *post, para__waking waking, uint64_t expected_ns,
                      uint64_t patience_ns);

/* Adds what live workers have done to the outcome; false: that was written over. With the mutex. */
bool para__board_collect(const para__post *post, para__outcome *outcome);

/* ---- Who doubts ------------------------------------------------------------------------- */

/* Whether the open call stands on the board as it was published. With the mutex. */
bool para__board_is_intact(const para__post *post);

/* Likewise, and each of its words is one that a call can have. */
bool para__board_is_sound(const para__post *post);

/* Whether no ticket is free, and nobody is at work on one. It may seem so for a moment. With the
 * mutex. */
bool para__board_rests(const para__post *post);

/* The call is over, and nobody looks at it any more. With the mutex. */
void para__board_close(para__post *post);

/* ---- Who settles ------------------------------------------------------------------------ */

/* A worker that has died does nothing. With the mutex. */
void para__hall_forget(para__hall *hall, unsigned worker);

/* What is done about a claim of a dead worker. */
typedef struct para__board_policy {
    unsigned attempts; /* 1 or more */
    bool halves;       /* what was tried so often is halved, as far as it can be */
    bool goes_on;      /* the call goes on without what is lost */
} para__board_policy;

/* What has become of a worker's tickets. */
typedef struct para__settlement {
    para__done finished;
    bool had_claim;
    bool is_spoilt;  /* what it has told of these was written over, */
    para__part part; /* else it is this */
} para__settlement;

/* That worker has died so, while the board's call is open: makes its claim free again, halves it
 * or gives it up; wakes workers and caller. With the mutex. */
para__settlement para__board_settle(para__post *post, unsigned worker,
                                    const para__board_policy *policy, para_death death, int number);

/* Gives up all tickets that are free, since there is nobody to claim them. With the mutex. */
void para__board_abandon(para__post *post);

/* Has all who wait look again; the second also those that seem to be awake. */
void para__board_rouse(const para__post *post);
void para__board_remind(const para__post *post);

#endif
