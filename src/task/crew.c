#include "task/crew.h"

#include "base/tuning.h"
#include "task/state.h"

bool para__crew_has_news(para__crew *crew)
{
    if (para__ingress_has_news(&crew->ingress))
        return true;
    for (unsigned i = 0; i < crew->seats; i++)
        if (para__deque_has_news(&crew->seat[i].deque))
            return true;
    return false;
}

static para_task *steal(para__crew *crew, para__seat *seat, unsigned least_depth)
{
    const unsigned self = (unsigned)(seat - crew->seat);
    for (unsigned i = 0; i < crew->seats; i++) {
        const unsigned victim = (seat->next_victim + i) % crew->seats;
        para_task *task =
            victim == self ? NULL : para__deque_steal(&crew->seat[victim].deque, least_depth);
        if (task) {
            seat->next_victim = victim;
            return task;
        }
    }
    return NULL;
}

/* Takes several at once where many wait, for the latch's line is slow to come. The first in line is
 * run first. */
static para_task *take_from_ingress(para__crew *crew, para__seat *seat)
{
    para_task *taken[PARA__TASKS_AT_ONCE];
    unsigned n = para__ingress_take(&crew->ingress, taken, PARA__TASKS_AT_ONCE, 2 * crew->workers);
    para_task *const task = n ? taken[0] : NULL;
    while (n > 1) /* there is room: the deque had no task that may run now, and ... */
        (void)para__deque_push(&seat->deque, taken[--n], 1);
    return task;
}

para_task *para__crew_find(para__crew *crew, para__seat *seat, unsigned least_depth)
{
    para_task *task = para__deque_take(&seat->deque, least_depth);
    if (!task && least_depth <= 1) /* those from outside lie at depth 1 */
        task = take_from_ingress(crew, seat);
    return task ? task : steal(crew, seat, least_depth);
}

void para__seat_run(para__seat *seat, para_task *task)
{
    const unsigned depth = seat->depth;
    seat->depth = task->depth_;
    para__task_carry_out(task);
    seat->depth = depth;
}

para__seat *para__seat_lease(para__crew *crew)
{
    for (unsigned i = crew->workers; i < crew->seats; i++) {
        para__seat *seat = &crew->seat[i];
        if (!para__load_relaxed(&seat->lease) && /* a guess; the swap decides */
            !para__swap_acquire(E17, &seat->lease, 1))
            return seat;
    }
    return NULL;
}

void para__seat_release(para__seat *seat)
{
    para__store_release(E17, &seat->lease, 0);
}
