/* Loops, maps and reductions of macros on worker processes: the bits of threads, arguments that
 * workers cannot see, and what becomes of chunks whose workers die. */
#include "../common/processes.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 30000, ROWS = 60, COLUMNS = 70, PLANES = 20, SECONDS = 120 };

/* ---- What is run ------------------------------------------------------------------------ */

typedef struct factors {
    float scale[3];
    double shift;
} factors;
typedef struct moments {
    double x, xx;
} moments;
typedef double curve(double x);

static double third(double x)
{
    return x / 3;
}
static const double weights[] = {0.25, 0.5, 0.25};
static curve *const curves[] = {third}; /* the loader writes that, and protects it */
static double changeable[] = {1, 2, 3};

PARA_LOOP(saxpy, i, float, a, const double *, x, double *, y)
{
    y[i] += (double)a * x[i];
}
PARA_LOOP(scaled, i, char, c, factors, by, const double *, x, double *, y)
{
    y[i] = x[i] * (double)by.scale[i % 3] + by.shift + c;
}
PARA_LOOP(smoothed, i, const double *, w, curve *, f, curve *const *, table, const double *, x,
          double *, y, const double *, extra)
{
    y[i] = w[0] * x[i] + w[1] * f(x[i + 1]) + w[2] * table[0](x[i + 2]) + (extra ? extra[i] : 0);
}
PARA_LOOP(numbered_only, i)
{
    (void)i;
}
PARA_LOOP2(products, i, j, const double *, x, double (*)[COLUMNS], m)
{
    m[i][j] = x[i] * x[j] + (double)j;
}
PARA_LOOP3(volumes, i, j, k, size_t, rows, size_t, columns, double *, m)
{
    m[(i * rows + j) * columns + k] = (double)i / 7 + (double)j / 11 + (double)k / 13;
}
PARA_MAP_KERNEL(square, double, double, x, x *x)
PARA_MAP2_KERNEL(difference, double, double, x, double, y, x - y + (double)index)
PARA_MAP3_KERNEL(fused, double, double, x, double, y, double, z, x *y + z)
PARA_SUM(dot, double, i, double, a, const double *, x, const double *, y)
{
    return a * x[i] * y[i];
}
PARA_SUM(stored_sum, double, i, const double *, x, double *, y)
{
    return y[i] = x[i] / 3;
}
PARA_MIN(least, double, i, const double *, x)
{
    return x[i];
}
PARA_MAXLOC(largest, double, i, const double *, x)
{
    return x[i];
}
PARA_SUMS(moments_of, moments, double, s, i, double, shift, const double *, x)
{
    s->x += x[i] - shift;
    s->xx += (x[i] - shift) * (x[i] - shift);
}
PARA_SUM_ARRAY(digits, unsigned, 10, count, i, const double *, x)
{
    count[(size_t)(x[i] * 10) % 10]++;
}
PARA_REDUCTION(product_of, double, 1, s, t, *s *= *t, i, const double *, x)
{
    *s *= 1 + x[i] / N;
}
PARA_SUM_ROW(columns_of, double, s, i, size_t, m, const double *, x)
{
    for (size_t j = 0; j < m; j++)
        s[j] += x[i * m + j];
}

/* ---- Where it is run -------------------------------------------------------------------- */

typedef struct scene {
    para_pool *pool, *threads;
    para_buffer *buffers[4];
    double *x, *y, *z;
    _Atomic unsigned *deaths;
    para_damage damage[64];
    unsigned damages;
} scene;
static scene s;

static void begin_scene(void)
{
    alarm(SECONDS);
    s = (scene){.pool = process_pool(2, NULL)};
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    OK(para_pool_create(&s.threads, &config));
    s.x = shared_array(s.pool, &s.buffers[0], N + 2);
    s.y = shared_array(s.pool, &s.buffers[1], N);
    s.z = shared_array(s.pool, &s.buffers[2], N);
    s.deaths = (_Atomic unsigned *)(void *)shared_array(s.pool, &s.buffers[3], 1);
    uint64_t state = 1;
    for (size_t i = 0; i < N + 2; i++)
        s.x[i] = (double)check_below(&state, 1000000) / 1000000;
}

