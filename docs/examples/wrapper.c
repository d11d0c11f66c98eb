/* A wrapper that runs any loop body through one kernel, as bindings of other languages do. The
 * call's .site tells para which loop it is, so that each is learnt by itself. */
#include <para/para.h>
#include <stdint.h>
#include <stdio.h>

typedef void body_fn(size_t i, void *data);

typedef struct loop {
    body_fn *body;
    void *data;
} loop;

static int run_body(const para_chunk *chunk, const void *arg)
{
    const loop *l = arg;
    for (size_t i = chunk->first; i < chunk->first + chunk->count; i++)
        l->body(i, l->data);
    return 0;
}

static para_status for_each(size_t count, body_fn *body, void *data)
{
    const loop l = {body, data};
    return para_pmap(NULL, &(para_map){.kernel = run_body,
                                       .arg = &l,
                                       .count = count,
                                       .options = {.site = (uint64_t)(uintptr_t)body}});
}

static void cheap(size_t i, void *data)
{
    double *const x = data;
    x[i] = 2 * (double)i;
}

static void dear(size_t i, void *data)
{
    double *const x = data;
    double sum = 0;
    for (size_t k = 1; k <= 1000; k++)
        sum += (double)(i % k);
    x[i] = sum;
}

int main(void)
{
    enum { N = 2000 };
    static double x[N], y[N];
    for (int round = 0; round < 10; round++)
        if (for_each(N, cheap, x) || for_each(N, dear, y))
            return 1;
    printf("x[%d] = %g, y[%d] = %g\n", N - 1, x[N - 1], N - 1, y[N - 1]);
    return x[N - 1] != 3998 || y[0] != 0;
}
