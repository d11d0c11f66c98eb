/* PARA_CHECK_KERNELS: kernels that keep their contract pass, each way to break it is named. */
#include "../common/pure.h"

#include <stdlib.h>
#include <time.h>

/* ---- Pure kernels ---------------------------------------------------------------------- */

PARA_MAP_KERNEL(square, double, double, v, v *v)

/* Leaves elements alone, and gaps within them. */
typedef struct padded {
    char c;
    double d;
} padded;

static int fill_some(const para_chunk *chunk, const void *arg)
{
    padded *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        if ((chunk->first + i) % 3) {
            out[i].c = 'x';
            out[i].d = (double)(chunk->first + i);
        }
    return 0;
}

static int use_scratch(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0], *own = chunk->scratch;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        own[0] = in[i];
        own[7] = 2 * own[0];
        out[i] = own[7];
    }
    return 0;
}

/* NaN with a payload, and -0. */
static int strange(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (chunk->first + i) % 2 ? 0x7ff8000000001234 + i - i : 0x8000000000000000;
    return 0;
}

TEST(pure_maps_pass)
{
    static padded p[N];
    para_report report;
    for (int shared = 0; shared < 2; shared++)
        for (size_t count = 0; count < N; count = 3 * count + 1) {
            fill();
            para_map call = {.kernel = square,
                             .count = count,
                             .in = {PARA_IN(x)},
                             .out = {PARA_OUT(y)},
                             .options.executor =
                                 shared ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_AUTO,
                             .report = &report};
            OK(para_pmap(pool, &call));
            assert_int_equal(report.done, count);
            for (size_t i = 0; i < count; i++)
                assert_true(y[i] == x[i] * x[i]);
            assert_true(y[count] == -1);
            call.in[0] = (para_in)PARA_IN(y); /* in place */
            call.options.chunk = 5;
            OK(para_pmap(pool, &call));
            for (size_t i = 0; i < count; i++)
                assert_true(y[i] == x[i] * x[i] * x[i] * x[i]);
            call.in[1] = (para_in)PARA_IN(y);
            OK(para_pmap(pool, &call));
        }
    OK(para_pmap(pool, &(para_map){.kernel = fill_some, .count = N, .out = {PARA_OUT(p)}}));
    OK(para_pmap(pool, &(para_map){.kernel = use_scratch,
                                   .count = N,
                                   .in = {PARA_IN(x)},
                                   .out = {PARA_OUT(y)},
                                   .scratch_bytes = 8 * sizeof(double)}));
    OK(map_on(pool, strange, NULL, N));
    OK(map_on(NULL, square, NULL, N));
    OK(para_loop(square, N, y, x));
}

/* ---- What a kernel must not depend on -------------------------------------------------- */

static int count_calls(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (double)atomic_fetch_add(&calls, 1);
    return 0;
}

static int read_clock(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        out[i] = (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
    }
    return 0;
}

static int roll(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = rand();
    return 0;
}

static int tell_count(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (double)chunk->count;
    return 0;
}

static int tell_worker(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = chunk->worker;
    return 0;
}

static int add_to_output(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] += in[i] + 1;
    return 0;
}

/* What an earlier chunk has left. */
static int read_scratch(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    unsigned char *own = chunk->scratch;
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = own[0];
    return 0;
}

/* A zero of the other sign, for a chunk's first element. */
static int sign_of_zero(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = i ? 0.0 : -0.0;
    return 0;
}

TEST(dependences_are_found)
{
    IMPURE("count_calls", map_on(pool, count_calls, NULL, N));
    IMPURE("makes element 0 of out[0] 0x", map_on(pool, read_clock, NULL, 1));
    IMPURE("roll", map_on(alone, roll, NULL, N));
    IMPURE("tell_first", map_on(pool, tell_first, NULL, N));
    IMPURE("tell_first", map_on(alone, tell_first, NULL, 2));
    IMPURE("tell_count", map_on(pool, tell_count, NULL, N));
    IMPURE("tell_worker", map_on(pool, tell_worker, NULL, N));
    IMPURE("tell_worker", map_on(pool, tell_worker, NULL, 1));
    IMPURE("in one run, 0x", map_on(pool, sign_of_zero, NULL, N));
    para_map call = {.kernel = add_to_output,
                     .count = N,
                     .in = {PARA_IN(x)},
                     .out = {PARA_OUT(y)},
                     .scratch_bytes = 64};
    IMPURE("add_to_output", para_pmap(pool, &call));
    assert_true(y[0] == 0 || y[1] != 0); /* as the first run has left them */
    call.in[1] = (para_in)PARA_IN(y);
    OK(para_pmap(pool, &call)); /* a kernel may read an output that is an input, too */
    call.kernel = read_scratch;
    IMPURE("read_scratch", para_pmap(pool, &call));
    call.kernel = tell_first; /* where the call states its chunks */
    call.options = (para_options){.chunk = 10};
    IMPURE("tell_first", para_pmap(pool, &call));
    OK(map_on(alone, tell_worker, NULL, N)); /* there is no other */
}

