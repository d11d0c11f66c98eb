/* Walks the paths of a warm small call, each often, for callgrind to count. Single-threaded and
 * therefore exact: the pool has places for two workers and no threads, and this thread plays the
 * helper's part as well. Usage: path PATH TIMES, under callgrind; see check.py. */
#include "executor/lease.h"
#include "pool/start.h"
#include "pool/self.h"
#include "share/visit.h"

#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

PARA_MAP_KERNEL(twice, double, double, x, 2 * x)
PARA_LOOP(twice_of, i, const double *, x, double *, y)
{
    y[i] = 2 * x[i];
}
PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)
PARA_COMBINE(add, double, a, b, a += b)

static double input[8], output[8];

static void map_alone(para_pool *pool)
{
    if (para_pmap(pool, &(para_map){.kernel = twice,
                                    .count = 8,
                                    .in = {PARA_IN(input)},
                                    .out = {PARA_OUT(output)}}))
        abort();
}

static void loop_alone(para_pool *pool)
{
    const para_setup setup = {.pool = pool};
    if (para_loop_with(&setup, twice_of, 8, input, output))
        abort();
}

static void reduce_alone(para_pool *pool)
{
    double total = 0;
    if (para_preduce(pool, &(para_reduce){.kernel = sum,
                                          .combine = add,
                                          .count = 8,
                                          .in = {PARA_IN(input)},
                                          .result = &total,
                                          .result_bytes = sizeof total}))
        abort();
}

static void run_nothing(const void *payload, size_t first, size_t count, para__runner *runner)
{
    (void)payload;
    (void)first;
    (void)count;
    (void)runner;
}

/* What the caller runs while its call is published: the helper comes by, claims its slice,
 * finishes. */
static void run_helper(const void *payload, size_t first, size_t count, para__runner *runner)
{
    para_pool *pool;
    memcpy(&pool, payload, sizeof pool);
    (void)count;
    (void)runner;
    if (first == 0)
        para__lane_visit(&pool->lanes, 0, 1, 0);
}

static void share(para_pool *pool, para__run *run)
{
    const para__plan plan = {.units = {0, 2}, .width = 2, .tickets = 1, .first = 1};
    const para__job job = {.run = run, .payload = &pool, .payload_bytes = sizeof pool};
    para__outcome outcome;
    para__lane *lane = para__lane_lease(&pool->lanes);
    pool->executor->run(pool, lane, &job, &plan, &outcome);
    para__lane_release(lane);
}

static void shared_with_nobody(para_pool *pool)
{
    share(pool, run_nothing);
}

static void shared_with_helper(para_pool *pool)
{
    share(pool, run_helper);
}

/* Has all sites cost what they do without callgrind, which takes time itself: so the way that a
 * call takes does not depend on the clock. */
static void settle(para_pool *pool)
{
    const para__estimate known = {.alone_ns = 1, .alone = 15, .spread = 16};
    for (unsigned i = 0; i < PARA__SITES; i++) {
        para__site_write(&pool->sites.site[i], known);
        para__store_relaxed(&pool->sites.site[i].small, 100);
    }
}

static const struct {
    const char *name;
    void (*walk)(para_pool *pool);
} paths[] = {{"map_alone", map_alone},
             {"loop_alone", loop_alone},
             {"reduce_alone", reduce_alone},
             {"shared_with_nobody", shared_with_nobody},
             {"shared_with_helper", shared_with_helper}};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    para_pool *pool = NULL;
    const para_pool_config config = {
        .size = sizeof config, .workers = 2, .binding = PARA_BIND_NONE, .start = PARA_START_WAIT};
    if (para_pool_create(&pool, &config) != PARA_OK)
        return 1;
    para__workers_stop(pool); /* from here on this thread is alone */
    memset(pool->worker_of_cpu, 0, pool->cpu_limit * sizeof pool->worker_of_cpu[0]);
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        if (strcmp(paths[p].name, argv[1]) != 0)
            continue;
        for (int i = 0; i < 1000; i++)
            paths[p].walk(pool);
        const long times = strtol(argv[2], NULL, 10);
        for (long i = 0; i < times; i++) {
            settle(pool);
            CALLGRIND_TOGGLE_COLLECT;
            paths[p].walk(pool);
            CALLGRIND_TOGGLE_COLLECT;
        }
        return 0;
    }
    fprintf(stderr, "no path %s\n", argv[1]);
    return 2;
}
