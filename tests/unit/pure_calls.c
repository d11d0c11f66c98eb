/* PARA_CHECK_KERNELS: reductions, macros, and calls around and within checked ones. */
#include "../common/pure.h"

#include <math.h>
#include <stdlib.h>

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
    ((char *)acc)[sizeof(double)] = 1;
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
    IMPURE("writes beyond its accumulator", reduce_on(pool, fold_too_far, NULL, false, 0));
    OK(reduce_on(pool, fade, NULL, false, 0)); /* blocks are a part of what is computed, */
    IMPURE("fade (pure_calls.c:",
           reduce_on(pool, fade, NULL, false, 1)); /* unless the call says no */
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
    IMPURE("dice (pure_calls.c:", para_reduce_to(&sum_of, dice, N, x));
    OK(para_reduce_to(&sum_of, step, N, 2, y));
    assert_true(y[5] == 8);
    OK(para_reduce_to(&sum_of, held, N, (holder){y}));
    assert_true(y[5] == 9);
}

/* ---- Identities -------------------------------------------------------------------------- */

typedef struct mean {
    size_t count;
    double mean;
} mean;

static void join(mean *s, const mean *t)
{
    const size_t n = s->count + t->count;
    s->mean += (t->mean - s->mean) * (double)t->count / (double)n; /* of none: 0 / 0 */
    s->count = n;
}
static const mean none = {0, 0};
PARA_REDUCTION(mean_of, mean, none, s, t, join(s, t), i, const double *, from)
{
    const mean one = {1, from[i]};
    join(s, &one);
}
PARA_REDUCTION(from_ten, double, 10, s, t, *s += *t, i, const double *, from)
{
    *s += from[i];
}
PARA_REDUCTION(fills_from_ten, double, 10, s, t, *s += *t, i, double *, to)
{
    *s += to[i] = (double)i;
}
PARA_REDUCTION(halves, double, 0, s, t, *s = (*s + *t) / 2, i, const double *, from)
{
    *s = (*s + from[i]) / 2;
}
PARA_REDUCTION(odd_parity, unsigned, 1, s, t, *s ^= *t, i, const unsigned *, from)
{
    *s ^= from[i];
}
PARA_REDUCTION(product_of, double, 1, s, t, *s *= *t, i, const double *, from)
{
    *s *= from[i];
}
PARA_REDUCTION(least_below, double, 3, s, t, *s = *t < *s ? *t : *s, i, const double *, from)
{
    *s = from[i] < *s ? from[i] : *s;
}
PARA_REDUCTION(last_of, int, -1, s, t, *s = *t < 0 ? *s : *t, i, const int *, from)
{
    *s = from[i];
}
typedef struct whole_mean {
    long n, mean;
} whole_mean;
static const whole_mean nothing = {0, 0};
PARA_REDUCTION(whole_mean_of, whole_mean, nothing, s, t,
               (s->mean = (s->n * s->mean + t->n * t->mean) / (s->n + t->n), s->n += t->n), i,
               const double *, from)
{
    s->mean = (s->n * s->mean + (long)from[i]) / (s->n + 1);
    s->n++;
}
PARA_SCAN_KERNEL(running, double, acc, double, v, acc += v)

static double sum_of(double value, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++)
        z[i] = value;
    OK(para_reduce_to(&total, total_of, count, z));
    return total;
}

