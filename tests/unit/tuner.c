/* The tuner: memory-bound sites get as many workers as they need, others keep all of theirs. */
#include "../common/check.h"

#include "pool/types.h"
#include "plan/tuner.h"

#include <para/para.h>

/* A machine on which an element costs `alone` on one worker, and `least` however many there are. */
typedef struct machine {
    unsigned all;
    double alone, least;
    bool noisy;
    uint64_t seed;
} machine;

static double element_ns(machine *m, unsigned width)
{
    const double ns = m->alone / width > m->least ? m->alone / width : m->least;
    if (!m->noisy)
        return ns;
    const double part = 0.98 + 0.04 * (double)check_below(&m->seed, 1000) / 1000;
    return ns * part * (check_below(&m->seed, 50) == 0 ? 5 : 1); /* one of 50 was preempted */
}

typedef struct outcome {
    double mean_ns; /* an element, as the machine would take undisturbed */
    double workers; /* mean */
} outcome;

static outcome run_calls(machine *m, para__tuner *tuner, int calls)
{
    outcome sum = {0};
    for (int i = 0; i < calls; i++) {
        const unsigned next = para__tuner_next(*tuner, m->all);
        assert_in_range(next, m->all < 2 ? m->all : 2, m->all);
        *tuner = para__tuner_add(*tuner, m->all, next, element_ns(m, next));
        *tuner = para__tuner_unpack(para__tuner_pack(*tuner));
        machine quiet = *m;
        quiet.noisy = false;
        sum.mean_ns += element_ns(&quiet, next) / calls;
        sum.workers += (double)next / calls;
    }
    return sum;
}

static const unsigned pools[] = {4, 5, 6, 8, 12, 64, 100, 256, 1024};

TEST(what_computing_binds_keeps_all_workers)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (int noisy = 0; noisy < 2; noisy++) {
            machine m = {.all = pools[p], .alone = 1000, .noisy = noisy, .seed = p};
            para__tuner tuner = {0};
            const outcome first = run_calls(&m, &tuner, 1000);
            assert_true(first.mean_ns < 1.03 * m.alone / m.all);
            const outcome later = run_calls(&m, &tuner, 20000);
            assert_true(later.mean_ns < 1.005 * m.alone / m.all);
        }
}

TEST(what_memory_binds_gives_up_workers_and_no_time)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++)
        for (unsigned enough = 2; 2 * enough <= pools[p]; enough *= 2)
            for (int noisy = 0; noisy < 2; noisy++) {
                machine m = {.all = pools[p],
                             .alone = 1000,
                             .least = 1000.0 / enough,
                             .noisy = noisy,
                             .seed = p + enough};
                para__tuner tuner = {0};
                run_calls(&m, &tuner, 20000);
                const outcome later = run_calls(&m, &tuner, 20000);
                assert_true(later.mean_ns < 1.04 * m.least);
                assert_true(later.workers < (noisy ? 4.2 : 2.1) * enough);
            }
}

TEST(a_site_that_changes_has_all_workers_again)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        machine m = {.all = pools[p], .alone = 1000, .least = 500, .noisy = true, .seed = p};
        para__tuner tuner = {0};
        run_calls(&m, &tuner, 20000);
        m.least = 0;
        run_calls(&m, &tuner, 30000);
        assert_true(run_calls(&m, &tuner, 20000).mean_ns < 1.01 * m.alone / m.all);
    }
}

TEST(less_than_four_workers_are_not_halved)
{
    for (unsigned all = 1; all < 4; all++) {
        machine m = {.all = all, .alone = 1000, .least = 1000};
        para__tuner tuner = {0};
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(para__tuner_next(tuner, all), all);
            run_calls(&m, &tuner, 1);
        }
    }
}

TEST(other_widths_teach_nothing)
{
    machine m = {.all = 8, .alone = 1000};
    para__tuner tuner = {0};
    run_calls(&m, &tuner, 10);
    const uint64_t before = para__tuner_pack(tuner);
    assert_true(para__tuner_pack(para__tuner_add(tuner, 8, 3, 1)) == before);
    assert_true(para__tuner_pack(para__tuner_add(tuner, 8, 4, 1)) == before); /* not its time */
}

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

/* What a long call reports on a site of a pool of eight that is at half of its workers. */
static para_report narrowed(const para_options *options)
{
    enum { N = 1000 };
    para_pool *pool = check_pool(8);
    para__site *site =
        para__site_find(&pool->sites, para__site_key_of((uintptr_t)(void (*)(void))nothing, N, 0));
    const para__estimate dear = {.alone_ns = 1e6f, .alone = 15, .spread = 16};
    const para__tuner half = {.element_ns = 1e6f, .halvings = 1};
    para__site_write(site, dear);
    para__store_relaxed(&site->tuner, para__tuner_pack(half));
    para_report report = {0};
    OK(para_pmap(
        pool, &(para_map){.kernel = nothing, .count = N, .options = *options, .report = &report}));
    para_pool_destroy(pool);
    return report;
}

TEST(calls_run_on_the_width_of_their_site)
{
    const para_report report = narrowed(&(para_options){0});
    assert_int_equal(report.width, 4);
    assert_int_equal(report.why, PARA_WHY_SATURATED);
}

TEST(options_win)
{
    assert_int_equal(narrowed(&(para_options){.executor = PARA_EXECUTOR_THREADS}).width, 8);
    assert_int_equal(narrowed(&(para_options){.workers = 7}).width, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_computing_binds_keeps_all_workers),
        cmocka_unit_test(what_memory_binds_gives_up_workers_and_no_time),
        cmocka_unit_test(a_site_that_changes_has_all_workers_again),
        cmocka_unit_test(less_than_four_workers_are_not_halved),
        cmocka_unit_test(other_widths_teach_nothing),
        cmocka_unit_test(calls_run_on_the_width_of_their_site),
        cmocka_unit_test(options_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
