/* para_pmap against the serial loop: sizes, call shapes, chunks, workers, reports. */
#include "../common/check.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const unsigned pool_sizes[] = {1, 2, 3, 8, 64};

#include "../common/pools.h"

static _Atomic unsigned violations;

/* out[i] = f(in[i], i) once: adds to what is there, so that a second time shows. */
static int number(const para_chunk *chunk, const void *arg)
{
    const uint32_t *in = chunk->in[0];
    uint64_t *out = chunk->out[0];
    violations += chunk->count == 0 || arg != &violations;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] += check_mix(in[i] + (chunk->first + i));
    return 0;
}

enum { MOST = 100003, GUARD = 8 };
static uint32_t input[MOST];
static uint64_t output[MOST + GUARD];

static void check_call(para_pool *pool, size_t n, para_options options)
{
    memset(output, 0, (n + GUARD) * sizeof *output);
    para_report report = {0};
    OK(para_pmap(pool, &(para_map){.kernel = number,
                                   .arg = &violations,
                                   .count = n,
                                   .in = {PARA_IN(input)},
                                   .out = {PARA_OUT(output)},
                                   .options = options,
                                   .report = &report}));
    size_t wrong = 0;
    for (size_t i = 0; i < n + GUARD; i++)
        wrong += output[i] != (i < n ? check_mix(input[i] + i) : 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(violations, 0);
    assert_true(n == 0 || report.chunks > 0);
    assert_true(report.chunk <= n);
    assert_in_range(report.workers, n > 0, report.width);
    assert_true(options.workers == 0 || report.width <= options.workers);
    if (options.chunk && n) {
        assert_int_equal(report.chunks, (n - 1) / options.chunk + 1);
        assert_int_equal(report.chunk, options.chunk < n ? options.chunk : n);
    }
}

TEST(sizes_chunks_and_executors)
{
    for (size_t i = 0; i < MOST; i++)
        input[i] = (uint32_t)check_mix(i);
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        const size_t w = pool_sizes[p];
        const size_t sizes[] = {0,   1,           2,       w - 1,       w,    w + 1, 255,
                                256, 256 * w - 1, 256 * w, 256 * w + 1, 1000, MOST};
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            const size_t n = sizes[s];
            const size_t chunks[] = {0, n > 2000 ? 97 : 1, 64, n - 1, n, n + 1, SIZE_MAX};
            for (size_t c = 0; c < COUNT_OF(chunks); c++)
                for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL; executor++)
                    check_call(
                        pools[p], n,
                        (para_options){.executor = (para_executor)executor, .chunk = chunks[c]});
        }
    }
}

TEST(workers_at_most)
{
    static const unsigned limits[] = {1, 2, 3, 7, 63, 64, 65, 1000000};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t l = 0; l < COUNT_OF(limits); l++)
            check_call(pools[p], 1000,
                       (para_options){.executor = PARA_EXECUTOR_THREADS, .workers = limits[l]});
}

/* ---- Counts beyond memory ------------------------------------------------------------ */

static _Atomic uint64_t seen_elements, seen_ends;

static int measure(const para_chunk *chunk, const void *arg)
{
    violations += chunk->first + chunk->count < chunk->first && chunk->first + chunk->count != 0;
    violations += arg && (const char *)chunk->in[0] != (const char *)arg + chunk->first;
    seen_elements += chunk->count;
    seen_ends += check_mix(chunk->first + chunk->count) - check_mix(chunk->first);
    return 0;
}

static void check_huge(size_t n, const void *base, size_t chunk)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        seen_elements = seen_ends = 0;
        para_map call = {
            .kernel = measure,
            .arg = base,
            .count = n,
            .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = chunk},
        };
        if (base)
            call.in[0] = (para_in){base, 1};
        OK(para_pmap(pools[p], &call));
        assert_true(seen_elements == n);
        assert_true(seen_ends == check_mix(n) - check_mix(0)); /* chunks meet end to end */
        assert_int_equal(violations, 0);
    }
}

TEST(huge_counts)
{
    check_huge(SIZE_MAX, NULL, 0);
    check_huge(SIZE_MAX - 1, NULL, SIZE_MAX / 3);
    check_huge(SIZE_MAX, NULL, SIZE_MAX);
    check_huge((size_t)1 << 63, NULL, (size_t)1 << 55);
    const size_t bytes = ((size_t)1 << 33) + 5; /* addresses only: the kernel touches nothing */
    void *base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(base != MAP_FAILED);
    check_huge(bytes, base, 0);
    check_huge(bytes, base, (size_t)1 << 28);
    munmap(base, bytes);
}