/* ---- Where a kernel must not write ------------------------------------------------------ */

static int write_first(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 1;
    *(out - chunk->first) = 5;
    return 0;
}

static int write_behind(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 1;
    if (chunk->first + chunk->count == N)
        out[chunk->count] = 5;
    return 0;
}

static int change_input(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    double *in = (double *)(uintptr_t)chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        out[i] = 1;
        if (chunk->first + i == 700)
            in[i] = 3;
    }
    return 0;
}

static int overrun_scratch(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 1;
    ((char *)chunk->scratch)[65] = 1;
    return 0;
}

static int fail_in_pieces(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    memset(chunk->out[0], 0, chunk->count * sizeof(double));
    return chunk->count < 100 ? 42 : 0;
}

TEST(writes_are_found)
{
    const long after = 0, before = -1, further = 30;
    IMPURE("writes out[0] outside a chunk, at element", map_on(alone, stray, &after, N));
    IMPURE("writes out[0] outside a chunk, at element", map_on(alone, stray, &before, N));
    IMPURE("stray (", map_on(alone, stray, &further, N));
    IMPURE("outside a chunk, at element 0", map_on(alone, write_first, NULL, N));
    IMPURE("outside a chunk, behind element 999", map_on(alone, write_behind, NULL, N));
    IMPURE("changes its input in[0], at element 700", map_on(alone, change_input, NULL, N));
    IMPURE("fail_in_pieces", map_on(alone, fail_in_pieces, NULL, N));
    named("returns 42 for elements [");
    IMPURE("writes beyond its scratch", para_pmap(alone, &(para_map){.kernel = overrun_scratch,
                                                                     .count = N,
                                                                     .out = {PARA_OUT(y)},
                                                                     .scratch_bytes = 65}));
}

/* ---- Strides ---------------------------------------------------------------------------- */

enum { ROWS = 60, COLUMNS = 4 };
static double m[ROWS][COLUMNS];

static int column(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    const size_t reach = *(const size_t *)arg;
    for (size_t i = 0; i < chunk->count; i++)
        for (size_t c = 0; c < reach; c++)
            out[i * COLUMNS + c] = in[i * COLUMNS] + 1;
    return 0;
}

TEST(strides)
{
    const size_t one = 1, two = 2;
    const para_strides strides = {.in = {sizeof m[0]}, .out = {sizeof m[0]}};
    para_map call = {.kernel = column,
                     .arg = &one,
                     .count = ROWS,
                     .in = {PARA_IN(&m[0][0])},
                     .out = {PARA_OUT(&m[0][1])},
                     .strides = &strides};
    OK(para_pmap(pool, &call));
    assert_true(m[ROWS - 1][1] == 1 && m[ROWS - 1][2] == 0);
    call.arg = &two;
    IMPURE("writes out[0] between elements", para_pmap(alone, &call));
    call.out[0] = (para_out)PARA_OUT(&m[0][0]); /* in place */
    call.arg = &one;
    OK(para_pmap(pool, &call));
    call.arg = &two;
    IMPURE("writes out[0] between elements", para_pmap(alone, &call));
    /* An input of windows, of which each has elements of the next. */
    call = (para_map){.kernel = change_input,
                      .count = N,
                      .in = {PARA_IN_ROWS(x, 3)},
                      .out = {PARA_OUT(y)},
                      .strides = &(para_strides){.in = {sizeof x[0]}}};
    fill();
    IMPURE("changes its input in[0], at element 698", para_pmap(alone, &call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pure_maps_pass),
        cmocka_unit_test(dependences_are_found),
        cmocka_unit_test(writes_are_found),
        cmocka_unit_test(strides),
    };
    return cmocka_run_group_tests(tests, begin_pure, end_pure);
}
