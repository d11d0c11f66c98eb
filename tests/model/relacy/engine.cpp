// The engine: src/share, src/executor/lease.c, src/pool/worker.c and default_pool.c, with
// src/sync/event.h; and src/topology/machine.c.
#include "call_data.hpp"
#include "fixture.h"
#include "model.hpp"

namespace
{

// Publish, claim, finish, join: two calls one after the other, one or two helpers.
template <unsigned helpers> struct calls : protocol<calls<helpers>, 1, helpers> {
    call_data<calls> data;
    void prepare()
    {
        make(helpers + 1, 1, 1000, 1);
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(2 * (helpers + 1), helpers + 1, 2, false));
        data.run(20, shape(2 * (helpers + 1), helpers + 1, 2, false));
        fixture_release();
        fixture_stop();
    }
};
using call_of_two = calls<1>;
using call_of_three = calls<2>;
MODEL(call_of_two, 20000);
MODEL(call_of_three, 20000);

// A helper parks while a call is announced for which it is needed: the caller's own unit ends only
// when the helper's has been run.
struct parking : protocol<parking, 1, 1> {
    call_data<parking> data;
    gate helped[2];
    unsigned calls_made = 0;
    void prepare()
    {
        make(2, 1, 1, 1);
        data.model = this;
        data.extra = &parking::wait_for_each_other;
    }
    void wait_for_each_other(unsigned unit, unsigned)
    {
        if (unit == 0)
            helped[calls_made].pass();
        else
            helped[calls_made].open();
    }
    void call(unsigned)
    {
        model_await_pauses(1, 12 + rl::rand(4));
        RL_ASSERT(fixture_lease());
        data.run(10, shape(2, 2, 1, true));
        calls_made = 1;
        model_await_pauses(1, rl::rand(2) * (12 + rl::rand(5)));
        data.run(20, shape(2, 2, 1, true));
        fixture_release();
        fixture_stop();
    }
};
MODEL(parking, 20000);

// The same with two callers, whose lanes have not been used before.
struct parking_lanes : protocol<parking_lanes, 2, 1> {
    call_data<parking_lanes> data[2];
    gate helped[2], done;
    unsigned left = 2;
    void prepare()
    {
        make(2, 2, 1, 1);
        for (unsigned i = 0; i < 2; i++) {
            data[i].model = this;
            data[i].extra = i ? &parking_lanes::wait_1 : &parking_lanes::wait_0;
        }
    }
    void wait_0(unsigned unit, unsigned)
    {
        unit == 0 ? helped[0].pass() : helped[0].open();
    }
    void wait_1(unsigned unit, unsigned)
    {
        unit == 0 ? helped[1].pass() : helped[1].open();
    }
    void call(unsigned index)
    {
        model_await_pauses(2, 12 + rl::rand(4));
        RL_ASSERT(fixture_lease());
        data[index].run(10, shape(2, 2, 1, true));
        fixture_release();
        if (--left == 0)
            done.open();
        done.pass();
        if (index == 0)
            fixture_stop();
    }
};
MODEL(parking_lanes, 10000);

// The same with helpers that are a group of their own: the last of them reports for both. If there
// is one helper, it and the caller work in each other's group.
template <unsigned helpers> struct groups : protocol<groups<helpers>, 1, helpers> {
    call_data<groups> data;
    void prepare()
    {
        make(helpers + 1, 1, 1000, 1, 1);
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(2 * (helpers + 1), helpers + 1, 2, false));
        data.run(20, shape(2 * (helpers + 1), helpers + 1, 2, false));
        fixture_release();
        fixture_stop();
    }
};
using groups_of_one = groups<1>;
using groups_of_two = groups<2>;
MODEL(groups_of_one, 20000);
MODEL(groups_of_two, 20000);

