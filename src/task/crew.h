/* Who runs a pool's tasks: seats, each with a deque, and the ingress.
 *
 * A worker has a seat of its own. A thread from outside that runs a task while it waits leases one,
 * so that the task's own tasks have a deque. What is left in a deque when its seat is given back is
 * stolen.
 *
 * Who waits for a task runs deeper ones only. So the depths of the tasks on a stack increase, and a
 * stack holds no more of them than the deepest task lies deep. Why nobody waits for ever: consider
 * tasks that wait for tasks that they have submitted. Of a task that is awaited, either nobody has
 * begun it, and then the thread that waits may take it, or another that waits or has nothing to do;
 * or it runs, on top of its stack, or below a deeper task that runs there. So from each task that is
 * awaited one comes to a deeper one that runs or can be run, and depths have an end. */
#ifndef PARA_TASK_CREW_H
#define PARA_TASK_CREW_H

#include "task/deque.h"
#include "task/ingress.h"

typedef struct para__seat {
    para__atomic_u32 lease; /* [E17] 1: a thread sits here */
    unsigned depth;         /* of the task that it runs; 0: none. Its own, as next_victim */
    unsigned next_victim;
    para__deque deque;
} para__seat;

#ifndef PARA__GUEST_SEATS /* models have fewer */
#define PARA__GUEST_SEATS 8
#endif

typedef struct para__crew {
    para__ingress ingress;
    unsigned seats; /* workers first, then guests */
    unsigned workers;
    para__seat seat[];
} para__crew;

/* Whether there seems to be a task that a worker with nothing to do could take; after its PARKED
 * [E5]. */
bool para__crew_has_news(para__crew *crew);

/* Takes a task that lies as deep as that: from the seat's own deque, from the ingress, from others'
 * deques; NULL: none was found. */
para_task *para__crew_find(para__crew *crew, para__seat *seat, unsigned least_depth);

/* Runs a task that was taken, in that seat. */
void para__seat_run(para__seat *seat, para_task *task);

/* A seat for a thread that is no worker; NULL: all are taken. */
para__seat *para__seat_lease(para__crew *crew);
void para__seat_release(para__seat *seat);

#endif
