/* Tasks that wait for input, in a pool of their own: so they never take a thread from computing,
 * and at most as many of them wait at a time as that pool has threads. What they have read they
 * hand to the pool that computes. */
#include <para/para.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 6, READERS = 4, BYTES = 4096 };

/* A source of bytes, and what is to be computed of them: two tasks, one after the other. */
typedef struct source {
    para_task read, compute;
    int fd;
    size_t length;
    unsigned char bytes[BYTES];
    unsigned long sum;
} source;

static para_pool *io;                    /* for waiting; computing is the default pool's */
static para_task_group reads, computing; /* a group's tasks are of one pool */

static int compute(void *arg)
{
    source *s = arg;
    for (size_t i = 0; i < s->length; i++)
        s->sum += s->bytes[i];
    return 0;
}

static int read_all(void *arg)
{
    source *s = arg;
    ssize_t n;
    while ((n = read(s->fd, s->bytes + s->length, BYTES - s->length)) > 0)
        s->length += (size_t)n;
    if (n < 0)
        return 1;
    s->compute = (para_task){.run = compute, .arg = s, .group = &computing};
    return para_submit(NULL, &s->compute);
}

PARA_SUM(squares, double, i, const double *, x)
{
    return x[i] * x[i];
}

int main(void)
{
    static source sources[SOURCES];
    static double x[100000];
    int in[SOURCES];
    unsigned long sum = 0;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = READERS;               /* so many wait at a time */
    config.binding = PARA_BIND_NONE;        /* they sleep: the cores are for computing */
    config.wait_policy = PARA_WAIT_PASSIVE; /* and do not spin */
    config.start = PARA_START_WAIT;
    para_must(para_pool_create(&io, &config));
    for (int i = 0; i < SOURCES; i++) {
        int ends[2];
        if (pipe(ends))
            return 1;
        in[i] = ends[1];
        sources[i].fd = ends[0];
        sources[i].read = (para_task){.run = read_all, .arg = &sources[i], .group = &reads};
        para_must(para_submit(io, &sources[i].read));
    }
    /* Nothing was sent yet, so all readers wait, and two more tasks for a reader. Calls and tasks
     * of the other pool go on. */
    for (size_t i = 0; i < 100000; i++)
        x[i] = 2;
    const double four = para_reduced(squares, 100000, x) / 100000;
    for (int i = 0; i < SOURCES; i++) {
        unsigned char bytes[BYTES / 2];
        memset(bytes, i + 1, sizeof bytes);
        for (int half = 0; half < 2; half++)
            if (write(in[i], bytes, sizeof bytes) != (ssize_t)sizeof bytes)
                return 1;
        close(in[i]);
    }
    para_must(para_task_group_wait(&reads)); /* then each has submitted what is to be computed */
    para_must(para_task_group_wait(&computing));
    for (int i = 0; i < SOURCES; i++) {
        sum += sources[i].sum;
        close(sources[i].fd);
    }
    para_pool_destroy(io);
    printf("%g while they waited; the sum of all bytes is %lu\n", four, sum);
    return four != 4 || sum != BYTES * (SOURCES * (SOURCES + 1) / 2);
}