// The last worker is a group of its own, and is not invited: strangers do its share, and one of
// them reports. It comes all the same, and finds that it does not take part.
struct sparse : protocol<sparse, 1, 2> {
    call_data<sparse> data;
    void prepare()
    {
        make(3, 1, 1000, 1, 2);
        data.model = this;
        data.extra = &sparse::check;
    }
    void check(unsigned, unsigned worker)
    {
        RL_ASSERT(worker < 2);
    }
    void call(unsigned)
    {
        fixture_call call = shape(6, 3, 2, true);
        call.invited = 2;
        RL_ASSERT(fixture_lease());
        data.run(10, call);
        data.run(20, call);
        fixture_release();
        fixture_stop();
    }
};
MODEL(sparse, 20000);

// A caller that sleeps until the other group has reported.
struct joining_groups : protocol<joining_groups, 1, 1> {
    call_data<joining_groups> data;
    void prepare()
    {
        make(2, 1, 1, 1, 1);
        data.model = this;
        data.extra = &joining_groups::linger;
    }
    void linger(unsigned, unsigned worker)
    {
        if (worker == 1)
            model_await_pauses(0, rl::rand(20));
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(4, 2, 2, true));
        data.run(20, shape(4, 2, 2, false));
        fixture_release();
        fixture_stop();
    }
};
MODEL(joining_groups, 20000);

// A caller that sleeps until a helper of the other group has done what it has claimed in its own.
struct joining_stray : protocol<joining_stray, 1, 1> {
    call_data<joining_stray> data;
    gate strayed[2];
    unsigned calls_made = 0;
    void prepare()
    {
        make(2, 1, 1, 1, 1);
        data.model = this;
        data.extra = &joining_stray::stray;
    }
    void stray(unsigned unit, unsigned worker)
    {
        if (unit == 0) {
            RL_ASSERT(worker == 0);
            strayed[calls_made].pass();
        } else if (unit == 1) {
            RL_ASSERT(worker == 1);
            strayed[calls_made].open();
            model_await_pauses(0, rl::rand(20));
        }
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(4, 2, 2, true));
        calls_made = 1;
        data.run(20, shape(4, 2, 2, true));
        fixture_release();
        fixture_stop();
    }
};
MODEL(joining_stray, 20000);

// A caller that sleeps until the last of its helpers is done.
struct joining : protocol<joining, 1, 1> {
    call_data<joining> data;
    void prepare()
    {
        make(2, 1, 1, 1);
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(4, 2, 2, true));
        data.run(20, shape(4, 2, 2, false));
        fixture_release();
        fixture_stop();
    }
};
MODEL(joining, 20000);

// A helper that leaves its CPU now and then, between claims; nobody waits for it.
struct resting : protocol<resting, 1, 1> {
    call_data<resting> data;
    void prepare()
    {
        make(2, 1, 1000, 1);
        model_rest(3);
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        data.run(10, shape(4, 2, 2, true));
        data.run(20, shape(4, 2, 2, false));
        fixture_release();
        fixture_stop();
    }
};
MODEL(resting, 10000);

// Two callers take turns on one lane.
struct hand_over : protocol<hand_over, 2, 1> {
    call_data<hand_over> data;
    void prepare()
    {
        make(2, 1, 1000, 1);
    }
    void call(unsigned)
    {
        for (unsigned round = 0; round < 2; round++) {
            while (!fixture_lease()) {
            }
            data.run(10 * round, shape(2, 2, 1, false));
            fixture_release();
        }
    }
    // The worker's thread is left to itself.
    void thread(unsigned index)
    {
        if (index < 2)
            protocol::thread(index);
    }
};
MODEL(hand_over, 10000);

// A pool's threads start, perhaps park, and end: after their creator has waited for them, made a
// call meanwhile, or not even done that. What each writes while it starts, and what the last one
// measures, is there for who has waited.
struct start_stop : protocol<start_stop, 1, 2> {
    call_data<start_stop> data;
    datum bound[2], costs, farewell;
    static start_stop *current;
    void prepare()
    {
        current = this;
        const fixture f = {2, 1, 1, 0, 0, false};
        fixture_make(&f);
    }
    void call(unsigned)
    {
        fixture_start();
        if (rl::rand(3) == 0) {
            RL_ASSERT(fixture_lease());
            data.run(10, shape(2, 2, 1, true));
            fixture_release();
        }
        if (rl::rand(3) != 0) {
            RL_ASSERT(fixture_await());
            RL_ASSERT(bound[0]($) == 1 && bound[1]($) == 1 && costs($) == 1);
            model_await_pauses(1, rl::rand(16));
        }
        farewell($) = 1;
        fixture_stop();
        model_start_rest(3); // an early end may leave a thread that was never created
    }
};
start_stop *start_stop::current;
MODEL(start_stop, 20000);

