/* Loops of one to six dimensions, in tiles of the last two, as pthreadpool has them: the count is
 * the number of tiles, and the kernel works out where each tile lies. Also units that wait for each
 * other. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <time.h>

enum { DIMS_MOST = 6, INDICES_MOST = 4096, CALLERS = 4 };

/* ---- Each index once ----------------------------------------------------------------- */

typedef struct shape {
    const char *name;
    unsigned dims;
    size_t range[DIMS_MOST], tile[DIMS_MOST];
} shape;

/* No tile of more than one index divides its range, but where it is larger. */
static const shape shapes[] = {
    {"1d", 1, {1021}, {1}},
    {"1d_tile_1d", 1, {1021}, {16}},
    {"2d", 2, {31, 37}, {1, 1}},
    {"2d_tile_1d", 2, {31, 37}, {1, 5}},
    {"2d_tile_2d", 2, {31, 37}, {4, 5}},
    {"3d", 3, {11, 13, 7}, {1, 1, 1}},
    {"3d_tile_1d", 3, {11, 13, 7}, {1, 1, 3}},
    {"3d_tile_2d", 3, {11, 13, 7}, {1, 5, 3}},
    {"4d_tile_2d", 4, {5, 7, 11, 3}, {1, 1, 4, 2}},
    {"5d_tile_2d", 5, {3, 5, 7, 5, 3}, {1, 1, 1, 3, 2}},
    {"6d_tile_2d", 6, {3, 2, 5, 3, 7, 5}, {1, 1, 1, 1, 3, 2}},
    {"two tiles", 2, {1, 9}, {1, 5}},
    {"one tile", 2, {3, 5}, {7, 9}},
    {"no tile", 3, {3, 0, 5}, {1, 2, 2}},
};

static const para_options ways[] = {
    {0},
    {.chunk = 1},
    {.claim = 1},
    {.chunk = 1, .claim = 1},
    {.executor = PARA_EXECUTOR_THREADS},
    {.executor = PARA_EXECUTOR_THREADS, .chunk = 1},
    {.executor = PARA_EXECUTOR_THREADS, .claim = 1},
    {.executor = PARA_EXECUTOR_THREADS, .chunk = 1, .claim = 1},
    {.executor = PARA_EXECUTOR_THREADS, .chunk = 3, .claim = 2},
    {.executor = PARA_EXECUTOR_THREADS, .chunk = 1, .claim = SIZE_MAX},
    {.executor = PARA_EXECUTOR_SERIAL, .chunk = 1, .claim = 1},
};

static size_t tiles_along(const shape *s, unsigned d)
{
    return (s->range[d] + s->tile[d] - 1) / s->tile[d];
}

typedef struct visitor {
    const shape *shape;
    _Atomic unsigned char *visits; /* of each index, the last dimension's fastest */
} visitor;

/* Visits the indices of tile number `unit`, the last dimension's numbered fastest. */
static void visit_tile(const visitor *v, size_t unit)
{
    const shape *s = v->shape;
    size_t start[DIMS_MOST];
    size_t end[DIMS_MOST];
    size_t at[DIMS_MOST];
    for (unsigned d = s->dims; d-- > 0; unit /= tiles_along(s, d)) {
        at[d] = start[d] = unit % tiles_along(s, d) * s->tile[d];
        end[d] = start[d] + s->tile[d] < s->range[d] ? start[d] + s->tile[d] : s->range[d];
    }
    for (unsigned d = s->dims; d > 0;) {
        size_t index = 0;
        for (d = 0; d < s->dims; d++)
            index = index * s->range[d] + at[d];
        v->visits[index]++;
        while (d > 0 && ++at[d - 1] == end[d - 1]) {
            d--;
            at[d] = start[d];
        }
    }
}

static int visit_tiles(const para_chunk *chunk, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++)
        visit_tile(arg, chunk->first + i);
    return 0;
}

/* What is wrong with some calls in a row: 0 if each index was visited once in each. Any thread. */
static unsigned faults_of(para_pool *pool, const shape *s, const para_options *options)
{
    enum { CALLS = 3 };
    _Atomic unsigned char visits[INDICES_MOST] = {0};
    const visitor v = {s, visits};
    unsigned faults = 0;
    size_t tiles = 1;
    size_t indices = 1;
    for (unsigned d = 0; d < s->dims; d++) {
        tiles *= tiles_along(s, d);
        indices *= s->range[d];
    }
    const para_map map = {.kernel = visit_tiles, .arg = &v, .count = tiles, .options = *options};
    for (int i = 0; i < CALLS; i++)
        faults += para_pmap(pool, &map) != PARA_OK;
    for (size_t i = 0; i < indices; i++)
        faults += visits[i] != CALLS;
    if (faults)
        print_error("%s, way %td: %u faults\n", s->name, options - ways, faults);
    return faults;
}

