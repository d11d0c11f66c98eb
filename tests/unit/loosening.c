/* Pins that are given up while others use the CPUs, and come back: contention is made up, by
 * telling a worker of it on its own thread. */
#include "../common/child.h"

#include "base/tuning.h"
#include "pool/binding.h"
#include "pool/self.h"
#include "pool/worker.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>

enum { UNITS = 64 };

static para_pool *pool;
static atomic_int told;  /* of the worker whose turn it is: its CPUs and one more, or 0 */
static atomic_int ended; /* the caller has seen enough */
static unsigned failed;  /* yields that the worker is told of */

static unsigned cpus_of_this_thread(void)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    sched_getaffinity(0, sizeof mask, &mask);
    return (unsigned)CPU_COUNT(&mask);
}

/* The first chunk that a worker of the pool runs tells that worker, and waits there. The caller's
 * chunks wait for that. */
static int be_contended(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    static atomic_flag is_taken;
    if (ended)
        return 0;
    if (para__pool_is_worker(pool) && !atomic_flag_test_and_set(&is_taken)) {
        para__worker_is_contended(&pool->worker[para__pool_place(pool)], failed);
        told = 1 + (int)cpus_of_this_thread();
        while (!ended)
            sched_yield();
        atomic_flag_clear(&is_taken);
    }
    return 0;
}

static void *watch(void *arg)
{
    para_pool_info *const seen = arg;
    for (int i = 0; i < 30000 && !told; i++)
        usleep(1000);
    if (told && para_pool_get_info(pool, seen) != PARA_OK)
        seen->workers = 0;
    ended = 1;
    return NULL;
}

static int wait_for_the_end(const para_chunk *chunk, const void *arg)
{
    const bool is_caller = !para__pool_is_worker(pool);
    while (is_caller && !ended && !told)
        sched_yield();
    return be_contended(chunk, arg);
}

/* The CPUs of the first domain, which are more than one. */
static unsigned cpus_of_domain(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pool->machine->cpu_count; i++)
        count += pool->machine->cpu[i].domain == 0;
    if (count < 2 || pool->machine->info.domains > 1)
        _exit(SKIPPED); /* domains may differ */
    return count;
}

/* What the pool tells of itself while one of its workers has been told of so many failed yields;
 * how many CPUs that worker may run on then. */
static para_pool_info tell(unsigned yields, unsigned *cpus)
{
    para_pool_info seen = {.size = sizeof seen};
    pthread_t watcher;
    told = 0;
    ended = 0;
    failed = yields;
    CHECK(pthread_create(&watcher, NULL, watch, &seen) == 0);
    CHECK(para_pmap(pool, &(para_map){.kernel = wait_for_the_end,
                                      .count = UNITS,
                                      .options = {.executor = PARA_EXECUTOR_THREADS,
                                                  .chunk = 1}}) == PARA_OK);
    CHECK(pthread_join(watcher, NULL) == 0);
    if (!told)
        _exit(SKIPPED); /* no worker came in half a minute */
    *cpus = (unsigned)told - 1;
    return seen;
}

/* Makes the pool; whether its workers are pinned. */
static unsigned make(const para_pool_config *config)
{
    para_pool_info info = {.size = sizeof info};
    CHECK(para_pool_create(&pool, config) == PARA_OK);
    CHECK(para_pool_get_info(pool, &info) == PARA_OK);
    if (info.workers < 2 || info.pinned + info.loose < info.workers)
        _exit(SKIPPED); /* one core, or no bindings here */
    return info.workers;
}

static void automatic_body(void)
{
    const unsigned workers = make(NULL);
    const unsigned all = cpus_of_domain();
    unsigned cpus = 0;
    for (unsigned i = 0; i < workers; i++)
        para__worker_is_contended(&pool->worker[i], PARA__YIELDS_LOOSE - 1); /* not yet */
    para_pool_info info = tell(PARA__YIELDS_LOOSE, &cpus);
    CHECK(cpus == all);
    CHECK(info.loose >= 1 && info.pinned <= info.workers - 1 && info.pin_status == PARA_OK);
    CHECK(info.binding == PARA_BIND_CORE);
    para_pool_destroy(pool);
}

TEST(automatic_pins_are_given_up)
{
    run_in_child(automatic_body);
}

static void asked_body(void)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    unsigned cpus = 0;
    config.binding = PARA_BIND_CORE;
    make(&config);
    const para_pool_info info = tell(PARA__YIELDS_MOST, &cpus);
    CHECK(cpus == 1 && info.loose == 0);
    para_pool_destroy(pool);
}

TEST(pins_that_were_asked_for_stay)
{
    run_in_child(asked_body);
}

