/* The four loops of STREAM (McCalpin, "Memory Bandwidth and Machine Balance in Current High
 * Performance Computers", IEEE TCCA Newsletter, 1995): three arrays of 256 KiB or 256 MiB in all.
 * */
#include "workload.h"

#include "kernels/kernels.h"

typedef enum stream_op { COPY, SCALE, ADD, TRIAD, COPY_PAST } stream_op;

typedef struct stream {
    size_t n;
    const bench_loop *loop;
    stream_op op;
    double *a, *b, *c;
} stream;

BENCH_LOOP(stream_fill)
{
    const stream *s = ctx;
    for (size_t i = first; i < last; i++) {
        s->a[i] = (double)(i % 1000);
        s->b[i] = 2.0;
        s->c[i] = 0.0;
    }
}

BENCH_LOOP(stream_copy)
{
    const stream *s = ctx;
    const double *restrict a = s->a;
    double *restrict c = s->c;
    for (size_t i = first; i < last; i++)
        c[i] = a[i];
}

BENCH_LOOP(stream_scale)
{
    const stream *s = ctx;
    const double *restrict a = s->a;
    double *restrict c = s->c;
    for (size_t i = first; i < last; i++)
        c[i] = 3.0 * a[i];
}

BENCH_LOOP(stream_add)
{
    const stream *s = ctx;
    const double *restrict a = s->a, *restrict b = s->b;
    double *restrict c = s->c;
    for (size_t i = first; i < last; i++)
        c[i] = a[i] + b[i];
}

BENCH_LOOP(stream_triad)
{
    const stream *s = ctx;
    const double *restrict a = s->a, *restrict b = s->b;
    double *restrict c = s->c;
    for (size_t i = first; i < last; i++)
        c[i] = a[i] + 3.0 * b[i];
}

/* The copy of para's built-in kernels, with stores past the caches: for every runtime alike. */
BENCH_LOOP(stream_copy_past)
{
    const stream *s = ctx;
    const para_builtin_arg arg = {.a = 0};
    const void *in[] = {s->a + first};
    void *out[] = {s->c + first};
    para_builtin_find("copy")->code[PARA_FLOAT64].streamed(
        &(para_chunk){.first = first, .count = last - first, .in = in, .out = out}, &arg);
}

/* The arrays are touched first by the threads that will use them. */
static void *setup(const bench_point *point, const bench_runtime *runtime)
{
    static const bench_loop *const loops[] = {&stream_copy, &stream_scale, &stream_add,
                                              &stream_triad, &stream_copy_past};
    stream *s = bench_alloc(sizeof *s);
    s->n = point->n;
    s->op = (stream_op)point->parameter;
    s->loop = loops[s->op];
    s->a = bench_alloc(s->n * sizeof *s->a);
    s->b = bench_alloc(s->n * sizeof *s->b);
    s->c = bench_alloc(s->n * sizeof *s->c);
    runtime->for_each(s->n, &stream_fill, s);
    return s;
}

static void run(void *ctx, const bench_runtime *runtime)
{
    const stream *s = ctx;
    runtime->for_each(s->n, s->loop, s);
}

static double digest(const void *ctx)
{
    const stream *s = ctx;
    double total = 0;
    for (size_t i = 0; i < s->n; i++)
        total += (double)(i % 7 + 1) * s->c[i];
    return total;
}

#define IN_CACHE     ((size_t)256 << 10)
#define IN_MEMORY    ((size_t)256 << 20)
#define COUNT(bytes) ((bytes) / 3 / sizeof(double))
static const bench_point points[] = {
    {.name = "copy-cache", .n = COUNT(IN_CACHE), .parameter = COPY},
    {.name = "scale-cache", .n = COUNT(IN_CACHE), .parameter = SCALE},
    {.name = "add-cache", .n = COUNT(IN_CACHE), .parameter = ADD},
    {.name = "triad-cache", .n = COUNT(IN_CACHE), .parameter = TRIAD, .quick = true},
    {.name = "copy", .n = COUNT(IN_MEMORY), .parameter = COPY, .bytes = IN_MEMORY},
    {.name = "copy-past", .n = COUNT(IN_MEMORY), .parameter = COPY_PAST, .bytes = IN_MEMORY},
    {.name = "scale", .n = COUNT(IN_MEMORY), .parameter = SCALE, .bytes = IN_MEMORY},
    {.name = "add", .n = COUNT(IN_MEMORY), .parameter = ADD, .bytes = IN_MEMORY},
    {.name = "triad", .n = COUNT(IN_MEMORY), .parameter = TRIAD, .bytes = IN_MEMORY, .quick = true},
    {0},
};

const bench_workload bench_stream = {
    .name = "stream",
    .title = "STREAM, 256 KiB in cache and 256 MiB beyond",
    .points = points,
    .setup = setup,
    .run = run,
    .digest = digest,
};
