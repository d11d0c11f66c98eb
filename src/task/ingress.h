/* Tasks from outside: a queue of a pool, bounded, with priorities that age.
 *
 * A task's turn is its number of arrival, less PARA_TASK_HEAD_START for each step of its priority.
 * The least turn goes first. So a task is passed by at most that many later ones for each step that
 * they are more urgent, however many arrive, and within a priority the first in is the first out.
 *
 * All under one latch [E10], held for some ten nanoseconds; `count` is read without it. A waiter may
 * take out a task from the middle. */
#ifndef PARA_TASK_INGRESS_H
#define PARA_TASK_INGRESS_H

#include "sync/latch.h"

#include <para/task.h>

typedef struct para__ingress {
    _Alignas(PARA__LINE) para__latch latch;
    uint64_t arrived;
    struct {
        para_task *first, *last;
    } line[PARA_TASK_PRIORITIES];
    unsigned capacity;
    unsigned waiting;                            /* threads that wait for room */
    _Alignas(PARA__LINE) para__atomic_u32 count; /* written under the latch; [E5] what is new */
} para__ingress;

/* Whether a task seems to be there; after a sleeper's PARKED [E5]. */
static inline bool para__ingress_has_news(para__ingress *in)
{
    return para__load_seq_cst(E5, &in->count) != 0;
}

/* Appends a task. PARA_ERR_TIMEOUT: there was no room until the deadline (0: does not wait). */
para_status para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns);

/* Takes the tasks whose turn it is, `most` at most but no more than that part of all; returns how
 * many. */
unsigned para__ingress_take(para__ingress *in, para_task *taken[], unsigned most, unsigned part);

/* Takes that task, if it is still there. */
bool para__ingress_take_out(para__ingress *in, para_task *task);

#endif
