/* sight.c [MICROSECONDS [WORKERS [PAIRS]]]: what it costs a call when somebody looks. Calls of
 * chunks of that length, each claimed alone, in pairs: one without, one with a trace (into
 * /dev/null) and statistics. Prints the medians, and the median of the pairs' ratios. */
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHUNKS = 500, CALLS = 4, PAIRS_MOST = 2000 };

static double sink[CHUNKS];
static unsigned turns;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int spin(const para_chunk *chunk, const void *arg)
{
    volatile double x = 1;
    (void)arg;
    for (unsigned i = 0; i < turns; i++)
        x = x * 1.0000001;
    sink[chunk->first] = x;
    return 0;
}

/* How many turns take that long, when nothing disturbs them. */
static void set_length(double ns)
{
    const para_chunk chunk = {0};
    double least = 1e9;
    turns = 1000;
    for (int i = 0; i < 200; i++) {
        const uint64_t begin = now_ns();
        spin(&chunk, NULL);
        const double took = (double)(now_ns() - begin);
        least = took < least ? took : least;
    }
    turns = (unsigned)(ns / least * turns);
}

static double call_ns(unsigned workers)
{
    const para_map map = {
        .kernel = spin,
        .count = CHUNKS,
        .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1, .claim = 1, .workers = workers}};
    const uint64_t begin = now_ns();
    para_must(para_pmap(NULL, &map));
    return (double)(now_ns() - begin);
}

/* The mean of some calls, after one that finds caches and workers as the last mode has left them.
 * */
static double calls_ns(unsigned workers)
{
    double sum = 0;
    (void)call_ns(workers);
    for (int i = 0; i < CALLS; i++)
        sum += call_ns(workers);
    return sum / CALLS;
}

static double seen_ns(unsigned workers)
{
    para_must(para_stats_start());
    para_must(para_trace_start("/dev/null"));
    const double ns = calls_ns(workers);
    para_must(para_trace_stop());
    para_must(para_stats_stop());
    return ns;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *of, unsigned n)
{
    qsort(of, n, sizeof *of, compare);
    return of[n / 2];
}

int main(int argc, char **argv)
{
    static double off[PAIRS_MOST], on[PAIRS_MOST], ratio[PAIRS_MOST];
    const double us = argc > 1 ? atof(argv[1]) : 10;
    const unsigned workers = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    const unsigned asked = argc > 3 ? (unsigned)atoi(argv[3]) : 200;
    const unsigned pairs = asked < PAIRS_MOST ? asked : PAIRS_MOST;
    set_length(us * 1000);
    for (int i = 0; i < 10; i++)
        (void)call_ns(workers);
    for (unsigned p = 0; p < pairs; p++) {
        const bool first = p % 2; /* who comes second may find the machine otherwise */
        if (first)
            on[p] = seen_ns(workers);
        off[p] = calls_ns(workers);
        if (!first)
            on[p] = seen_ns(workers);
        ratio[p] = on[p] / off[p];
    }
    const double ratios = median(ratio, pairs);
    printf("%g us chunks, %u pairs: without %.1f us, seen %.1f us, pairs %+.2f %%\n", us, pairs,
           median(off, pairs) / 1e3, median(on, pairs) / 1e3, 100 * (ratios - 1));
    return pairs == 0;
}
