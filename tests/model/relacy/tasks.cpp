// Tasks: src/task and src/pool/tasks.c, with the parking of src/pool/worker.c.
#include "tasks.h"

#include "call_data.hpp"
#include "calls.h"
#include "fixture.h"
#include "tasking.hpp"

namespace
{

constexpr uint64_t NEVER = UINT64_MAX;

inline void make_pool(unsigned workers, unsigned lanes, unsigned idle, unsigned threads)
{
    make(workers, lanes, 1, idle);
    tasks_pool_make(threads);
}

// ---- The deque ----------------------------------------------------------------------------------

// One owner, who puts in more than there is room for, and two thieves; each wants deeper ones now
// and then. What there is no room for it runs itself.
struct deque : tasking<deque, 3, 0> {
    void prepare()
    {
        tasking::prepare();
        tasks_deque_make();
    }
    void call(unsigned index)
    {
        for (unsigned i = 0; index && i < 2; i++)
            begin_if_any(tasks_steal(1 + (rl::rand(4) == 0)));
        for (unsigned i = 0; !index && i < 4; i++) {
            write(i);
            if (!tasks_push(i, 1 + rl::rand(2)))
                begin(i);
            if (rl::rand(2))
                begin_if_any(tasks_take(1 + (rl::rand(4) == 0)));
        }
    }
    void finish()
    {
        unsigned task;
        while ((task = tasks_take(1)) != TASKS_NONE)
            begin(task);
        tasking::finish();
    }
};
MODEL(deque, 6000);

// ---- Descriptors --------------------------------------------------------------------------------

// Two threads ask for a task's descriptor while a third ends the task. They get the same one, see
// that it was made, and it is told.
struct tasks_asked : tasking<tasks_asked, 3, 0> {
    static constexpr int FIRST = 5;
    datum made[2];
    int count = 0, got[2] = {};
    bool is_told[2] = {}, is_dropped[2] = {};

    void prepare()
    {
        tasking::prepare();
        write(0);
        tasks_queue(0);
    }
    void call(unsigned index)
    {
        if (index == 2)
            return tasks_carry_out(0);
        got[index] = tasks_fd(0);
        RL_ASSERT(made[got[index] - FIRST]($) == 1);
    }
    int make()
    {
        const int fd = count++;
        made[fd]($) = 1;
        return FIRST + fd;
    }
    void tell(int fd)
    {
        RL_ASSERT(made[fd - FIRST]($) == 1);
        is_told[fd - FIRST] = true;
    }
    void finish()
    {
        const int fd = got[0] - FIRST;
        RL_ASSERT(got[0] == got[1] && is_told[fd] && !is_dropped[fd]);
        RL_ASSERT(count == 1 || is_dropped[!fd]);
        tasking::finish();
    }
};
MODEL(tasks_asked, 3000);

// ---- The ingress --------------------------------------------------------------------------------

// A full queue, threads that wait for room for as long as it takes, one that does so for a moment,
// and one that takes; perhaps also one that does not wait, and gets in between.
template <unsigned putters, unsigned rounds, bool timed, bool barging>
struct ingress : tasking<ingress<putters, rounds, timed, barging>, putters + 1, 0> {
    static constexpr unsigned TAKER = putters;
    unsigned there = putters, put = 1, taken = 0;

