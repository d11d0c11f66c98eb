/* Tasks from outside: a queue of a pool, bounded, with priorities that age.
 *
 * A task's turn is its number of arrival, less PARA_TASK_HEAD_START for each step of its priority.
 * The least turn goes first. So a task is passed by at most that many later ones for each step that
 * they are more urgent, however many arrive, and within a priority the first in is the first out.
 *
 * If submitters take turns, each priority has several lines, and a submitter stands in one of them,
 * by its number. The priority is the one with the oldest task in front of a line; of its lines each
 * gives one task in turn. So a task waits for what is before it in its line, and for each of those
 * for at most one of each other line. This is the fair queueing of McKenney, "Stochastic Fairness
 * Queueing", 1990, with numbers in place of a hash. A line that has become empty leaves the ring
 * when its turn comes.
 *
 * All under one latch [E10], held for some ten nanoseconds; `news` is read without it. A waiter
 * may take out a task from the middle.
 *
 * Tasks move between this queue and deques under the latch only. So a thread that holds it finds a
 * task that was submitted, and that nobody has taken in order to run it, in one of the two. */
#ifndef PARA_TASK_INGRESS_H
#define PARA_TASK_INGRESS_H

#include "base/tuning_tasks.h"
#include "sync/latch.h"
#include "task/deque.h"
#include "task/lookout.h"

#include <para/task.h>

#ifndef PARA__SUBMITTER_LINES /* models have fewer */
#define PARA__SUBMITTER_LINES 64
#endif

typedef struct para__task_line {
    para_task *first, *last;
    struct para__task_line *next; /* in the ring of its priority; NULL: it is not there */
} para__task_line;

typedef struct para__ingress {
    /* What all tasks need, within two cache lines. */
    _Alignas(PARA__LINE) para__latch latch;
    unsigned capacity;
    para__atomic_u64 arrived;                   /* written under the latch */
    para__task_line line[PARA_TASK_PRIORITIES]; /* unless submitters take turns */
    unsigned waiting;                           /* threads that wait for room */
    bool is_closed;                             /* it takes no more */
    bool takes_turns;
    /* How many tasks are in line, and above that how many have come; written under the latch. [E5]
     * what is new */
    _Alignas(PARA__LINE) para__atomic_u64 news;
    para__lookout lookout; /* the crew's: who submits has just written that line */

    /* If submitters take turns: their lines, and of each ring the line before that whose turn it
     * is. */
    para__task_line *served[PARA_TASK_PRIORITIES];
    para__task_line turns[PARA_TASK_PRIORITIES][PARA__SUBMITTER_LINES];
} para__ingress;

/* How many tasks are in line; without the latch: a moment ago. */
static inline unsigned para__ingress_count(const para__ingress *in)
{
    return (uint32_t)para__load_relaxed(&in->news); /* under the latch, or a look */
}

/* Whether those who wait for room are told of it: not of a little, for each of them sleeps, and
 * would find it taken again after a few tasks. Under the latch. */
static inline bool para__ingress_tells_room(const para__ingress *in)
{
    return in->waiting && /* under the latch, as the count */
           para__ingress_count(in) <= in->capacity - in->capacity / PARA__ROOM_PART;
}

/* Whether a task seems to be there; after a sleeper's PARKED [E5]. */
static inline bool para__ingress_has_news(para__ingress *in)
{
    return (uint32_t)para__load_seq_cst(E5, &in->news) != 0;
}

/* For one that looks again and again: whether several tasks are there, or one that was there at its
 * last look. Who has just submitted a task may be about to wait for it, and run it at once. */
static inline bool para__ingress_has_old(para__ingress *in, uint64_t *seen)
{
    const uint64_t news = para__load_relaxed(&in->news); /* a look: a later one is in order */
    const bool has_old = (uint32_t)news > 1 || ((uint32_t)news == 1 && news == *seen);
    *seen = news;
    return has_old;
}

/* Appends a task. PARA_ERR_TIMEOUT: there was no room until the deadline (0: does not wait);
 * PARA_ERR_ENDING: the queue was closed. */
para_status para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns);

/* Takes the task whose turn it is, or none, and moves those that come next into the calling
 * thread's deque, which is empty: `most` altogether, but no more than that part of all. Returns how
 * many. */
unsigned para__ingress_take(para__ingress *in, para_task **taken, para__deque *rest, unsigned most,
                            unsigned part);

/* Takes the task whose turn it is; NULL: there is none. */
para_task *para__ingress_take_first(para__ingress *in);

/* Takes that task, or the first of that group, if there is one; under the latch. */
para_task *para__ingress_take_out(para__ingress *in, para_task *task, para_task_group *group);

/* Puts a task in front of all others, room or not; under the latch. */
void para__ingress_put_back(para__ingress *in, para_task *task);

/* Tells threads that wait for room that there is some; without the latch. */
void para__ingress_tell_room(para__ingress *in, unsigned room);

/* From now on no task is accepted; those that wait for room are told. */
void para__ingress_close(para__ingress *in);

#endif