static void end_scene(void)
{
    for (size_t i = 0; i < COUNT_OF(s.buffers); i++)
        para_buffer_destroy(s.buffers[i]);
    OK(para_pool_destroy(s.threads));
    OK(para_pool_destroy(s.pool));
    alarm(0);
}

static void note_damage(const para_damage *damage, void *unused)
{
    (void)unused;
    if (s.damages < COUNT_OF(s.damage))
        s.damage[s.damages] = *damage;
    s.damages++;
}

/* ---- The same bits ------------------------------------------------------------------------ */

enum { LOOPS, LOOPS_FROM, NESTS, ROWS_FIRST, MAPS, SUMS, EXTREMA, MANY, FORMS };

/* Fills y and *results from x. */
static void run_form(const para_setup *setup, int form, double *y, double results[16])
{
    para_setup with = *setup;
    const factors by = {{0.5F, 2, 3}, 0.125};
    double *const r = results;
    switch (form) {
    case LOOPS:
        OK(para_loop_with(setup, saxpy, N, 2.5F, s.x, y));
        OK(para_loop_with(setup, numbered_only, N));
        break;
    case LOOPS_FROM:
        with.first[0] = 1000;
        OK(para_loop_with(&with, scaled, N - 1000, 'c', by, s.x, y));
        OK(para_loop_with(setup, smoothed, 1000, weights, third, curves, s.x, y, NULL));
        break;
    case NESTS:
        OK(para_loop_with(setup, products, ROWS, COLUMNS, s.x, (double(*)[COLUMNS])(void *)y));
        OK(para_loop_with(setup, volumes, PLANES, 30, 40, 30, 40, &y[(size_t)ROWS * COLUMNS]));
        break;
    case ROWS_FIRST:
        with.tile[0] = 1;
        with.tile[1] = COLUMNS - 3;
        with.first[0] = 2;
        with.first[1] = 3;
        OK(para_loop_with(&with, products, ROWS - 2, COLUMNS - 3, s.x,
                          (double(*)[COLUMNS])(void *)y));
        break;
    case MAPS:
        OK(para_loop_with(setup, square, N, y, s.x));
        OK(para_loop_with(setup, difference, N, y, s.x, y));
        OK(para_loop_with(setup, fused, N / 2, y, s.x, s.x + N / 2, y));
        break;
    case SUMS:
        OK(para_reduce_with(setup, &r[0], dot, N, 0.1, s.x, s.x));
        OK(para_reduce_with(setup, &r[1], stored_sum, N, s.x, y));
        OK(para_reduce_with(setup, (moments *)(void *)&r[2], moments_of, N, 0.5, s.x));
        OK(para_reduce_with(setup, &r[4], product_of, N, s.x));
        break;
    case EXTREMA:
        OK(para_reduce_with(setup, &r[0], least, N, s.x));
        OK(para_reduce_with(setup, (largest_at *)(void *)&r[1], largest, N, s.x));
        break;
    default:
        OK(para_reduce_with(setup, (digits_sums *)(void *)&r[8], digits, N, s.x));
        memset(r, 0, 8 * sizeof *r);
        OK(para_sum_row_with(setup, r, 7, columns_of, N / 7, 7, s.x));
    }
}

TEST(they_have_the_bits_of_threads)
{
    static double expected[N];
    begin_scene();
    for (int form = 0; form < FORMS; form++) {
        double there[16] = {0}, here[16] = {0};
        para_report report;
        const para_setup on_threads = {.pool = s.threads};
        const para_setup on_processes = {.pool = s.pool, .report = &report};
        memset(expected, 0, sizeof expected);
        memset(s.y, 0, sizeof expected);
        run_form(&on_threads, form, expected, there);
        run_form(&on_processes, form, s.y, here);
        assert_int_equal(report.why, PARA_WHY_PROCESSES);
        assert_memory_equal(there, here, sizeof there);
        assert_memory_equal(s.y, expected, sizeof expected);
    }
    end_scene();
}

