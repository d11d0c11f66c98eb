#include "task/crew.h"

#include "base/tuning_tasks.h"
#include "task/state.h"

static bool deques_have_news(para__crew *crew)
{
    for (unsigned i = 0; i < crew->seats; i++)
        if (para__deque_has_news(&crew->seat[i].deque))
            return true;
    return false;
}

bool para__crew_has_news(para__crew *crew)
{
    return para__ingress_has_news(&crew->ingress) || deques_have_news(crew);
}

bool para__crew_has_old(para__crew *crew, uint64_t *seen)
{
    return para__ingress_has_old(&crew->ingress, seen) || deques_have_news(crew);
}

static para_task *steal_task(para__crew *crew, para__seat *seat, para__kin least)
{
    const unsigned self = (unsigned)(seat - crew->seat);
    for (unsigned i = 0; i < crew->seats; i++) {
        const unsigned victim = (seat->next_victim + i) % crew->seats;
        para_task *task =
            victim == self ? NULL : para__deque_steal(&crew->seat[victim].deque, least);
        if (task) {
            seat->next_victim = victim;
            return task;
        }
    }
    return NULL;
}

para_task *para__crew_find(para__crew *crew, para__seat *seat, para__kin least)
{
    para_task *task = para__deque_take(&seat->deque, least);
    if (!task && least == 0) /* several at once, for the latch's line is slow to come */
        (void)para__ingress_take(&crew->ingress, &task, &seat->deque, PARA__TASKS_AT_ONCE,
                                 2 * crew->workers);
    return task ? task : steal_task(crew, seat, least);
}

/* Takes it out of a deque that has it. What lies above it goes to the ingress. */
static para_task *dig(para__crew *crew, para__deque *deque, const para_task *wanted,
                      const para_task_group *group, bool *has_moved)
{
    while (para__deque_seems_to_have(deque, wanted, group)) {
        para_task *const task = para__deque_steal(deque, 0);
        if (task && (group ? task->group == group : task == wanted))
            return task;
        if (task) {
            para__ingress_put_back(&crew->ingress, task);
            *has_moved = true;
        }
    }
    return NULL;
}

para_task *para__crew_take_out(para__crew *crew, para_task *wanted, para_task_group *group,
                               bool *has_moved)
{
    para__ingress *const in = &crew->ingress;
    para__latch_lock(&in->latch);
    para_task *task = para__ingress_take_out(in, wanted, group);
    const bool is_awaited = task && para__ingress_tells_room(in);
    for (unsigned i = 0; i < crew->seats && !task; i++)
        task = dig(crew, &crew->seat[i].deque, wanted, group, has_moved);
    para__latch_unlock(&in->latch);
    if (is_awaited)
        para__ingress_tell_room(in, 1);
    return task;
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

para_task *para__crew_take_any(para__crew *crew)
{
    para_task *task = para__ingress_take_first(&crew->ingress);
    for (unsigned i = 0; i < crew->seats && !task; i++)
        task = para__deque_steal(&crew->seat[i].deque, 0);
    return task;
}

/* ---- Counts --------------------------------------------------------------------------- */

static void count_over(para__census *sum, para__counts *counts)
{
    for (unsigned i = 0; i < PARA__OUTCOMES; i++)
        sum->over[i] += para__load_acquire(E22, &counts->over[i]);
}

static void count_others(para__census *sum, para__counts *counts)
{
    sum->begun += para__load_relaxed(&counts->begun); /* both: what is over was seen before */
    sum->accepted += para__load_relaxed(&counts->accepted);
}

static void count_all(para__census *sum, para__crew *crew,
                      void (*count)(para__census *sum, para__counts *counts))
{
    count(sum, &crew->counts);
    for (unsigned i = 0; i < crew->seats; i++)
        count(sum, &crew->seat[i].counts);
}

para__census para__crew_census(para__crew *crew)
{
    para__census sum = {0};
    count_all(&sum, crew, count_over);
    count_all(&sum, crew, count_others);
    sum.accepted += para__load_relaxed(&crew->ingress.arrived); /* likewise */
    return sum;
}

static uint64_t over_of(const para__census *census, para_task_state first, para_task_state last)
{
    uint64_t sum = 0;
    for (unsigned i = first; i <= (unsigned)last; i++)
        sum += census->over[i - PARA_TASK_COMPLETED];
    return sum;
}

static uint64_t excess(uint64_t of, uint64_t over)
{
    return of > over ? of - over : 0;
}

uint64_t para__census_running(const para__census *census)
{
    return excess(census->begun, over_of(census, PARA_TASK_COMPLETED, PARA_TASK_FAILED));
}

uint64_t para__census_queued(const para__census *census)
{
    return excess(census->accepted,
                  census->begun + over_of(census, PARA_TASK_CANCELLED, PARA_TASK_DROPPED));
}

uint64_t para__census_left(const para__census *census)
{
    return excess(census->accepted, over_of(census, PARA_TASK_COMPLETED, PARA_TASK_DROPPED));
}
