/* A pool that adapts its size, under bursts of tasks, beside one of a fixed size.
 *
 * usage: bursts [WORKERS [BURSTS]]
 *
 * A burst is 200 tasks that sleep 1 ms each, so that any machine has room for all workers. For each
 * gap between bursts it prints how often the size has changed in the first and in the second half
 * of the bursts, and how long a burst took from its first task to its last, in both pools. */
#include <para/para.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TASKS = 200 };

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void nap_ms(double ms)
{
    const struct timespec t = {.tv_sec = (time_t)(ms / 1e3),
                               .tv_nsec = (long)(ms * 1e6) % 1000000000};
    nanosleep(&t, NULL);
}

static _Atomic int done;

static int work(void *arg)
{
    (void)arg;
    nap_ms(1);
    done++;
    return 0;
}

static para_pool *make_pool(unsigned workers, unsigned least)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = workers;
    config.least_workers = least;
    config.start = PARA_START_WAIT;
    para_must(para_pool_create(&pool, &config));
    return pool;
}

static unsigned size_of(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    para_must(para_pool_get_info(pool, &info));
    return info.workers;
}

static void look(para_pool *pool, double ms, unsigned *size, unsigned *changes)
{
    const unsigned now = size_of(pool);
    *changes += now != *size;
    *size = now;
    nap_ms(ms);
}

/* Returns how long the burst took. The size is looked at all the time. */
static double run_burst(para_pool *pool, unsigned *size, unsigned *changes)
{
    static para_task tasks[TASKS];
    const double begin = now_ms();
    done = 0;
    memset(tasks, 0, sizeof tasks);
    for (int i = 0; i < TASKS; i++) {
        tasks[i].run = work;
        para_must(para_submit(pool, &tasks[i]));
    }
    while (done < TASKS)
        look(pool, 0.1, size, changes);
    const double ms = now_ms() - begin;
    for (int i = 0; i < TASKS; i++)
        para_must(para_task_wait(&tasks[i]));
    return ms;
}

static void rest(para_pool *pool, double ms, unsigned *size, unsigned *changes)
{
    const double end = now_ms() + ms;
    while (now_ms() < end)
        look(pool, 5, size, changes);
}

int main(int argc, char **argv)
{
    static const double gaps_ms[] = {10, 100, 500, 1500, 3000};
    const unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 8;
    const unsigned bursts = argc > 2 ? (unsigned)atoi(argv[2]) : 12;
    if (workers < 1 || workers > 1024 || bursts < 2)
        return 2;
    printf("%8s %16s %12s %14s %14s\n", "gap ms", "changes, halves", "size after", "ms adapting",
           "ms fixed");
    for (size_t g = 0; g < sizeof gaps_ms / sizeof gaps_ms[0]; g++) {
        para_pool *const adapting = make_pool(workers, 1), *const fixed = make_pool(workers, 0);
        unsigned changes[2] = {0, 0}, size = 1, fixed_size = workers, none = 0;
        double ms = 0, fixed_ms = 0;
        for (unsigned b = 0; b < bursts; b++) {
            unsigned *const half = &changes[b >= bursts / 2];
            ms += run_burst(adapting, &size, half) / bursts;
            fixed_ms += run_burst(fixed, &fixed_size, &none) / bursts;
            rest(adapting, gaps_ms[g], &size, half);
        }
        printf("%8.0f %8u %7u %12u %14.1f %14.1f\n", gaps_ms[g], changes[0], changes[1], size, ms,
               fixed_ms);
        para_pool_destroy(adapting);
        para_pool_destroy(fixed);
    }
    return 0;
}
