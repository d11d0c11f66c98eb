/* Who runs a pool's tasks: seats, each with a deque, and the ingress.
 *
 * A worker has a seat of its own. A thread from outside that runs a task while it waits leases one,
 * so that the task's own tasks have a deque. What is left in a deque when its seat is given back is
 * stolen.
 *
 * A thread that waits for a task which nobody has begun takes it out of wherever it is queued, and
 * runs it. If another thread runs it, a task that waits runs tasks of its own family that lie
 * deeper. So the depths of a family's tasks on a stack increase, and a stack holds no more of them
 * than the deepest one lies deep.
 *
 * Why nobody waits for ever. Say that no task waits, directly or through others, for itself or for
 * a task of its own family that it has not submitted, and that families do not wait for each other
 * in a circle. Consider a family that waits for no other one whose waits do not end. Of its tasks
 * that wait for ever, take one that lies deepest. What it waits for runs, for else it would have
 * taken it; it is deeper, so it does not wait for ever itself; so it lies below one that does. What
 * lies above it on that stack is of its family and deeper still, or was awaited by something that
 * is: a contradiction. */
#ifndef PARA_TASK_CREW_H
#define PARA_TASK_CREW_H

#include "task/deque.h"
#include "task/host.h"
#include "task/ingress.h"

typedef struct para__seat {
    para__atomic_u32 lease; /* [E17] 1: a thread sits here */
    unsigned next_victim;   /* its own */
    para__counts counts;    /* of what this thread submits and carries out */
    para__deque deque;
} para__seat;

#ifndef PARA__GUEST_SEATS /* models have fewer */
#define PARA__GUEST_SEATS 8
#endif

typedef struct para__crew {
    para__ingress ingress;
    unsigned seats; /* workers first, then guests */
    unsigned workers;
    para__counts counts; /* of threads without a seat */
    para__seat seat[];
} para__crew;

/* Of a thread in that seat, or without one. */
static inline para__host para__crew_host(para__crew *crew, para__seat *seat)
{
    return (para__host){.counts = seat ? &seat->counts : &crew->counts, .shares_counts = !seat};
}

/* What has become of all tasks. */
typedef struct para__census {
    uint64_t accepted, begun;
    uint64_t over[PARA__OUTCOMES]; /* in the order of para_task_state */
} para__census;

/* Counts without a lock. What is over is counted first, so if that is all that was accepted, there
 * was no task at that moment: an end that is seen is seen with what its task had submitted [E22].
 * */
para__census para__crew_census(para__crew *crew);

/* Those that nobody has begun, those that run, and both. */
uint64_t para__census_queued(const para__census *census);
uint64_t para__census_running(const para__census *census);
uint64_t para__census_left(const para__census *census);

/* Whether there seems to be a task that a worker with nothing to do could take; after its PARKED
 * [E5]. */
bool para__crew_has_news(para__crew *crew);

/* The same for a worker that looks again and again; *seen is what it has seen of the ingress. */
bool para__crew_has_old(para__crew *crew, uint64_t *seen);

/* Takes a task of that kin: from the seat's own deque, from the ingress (if any task will do), from
 * others' deques; NULL: none was found. */
para_task *para__crew_find(para__crew *crew, para__seat *seat, para__kin least);

/* Takes that task, or one of that group, from wherever it is queued; NULL: it is not, so another
 * thread has taken it in order to run it. *has_moved becomes true if others were moved, and may
 * have been missed on their way by who looked. */
para_task *para__crew_take_out(para__crew *crew, para_task *wanted, para_task_group *group,
                               bool *has_moved);

/* A seat for a thread that is no worker; NULL: all are taken. */
para__seat *para__seat_lease(para__crew *crew);
void para__seat_release(para__seat *seat);

/* Takes a task out of wherever it is queued, in no order, without a seat; NULL: none was found. */
para_task *para__crew_take_any(para__crew *crew);

#endif
