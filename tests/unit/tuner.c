/* The tuner: memory-bound sites get as many workers as they need, others keep all of theirs. */
#include "../common/check.h"

#include "pool/types.h"
#include "plan/tuner.h"

#include <para/para.h>

/* A machine on which an element costs `alone` on one worker, and `least` however many there are. If
 * it has fewer cores than workers, two on each make these so much faster. */
typedef struct machine {
    unsigned all, cores;
    double alone, least, gain;
    bool noisy;
    uint64_t seed;
} machine;

static double element_ns(machine *m, unsigned width)
{
    const double used = m->cores && width > m->cores ? m->gain * m->cores : width;
    const double ns = m->alone / used > m->least ? m->alone / used : m->least;
    if (!m->noisy)
        return ns;
    const double part = 0.98 + 0.04 * (double)check_below(&m->seed, 1000) / 1000;
    return ns * part * (check_below(&m->seed, 50) == 0 ? 5 : 1); /* one of 50 was preempted */
}

typedef struct outcome {
    double mean_ns; /* an element, as the machine would take undisturbed */
    double workers; /* mean */
} outcome;

/* What a site knows, and calls of it as schedule.c runs them, alone ones left out. */
typedef struct known {
    para__tuner tuner;
    para__estimate estimate;
} known;

static outcome run_calls(machine *m, known *k, int calls)
{
    const para__widths widths = {.usual = m->cores ? m->cores : m->all, .all = m->all};
    outcome sum = {0};
    for (int i = 0; i < calls; i++) {
        const unsigned present = para__tuner_present(k->tuner, widths);
        const unsigned trial = para__tuner_trial(k->tuner, widths);
        const bool tries = trial != present && k->tuner.element_ns > 0 &&
                           para__trial_is_covered(k->estimate, k->tuner.element_ns);
        const unsigned next = tries ? trial : present;
        assert_in_range(next, m->all < 2 ? m->all : 2, m->all);
        const double ns = element_ns(m, next);
        if (tries) {
            para__verdict verdict;
            k->tuner = para__tuner_try(k->tuner, widths, ns, &verdict);
            k->estimate = para__trial_settle(k->estimate, verdict);
        } else {
            k->tuner = para__tuner_add(k->tuner, ns);
            k->estimate = para__trial_earn(k->estimate, ns, PARA__CREDIT_PART);
        }
        k->tuner = para__tuner_unpack(para__tuner_pack(k->tuner));
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
            known site = {0};
            const outcome first = run_calls(&m, &site, 1000);
            assert_true(first.mean_ns < 1.03 * m.alone / m.all);
            const outcome later = run_calls(&m, &site, 20000);
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
                known site = {0};
                run_calls(&m, &site, 20000);
                const outcome later = run_calls(&m, &site, 20000);
                assert_true(later.mean_ns < 1.04 * m.least);
                assert_true(later.workers < (noisy ? 4.2 : 2.1) * enough);
            }
}

TEST(a_site_that_changes_has_all_workers_again)
{
    for (size_t p = 0; p < COUNT_OF(pools); p++) {
        machine m = {.all = pools[p], .alone = 1000, .least = 500, .noisy = true, .seed = p};
        known site = {0};
        run_calls(&m, &site, 20000);
        m.least = 0;
        run_calls(&m, &site, 30000);
        assert_true(run_calls(&m, &site, 20000).mean_ns < 1.01 * m.alone / m.all);
    }
}

TEST(less_than_four_workers_are_not_halved)
{
    for (unsigned all = 1; all < 4; all++)
        for (unsigned halvings = 0; halvings < 3; halvings++) {
            const para__tuner tuner = {.halvings = (int8_t)halvings};
            const para__widths widths = {all, all};
            assert_int_equal(para__tuner_present(tuner, widths), all);
            assert_int_equal(para__tuner_trial(tuner, widths), all);
        }
}

static const unsigned core_counts[] = {2, 3, 4, 6, 8, 64, 100, 256, 512};

/* What calls come to on all machines on which two threads of a core are that much faster. */
static void settle_on(double gain, void (*check)(const machine *m, outcome later))
{
    for (size_t c = 0; c < COUNT_OF(core_counts); c++)
        for (int noisy = 0; noisy < 2; noisy++) {
            machine m = {.all = 2 * core_counts[c],
                         .cores = core_counts[c],
                         .alone = 1000,
                         .gain = gain,
                         .noisy = noisy,
                         .seed = c};
            known site = {0};
            run_calls(&m, &site, 20000);
            check(&m, run_calls(&m, &site, 20000));
        }
}

static void check_all_are_used(const machine *m, outcome later)
{
    assert_true(later.workers > 0.98 * m->all);
    assert_true(later.mean_ns < 1.01 * m->alone / (m->gain * m->cores));
}

TEST(further_hardware_threads_are_used_where_they_pay)
{
    settle_on(1.12, check_all_are_used);
    settle_on(1.3, check_all_are_used);
    settle_on(1.9, check_all_are_used);
}

static void check_cores_are_used(const machine *m, outcome later)
{
    assert_true(later.workers < 1.02 * m->cores);
    assert_true(later.mean_ns < 1.01 * m->alone / m->cores);
}

TEST(they_are_left_alone_where_they_do_not)
{
    settle_on(1.0, check_cores_are_used);
    settle_on(0.9, check_cores_are_used);
    settle_on(0.6, check_cores_are_used);
}

TEST(a_loop_that_changes_loses_them_again)
{
    machine m = {.all = 16, .cores = 8, .alone = 1000, .gain = 1.5, .noisy = true, .seed = 1};
    known site = {0};
    run_calls(&m, &site, 20000);
    m.gain = 0.8;
    run_calls(&m, &site, 20000);
    assert_true(run_calls(&m, &site, 20000).mean_ns < 1.01 * m.alone / m.cores);
    m.gain = 1.5;
    run_calls(&m, &site, 30000);
    assert_true(run_calls(&m, &site, 20000).mean_ns < 1.01 * m.alone / (m.gain * m.cores));
}

TEST(memory_narrows_below_the_cores)
{
    machine m = {.all = 32, .cores = 16, .alone = 1000, .gain = 1.3, .least = 250, .seed = 1};
    known site = {0};
    run_calls(&m, &site, 30000);
    const outcome later = run_calls(&m, &site, 20000);
    assert_true(later.mean_ns < 1.01 * m.least && later.workers < 4.2);
}

TEST(a_pool_without_them_may_get_what_one_with_them_has_learnt)
{
    const para__tuner all = {.halvings = -1};
    assert_int_equal(para__tuner_present(all, (para__widths){8, 8}), 8);
    assert_int_equal(para__tuner_trial(all, (para__widths){8, 8}), 4);
    assert_int_equal(para__tuner_present(all, (para__widths){8, 16}), 16);
    assert_int_equal(para__tuner_trial(all, (para__widths){8, 16}), 8);
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
        cmocka_unit_test(further_hardware_threads_are_used_where_they_pay),
        cmocka_unit_test(they_are_left_alone_where_they_do_not),
        cmocka_unit_test(a_loop_that_changes_loses_them_again),
        cmocka_unit_test(memory_narrows_below_the_cores),
        cmocka_unit_test(a_pool_without_them_may_get_what_one_with_them_has_learnt),
        cmocka_unit_test(calls_run_on_the_width_of_their_site),
        cmocka_unit_test(options_win),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