/* ---- Arguments that workers do not see ------------------------------------------------------ */

static void refuse(para_status status, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "argument %s ", name);
    assert_int_equal(status, PARA_ERR_NOT_SHARED);
    assert_non_null(strstr(para_status_detail(), text));
    assert_non_null(strstr(para_status_detail(), "para_buffer_create"));
}

TEST(pointers_elsewhere_are_refused)
{
    begin_scene();
    const para_survival copies = {.copies = true};
    para_report report;
    const para_setup setup = {.pool = s.pool, .report = &report};
    const para_setup copying = {.pool = s.pool, .options = {.survival = &copies}};
    double *const heap = calloc(N, sizeof *heap);
    double stack[3] = {1, 2, 3}, sum = 7;
    assert_non_null(heap);
    memset(&report, 0xff, sizeof report);
    refuse(para_loop_with(&setup, saxpy, N, 1, heap, s.y), "x");
    assert_memory_equal(&report, &(para_report){0}, sizeof report);
    refuse(para_loop_with(&setup, saxpy, N, 1, s.x, heap), "y");
    refuse(para_loop_with(&setup, saxpy, 3, 1, stack, s.y), "x");
    refuse(para_loop_with(&setup, saxpy, 3, 1, changeable, s.y), "x");
    refuse(para_loop_with(&setup, products, ROWS, COLUMNS, heap, (double(*)[COLUMNS])(void *)s.y),
           "x");
    refuse(para_loop_with(&setup, volumes, 2, 2, 2, 2, 2, heap), "m");
    refuse(para_loop_with(&setup, smoothed, 3, stack, third, curves, s.x, s.y, NULL), "w");
    refuse(para_loop_with(&setup, smoothed, 3, weights, third, curves, s.x, s.y, heap), "extra");
    refuse(para_reduce_with(&setup, &sum, dot, N, 1, s.x, heap), "y");
    refuse(para_reduce_with(&setup, &sum, stored_sum, N, s.x, heap), "y");
    refuse(para_sum_row_with(&setup, &sum, 1, columns_of, N, 1, heap), "x");
    refuse(para_loop_with(&copying, saxpy, N, 1, heap, s.y), "x");
    assert_non_null(strstr(para_status_detail(), "survival.copies"));
    assert_true(sum == 7 && s.y[0] == 0 && heap[0] == 0);

    /* A map's arrays are views: they are copied. */
    FAILS(PARA_ERR_NOT_SHARED, para_loop_with(&setup, square, N, heap, s.x));
    OK(para_loop_with(&copying, square, N, heap, s.x));
    assert_true(heap[N - 1] == s.x[N - 1] * s.x[N - 1]);

    /* No iteration reaches nothing. */
    OK(para_loop_with(&setup, saxpy, 0, 1, heap, heap));
    FAILS(PARA_ERR_OVERFLOW, para_loop_with(&setup, saxpy, SIZE_MAX, 1, s.x, s.y));
    OK(para_loop_with(&setup, saxpy, N, 1, s.x, s.y));
    assert_true(s.y[N - 1] == s.x[N - 1]);
    free(heap);
    end_scene();
}

/* A file that is mapped after the workers were forked. */
TEST(mapped_files_are_seen)
{
    begin_scene();
    char path[] = "/tmp/para-loops-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, s.x, N * sizeof *s.x), N * sizeof *s.x);
    close(file);
    para_buffer *mapped;
    OK(para_buffer_map_file(&mapped, path, PARA_FILE_WRITE));
    unlink(path);
    double *const m = para_buffer_data(mapped);
    const para_setup setup = {.pool = s.pool};
    OK(para_loop_with(&setup, saxpy, N, 1, s.x, m));
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += m[i] != s.x[i] + s.x[i];
    assert_int_equal(wrong, 0);
    para_buffer_destroy(mapped);
    refuse(para_loop_with(&setup, saxpy, N, 1, s.x, m), "y");
    end_scene();
}