/* On this thread, in a worker's stead. */
static void back_body(void)
{
    make(NULL);
    const unsigned all = cpus_of_domain();
    para__worker stead = {.pool = pool, .index = 1, .cpu_index = pool->worker[1].cpu_index};
    para__worker *const self = &stead;
    para__loosening *const l = &self->loosening;
    const uint64_t least = PARA__CALM_LEAST_NS;
    for (uint64_t calm = least; calm <= 4 * least; calm *= 2) {
        para__worker_is_contended(self, PARA__YIELDS_LOOSE);
        CHECK(para__worker_is_loose(self) && cpus_of_this_thread() == all);
        CHECK(l->calm_ns == calm);
        para__usage now = l->since;
        now.cpu_ns += calm;
        now.at_ns += calm - 1;
        para__worker_looks_around(self, now);
        CHECK(para__worker_is_loose(self)); /* not long enough */
        now.preemptions += 1 + (long)(calm / least);
        para__worker_looks_around(self, now);
        CHECK(para__worker_is_loose(self)); /* as on any machine */
        now.at_ns++;
        now.preemptions++;
        para__worker_looks_around(self, now);
        CHECK(para__worker_is_loose(self)); /* disturbed: it begins anew */
        now.cpu_ns += calm;
        now.at_ns += calm - 1;
        para__worker_looks_around(self, now);
        CHECK(para__worker_is_loose(self));
        now.at_ns++;
        self->yield.failed = PARA__YIELDS_MOST;
        para__worker_looks_around(self, now);
        CHECK(self->yield.failed == 0); /* that was on other CPUs */
        CHECK(!para__worker_is_loose(self) && cpus_of_this_thread() == 1);
    }
    para__worker_is_contended(self, PARA__YIELDS_LOOSE - 1);
    CHECK(!para__worker_is_loose(self));
    for (int i = 0; i < 20; i++) {
        para__worker_is_contended(self, PARA__YIELDS_LOOSE);
        para__worker_looks_around(self, (para__usage){.at_ns = l->since.at_ns + l->calm_ns,
                                                      .cpu_ns = l->since.cpu_ns + l->calm_ns,
                                                      .preemptions = l->since.preemptions});
    }
    CHECK(l->calm_ns == PARA__CALM_MOST_NS);
    l->since.cpu_ns = para__thread_usage().cpu_ns - PARA__CALM_MOST_NS; /* the pin has held */
    para__worker_is_contended(self, PARA__YIELDS_LOOSE);
    CHECK(l->calm_ns == least);
    para_pool_destroy(pool);
}

TEST(they_come_back_when_it_is_calm)
{
    run_in_child(back_body);
}

static void *run_until_the_end(void *arg)
{
    (void)arg;
    while (!ended)
        ;
    return NULL;
}

static unsigned cpus_online(void)
{
    para__cpus online = {{0}};
    return para__cpus_online(&online) ? para__cpus_count(&online) : UINT_MAX / 2;
}

/* One that has hardly run, while more threads are ready than there are CPUs. */
static void full_body(void)
{
    enum { THREADS = 64 }; /* twice as many as CPUs: some may be moved, or not have begun */
    make(NULL);
    (void)cpus_of_domain();
    para__worker stead = {.pool = pool, .index = 1, .cpu_index = pool->worker[1].cpu_index};
    para__loosening *const l = &stead.loosening;
    pthread_t thread[THREADS];
    const unsigned threads = 2 * cpus_online();
    if (threads > THREADS || pool->machine->info.quota > 0)
        _exit(SKIPPED); /* threads that a quota holds back are not counted */
    for (unsigned i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], NULL, run_until_the_end, NULL) == 0);
    para__worker_is_contended(&stead, PARA__YIELDS_LOOSE);
    for (int i = 0; i < 20; i++) {
        para__usage now = l->since;
        now.at_ns += l->calm_ns;
        para__worker_looks_around(&stead, now);
        CHECK(para__worker_is_loose(&stead));
        CHECK(l->since.at_ns + l->calm_ns == now.at_ns + PARA__CALM_LEAST_NS); /* asked then */
    }
    para__usage now = l->since;
    now.at_ns += l->calm_ns;
    now.cpu_ns += l->calm_ns;
    para__worker_looks_around(&stead, now);
    CHECK(!para__worker_is_loose(&stead)); /* it has run for so long, not preempted */
    ended = 1;
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    para_pool_destroy(pool);
}

TEST(an_idle_one_waits_while_the_cpus_are_full)
{
    run_in_child(full_body);
}

static bool is_full(const char *text)
{
    char path[] = "/tmp/para-load-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    const bool full = para__cpus_are_full(path);
    unlink(path);
    return full;
}

TEST(load_is_read)
{
    char text[64];
    const unsigned cpus = cpus_online();
    for (unsigned more = 0; more < 2; more++) {
        snprintf(text, sizeof text, "0.20 0.18 0.12 %u/80 11206\n", cpus + more);
        assert_int_equal(is_full(text), more);
    }
    assert_false(is_full("9.99 9.99 9.99 1/1 1\n"));
    assert_true(is_full("0.00 0.00 0.00 0/0 0\n")); /* not known */
    assert_true(is_full("0.20 0.18"));
    assert_true(is_full(""));
    assert_true(para__cpus_are_full("/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(automatic_pins_are_given_up),
        cmocka_unit_test(pins_that_were_asked_for_stay),
        cmocka_unit_test(they_come_back_when_it_is_calm),
        cmocka_unit_test(an_idle_one_waits_while_the_cpus_are_full),
        cmocka_unit_test(load_is_read),
    };
    unsetenv("PARA_PROC_BIND");
    unsetenv("PARA_NUM_WORKERS");
    unsetenv("OMP_NUM_THREADS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
