/* What stress tests share: a seed that can be given and is printed, and how long to run. */
#ifndef PARA_TESTS_STRESS_H
#define PARA_TESTS_STRESS_H

#include "../common/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t stress_seed(void)
{
    const char *given = getenv("PARA_TEST_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const uint64_t seed =
        given ? strtoull(given, NULL, 0)
              : check_mix((uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid());
    printf("PARA_TEST_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    return seed;
}

static inline unsigned stress_rounds(int argc, char **argv)
{
    const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    return rounds ? (unsigned)rounds : 1;
}

static inline int sum_all(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t *in = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(uint64_t *)acc += in[i];
    return 0;
}

#endif