/* ---- Shapes -------------------------------------------------------------------------- */

enum { N = 5000, ROW = 7 };

static int generate(const para_chunk *chunk, const void *arg)
{
    uint64_t *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = check_mix(*(const uint64_t *)arg + chunk->first + i);
    return 0;
}

TEST(no_input)
{
    static uint64_t out[N];
    const uint64_t seed = 12345;
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        memset(out, 0, sizeof out);
        OK(para_pmap(pools[p], &(para_map){.kernel = generate,
                                           .arg = &seed,
                                           .count = N,
                                           .out = {PARA_OUT(out)},
                                           .options.executor = PARA_EXECUTOR_THREADS}));
        for (size_t i = 0; i < N; i++)
            assert_true(out[i] == check_mix(seed + i));
    }
}

/* Eight inputs and four outputs, each of another element size: k + 1 bytes, 2k + 1 bytes. */
static int gather(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        unsigned char sum = 0;
        for (size_t k = 0; k < PARA_IN_MAX; k++)
            for (size_t b = 0; b <= k; b++)
                sum = (unsigned char)(sum * 3 +
                                      ((const unsigned char *)chunk->in[k])[i * (k + 1) + b]);
        for (size_t k = 0; k < PARA_OUT_MAX; k++)
            memset((unsigned char *)chunk->out[k] + i * (2 * k + 1), sum + (int)k, 2 * k + 1);
    }
    return 0;
}

TEST(all_views)
{
    static unsigned char in[PARA_IN_MAX][N * PARA_IN_MAX];
    static unsigned char out[2][PARA_OUT_MAX][N * 2 * PARA_OUT_MAX];
    for (size_t k = 0; k < PARA_IN_MAX; k++)
        for (size_t i = 0; i < sizeof in[k]; i++)
            in[k][i] = (unsigned char)check_mix(k * 1000003 + i);
    const void *whole_in[PARA_IN_MAX];
    void *whole_out[PARA_OUT_MAX];
    para_map call = {.kernel = gather, .count = N, .options.executor = PARA_EXECUTOR_THREADS};
    for (size_t k = 0; k < PARA_IN_MAX; k++) {
        whole_in[k] = in[k];
        call.in[k] = (para_in){in[k], k + 1};
    }
    for (size_t k = 0; k < PARA_OUT_MAX; k++) {
        whole_out[k] = out[0][k];
        call.out[k] = (para_out){out[1][k], 2 * k + 1};
    }
    gather(&(para_chunk){.count = N, .in = whole_in, .out = whole_out}, NULL);
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        memset(out[1], 0, sizeof out[1]);
        OK(para_pmap(pools[p], &call));
        assert_memory_equal(out[0], out[1], sizeof out[0]);
    }
}

static int row_sum(const para_chunk *chunk, const void *arg)
{
    const float *row = chunk->in[0];
    float *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++, row += ROW) {
        out[i] = 0;
        for (int k = 0; k < ROW; k++)
            out[i] += row[k];
    }
    return 0;
}

TEST(rows)
{
    static float in[N * ROW], out[N], expected[N];
    for (size_t i = 0; i < (size_t)N * ROW; i++)
        in[i] = (float)(int)(check_mix(i) % 2001 - 1000) / 7;
    const void *whole_in[] = {in};
    void *whole_out[] = {expected};
    row_sum(&(para_chunk){.count = N, .in = whole_in, .out = whole_out}, NULL);
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        memset(out, 0, sizeof out);
        OK(para_pmap(pools[p], &(para_map){.kernel = row_sum,
                                           .count = N,
                                           .in = {PARA_IN_ROWS(in, ROW)},
                                           .out = {PARA_OUT(out)},
                                           .options.executor = PARA_EXECUTOR_THREADS}));
        assert_memory_equal(out, expected, sizeof out);
    }
}

PARA_MAP2_KERNEL(mix_two, uint64_t, uint64_t, x, uint64_t, y, check_mix(x + 5 * y))

TEST(in_place)
{
    static uint64_t x[N], y[N];
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = i;
            y[i] = N - i;
        }
        OK(para_pmap(pools[p], &(para_map){.kernel = mix_two,
                                           .count = N,
                                           .in = {PARA_IN(x), PARA_IN(y)},
                                           .out = {PARA_OUT(x)},
                                           .options.executor = PARA_EXECUTOR_THREADS}));
        OK(para_pmap(pools[p], &(para_map){.kernel = mix_two,
                                           .count = N,
                                           .in = {PARA_IN(y), PARA_IN(y)}, /* twice the same */
                                           .out = {PARA_OUT(y)},
                                           .options.executor = PARA_EXECUTOR_THREADS}));
        for (size_t i = 0; i < N; i++) {
            assert_true(x[i] == check_mix(i + 5 * (N - i)));
            assert_true(y[i] == check_mix(6 * (N - i)));
        }
    }
}

