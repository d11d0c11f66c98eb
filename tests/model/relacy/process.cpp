// The process: src/base/process.c, with the queues of src/sync/queue.c in a child.
#include "calls.h"
#include "fixture.h"
#include "locks.h"
#include "model.hpp"

namespace
{

// In a child threads ask at once for its number, and need what follows a fork done.
struct after_fork : protocol<after_fork, 3, 0> {
    datum put_in_order;
    unsigned parent = 0, number[3] = {};
    bool is_due = false;
    static after_fork *current;

    void prepare()
    {
        current = this;
        const auto state = static_cast<fixture_handled>(rl::rand(3));
        is_due = state != FIXTURE_NEVER;
        put_in_order($) = 0;
        parent = fixture_fork(state);
    }
    static void handle()
    {
        current->put_in_order($) += 1;
    }
    void call(unsigned index)
    {
        if (index == 2)
            number[index] = fixture_fork_count();
        fixture_after_fork(handle);
        RL_ASSERT(put_in_order($) == is_due);
        number[index] = fixture_fork_count();
    }
    void finish()
    {
        RL_ASSERT(number[0] && number[0] != parent);
        RL_ASSERT(number[0] == number[1] && number[0] == number[2]);
    }
};
after_fork *after_fork::current;
MODEL(after_fork, 10000);

// The main thread leaves while threads of the library begin and end: as long as there are some, a
// stand-in waits; then it ends.
struct standing_in : protocol<standing_in, 2, 2> {
    gate left;
    bool is_first_there = false;

    void prepare()
    {
        fixture_thread_begins();
        is_first_there = rl::rand(2);
        if (!is_first_there)
            fixture_thread_ends();
    }
    void call(unsigned index)
    {
        if (index == 0) {
            model_leave();
            left.open();
            return;
        }
        if (is_first_there)
            fixture_thread_ends();
        fixture_thread_begins();
        left.pass();
        RL_ASSERT(model_started() > 2);
        model_await_pauses(model_started() - 1, UINT16_MAX); // it is not over
        fixture_thread_ends();
        model_start_rest(4);
    }
};
MODEL(standing_in, 20000);

} // namespace