// A kernel makes a call itself, whose other unit only the caller that waits for it can run.
struct nested : protocol<nested, 1, 1> {
    call_data<nested> outer, inner;
    gate helped;
    void prepare()
    {
        make(2, 2, 1000000, 1);
        outer.model = inner.model = this;
        outer.extra = &nested::call_again;
        inner.extra = &nested::wait_for_each_other;
    }
    void call_again(unsigned unit, unsigned)
    {
        if (unit == 0)
            return;
        RL_ASSERT(fixture_lease());
        inner.run(30, shape(2, 2, 1, true));
        fixture_release();
    }
    void wait_for_each_other(unsigned unit, unsigned)
    {
        if (unit == 1)
            helped.pass();
        else
            helped.open();
    }
    void call(unsigned)
    {
        RL_ASSERT(fixture_lease());
        outer.run(10, shape(2, 2, 1, true));
        fixture_release();
        fixture_stop();
    }
};
MODEL(nested, 10000);

// A caller waits in the place of worker 0, and acts in its name when it helps with a call of worker
// 1. Worker 0's own thread does so when it helps with the calls of a stranger.
struct acting : protocol<acting, 2, 2> {
    call_data<acting> outer, inner, strange;
    datum in_the_name_of_0;
    gate helped, done;
    unsigned left = 2;
    void prepare()
    {
        make(3, 3, 1000000, 1u << 2);
        outer.model = inner.model = strange.model = this;
        outer.extra = &acting::call_again;
        inner.extra = &acting::wait_for_help;
        strange.extra = &acting::leave_a_trace;
        in_the_name_of_0($) = 0;
    }
    void leave_a_trace(unsigned, unsigned worker)
    {
        if (worker == 0)
            in_the_name_of_0($) += 1;
    }
    void call_again(unsigned unit, unsigned worker)
    {
        if (unit != 1 || worker != 1)
            return;
        RL_ASSERT(fixture_lease());
        inner.run(30, shape(2, 2, 1, false));
        fixture_release();
    }
    void wait_for_help(unsigned unit, unsigned worker)
    {
        leave_a_trace(unit, worker);
        if (unit == 1)
            helped.pass();
        else
            helped.open();
    }
    void call(unsigned index)
    {
        fixture_sit(2 * index);
        RL_ASSERT(fixture_lease());
        if (index == 0)
            outer.run(10, shape(2, 2, 1, false));
        else
            for (unsigned i = 0; i < 2; i++)
                strange.run(20, shape(3, 3, 1, false));
        fixture_release();
        if (--left == 0)
            done.open();
        done.pass();
        if (index == 0)
            fixture_stop();
    }
};
MODEL(acting, 10000);

// What is made at first use, by any of three threads.
datum *making;
template <bool (*find)()> struct made_once : protocol<made_once<find>, 3, 0> {
    datum contents;
    void prepare()
    {
        fixture_allow(false);
        RL_ASSERT(!find());
        fixture_allow(true);
        making = &contents;
    }
    void call(unsigned)
    {
        RL_ASSERT(find());
        RL_ASSERT(contents($) == 1);
    }
};
using default_pool = made_once<fixture_default_pool>;
using machine = made_once<fixture_machine>;
MODEL(default_pool, 10000);
MODEL(machine, 10000);

} // namespace

void model_bound(unsigned worker)
{
    start_stop::current->bound[worker]($) = 1;
}

void model_measured(void)
{
    start_stop::current->costs($) = 1;
}

void model_left(void)
{
    RL_ASSERT(start_stop::current->farewell($) == 1);
}

void model_made(void)
{
    (*making)($) = 1;
}