static unsigned faults_of_all(para_pool *pool)
{
    unsigned faults = 0;
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (size_t w = 0; w < COUNT_OF(ways); w++)
            faults += faults_of(pool, &shapes[s], &ways[w]);
    return faults;
}

static const unsigned pool_sizes[] = {1, 2, 3, 8};

TEST(each_index_is_visited_once)
{
    for (size_t p = 0; p < COUNT_OF(pool_sizes); p++) {
        para_pool *pool = check_pool(pool_sizes[p]);
        assert_int_equal(faults_of_all(pool), 0);
        para_pool_destroy(pool);
    }
}

static _Atomic unsigned violations;

static void *call_all(void *pool)
{
    violations += faults_of_all(pool);
    return NULL;
}

TEST(each_index_is_visited_once_when_several_threads_call)
{
    for (size_t p = 0; p < COUNT_OF(pool_sizes); p++) {
        para_pool *pool = check_pool(pool_sizes[p]);
        pthread_t callers[CALLERS];
        for (size_t i = 0; i < CALLERS; i++)
            assert_int_equal(pthread_create(&callers[i], NULL, call_all, pool), 0);
        for (size_t i = 0; i < CALLERS; i++)
            pthread_join(callers[i], NULL);
        para_pool_destroy(pool);
        assert_int_equal(violations, 0);
    }
}

/* ---- Units that wait for each other -------------------------------------------------- */

/* Ends a wait that would have no end, well within the test's own limit of time. */
enum { SECONDS_MOST = 20 };

typedef struct meeting {
    unsigned units;
    bool waits; /* each unit for all others to begin */
    _Atomic unsigned begun;
} meeting;

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Fails where the others do not come. */
static int meet(const para_chunk *chunk, const void *arg)
{
    meeting *m = *(meeting *const *)arg;
    const time_t end = seconds_now() + SECONDS_MOST;
    m->begun += (unsigned)chunk->count;
    while (m->waits && m->begun < m->units) {
        if (seconds_now() > end)
            return 1;
        sched_yield();
    }
    return 0;
}

/* Calls whose units do not wait come before those whose units do. They cost next to nothing, and
 * what is learnt of them must not tie units together. */
static void meet_often(unsigned workers, unsigned units, unsigned limit)
{
    enum { CALLS = 3000, IN_A_ROW = 300, WAITING = 3 };
    para_pool *pool = check_pool(workers);
    for (int i = 0; i < CALLS; i++) {
        meeting m = {.units = units, .waits = i % IN_A_ROW >= IN_A_ROW - WAITING};
        meeting *const in = &m;
        para_report report;
        const para_map map = {
            .kernel = meet,
            .arg = &in,
            .count = units,
            .options = {.executor = m.waits ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_AUTO,
                        .workers = limit,
                        .chunk = 1,
                        .claim = 1},
            .report = &report};
        if (para_pmap(pool, &map))
            fail_msg("%u of %u units had begun after %d s, on %u workers, in call %d", m.begun,
                     units, SECONDS_MOST, workers, i);
        assert_int_equal(m.begun, units);
        assert_int_equal(report.chunks, units);
        if (m.waits)
            assert_int_equal(report.workers, units);
    }
    para_pool_destroy(pool);
}

TEST(units_that_wait_for_each_other_meet_on_as_many_workers)
{
    static const unsigned sizes[] = {2, 3, 4, 8};
    for (size_t p = 0; p < COUNT_OF(sizes); p++)
        meet_often(sizes[p], sizes[p], 0);
}

TEST(fewer_of_them_meet_as_well)
{
    meet_often(3, 2, 0);
    meet_often(8, 5, 0);
    meet_often(8, 4, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_is_visited_once),
        cmocka_unit_test(each_index_is_visited_once_when_several_threads_call),
        cmocka_unit_test(units_that_wait_for_each_other_meet_on_as_many_workers),
        cmocka_unit_test(fewer_of_them_meet_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