    void prepare()
    {
        ingress::tasking::prepare();
        tasks_ingress_make(1, rl::rand(2));
        this->write(0);
        RL_ASSERT(tasks_put(0, NEVER));
    }
    void put_some(unsigned index)
    {
        const bool barges = barging && index == 0;
        const bool gives_up = timed && index == putters - 1;
        for (unsigned round = 0; round < rounds; round++) {
            const unsigned task = 1 + index * rounds + round;
            this->write(task);
            if (tasks_put(task, barges ? 0 : gives_up ? 1 : NEVER)) {
                put++;
            } else {
                RL_ASSERT(barges || gives_up);
                this->is_written[task] = false;
            }
        }
        there--;
    }
    void call(unsigned index)
    {
        if (index != TAKER)
            return put_some(index);
        while (there || taken < put) {
            unsigned found[2];
            const unsigned n = tasks_get(found, 2);
            for (unsigned i = 0; i < n; i++)
                this->begin(found[i]);
            taken += n;
            if (n == 0)
                model_pause();
        }
    }
    void finish()
    {
        RL_ASSERT(tasks_nobody_waits());
        RL_ASSERT(taken == put);
        ingress::tasking::finish();
    }
};
using ingress_full = ingress<2, 2, false, false>;
using ingress_once = ingress<3, 1, false, false>;
using ingress_timed = ingress<3, 1, true, false>;
using ingress_barging = ingress<3, 2, false, true>;
MODEL(ingress_full, 1000);
MODEL(ingress_once, 4000);
MODEL(ingress_timed, 1000);
MODEL(ingress_barging, 1000);

// One that waits takes its task out of the middle, if nobody has it.
struct ingress_waiter : tasking<ingress_waiter, 3, 0> {
    void prepare()
    {
        tasking::prepare();
        tasks_ingress_make(3, rl::rand(2));
    }
    void call(unsigned index)
    {
        if (index == 0) {
            for (unsigned i = 0; i < 2; i++) {
                write(i);
                RL_ASSERT(tasks_put(i, NEVER));
            }
            for (unsigned i = 2; i-- > 0;)
                if (tasks_get_one(i))
                    begin(i);
        } else if (index == 1) {
            write(2);
            RL_ASSERT(tasks_put(2, NEVER));
        } else {
            unsigned found[TASKS];
            const unsigned n = tasks_get(found, 1 + rl::rand(2));
            for (unsigned i = 0; i < n; i++)
                begin(found[i]);
        }
    }
    void finish()
    {
        unsigned found[TASKS];
        while (const unsigned n = tasks_get(found, 2))
            for (unsigned i = 0; i < n; i++)
                begin(found[i]);
        tasking::finish();
    }
};
MODEL(ingress_waiter, 1000);

// ---- A task's end -------------------------------------------------------------------------------

// One runs a task; the others sleep until it is over, for as long as it takes or again and again,
// or look. The last of them uses its memory for something else.
struct task_over : tasking<task_over, 4, 0> {
    datum is_done;
    unsigned waiters = 3;

    void prepare()
    {
        tasking::prepare();
        tasks_make(run, done);
        write(0);
        is_done($) = 0;
        tasks_queue(0);
    }
    static void done(unsigned)
    {
        current->see(0);
        current->is_done($) = 1;
    }
    void call(unsigned index)
    {
        if (index == 0)
            return tasks_carry_out(0);
        if (index == 1)
            while (!tasks_is_over(0))
                model_pause();
        else
            while (!tasks_sleep(0, index == 2 ? NEVER : 1)) {
            }
        see(0);
        RL_ASSERT(is_done($) == 1);
        RL_ASSERT(tasks_result(0) == 0);
        if (--waiters == 0)
            tasks_reuse(0);
    }
};
MODEL(task_over, 3000);

// Two run a group's tasks; the others sleep until both are over, or look. The last of them uses the
// group's memory for something else.
struct group_over : tasking<group_over, 4, 0> {
    unsigned waiters = 2;

    void prepare()
    {
        tasking::prepare();
        tasks_group_make();
        for (unsigned i = 0; i < 2; i++) {
            write(i);
            tasks_queue(i);
            tasks_group(i);
            tasks_group_enter();
        }
    }
    void call(unsigned index)
    {
        if (index < 2)
            return tasks_carry_out(index);
        while (!(index == 2 ? tasks_group_is_over() : tasks_group_sleep(NEVER)))
            model_pause();
        see(0);
        see(1);
        if (--waiters == 0)
            tasks_group_reuse();
    }
};
MODEL(group_over, 3000);

// ---- A pool's workers ---------------------------------------------------------------------------

// The only thread of a pool parks while a task comes that nobody waits for by a call of para's.
struct tasks_parking : tasking<tasks_parking, 1, 1> {
    gate over[2];

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 1, 1);
    }
    void work(unsigned task)
    {
        over[task].open();
    }
    void call(unsigned)
    {
        for (unsigned i = 0; i < 2; i++) {
            model_await_pauses(1, rl::rand(2) * (12 + rl::rand(8)));
            tasks_detach(i);
            submit(i);
            over[i].pass();
        }
        fixture_stop();
    }
};
MODEL(tasks_parking, 1000);

// The same in the place of the thread that submits.
struct tasks_parking_here : tasking<tasks_parking_here, 1, 1> {
    gate over;

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 1, 1);
    }
    void work(unsigned)
    {
        over.open();
    }
    void call(unsigned)
    {
        fixture_sit(1);
        model_await_pauses(1, 12 + rl::rand(8));
        tasks_detach(0);
        submit(0);
        over.pass();
        fixture_stop();
    }
};
MODEL(tasks_parking_here, 500);

