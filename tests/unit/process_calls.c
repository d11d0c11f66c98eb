/* Scans, filters, searches and sorts on worker processes: the bits of threads, also when a worker
 * dies in any of their phases. */
#include "../common/processes.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum { N = 40000, SECONDS = 120 };

/* In a buffer of the pool: kernels die as often as it says, from the call on that it says. */
typedef struct deaths {
    atomic_uint left;  /* how many are to die */
    atomic_uint after; /* calls that live first */
    int phase;         /* of a scan: in which of its functions */
} deaths;

static void die_at_times(const void *arg)
{
    deaths *const d = *(deaths *const *)arg;
    if (!takes_one(&d->after) && takes_one(&d->left))
        raise(SIGKILL);
}

enum { SUMS, TOTALS, STORES, PHASES };

static int running_sum(const para_chunk *c, void *sum, void *total, const void *arg)
{
    const double *const x = c->in[0];
    double *const y = c->out[0];
    if ((*(deaths *const *)arg)->phase == (total ? STORES : SUMS))
        die_at_times(arg);
    double s = sum ? *(double *)sum : 0, t = total ? *(double *)total : 0;
    for (size_t i = 0; i < c->count; i++) {
        s += x[i];
        t += x[i];
        if (total)
            y[i] = t;
    }
    if (sum)
        *(double *)sum = s;
    if (total)
        *(double *)total = t;
    return 0;
}

static void add(void *acc, const void *rhs, const void *arg)
{
    if ((*(deaths *const *)arg)->phase == TOTALS)
        die_at_times(arg);
    *(double *)acc += *(const double *)rhs;
}

static int keeps_some(const para_chunk *c, uint16_t *stay, size_t *kept, const void *arg)
{
    const double *const x = c->in[0];
    die_at_times(arg);
    for (size_t i = 0; i < c->count; i++)
        if (x[i] > 0.3)
            stay[(*kept)++] = (uint16_t)i;
    return 0;
}

/* Likewise, but stores them itself where it may. */
static int stores_some(const para_chunk *c, uint16_t *stay, size_t *kept, const void *arg)
{
    const double *const x = c->in[0];
    double *const y = c->out[0];
    if (!y)
        return keeps_some(c, stay, kept, arg);
    for (size_t i = 0; i < c->count; i++)
        if (x[i] > 0.3)
            y[(*kept)++] = x[i];
    die_at_times(arg);
    stay[0] = PARA_FILTER_PACKED;
    return 0;
}

static int is_last(const para_chunk *c, size_t *found, const void *arg)
{
    const double *const x = c->in[0];
    die_at_times(arg);
    for (size_t i = 0; i < c->count; i++)
        if (x[i] > 2) {
            *found = i;
            break;
        }
    return 0;
}

static int by_value(const void *a, const void *b, const void *arg)
{
    const double p = *(const double *)a, q = *(const double *)b;
    die_at_times(arg);
    return (p > q) - (p < q);
}

typedef struct scene {
    para_pool *pool, *threads;
    para_buffer *buffers[4];
    double *x, *y;
    deaths *d, *none; /* one for threads, that kills nobody */
    double expected[N];
} scene;

static scene s;

static void begin_scene(void)
{
    alarm(SECONDS);
    s.pool = process_pool(2, NULL);
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    OK(para_pool_create(&s.threads, &config));
    s.x = shared_array(s.pool, &s.buffers[0], N);
    s.y = shared_array(s.pool, &s.buffers[1], N);
    s.d = (deaths *)shared_array(s.pool, &s.buffers[2], 8);
    s.none = (deaths *)shared_array(s.pool, &s.buffers[3], 8);
    unsigned long state = 1;
    for (size_t i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        s.x[i] = (double)(state >> 40) / (double)(1 << 24);
    }
    memset(s.y, 0, N * sizeof *s.y);
    s.none->phase = s.d->phase = PHASES;
}

static void end_scene(void)
{
    for (int i = 0; i < 4; i++)
        para_buffer_destroy(s.buffers[i]);
    OK(para_pool_destroy(s.threads));
    OK(para_pool_destroy(s.pool));
    alarm(0);
}

static void kill_next(unsigned workers, unsigned after, int phase)
{
    s.d->phase = phase;
    atomic_store(&s.d->after, after);
    atomic_store(&s.d->left, workers);
}

static bool is_spared(void)
{
    return atomic_load(&s.d->left) == 0;
}

static para_scan scan_of(const double *from, double *to, double *total, deaths *const *d)
{
    return (para_scan){.kernel = running_sum,
                       .combine = add,
                       .arg = d,
                       .arg_bytes = sizeof *d,
                       .count = N,
                       .in = {PARA_IN(from)},
                       .out = {PARA_OUT(to)},
                       .result = total,
                       .result_bytes = sizeof *total,
                       .block = 1000};
}

