/* What the tests of tasks share: pools of several sizes, faults that tasks count, short functions
 * to run, a recursion, and a gate that holds tasks until main opens it. */
#ifndef PARA_TESTS_TASKS_H
#define PARA_TESTS_TASKS_H

#include "check.h"

#include <sched.h>
#include <unistd.h>

static _Atomic unsigned faults;
static para_pool *pool; /* of the test that runs */

static inline void fault_unless(bool is_right)
{
    faults += !is_right;
}

static inline void each_pool(void (*check)(void))
{
    static const unsigned workers[] = {1, 2, 3, 8};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        pool = check_pool(workers[i]);
        check();
        para_pool_destroy(pool);
        assert_int_equal(faults, 0);
    }
}

static inline int count_up(void *arg)
{
    ++*(_Atomic unsigned *)arg;
    return 0;
}

static inline int return_it(void *arg)
{
    return *(int *)arg;
}

/* The n-th Fibonacci number: a task and the thread itself, at each step. */
typedef struct fib {
    unsigned n;
    uint64_t value;
} fib;

static inline int run_fib(void *arg)
{
    fib *f = arg;
    if (f->n < 2) {
        f->value = f->n;
        return 0;
    }
    fib a = {.n = f->n - 1}, b = {.n = f->n - 2};
    para_task task = {.run = run_fib, .arg = &a};
    fault_unless(para_submit(pool, &task) == PARA_OK);
    (void)run_fib(&b);
    fault_unless(para_task_wait(&task) == PARA_OK);
    f->value = a.value + b.value;
    return 0;
}

/* ---- The gate ------------------------------------------------------------------------- */

static _Atomic bool is_open;
static _Atomic unsigned begun; /* tasks that have come to the gate */

/* Runs until the gate is open. */
static inline int hold(void *arg)
{
    (void)arg;
    begun++;
    while (!is_open)
        usleep(50);
    return 0;
}

/* Closes the gate. Afterwards these tasks hold as many threads of the pool there. */
static inline void begin_holding(para_task tasks[], unsigned count)
{
    is_open = false;
    begun = 0;
    for (unsigned i = 0; i < count; i++) {
        tasks[i] = (para_task){.run = hold};
        OK(para_submit(pool, &tasks[i]));
        while (begun <= i)
            sched_yield();
    }
}

#endif
