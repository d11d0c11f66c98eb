/* A kernel that crashes on some elements, in worker processes: the others are computed, the bad
 * ones are filled, and the program is told which they are. */
#include <math.h>
#include <para/para.h>
#include <signal.h>
#include <stdio.h>

enum { n = 100000, bad = 65432, worse = 80000 };

/* Not ours to mend. */
static double fragile(double x)
{
    if (x < 0)
        raise(SIGSEGV);
    return sqrt(x);
}

static int root(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = fragile(in[i]);
    return 0;
}

typedef struct list {
    para_damage damage[16];
    size_t count;
} list;

static void note(const para_damage *damage, void *arg)
{
    list *const all = arg;
    printf("elements %zu to %zu: signal %d, %u attempts\n", damage->first,
           damage->first + damage->count - 1, damage->number, damage->attempts);
    if (all->count < 16)
        all->damage[all->count++] = *damage;
}

int main(void)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.chunk_ns = 60000000000;  /* an endless chunk is given up */
    processes.grown_bytes = 100 << 20; /* a worker that leaks is replaced */
    processes.sandbox = true;          /* no files, no network, no other programs */

    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    config.processes = &processes;
    para_pool *pool = NULL;
    const para_status made = para_pool_create(&pool, &config);
    if (made == PARA_ERR_UNSUPPORTED) {
        printf("%s\n", para_status_detail());
        return 0;
    }
    para_must(made);

    para_buffer *in, *out; /* which workers see */
    para_must(para_buffer_create(&in, pool, n, sizeof(double), NULL));
    para_must(para_buffer_create(&out, pool, n, sizeof(double), NULL));
    double *x = para_buffer_data(in), *y = para_buffer_data(out);
    for (int i = 0; i < n; i++)
        x[i] = i;
    x[bad] = x[worse] = -1;

    list damaged = {.count = 0};
    const double nothing = -1;
    const para_survival survival = {.on_crash = PARA_CRASH_FILLS,
                                    .fill = &nothing,
                                    .fill_bytes = sizeof nothing,
                                    .damaged = note,
                                    .damaged_arg = &damaged};
    const para_map call = {.kernel = root,
                           .count = n,
                           .in = {PARA_IN(x)},
                           .out = {PARA_OUT(y)},
                           .options = {.survival = &survival}};
    para_must(para_pmap(pool, &call));

    int wrong = damaged.count != 2;
    for (int i = 0; i < n; i++)
        wrong += y[i] != (x[i] < 0 ? nothing : sqrt(x[i]));
    para_buffer_destroy(in);
    para_buffer_destroy(out);
    para_must(para_pool_destroy(pool));
    return wrong != 0;
}