TEST(scan_in_each_phase)
{
    begin_scene();
    double total = 3, other = 3;
    para_scan on_threads = scan_of(s.x, s.expected, &total, &s.none);
    OK(para_pscan(s.threads, &on_threads));
    para_scan scan = scan_of(s.x, s.y, &other, &s.d);
    para_report report;
    scan.report = &report;
    for (int phase = SUMS; phase <= PHASES; phase++) {
        other = 3;
        kill_next(phase < PHASES ? 1 : 0, 5, phase);
        OK(para_pscan(s.pool, &scan));
        assert_memory_equal(s.y, s.expected, sizeof s.expected);
        assert_memory_equal(&other, &total, sizeof total);
        assert_int_equal(report.deaths, phase < PHASES);
        memset(s.y, 0, N * sizeof *s.y);
    }
    for (int phase = SUMS; phase < PHASES; phase++) {
        other = 3;
        kill_next(100, 0, phase);
        FAILS(PARA_ERR_WORKER_DIED, para_pscan(s.pool, &scan));
        assert_true(other == 3);
    }
    end_scene();
}

/* What a worker has stored in place cannot be summed again; until then the input is whole. */
TEST(scan_in_place)
{
    begin_scene();
    double total = 0, other = 0;
    para_scan on_threads = scan_of(s.x, s.expected, &total, &s.none);
    OK(para_pscan(s.threads, &on_threads));
    para_scan scan = scan_of(s.y, s.y, &other, &s.d);
    memcpy(s.y, s.x, N * sizeof *s.y);
    kill_next(1, 3, SUMS);
    OK(para_pscan(s.pool, &scan));
    assert_true(is_spared());
    assert_memory_equal(s.y, s.expected, sizeof s.expected);
    memcpy(s.y, s.x, N * sizeof *s.y);
    other = 0;
    kill_next(1, 3, STORES);
    FAILS(PARA_ERR_WORKER_DIED, para_pscan(s.pool, &scan));
    assert_true(other == 0);
    end_scene();
}

/* A filter of which the threads have found what is expected, for processes to run. */
static para_filter expected_filter(size_t *all, size_t *kept)
{
    para_filter filter = {.kernel = keeps_some,
                          .arg = &s.none,
                          .arg_bytes = sizeof s.none,
                          .count = N,
                          .in = {PARA_IN(s.x)},
                          .out = {PARA_OUT(s.expected)},
                          .kept = all};
    OK(para_pfilter(s.threads, &filter));
    filter.out[0] = PARA_OUT(s.y);
    filter.kept = kept;
    return filter;
}

static void filters_as_expected(const para_filter *filter, size_t all)
{
    *filter->kept = 0;
    memset(s.y, 0, N * sizeof *s.y);
    OK(para_pfilter(s.pool, filter));
    assert_int_equal(*filter->kept, all);
    assert_memory_equal(s.y, s.expected, all * sizeof *s.y);
}

TEST(filter_whose_workers_die)
{
    begin_scene();
    size_t kept, all;
    para_filter filter = expected_filter(&all, &kept);
    filter.arg = &s.d;
    for (unsigned after = 0; after < 16; after++) {
        filter.kernel = after % 4 < 2 ? keeps_some : stores_some;
        kill_next(after & 1, after / 2, PHASES);
        filters_as_expected(&filter, all);
        assert_true(after > 3 || is_spared()); /* a short call has few chunks */
    }
    kill_next(0, 0, PHASES);
    filter.out[0] = (para_out){NULL, 0};
    OK(para_pfilter(s.pool, &filter)); /* it only counts */
    assert_int_equal(kept, all);
    kept = 7;
    kill_next(100, 0, PHASES);
    FAILS(PARA_ERR_WORKER_DIED, para_pfilter(s.pool, &filter));
    assert_int_equal(kept, 7);
    end_scene();
}

/* The kernel takes its worker's right to write the output, so that this one dies when it copies
 * what stays: in a phase in which no kernel runs. */
typedef struct lockable {
    deaths *d;
    double *y;
} lockable;

static int keeps_some_and_locks(const para_chunk *c, uint16_t *stay, size_t *kept, const void *arg)
{
    const lockable *const l = arg;
    deaths *const none = s.none;
    if (takes_one(&l->d->left))
        (void)mprotect(l->y, N * sizeof *l->y, PROT_NONE);
    return keeps_some(c, stay, kept, &none);
}

TEST(filter_whose_workers_die_as_they_copy)
{
    begin_scene();
    size_t all = 0, kept = 0;
    unsigned died = 0;
    para_report report;
    const lockable l = {s.d, s.y};
    para_filter filter = expected_filter(&all, &kept);
    filter.kernel = keeps_some_and_locks;
    filter.arg = &l;
    filter.arg_bytes = sizeof l;
    filter.report = &report;
    for (int i = 0; i < 1000 && died < 3; i++) { /* one that has not got a copy to do lives on */
        kill_next(1, 0, PHASES);
        filters_as_expected(&filter, all);
        died += report.deaths;
    }
    assert_true(died >= 3);
    end_scene();
}

