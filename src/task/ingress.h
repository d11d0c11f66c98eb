/* Tasks from outside: a queue of a pool, bounded, with priorities that age.
 *
 * A task's turn is its number of arrival, less PARA_TASK_HEAD_START for each step of its priority.
 * The least turn goes first. So a task is passed by at most that many later ones for each step that
 * they are more urgent, however many arrive, and within a priority the first in is the first out.
 *
 * All under one latch [E10], held for some ten nanoseconds; `count` is read without it. A waiter
 * may take out a task from the middle.
 *
 * Tasks move between this queue and deques under the latch only. So a thread that holds it finds a
 * task that was submitted, and that nobody has taken in order to run it, in one of the two. */
#ifndef PARA_TASK_INGRESS_H
#define PARA_TASK_INGRESS_H

#include "sync/latch.h"
#include "task/deque.h"

#include <para/task.h>

typedef struct para__ingress {
    _Alignas(PARA__LINE) para__latch latch;
    para__atomic_u64 arrived; /* written under the latch */
    struct {
        para_task *first, *last;
    } line[PARA_TASK_PRIORITIES];
    unsigned capacity;
    unsigned waiting;                            /* threads that wait for room */
    bool is_closed;                              /* it takes no more */
    _Alignas(PARA__LINE) para__atomic_u32 count; /* written under the latch; [E5] what is new */
} para__ingress;

/* Whether a task seems to be there; after a sleeper's PARKED [E5]. */
static inline bool para__ingress_has_news(para__ingress *in)
{
    return para__load_seq_cst(E5, &in->count) != 0;
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
