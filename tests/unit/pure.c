/* PARA_CHECK_KERNELS: kernels that keep their contract pass, each way to break it is named. */
#include "../common/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000 };

static para_pool *pool, *alone;
static double x[N + 16], y[N + 16], z[N + 16];

static int begin(void **state)
{
    (void)state;
    pool = check_pool(2);
    alone = check_pool(1);
    para_check_kernels(true);
    return 0;
}

static int end(void **state)
{
    (void)state;
    para_pool_destroy(pool);
    para_pool_destroy(alone);
    return 0;
}

static void fill(void)
{
    for (size_t i = 0; i < COUNT_OF(x); i++) {
        x[i] = (double)i;
        y[i] = z[i] = -1;
    }
}

/* Impure kernels race where they are shared, which ThreadSanitizer reports. */
static para_status map_on(para_pool *on, para_map_fn *kernel, const void *arg, size_t count)
{
    fill();
    return para_pmap(on, &(para_map){.kernel = kernel,
                                     .arg = arg,
                                     .count = count,
                                     .in = {PARA_IN(x)},
                                     .out = {PARA_OUT(y)}});
}

static void named(const char *what)
{
    if (!strstr(para_status_detail(), what))
        fail_msg("'%s' is not in '%s'", what, para_status_detail());
}

#define IMPURE(what, call)              \
    do {                                \
        FAILS(PARA_ERR_IMPURE, (call)); \
        named(what);                    \
    } while (0)

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

static _Atomic unsigned calls; /* an int would race, too */

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

static int tell_first(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (double)chunk->first;
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

/* arg: which element of out[0], counted from that after the chunk. */
static int stray(const para_chunk *chunk, const void *arg)
{
    double *out = chunk->out[0];
    const double *in = chunk->in[0];
    const long at = *(const long *)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = in[i];
    if (at >= 0 ? chunk->first + chunk->count + (size_t)at < N : chunk->first + (size_t)at < N)
        out[at >= 0 ? (long)chunk->count + at : at] = 5;
    return 0;
}

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

/* ---- Reductions ------------------------------------------------------------------------- */

PARA_REDUCE_KERNEL(sum, double, s, double, v, s += v)
PARA_COMBINE(add, double, s, t, s += t)
PARA_REDUCE_KERNEL(fade, double, s, double, v, s = s / 2 + v) /* by blocks */

static int count_folds(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(double *)acc += (double)atomic_fetch_add(&calls, (unsigned)chunk->count);
    return 0;
}

static int fold_worker(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(double *)acc += chunk->worker;
    return 0;
}

static int fold_and_fill(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        out[i] = sqrt(in[i]);
        *(double *)acc += out[i] / 3;
    }
    return 0;
}

static int fold_and_tell(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(double *)acc += (double)chunk->count;
    return tell_first(chunk, NULL);
}

static int fold_and_stray(const para_chunk *chunk, void *acc, const void *arg)
{
    *(double *)acc += (double)chunk->count;
    return stray(chunk, arg);
}

static int fold_too_far(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    *(double *)acc += (double)chunk->count;
    if (chunk->worker > 1000) /* not when it counts */
        ((double *)acc)[1] = 1;
    return 0;
}

static para_status reduce_on(para_pool *on, para_reduce_fn *kernel, const void *arg, bool fills,
                             size_t exact)
{
    double total = 7;
    fill();
    for (size_t i = 0; i < N; i++)
        x[i] = 1.0 / (double)(i + 1);
    para_reduce call = {.kernel = kernel,
                        .combine = add,
                        .arg = arg,
                        .count = N,
                        .in = {PARA_IN(x)},
                        .result = &total,
                        .result_bytes = sizeof total,
                        .exact = exact};
    if (fills)
        call.out[0] = (para_out)PARA_OUT(y);
    const para_status status = para_preduce(on, &call);
    assert_true((total == 7) == (status != PARA_OK)); /* untouched on failure */
    return status;
}

TEST(reductions)
{
    const long after = 0;
    OK(reduce_on(pool, sum, NULL, false, 0));
    OK(reduce_on(NULL, sum, NULL, false, 0));
    OK(reduce_on(pool, fold_and_fill, NULL, true, 0));
    IMPURE("count_folds", reduce_on(pool, count_folds, NULL, false, 0));
    named("makes the result 0x");
    IMPURE("fold_worker", reduce_on(pool, fold_worker, NULL, false, 0));
    IMPURE("fold_and_tell", reduce_on(pool, fold_and_tell, NULL, true, 0));
    IMPURE("outside a chunk", reduce_on(alone, fold_and_stray, &after, true, 0));
    OK(reduce_on(pool, fold_too_far, NULL, false, 0));
    OK(reduce_on(pool, fade, NULL, false, 0)); /* blocks are a part of what is computed, */
    IMPURE("fade (pure.c:", reduce_on(pool, fade, NULL, false, 1)); /* unless the call says no */
}

/* The same bits on all numbers of workers, whichever the first run had. */
TEST(sums_have_their_bits_on_any_width)
{
    static double values[20000];
    for (size_t i = 0; i < COUNT_OF(values); i++)
        values[i] = sin((double)i);
    para_pool *const four = check_pool(4);
    for (unsigned width = 1; width <= 4; width++)
        for (size_t block = 0; block < 3; block++) {
            double total = 0.1;
            OK(para_preduce(four, &(para_reduce){.kernel = sum,
                                                 .combine = add,
                                                 .count = COUNT_OF(values),
                                                 .in = {PARA_IN(values)},
                                                 .result = &total,
                                                 .result_bytes = sizeof total,
                                                 .block = block * 17,
                                                 .options = {.executor = PARA_EXECUTOR_THREADS,
                                                             .workers = width}}));
        }
    para_pool_destroy(four);
}

