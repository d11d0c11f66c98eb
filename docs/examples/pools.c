/* A pool of one's own, what it looks like, and a kernel that calls para again. */
#include <para/para.h>
#include <stdio.h>

enum { rows = 200, columns = 5000 };
static double table[rows][columns], means[rows];

PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)

/* Each element is a row; its sum is a call of its own, on the same pool. Nested calls share the
 * pool's threads, and never wait for one to become free. */
static int row_means(const para_chunk *chunk, const void *arg)
{
    para_pool *const *pool = arg;
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++) {
        double total = 0;
        const para_reduce call = {
            .kernel = sum,
            .combine = add,
            .count = columns,
            .in = {PARA_IN(in + i * columns)},
            .result = &total,
            .result_bytes = sizeof total,
        };
        const para_status status = para_preduce(*pool, &call);
        if (status != PARA_OK)
            return status; /* becomes the report's kernel_error */
        out[i] = total / columns;
    }
    return 0;
}

int main(void)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            table[i][j] = i + j; /* whole numbers: exact in any order */

    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 3; /* the calling thread is one of them */
    para_status status = para_pool_create(&pool, &config);
    if (status != PARA_OK) {
        fprintf(stderr, "pools: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    para_pool_info info = {.size = sizeof info};
    if (para_pool_get_info(pool, &info) != PARA_OK)
        return 1;
    printf("%u workers, %u of them pinned\n", info.workers, info.pinned);
    for (unsigned i = 0; i < info.workers; i++) {
        para_worker_info worker = {.size = sizeof worker};
        if (para_pool_get_worker(pool, i, &worker) == PARA_OK)
            printf("  worker %u: CPU %d, domain %u\n", i, worker.cpu, worker.domain);
    }

    const para_map call = {
        .kernel = row_means,
        .arg = &pool,
        .count = rows,
        .in = {PARA_IN_ROWS(table[0], columns)},
        .out = {PARA_OUT(means)},
    };
    status = para_pmap(pool, &call);
    para_pool_destroy(pool); /* ends its threads; no call may be running */

    int same = status == PARA_OK;
    for (int i = 0; i < rows; i++)
        same = same && means[i] == i + (columns - 1) / 2.0;
    printf("mean of the last of %d rows: %g\n", rows, means[rows - 1]);
    return same ? 0 : 1;
}