/* ---- Deaths ------------------------------------------------------------------------------- */

enum { BAD = 12345 };

static void die_at(size_t i, _Atomic unsigned *deaths)
{
    if (i == BAD && takes_one(deaths))
        raise(SIGKILL);
}

PARA_LOOP(third_of, i, const double *, x, double *, y, _Atomic unsigned *, deaths)
{
    y[i] = x[i] / 3;
    die_at(i, deaths);
}
PARA_LOOP2(third_in_rows, i, j, const double *, x, double *, y, _Atomic unsigned *, deaths)
{
    y[i * 100 + j] = x[i * 100 + j] / 3;
    die_at(i * 100 + j, deaths);
}
PARA_SUM(sum_stored, double, i, const double *, x, double *, y, _Atomic unsigned *, deaths)
{
    y[i] = x[i] / 3;
    die_at(i, deaths);
    return y[i];
}
/* Nothing can be written through its parameters, but for a number that passes for an address. */
PARA_SUM(sum_only, double, i, const double *, x, uintptr_t, deaths)
{
    die_at(i, (_Atomic unsigned *)deaths);
    return x[i] / 3;
}

static size_t wrong_thirds(void)
{
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += s.y[i] != s.x[i] / 3;
    return wrong;
}

static para_setup setup_of(para_report *report, const para_survival *survival)
{
    memset(s.y, 0, N * sizeof *s.y);
    s.damages = 0;
    return (para_setup){.pool = s.pool, .report = report, .options = {.survival = survival}};
}

static bool has_bad(size_t first, size_t count)
{
    return first <= BAD && BAD < first + count;
}