/* In place, and a result that is a part of an input. */
TEST(aliases)
{
    fill();
    double *const total = &x[N - 1];
    OK(para_preduce(pool, &(para_reduce){.kernel = fold_and_fill,
                                         .combine = add,
                                         .count = N - 1,
                                         .in = {PARA_IN(y)},
                                         .out = {PARA_OUT(y)},
                                         .result = total,
                                         .result_bytes = sizeof *total}));
    OK(para_preduce(pool, &(para_reduce){.kernel = sum,
                                         .combine = add,
                                         .count = N,
                                         .in = {PARA_IN(x)},
                                         .result = total,
                                         .result_bytes = sizeof *total}));
}

/* ---- Macros ----------------------------------------------------------------------------- */

PARA_LOOP(axpy, i, const double *, from, double *, to)
{
    to[i] += from[i];
}
PARA_SUM(total_of, double, i, const double *, from)
{
    return from[i];
}
PARA_SUM(dice, double, i, const double *, from)
{
    return from[i] + rand();
}
PARA_SUM(step, double, i, double, factor, double *, to)
{
    to[i] *= factor;
    return to[i];
}
typedef struct holder {
    double *to;
} holder;
PARA_SUM(held, double, i, holder, h)
{
    return h.to[i] += 1;
}
PARA_MAXLOC(largest, double, i, const double *const, from, unsigned, more)
{
    return from[i] + more;
}

#define READS(type) _Static_assert(!PARA_WRITES_(__typeof__(type)), "nothing is written through it")
#define WRITES(type) \
    _Static_assert(PARA_WRITES_(__typeof__(type)), "something may be written through it")
typedef void function(int);
READS(double);
READS(_Bool);
READS(const double *);
READS(const void *);
READS(const double *const);
READS(const double *restrict);
READS(const holder *);
WRITES(double *);
WRITES(void *);
WRITES(double *const);
WRITES(double *restrict);
WRITES(volatile int *);
WRITES(const double **);
WRITES(double (*)[9]);
WRITES(function *);
WRITES(holder);

/* What writes where para cannot see it is run once. */
TEST(macros)
{
    double sum_of = 0;
    largest_at most = {0};
    fill();
    OK(para_loop(axpy, N, x, y));
    assert_true(y[5] == 4);
    OK(para_reduce_to(&sum_of, total_of, N, x));
    OK(para_reduce_to(&most, largest, N, x, 3));
    IMPURE("dice (pure.c:", para_reduce_to(&sum_of, dice, N, x));
    OK(para_reduce_to(&sum_of, step, N, 2, y));
    assert_true(y[5] == 8);
    OK(para_reduce_to(&sum_of, held, N, (holder){y}));
    assert_true(y[5] == 9);
}

/* ---- Around calls ------------------------------------------------------------------------ */

static int nest(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        double total = 0;
        if (para_preduce(pool, &(para_reduce){.kernel = sum,
                                              .combine = add,
                                              .count = 10,
                                              .in = {PARA_IN(in)},
                                              .result = &total,
                                              .result_bytes = sizeof total}))
            return 1;
        out[i] = total - total + in[i];
    }
    return 0;
}

static int fail_late(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 9;
}

TEST(other_failures_stay_what_they_are)
{
    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    para_map call = {
        .kernel = count_calls, .count = N, .out = {PARA_OUT(y)}, .options.cancel = &cancel};
    FAILS(PARA_ERR_CANCELLED, para_pmap(pool, &call));
    FAILS(PARA_ERR_KERNEL, map_on(pool, fail_late, NULL, N));
    fill();
    OK(para_pmap(
        pool, &(para_map){.kernel = nest, .count = 20, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}}));
}

TEST(submitted_calls)
{
    fill();
    para_map call = {.kernel = square, .count = N, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}};
    para_task task = {0};
    OK(para_pmap_submit(pool, &call, &task));
    OK(para_task_wait(&task));
    call.kernel = tell_first;
    OK(para_pmap_submit(pool, &call, &task));
    FAILS(PARA_ERR_IMPURE, para_task_wait(&task));
}

TEST(memory_for_copies)
{
    /* Copies of it would be more than there are addresses; nothing of it is touched. */
    const para_status status =
        para_pmap(alone, &(para_map){.kernel = count_calls,
                                     .count = (size_t)1 << 44,
                                     .out = {{(void *)((uintptr_t)1 << 47), sizeof(double)}}});
    assert_int_equal(status, PARA_ERR_MEMORY);
    named("copies of");
}

TEST(off)
{
    assert_true(para_check_kernels(false));
    OK(map_on(pool, tell_first, NULL, N));
    assert_false(para_check_kernels(true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pure_maps_pass),
        cmocka_unit_test(dependences_are_found),
        cmocka_unit_test(writes_are_found),
        cmocka_unit_test(strides),
        cmocka_unit_test(reductions),
        cmocka_unit_test(sums_have_their_bits_on_any_width),
        cmocka_unit_test(aliases),
        cmocka_unit_test(macros),
        cmocka_unit_test(other_failures_stay_what_they_are),
        cmocka_unit_test(submitted_calls),
        cmocka_unit_test(memory_for_copies),
        cmocka_unit_test(off),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
