// Worker processes: src/process/board.h, and who holds a region.
#include "board.h"
#include "calls.h"
#include "model.hpp"

namespace
{

constexpr unsigned NOBODY = BOARD_WORKERS;

// Calls whose kernels read what their caller wrote, and write what it reads. What a worker has
// written is found in a place of its own, since what it did before it died comes before all that
// follows, for Relacy without any order.
template <typename derived, unsigned threads> struct boarding : protocol<derived, threads, 0> {
    datum in[BOARD_CALLS][BOARD_UNITS], out[BOARD_CALLS][BOARD_WORKERS][BOARD_UNITS];
    unsigned doer[BOARD_CALLS][BOARD_UNITS];
    bool is_dead[BOARD_WORKERS] = {};
    static derived *current;

    void prepare()
    {
        current = static_cast<derived *>(this);
        for (auto &of_call : doer)
            for (unsigned &of_unit : of_call)
                of_unit = NOBODY;
        model_step(rl::rand(2) ? 4000 : 40000); // workers and caller spin or do not
        board_make(run);
    }
    static void run(unsigned call, unsigned unit, unsigned worker)
    {
        unsigned &doer = current->doer[call][unit];
        RL_ASSERT(doer == NOBODY || current->is_dead[doer]);
        doer = worker;
        current->out[call][worker][unit]($) = current->in[call][unit]($) + 1;
        current->work(worker);
    }
    void work(unsigned)
    {
    }
    // Returns how many units are lost.
    unsigned publish(unsigned call, unsigned units, unsigned tickets)
    {
        for (unsigned i = 0; i < units; i++)
            in[call][i]($) = 10 * call + i;
        const board_sum sum = board_call(call, units, tickets);
        RL_ASSERT(sum.run + sum.lost == units);
        for (unsigned i = 0; i < units; i++) {
            const unsigned w = doer[call][i];
            if (sum.lost != 0 && (w == NOBODY || is_dead[w]))
                continue; // it may be lost
            RL_ASSERT(w != NOBODY);
            RL_ASSERT(out[call][w][i]($) == 10 * call + i + 1);
        }
        return sum.lost;
    }
};
template <typename derived, unsigned threads> derived *boarding<derived, threads>::current;

// Two calls on two workers, which sleep in between, as does the caller.
struct board_calls : boarding<board_calls, 3> {
    void call(unsigned index)
    {
        if (index != 0) {
            RL_ASSERT(board_serve(index - 1, 0));
            return;
        }
        for (unsigned c = 0; c < BOARD_CALLS; c++)
            RL_ASSERT(publish(c, 3, 3) == 0);
        board_end();
    }
};
MODEL(board_calls, 10000);

// A worker dies at any step, and another thread settles it.
template <typename derived> struct board_death : boarding<derived, 4> {
    static constexpr unsigned MORTAL = 0, CALLER = 2, SETTLER = 3;
    static constexpr unsigned STEPS = 50;
    gate ended;
    bool has_died = false;

    void call(unsigned index)
    {
        auto *model = static_cast<derived *>(this);
        if (index == CALLER) {
            model->do_calls();
            board_end();
        } else if (index == SETTLER) {
            ended.pass();
            if (has_died)
                model->settle();
        } else if (!board_serve(index, index == MORTAL ? 1 + rl::rand(STEPS) : 0)) {
            has_died = true;
            this->is_dead[index] = true;
            ended.open();
        } else if (index == MORTAL) {
            ended.open();
        }
    }
};

// Its claim is tried once more.
struct board_retried : board_death<board_retried> {
    void do_calls()
    {
        for (unsigned c = 0; c < BOARD_CALLS; c++)
            RL_ASSERT(publish(c, 3, 3) == 0);
    }
    void settle()
    {
        board_settle(MORTAL, 2, false);
    }
};
MODEL(board_retried, 20000);

// Calls of one ticket, for which one worker is woken.
struct board_single : board_death<board_single> {
    void do_calls()
    {
        for (unsigned c = 0; c < BOARD_CALLS; c++)
            RL_ASSERT(publish(c, 1, 1) == 0);
    }
    void settle()
    {
        board_settle(MORTAL, 2, false);
    }
};
MODEL(board_single, 20000);

// It is halved; or, if it is one unit, given up.
struct board_halved : board_death<board_halved> {
    void do_calls()
    {
        RL_ASSERT(publish(0, 4, 2 + rl::rand(2)) <= 1);
    }
    void settle()
    {
        board_settle(MORTAL, 1, true);
    }
};
MODEL(board_halved, 20000);

// It is halved, and the other worker comes without having been told: it sees the word of the call
// that has one ticket more, and claims one that was never settled.
struct board_early : board_death<board_early> {
    gate settled;

    void do_calls()
    {
        RL_ASSERT(publish(0, 4, 2) <= 1);
    }
    void settle()
    {
        board_settle(MORTAL, 1, true);
    }
    void call(unsigned index)
    {
        if (index == 1) {
            settled.pass();
            board_work_early(1);
        }
        board_death::call(index);
        if (index == SETTLER)
            settled.open();
    }
};
MODEL(board_early, 20000);

// One dies when it has told what it has done. The caller sleeps again before the other finishes the
// last ticket.
struct board_last : boarding<board_last, 4> {
    static constexpr unsigned MORTAL = 0, CALLER = 2;
    gate ended, settled;

    void work(unsigned worker)
    {
        if (worker == MORTAL)
            return;
        settled.pass();
        model_await_pauses(CALLER, 100);
    }
    void call(unsigned index)
    {
        if (index == CALLER) {
            RL_ASSERT(publish(0, 2, 2) == 0);
            board_end();
        } else if (index == MORTAL) {
            board_serve_once(MORTAL);
            is_dead[MORTAL] = true;
            ended.open();
        } else if (index < BOARD_WORKERS) {
            RL_ASSERT(board_serve(index, 0));
        } else {
            ended.pass();
            board_settle(MORTAL, 2, false);
            settled.open();
        }
    }
};
MODEL(board_last, 6000);

// The only worker dies, and nobody is left: what it has not finished is lost.
struct board_abandoned : boarding<board_abandoned, 4> {
    static constexpr unsigned MORTAL = 0, CALLER = 2, SETTLER = 3, STEPS = 50;
    gate ended;
    bool has_died = false;

    void call(unsigned index)
    {
        if (index == CALLER) {
            (void)publish(0, 2, 2);
            board_end();
        } else if (index == SETTLER) {
            ended.pass();
            if (has_died) {
                board_settle(MORTAL, 2, false);
                board_abandon();
            }
        } else if (index == MORTAL) {
            has_died = is_dead[MORTAL] = !board_serve(MORTAL, 1 + rl::rand(STEPS));
            ended.open();
        }
    }
};
MODEL(board_abandoned, 20000);

// The last holder of a region unmaps it.
struct board_region : protocol<board_region, 3, 0> {
    void prepare()
    {
        board_region_make(3);
    }
    void call(unsigned)
    {
        board_region_use();
        board_region_release();
    }
};
MODEL(board_region, 500);

} // namespace