TEST(a_loop_that_may_have_written_is_not_run_again)
{
    begin_scene();
    para_report report;
    para_setup setup = setup_of(&report, NULL);
    atomic_store(s.deaths, 1);
    FAILS(PARA_ERR_WORKER_DIED, para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_true(has_bad(report.failed_first, report.failed_count));
    assert_int_equal(report.deaths, 1);
    assert_non_null(strstr(para_status_detail(), "signal 9"));

    atomic_store(s.deaths, 1);
    setup.tile[1] = 100; /* so that iterations are counted row by row */
    FAILS(PARA_ERR_WORKER_DIED,
          para_loop_with(&setup, third_in_rows, N / 100, 100, s.x, s.y, s.deaths));
    assert_true(has_bad(report.failed_first, report.failed_count));

    double sum = 7;
    atomic_store(s.deaths, 1);
    FAILS(PARA_ERR_WORKER_DIED, para_reduce_with(&setup, &sum, sum_stored, N, s.x, s.y, s.deaths));
    assert_true(has_bad(report.failed_first, report.failed_count) && sum == 7);

    setup = setup_of(&report, NULL);
    OK(para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_int_equal(wrong_thirds(), 0);
    end_scene();
}

TEST(a_reduction_that_writes_nothing_is_run_again)
{
    begin_scene();
    para_report report;
    const para_setup setup = setup_of(&report, NULL), on_threads = {.pool = s.threads};
    double sum = 0, expected = 0;
    atomic_store(s.deaths, 0);
    OK(para_reduce_with(&on_threads, &expected, sum_only, N, s.x, (uintptr_t)s.deaths));
    atomic_store(s.deaths, 2);
    OK(para_reduce_with(&setup, &sum, sum_only, N, s.x, (uintptr_t)s.deaths));
    assert_true(sum == expected);
    assert_int_equal(report.deaths, 2);
    atomic_store(s.deaths, 3);
    FAILS(PARA_ERR_WORKER_DIED,
          para_reduce_with(&setup, &sum, sum_only, N, s.x, (uintptr_t)s.deaths));
    assert_true(sum == expected && has_bad(report.failed_first, report.failed_count));
    end_scene();
}

TEST(what_repeats_is_run_again)
{
    begin_scene();
    para_report report;
    const para_survival repeats = {.repeats = true};
    const para_setup on_threads = {.pool = s.threads};
    para_setup setup = setup_of(&report, &repeats);
    double sum = 0, expected = 0;
    atomic_store(s.deaths, 2);
    OK(para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_int_equal(wrong_thirds(), 0);
    assert_int_equal(report.deaths, 2);

    atomic_store(s.deaths, 0);
    OK(para_reduce_with(&on_threads, &expected, sum_stored, N, s.x, s.y, s.deaths));
    setup = setup_of(&report, &repeats);
    atomic_store(s.deaths, 2);
    OK(para_reduce_with(&setup, &sum, sum_stored, N, s.x, s.y, s.deaths));
    assert_true(sum == expected);
    assert_int_equal(wrong_thirds(), 0);

    atomic_store(s.deaths, 3);
    FAILS(PARA_ERR_WORKER_DIED, para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_true(has_bad(report.failed_first, report.failed_count));
    atomic_store(s.deaths, 0);
    end_scene();
}

/* A map in place whose values are what they are the second time. */
static int at_most_half(const para_chunk *c, const void *arg)
{
    double *const y = c->out[0];
    for (size_t i = 0; i < c->count; i++) {
        y[i] = y[i] < 0.5 ? y[i] : 0.5;
        die_at(c->first + i, *(_Atomic unsigned *const *)arg);
    }
    return 0;
}

TEST(so_is_a_map_in_place_that_repeats)
{
    begin_scene();
    const para_survival repeats = {.repeats = true};
    para_map map = {.kernel = at_most_half,
                    .arg = &s.deaths,
                    .arg_bytes = sizeof s.deaths,
                    .count = N,
                    .in = {PARA_IN(s.y)},
                    .out = {PARA_OUT(s.y)}};
    memcpy(s.y, s.x, N * sizeof *s.y);
    atomic_store(s.deaths, 1);
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(s.pool, &map));
    map.options.survival = &repeats;
    atomic_store(s.deaths, 2);
    OK(para_pmap(s.pool, &map));
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++)
        wrong += s.y[i] != (s.x[i] < 0.5 ? s.x[i] : 0.5);
    assert_int_equal(wrong, 0);
    end_scene();
}

TEST(a_loop_goes_on_without_bad_iterations)
{
    begin_scene();
    para_report report;
    para_survival fills = {.on_crash = PARA_CRASH_FILLS, .damaged = note_damage};
    para_setup setup = setup_of(&report, &fills);
    atomic_store(s.deaths, 1000); /* a chunk, as it is */
    OK(para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_int_equal(s.damages, 1);
    assert_true(has_bad(s.damage[0].first, s.damage[0].count));
    assert_int_equal(report.filled, s.damage[0].count);
    for (size_t i = 0; i < s.damage[0].first; i++)
        assert_true(s.y[i] == s.x[i] / 3);
    for (size_t i = s.damage[0].first + s.damage[0].count; i < N; i++)
        assert_true(s.y[i] == s.x[i] / 3);

    fills.repeats = true; /* a single iteration, which ran to the point where it dies */
    setup = setup_of(&report, &fills);
    OK(para_loop_with(&setup, third_of, N, s.x, s.y, s.deaths));
    assert_int_equal(s.damages, 1);
    assert_int_equal(s.damage[0].first, BAD);
    assert_int_equal(s.damage[0].count, 1);
    assert_int_equal(wrong_thirds(), 0);
    end_scene();
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* see process_deaths.c */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_have_the_bits_of_threads),
        cmocka_unit_test(pointers_elsewhere_are_refused),
        cmocka_unit_test(mapped_files_are_seen),
        cmocka_unit_test(a_loop_that_may_have_written_is_not_run_again),
        cmocka_unit_test(a_reduction_that_writes_nothing_is_run_again),
        cmocka_unit_test(what_repeats_is_run_again),
        cmocka_unit_test(so_is_a_map_in_place_that_repeats),
        cmocka_unit_test(a_loop_goes_on_without_bad_iterations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
