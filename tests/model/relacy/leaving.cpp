// Calls that are left by a jump, or with their thread: src/executor/left.c.
#include "fixture.h"
#include "call_data.hpp"
#include "calls.h"
#include "model.hpp"

namespace
{

// Two callers take turns on one lane. The first leaves its call, whose helper may still be at work;
// then it comes again, or its thread ends.
template <unsigned split> struct leaving : protocol<leaving<split>, 2, 1> {
    call_data<leaving> data;
    gate abandoned, strayed, done;
    unsigned callers = 2;
    bool leaves = false, helper_stays = false, helper_strays = false;

    void prepare()
    {
        make(2, 1, 1000, 1, split);
        data.model = this;
        data.extra = &leaving::leave;
        helper_stays = rl::rand(2);
        helper_strays = split && rl::rand(2);
    }
    // The helper may be at work in the caller's group when the call is left.
    void leave(unsigned unit, unsigned worker)
    {
        if (worker == 1 && helper_strays && unit < 2)
            strayed.open();
        if (worker == 1 && helper_stays && (unit < 2 || !helper_strays) && data.in[unit]($) < 20)
            abandoned.pass();
        if (worker == 0 && leaves) {
            leaves = false;
            if (helper_strays)
                strayed.pass();
            fixture_leave();
        }
    }
    void lease(unsigned index)
    {
        while (!fixture_lease())
            if (index == 0)
                abandoned.open();
    }
    void call(unsigned index)
    {
        bool has_lane = true;
        lease(index);
        if (index == 0) {
            leaves = true;
            RL_ASSERT(data.run_and_leave(10, shape(4, 2, 2, split != 0)));
            has_lane = rl::rand(2);
            if (has_lane)
                lease(index);
        }
        if (has_lane) {
            data.run(20, shape(4, 2, 2, false));
            fixture_release();
        }
        model_leave();
        abandoned.open();
        if (--callers == 0)
            done.open();
        done.pass();
        if (index == 1)
            fixture_stop();
    }
};
using left = leaving<0>;
using left_groups = leaving<1>; // each may work in the other's group
MODEL(left, 10000);
MODEL(left_groups, 10000);

// As `acting`, but the caller that acts in the name of worker 0 leaves by a jump: its own call, and
// the one that it helps with, whose caller waits for it.
template <unsigned split> struct leaving_acting : protocol<leaving_acting<split>, 2, 2> {
    call_data<leaving_acting> outer, inner, strange;
    datum in_the_name_of_0;
    gate helped, gone, done;
    unsigned callers = 2;

    void prepare()
    {
        make(3, 3, 1000000, 1u << 2, split);
        outer.model = inner.model = strange.model = this;
        outer.extra = &leaving_acting::call_again;
        inner.extra = &leaving_acting::leave;
        strange.extra = &leaving_acting::leave_a_trace;
        in_the_name_of_0($) = 0;
    }
    void leave_a_trace(unsigned, unsigned worker)
    {
        if (worker == 0)
            in_the_name_of_0($) += 1;
    }
    void call_again(unsigned, unsigned worker)
    {
        if (worker != 1)
            return;
        RL_ASSERT(fixture_lease());
        inner.run_to_the_end(30, shape(2, 2, 1, false));
        fixture_release();
    }
    void leave(unsigned unit, unsigned worker)
    {
        leave_a_trace(unit, worker);
        if (unit == 1)
            helped.pass();
        else
            helped.open();
        if (model_self() == 0)
            fixture_leave();
    }
    void call(unsigned index)
    {
        fixture_sit(2 * index);
        RL_ASSERT(fixture_lease());
        if (index == 0) {
            if (!outer.run_and_leave(10, shape(2, 2, 1, false)))
                fixture_release();
        } else {
            strange.run(20, shape(3, 3, 1, false));
            gone.pass();
            strange.run(20, shape(3, 3, 1, false));
            fixture_release();
        }
        model_leave();
        gone.open();
        if (--callers == 0)
            done.open();
        done.pass();
        if (index == 1)
            fixture_stop();
    }
};
using left_acting = leaving_acting<0>;
using left_acting_groups = leaving_acting<1>; // worker 0 is one of its own
MODEL(left_acting, 3000);
MODEL(left_acting_groups, 3000);

} // namespace
