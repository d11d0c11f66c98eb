/* Threads and worker processes in turns: one call after the other, calls after a pause, and maps.
 *
 * usage: processes WORKERS ROUNDS
 *
 * Prints a JSON object: for each row the ns of a call on either, medians over the rounds. In a
 * round each row is measured on both, in turns that change their order. See processes.py. */
#include "processes.h"

#include <para/para.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EMPTY, PAUSED, MAPS, ROUNDS_MOST = 1001, LARGEST = 4000000 };

static const struct row {
    const char *name;
    int what;
    size_t count;  /* elements */
    int calls;     /* of which the median counts, */
    long pause_ns; /* after so long */
} rows[] = {
    {"empty, back to back", EMPTY, 32, 2000, 0},
    {"empty, after 100 us", PAUSED, 32, 200, 100000},
    {"empty, after 1 ms", PAUSED, 32, 50, 1000000},
    {"empty, after 10 ms", PAUSED, 32, 10, 10000000},
    {"1000 elements", MAPS, 1000, 500, 0},
    {"100000 elements", MAPS, 100000, 20, 0},
    {"4000000 elements", MAPS, LARGEST, 1, 0},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static double *x, *y;
static double times[ROWS][2][ROUNDS_MOST];

static uint64_t now_ns(void)
{
    return para_deadline_after(0);
}

static void nap_ns(long ns)
{
    if (ns)
        nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static int do_nothing(const para_chunk *c, const void *arg)
{
    (void)c;
    (void)arg;
    return 0;
}

static int run_map(const para_chunk *c, const void *arg)
{
    (void)arg;
    bench_map(c->in[0], c->out[0], c->count);
    return 0;
}

static int by_size(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

/* As many chunks for both: 16. Threads are not to decide that they run it alone. */
static double measure(para_pool *pool, const struct row *row, bool on_processes)
{
    static double taken[2000];
    para_map map = {.kernel = row->what == MAPS ? run_map : do_nothing,
                    .count = row->count,
                    .in = {PARA_IN(x)},
                    .out = {PARA_OUT(y)}};
    map.options.executor = on_processes ? PARA_EXECUTOR_PROCESSES : PARA_EXECUTOR_THREADS;
    for (int i = -5; i < row->calls; i++) {
        nap_ns(row->pause_ns);
        const uint64_t start = now_ns();
        para_must(para_pmap(pool, &map));
        if (i >= 0)
            taken[i] = (double)(now_ns() - start);
    }
    return median(taken, row->calls);
}

static para_pool *make_pool(unsigned workers, const para_processes *processes)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = workers;
    config.processes = processes;
    if (!processes)
        config.start = PARA_START_WAIT;
    para_must(para_pool_create(&pool, &config));
    return pool;
}

/* One element of the largest map crashes: how long a call takes then that fills it. */
static void measure_crash(para_pool *pool, int rounds)
{
    static double taken[ROUNDS_MOST];
    const para_survival survival = {.on_crash = PARA_CRASH_FILLS};
    para_report report = {0};
    x[LARGEST / 3] = -1;
    for (int i = 0; i < rounds; i++) {
        const uint64_t start = now_ns();
        para_must(para_pmap(pool, &(para_map){.kernel = run_map,
                                              .count = LARGEST,
                                              .in = {PARA_IN(x)},
                                              .out = {PARA_OUT(y)},
                                              .options = {.survival = &survival},
                                              .report = &report}));
        taken[i] = (double)(now_ns() - start);
    }
    printf("\"crash\": {\"ns\": %.0f, \"deaths\": %u, \"filled\": %zu}}\n", median(taken, rounds),
           report.deaths, report.filled);
}

int main(int argc, char **argv)
{
    const para_processes processes = PARA_PROCESSES_INIT;
    const unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    const int rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MOST)
        return EXIT_FAILURE;
    para_pool *const pools[] = {make_pool(workers, NULL), make_pool(workers, &processes)};
    para_buffer *buffers[2];
    for (int i = 0; i < 2; i++)
        para_must(para_buffer_create(&buffers[i], pools[1], LARGEST, sizeof(double), NULL));
    x = para_buffer_data(buffers[0]);
    y = para_buffer_data(buffers[1]);
    for (size_t i = 0; i < LARGEST; i++)
        x[i] = (double)i / LARGEST;
    for (int round = 0; round < rounds; round++)
        for (int r = 0; r < ROWS; r++)
            for (int k = 0; k < 2; k++) {
                const int which = (k + round + r) % 2;
                nap_ns(2000000); /* the others' spinning is over */
                times[r][which][round] = measure(pools[which], &rows[r], which == 1);
            }
    printf("{\"rows\": {");
    for (int r = 0; r < ROWS; r++)
        printf("%s\"%s\": {\"threads\": %.0f, \"processes\": %.0f}", r ? ", " : "", rows[r].name,
               median(times[r][0], rounds), median(times[r][1], rounds));
    printf("}, ");
    measure_crash(pools[1], rounds);
    for (int i = 0; i < 2; i++)
        para_buffer_destroy(buffers[i]);
    for (int i = 0; i < 2; i++)
        para_must(para_pool_destroy(pools[i]));
    return EXIT_SUCCESS;
}
