// A pool that ends while others are inside its functions, and counts of tasks: src/pool/inside.h,
// src/task/host.h and crew.c.
#include "call_data.hpp"
#include "calls.h"
#include "fixture.h"
#include "tasking.hpp"

namespace
{

// One thread uses the pool, if that has not ended; another ends it, and uses its memory for
// something else once nobody is inside. Or the pool is found by a word, as a watch finds it.
template <bool is_shown> struct inside_pool : protocol<inside_pool<is_shown>, 2, 0> {
    datum memory;

    void prepare()
    {
        make(2, 1, 1, 0);
        tasks_stay_make();
        tasks_show_pool();
        memory($) = 1;
    }
    void call(unsigned index)
    {
        if (index) {
            is_shown ? tasks_hide_pool() : tasks_end_pool();
            while (tasks_somebody_is_inside())
                model_pause();
            memory($) = 0;
            return;
        }
        if (is_shown ? tasks_enter_shown() : tasks_enter())
            RL_ASSERT(memory($) == 1);
        tasks_leave();
    }
};
using inside = inside_pool<false>;
using inside_shown = inside_pool<true>;
MODEL(inside, 2000);
MODEL(inside_shown, 2000);

// A thread that waits for a task, or a group, uses the pool if that is not over once it has noted
// that it enters. Who ends the task frees the pool then.
template <bool of_group> struct waiting_inside : tasking<waiting_inside<of_group>, 2, 0> {
    datum memory;

    void prepare()
    {
        waiting_inside::tasking::prepare();
        make(2, 1, 1, 0);
        tasks_stay_make();
        memory($) = 1;
        this->write(0);
        if (of_group)
            tasks_group_make();
        tasks_queue(0);
        if (of_group) {
            tasks_group(0);
            tasks_group_enter();
        }
    }
    void call(unsigned index)
    {
        if (index) {
            tasks_carry_out(0);
            while (tasks_somebody_is_inside())
                model_pause();
            memory($) = 0;
            return;
        }
        tasks_enter_unseen();
        if (of_group ? !tasks_group_is_over_inside() : !tasks_is_over_inside(0))
            RL_ASSERT(memory($) == 1);
        else
            this->see(0);
        tasks_leave();
    }
};
using task_inside = waiting_inside<false>;
using group_inside = waiting_inside<true>;
MODEL(task_inside, 2000);
MODEL(group_inside, 6000);

// A task submits another, which a second thread carries out, as in a seat or without one. Who finds
// that none is left sees what both have done.
template <unsigned seat> struct counted : tasking<counted<seat>, 3, 0> {
    sign submitted;

    void prepare()
    {
        counted::tasking::prepare();
        for (unsigned i = 0; i < 2; i++) {
            this->write(i);
            tasks_queue(i);
        }
        tasks_crew_make();
        tasks_accept(0);
    }
    void work(unsigned task)
    {
        if (task == 1)
            return;
        tasks_accept(0);
        submitted.raise();
    }
    void call(unsigned index)
    {
        if (index == 0)
            return tasks_carry_out_in(0, seat);
        if (index == 1) {
            submitted.await();
            return tasks_carry_out_in(1, seat < 2 ? seat + 1 : seat);
        }
        while (!tasks_none_is_left())
            model_pause();
        this->see(0);
        this->see(1);
    }
};
using counted_in_seats = counted<0>;
using counted_without = counted<2>;
MODEL(counted_in_seats, 2000);
MODEL(counted_without, 2000);

} // namespace