/* ---- Pages --------------------------------------------------------------------------- */

enum { PAGES_EACH = 66 }; /* of a slice */

/* Notes by its first byte where a chunk began. */
static int note_begin(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    *(unsigned char *)chunk->out[0] = 1;
    return 0;
}

/* The first slice begins with the output, the others at borders of pages; so does the first chunk
 * of each. */
static void check_begins(para_pool *pool, unsigned char *memory, size_t page, para_out out,
                         size_t count)
{
    const size_t width = check_pool_workers(pool);
    unsigned char *first = out.data;
    OK(para_pmap(pool, &(para_map){.kernel = note_begin,
                                   .count = count,
                                   .out = {out},
                                   .options.executor = PARA_EXECUTOR_THREADS}));
    for (size_t s = 0; s < width; s++) {
        unsigned char *begin = s ? memory + s * PAGES_EACH * page : first;
        assert_int_equal(*begin, 1);
        *begin = 0;
    }
}

TEST(slices_begin_at_page_borders)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t p = 1; p < COUNT_OF(pools); p++) {
        const size_t pages = (size_t)PAGES_EACH * check_pool_workers(pools[p]);
        void *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_true(memory != MAP_FAILED);
        uint64_t *elements = memory;
        const size_t count = pages * page / sizeof *elements;
        const size_t last = page / sizeof *elements - 1;
        check_begins(pools[p], memory, page, (para_out){memory, page}, pages);
        check_begins(pools[p], memory, page, (para_out){elements, sizeof *elements}, count);
        check_begins(pools[p], memory, page, (para_out){elements + 1, sizeof *elements}, count - 1);
        check_begins(pools[p], memory, page, (para_out){elements + last, sizeof *elements},
                     count - last);
        munmap(memory, pages * page);
    }
}

/* ---- Scratch ------------------------------------------------------------------------- */

static int use_scratch(const para_chunk *chunk, const void *arg)
{
    const size_t bytes = *(const size_t *)arg;
    if (bytes == 0) {
        violations += chunk->scratch != NULL;
        return 0;
    }
    if (!chunk->scratch || (uintptr_t)chunk->scratch % 64) {
        violations++;
        return 0;
    }
    unsigned char *mine = chunk->scratch;
    const unsigned char mark = (unsigned char)(chunk->worker + 1);
    memset(mine, mark, bytes);
    sched_yield(); /* if it were another's too, that one might write now */
    size_t wrong = 0;
    for (size_t i = 0; i < bytes; i++)
        wrong += mine[i] != mark;
    violations += wrong != 0;
    return 0;
}

TEST(scratch_is_each_participants_own)
{
    static const size_t sizes[] = {0, 1, 64, 100, 4097, 300000, 1000, 0};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t s = 0; s < COUNT_OF(sizes); s++)
            for (int executor = 0; executor <= PARA_EXECUTOR_SERIAL; executor++)
                OK(para_pmap(pools[p], &(para_map){.kernel = use_scratch,
                                                   .arg = &sizes[s],
                                                   .count = 100,
                                                   .scratch_bytes = sizes[s],
                                                   .options = {.executor = (para_executor)executor,
                                                               .chunk = 3}}));
    assert_int_equal(violations, 0);
}

TEST(scratch_beyond_memory_is_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX / 2, SIZE_MAX / 64,
                                   (size_t)1 << 58};
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            const para_map call = {.kernel = use_scratch,
                                   .arg = &sizes[s],
                                   .count = 100,
                                   .scratch_bytes = sizes[s],
                                   .options.executor = PARA_EXECUTOR_THREADS};
            FAILS(PARA_ERR_MEMORY, para_pmap(pools[p], &call));
        }
    check_call(pools[1], MOST, (para_options){.executor = PARA_EXECUTOR_THREADS});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_chunks_and_executors),
        cmocka_unit_test(workers_at_most),
        cmocka_unit_test(huge_counts),
        cmocka_unit_test(no_input),
        cmocka_unit_test(all_views),
        cmocka_unit_test(rows),
        cmocka_unit_test(in_place),
        cmocka_unit_test(slices_begin_at_page_borders),
        cmocka_unit_test(scratch_is_each_participants_own),
        cmocka_unit_test(scratch_beyond_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, make_pools, destroy_pools);
}