TEST(identities)
{
    static const unsigned bits[] = {1, 2, 4};
    static const int numbers[] = {3, 4, 5};
    double result = 0;
    unsigned parity = 0;
    int last = 0;
    mean m;
    fill();
    IMPURE("from_ten (pure_calls.c:", para_reduce_to(&result, from_ten, 1, x));
    named("the identity changes a result");
    IMPURE("the identity changes a result", para_reduce_to(&result, from_ten, N, x));
    IMPURE("the identity changes a result", para_reduce_to(&result, fills_from_ten, N, y));
    assert_true(y[5] == 5); /* run once, and done */
    IMPURE("the identity changes a result", para_reduce_to(&result, halves, N, x));
    assert_true(result == 0);

    /* Not found: it goes to and fro, as rounding may. */
    OK(para_reduce_to(&parity, odd_parity, 3, bits));
    OK(para_reduce_to(&result, least_below, N, x)); /* a bound: in each result, however divided */
    OK(para_reduce_to(&result, product_of, N, x));
    OK(para_reduce_to(&last, last_of, 3, numbers));
    assert_int_equal(last, 5);
    for (size_t n = 1; n < N; n += 7) { /* means round */
        for (size_t i = 0; i < n; i++)
            z[i] = sin((double)(n * i)) / 3;
        OK(para_reduce_to(&m, mean_of, n, z));
    }
    whole_mean w;
    OK(para_reduce_to(&w, whole_mean_of, 1, x)); /* two identities would divide by 0 */
    assert_true(sum_of(-0.0, 3) == 0);
    assert_true(sum_of(INFINITY, 3) == INFINITY);
    assert_true(isnan(sum_of(NAN, 3)));
    assert_true(isnan(sum_of(-NAN, N)));
}

TEST(identities_of_scans)
{
    const double ten = 10;
    double total = 0;
    fill();
    para_scan scan = {.kernel = running,
                      .combine = add,
                      .count = N,
                      .in = {PARA_IN(x)},
                      .out = {PARA_OUT(y)},
                      .result = &total,
                      .result_bytes = sizeof total};
    OK(para_pscan(pool, &scan));
    total = 0;
    scan.identity = &ten;
    IMPURE("the identity changes a result", para_pscan(pool, &scan));
    assert_true(total == 0);
}

PARA_MAP_KERNEL(copy_of, double, double, v, v)

static int count_chunks(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    *(double *)chunk->out[0] = (double)atomic_fetch_add(&calls, 1);
    return 0;
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
        .kernel = count_chunks, .count = N, .out = {PARA_OUT(y)}, .options.cancel = &cancel};
    FAILS(PARA_ERR_CANCELLED, para_pmap(pool, &call));
    FAILS(PARA_ERR_KERNEL, map_on(pool, fail_late, NULL, N));
    fill();
    OK(para_pmap(
        pool, &(para_map){.kernel = nest, .count = 20, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}}));
}

TEST(submitted_calls)
{
    fill();
    para_map call = {.kernel = copy_of, .count = N, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}};
    para_task task = {0};
    OK(para_pmap_submit(pool, &call, &task));
    OK(para_task_wait(&task));
    call.kernel = tell_first;
    OK(para_pmap_submit(pool, &call, &task));
    IMPURE("tell_first", para_task_wait(&task));
    IMPURE("tell_first", para_task_wait(&task)); /* again */

    /* Of many that fail, each has its own. */
    static para_task many[40];
    static para_map made[40];
    static double out[40][4];
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        made[i] = (para_map){.kernel = i % 2 ? tell_first : count_chunks,
                             .count = COUNT_OF(out[i]),
                             .out = {PARA_OUT(out[i])},
                             .options.executor = PARA_EXECUTOR_SERIAL};
        OK(para_pmap_submit(pool, &made[i], &many[i]));
    }
    unsigned known = 0;
    for (size_t i = COUNT_OF(many); i-- > 0;) {
        FAILS(PARA_ERR_IMPURE, para_task_wait(&many[i]));
        known += strstr(para_status_detail(), i % 2 ? "tell_first" : "count_chunks") != NULL;
    }
    assert_true(known > 0); /* the oldest are forgotten */
}

TEST(memory_for_copies)
{
    /* Copies of it would be more than there are addresses; nothing of it is touched. */
    const para_status status =
        para_pmap(alone, &(para_map){.kernel = count_chunks,
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
        cmocka_unit_test(reductions),
        cmocka_unit_test(sums_have_their_bits_on_any_width),
        cmocka_unit_test(aliases),
        cmocka_unit_test(macros),
        cmocka_unit_test(identities),
        cmocka_unit_test(identities_of_scans),
        cmocka_unit_test(other_failures_stay_what_they_are),
        cmocka_unit_test(submitted_calls),
        cmocka_unit_test(memory_for_copies),
        cmocka_unit_test(off),
    };
    return cmocka_run_group_tests(tests, begin_pure, end_pure);
}