// A task submits another, and ends only when that has run: on the pool's other thread.
struct tasks_stolen : tasking<tasks_stolen, 1, 2> {
    gate stolen, over;

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 0, 2);
    }
    void work(unsigned task)
    {
        if (task == 1)
            return stolen.open();
        tasks_detach(1);
        submit(1);
        stolen.pass();
        over.open();
    }
    void call(unsigned)
    {
        tasks_detach(0);
        submit(0);
        over.pass();
        fixture_stop();
    }
};
MODEL(tasks_stolen, 1000);

// A worker takes two tasks at once, of which the first ends only when the second has run; the other
// one may look for news meanwhile, and sleep.
struct tasks_several : tasking<tasks_several, 1, 2> {
    gate stolen, over;

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 0, 2);
        tasks_take_all();
        for (unsigned i = 0; i < 2; i++) {
            tasks_detach(i);
            submit(i);
        }
    }
    void work(unsigned task)
    {
        if (task == 1)
            return stolen.open();
        stolen.pass();
        over.open();
    }
    void call(unsigned)
    {
        over.pass();
        fixture_stop();
    }
};
MODEL(tasks_several, 500);

// Two threads submit a task each, which submits another, and all wait: they help, or sleep. There
// is one seat for both. The memory of a task that was waited for is used for something else.
struct tasks_waiting : tasking<tasks_waiting, 2, 1> {
    unsigned left = 2;
    gate over;

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 1, 1);
    }
    void submit_and_wait(unsigned task)
    {
        submit(task);
        RL_ASSERT(tasks_wait(task) == 0);
        see(task);
        tasks_reuse(task);
    }
    void work(unsigned task)
    {
        if (task < 2)
            submit_and_wait(task + 2);
    }
    void call(unsigned index)
    {
        submit_and_wait(index);
        if (--left == 0)
            over.open();
        over.pass();
        if (index == 0)
            fixture_stop();
    }
};
MODEL(tasks_waiting, 1000);

// A task of a group submits another one to it, and ends only when that has run: on the thread that
// waits for the group, or on the pool's only one.
struct tasks_group_late : tasking<tasks_group_late, 1, 1> {
    gate run_late;

    void prepare()
    {
        tasking::prepare();
        make_pool(2, 1, 1, 1);
        tasks_group_make();
        for (unsigned i = 0; i < 2; i++)
            tasks_group(i);
    }
    void work(unsigned task)
    {
        if (task == 1)
            return run_late.open();
        submit(1);
        run_late.pass();
    }
    void call(unsigned)
    {
        submit(0);
        RL_ASSERT(tasks_group_wait());
        see(0);
        see(1);
        fixture_stop();
    }
};
MODEL(tasks_group_late, 2000);

// As `acting`: a caller waits in the place of worker 0, and acts in its name when it helps with a
// call of worker 1. Worker 0's own thread does so when it runs tasks.
struct tasks_acting : tasking<tasks_acting, 2, 2> {
    call_data<tasks_acting> outer, inner;
    datum in_the_name_of_0;
    gate helped, done, run[2];
    unsigned left = 2;

    void prepare()
    {
        tasking::prepare();
        make(3, 2, 1000000, 1u << 2);
        tasks_pool_make(2);
        outer.model = inner.model = this;
        outer.extra = &tasks_acting::call_again;
        inner.extra = &tasks_acting::wait_for_help;
        in_the_name_of_0($) = 0;
    }
    void work(unsigned task)
    {
        if (model_self() == 2) /* the thread of worker 0 */
            in_the_name_of_0($) += 1;
        run[task].open();
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
        if (worker == 0)
            in_the_name_of_0($) += 1;
        if (unit == 1)
            helped.pass();
        else
            helped.open();
    }
    void call(unsigned index)
    {
        fixture_sit(2 * index);
        if (index == 0) {
            RL_ASSERT(fixture_lease());
            outer.run(10, shape(2, 2, 1, false));
            fixture_release();
        }
        for (unsigned i = 0; index && i < 2; i++) {
            tasks_detach(i);
            submit(i);
            run[i].pass();
        }
        if (--left == 0)
            done.open();
        done.pass();
        if (index == 0)
            fixture_stop();
    }
};
MODEL(tasks_acting, 1000);

} // namespace

void model_taken(void)
{
    model_await_pauses(3 - model_self(), rl::rand(40)); /* the other worker's thread */
}

extern "C" {
int para__signal_fd_make(void);
void para__signal_fd_tell(int fd);
void para__signal_fd_drop(int fd);
}

int para__signal_fd_make(void)
{
    return tasks_asked::current->make();
}

void para__signal_fd_tell(int fd)
{
    tasks_asked::current->tell(fd);
}

void para__signal_fd_drop(int fd)
{
    tasks_asked::current->is_dropped[fd - tasks_asked::FIRST] = true;
}
