#define _GNU_SOURCE
#include "steps.h"

#include "kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int outcome(bool holds, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    return holds ? 0 : 1;
}

void must(para_status status, const char *what)
{
    if (status) {
        printf("%s: %s: %s\n", what, para_status_text(status), para_status_detail());
        exit(1);
    }
}

para_pool *make_pool(void)
{
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.start = PARA_START_WAIT;
    must(para_pool_create(&pool, &config), "making a pool");
    return pool;
}

char *make_buffer(para_pool *pool, para_placement placement, unsigned node)
{
    para_buffer *buffer = NULL; /* lives until the process ends */
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    config.placement = placement;
    config.node = node;
    must(para_buffer_create(&buffer, pool, PAGES, PAGE, &config), "making a buffer");
    return para_buffer_data(buffer);
}

void work_on(char *page, long us)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long passed = 0; passed < us;) {
        __builtin_ia32_pause(); /* the emulator goes on to the next CPU */
        clock_gettime(CLOCK_MONOTONIC, &now);
        passed = (now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000;
    }
    *(int *)page = this_node();
}

static int visit(const para_chunk *chunk, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++)
        work_on((char *)chunk->out[0] + i * PAGE, *(const long *)arg);
    return 0;
}

void work(para_pool *pool, char *data, unsigned workers)
{
    const long us = 20;
    must(para_pmap(pool,
                   &(para_map){.kernel = visit,
                               .arg = &us,
                               .count = PAGES,
                               .out = {{data, PAGE}},
                               .options = {.executor = PARA_EXECUTOR_THREADS, .workers = workers}}),
         "a map");
}
