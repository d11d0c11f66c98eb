/* A pool whose two workers are held, one of them to the end, so that the other runs tasks one after
 * the other: in what order they begin. */
#ifndef PARA_TESTS_ORDER_H
#define PARA_TESTS_ORDER_H

#include "tasks.h"

enum { WORKERS = 2 };
static para_task holding[WORKERS];

static _Atomic unsigned ran;
static unsigned order[4000];

static inline int note_order(void *arg)
{
    order[ran++] = (unsigned)(uintptr_t)arg;
    return 0;
}

static _Atomic bool is_last_open, is_last_held;

static inline int hold_to_the_end(void *arg)
{
    (void)arg;
    is_last_held = true;
    while (!is_last_open)
        usleep(50);
    return 0;
}

static inline void hold_pool_in_order(para_task *holder, para_task_order task_order)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.start = PARA_START_WAIT;
    config.task_order = task_order;
    OK(para_pool_create(&pool, &config));
    is_last_open = is_last_held = false;
    ran = 0;
    *holder = (para_task){.run = hold_to_the_end};
    OK(para_submit(pool, holder));
    while (!is_last_held)
        sched_yield();
    begin_holding(holding, 1);
}

static inline void run_in_order(para_task *holder, unsigned n)
{
    is_open = true;
    while (ran < n)
        sched_yield();
    is_last_open = true;
    OK(para_task_wait(holder));
    OK(para_task_wait(&holding[0]));
}

#endif