TEST(search_whose_workers_die)
{
    begin_scene();
    size_t at = 7;
    para_find find = {.kernel = is_last,
                      .arg = &s.d,
                      .arg_bytes = sizeof s.d,
                      .count = N,
                      .in = {PARA_IN(s.x)},
                      .found = &at};
    OK(para_pfind(s.pool, &find));
    assert_int_equal(at, N);
    s.x[N - 5] = s.x[N - 2] = 3;
    for (unsigned after = 0; after < 6; after++) {
        kill_next(1, after, PHASES);
        OK(para_pfind(s.pool, &find));
        assert_true(is_spared());
        assert_int_equal(at, N - 5);
    }
    s.x[10] = 4;
    OK(para_pfind(s.pool, &find));
    assert_int_equal(at, 10);
    kill_next(100, 0, PHASES);
    FAILS(PARA_ERR_WORKER_DIED, para_pfind(s.pool, &find));
    assert_int_equal(at, 10);
    end_scene();
}

/* Parts, cuts and merges: some thousand calls of compare each. */
TEST(sort_whose_workers_die)
{
    begin_scene();
    para_sort sort = {.data = PARA_OUT(s.expected),
                      .count = N,
                      .compare = by_value,
                      .arg = &s.none,
                      .arg_bytes = sizeof s.none};
    memcpy(s.expected, s.x, sizeof s.expected);
    OK(para_psort(s.threads, &sort));
    sort.arg = &s.d;
    sort.data = PARA_OUT(s.y);
    for (unsigned after = 0; after < 800000; after += 60000) {
        memcpy(s.y, s.x, N * sizeof *s.y);
        kill_next(1, after, PHASES);
        OK(para_psort(s.pool, &sort));
        assert_memory_equal(s.y, s.expected, sizeof s.expected);
    }
    memcpy(s.y, s.x, N * sizeof *s.y);
    para_report report;
    sort.report = &report;
    kill_next(100, 0, PHASES);
    FAILS(PARA_ERR_WORKER_DIED, para_psort(s.pool, &sort));
    assert_memory_equal(s.y, s.x, N * sizeof *s.y); /* untouched */
    assert_true(report.done < N && report.deaths < 16);
    assert_true(report.failed_count > 0 && report.failed_count <= N - report.failed_first);
    sort.options.survival = &(para_survival){.on_crash = (para_on_crash)7};
    FAILS(PARA_ERR_ARGUMENT, para_psort(s.pool, &sort));
    OK(para_psort(s.pool, &(para_sort){.data = PARA_OUT(s.y), .count = N, .key = PARA_KEY_F64}));
    assert_memory_equal(s.y, s.expected, sizeof s.expected);
    /* What is in order already is left as it is, and nobody works. */
    para_report looked;
    OK(para_psort(
        s.pool,
        &(para_sort){.data = PARA_OUT(s.y), .count = N, .key = PARA_KEY_F64, .report = &looked}));
    assert_memory_equal(s.y, s.expected, sizeof s.expected);
    assert_int_equal(looked.done, N);
    assert_int_equal(looked.chunks, 0);
    for (size_t n = 0; n < 4; n++)
        OK(para_psort(s.pool,
                      &(para_sort){.data = PARA_OUT(s.y), .count = n, .key = PARA_KEY_F64}));
    end_scene();
}

TEST(memory_that_workers_do_not_see)
{
    begin_scene();
    static double own[N];
    const para_survival copies = {.copies = true};
    para_sort sort = {.data = PARA_OUT(own), .count = N, .key = PARA_KEY_F64};
    memcpy(own, s.x, sizeof own);
    FAILS(PARA_ERR_NOT_SHARED, para_psort(s.pool, &sort));
    assert_memory_equal(own, s.x, sizeof own);
    sort.options.survival = &copies;
    OK(para_psort(s.pool, &sort));
    memcpy(s.y, s.x, sizeof own);
    OK(para_psort(s.threads, &(para_sort){.data = PARA_OUT(s.y), .count = N, .key = PARA_KEY_F64}));
    assert_memory_equal(own, s.y, sizeof own);
    double total = 0;
    para_scan scan = scan_of(s.x, own, &total, &s.d);
    FAILS(PARA_ERR_NOT_SHARED, para_pscan(s.pool, &scan));
    scan.options.survival = &copies;
    OK(para_pscan(s.pool, &scan));
    assert_true(own[N - 1] > 0);
    scan.arg_bytes = 0;
    FAILS(PARA_ERR_NOT_SHARED, para_pscan(s.pool, &scan));
    end_scene();
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_in_each_phase),
        cmocka_unit_test(scan_in_place),
        cmocka_unit_test(filter_whose_workers_die),
        cmocka_unit_test(filter_whose_workers_die_as_they_copy),
        cmocka_unit_test(search_whose_workers_die),
        cmocka_unit_test(sort_whose_workers_die),
        cmocka_unit_test(memory_that_workers_do_not_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
