/* Signals of a pool: what they are at rest and while tasks come and go; who watches them. */
#include "../common/tasks.h"

#include <para/watch.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

enum { WORKERS = 2, N = 40 };

static para_task held[WORKERS], task[N];
static _Atomic unsigned ran, tells;

static para_signals of_pool(void)
{
    para_signals now = {.size = sizeof now};
    OK(para_pool_get_signals(pool, &now));
    return now;
}

static para_signals of_watch(para_watch *watch)
{
    para_signals now = {.size = sizeof now};
    fault_unless(para_watch_get(watch, &now) == PARA_OK);
    return now;
}

static void are(para_signals now, unsigned workers, uint64_t queued, uint64_t inflight)
{
    assert_int_equal(now.workers, workers);
    assert_int_equal(now.queued, queued);
    assert_int_equal(now.inflight, inflight);
    assert_int_equal(now.accepted, now.queued + now.inflight + now.completed + now.failed +
                                       now.cancelled + now.dropped);
}

static void settle(void)
{
    OK(para_pool_shutdown(pool, PARA_SHUTDOWN_DRAIN, para_deadline_after(60000000000u), NULL));
}

static int refuse(void *arg)
{
    (void)arg;
    return 7;
}

TEST(signals_are_right_at_rest)
{
    para_cancel cancel = {0};
    para_watch watch = {.changed = NULL};
    pool = check_pool(WORKERS);
    OK(para_pool_watch(pool, &watch));
    are(of_pool(), WORKERS, 0, 0);
    ran = 0;
    begin_holding(held, WORKERS);
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = i % 4 ? count_up : refuse, .arg = &ran};
        task[i].cancel = i % 4 == 1 ? &cancel : NULL;
        task[i].deadline_ns = i % 4 == 2 ? 1 : 0;
        OK(para_submit(pool, &task[i]));
    }
    are(of_pool(), WORKERS, N, WORKERS);
    are(of_watch(&watch), WORKERS, N, WORKERS);
    para_cancel_request(&cancel);
    is_open = true;
    for (unsigned i = 0; i < N; i++)
        DROP(para_task_wait(&task[i]));
    OK(para_task_wait(&held[0]));
    OK(para_task_wait(&held[1]));
    const para_signals now = of_pool(); /* at once: who has waited for all finds none */
    are(now, WORKERS, 0, 0);
    assert_int_equal(now.accepted, N + WORKERS);
    assert_int_equal(now.completed, N / 4 + WORKERS);
    assert_int_equal(now.failed, N / 4);
    assert_int_equal(now.cancelled, N / 4);
    assert_int_equal(now.dropped, N / 4);
    OK(para_pool_destroy(pool));
    are(of_watch(&watch), 0, 0, 0);
    assert_int_equal(of_watch(&watch).accepted, 0);
    OK(para_watch_end(&watch));
    are(of_watch(&watch), 0, 0, 0);
    assert_int_equal(faults, 0);
}

TEST(tasks_of_tasks_and_of_threads_without_seats_are_counted)
{
    static const unsigned workers[] = {1, 2, 3};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        fib f = {.n = 12};
        para_task root = {.run = run_fib, .arg = &f};
        pool = check_pool(workers[i]);
        OK(para_submit(pool, &root));
        OK(para_task_wait(&root));
        are(of_pool(), workers[i], 0, 0);
        assert_int_equal(of_pool().completed, 233);
        OK(para_pool_destroy(pool));
    }
}

/* ---- Watching --------------------------------------------------------------------------- */

static _Atomic uint64_t last_sum;

static void note(para_watch *watch)
{
    const para_signals now = of_watch(watch);
    fault_unless(watch->arg == &tells);
    fault_unless(now.queued <= now.accepted && now.inflight <= now.accepted);
    last_sum = now.queued + now.inflight + now.workers;
    tells++;
}

TEST(who_watches_is_told_of_each_change)
{
    para_watch watch[2] = {{.changed = note, .arg = &tells}, {.changed = note, .arg = &tells}};
    struct pollfd end = {.events = POLLIN};
    uint64_t count;
    pool = check_pool(WORKERS);
    tells = 0;
    OK(para_pool_watch(pool, &watch[0]));
    OK(para_pool_watch(pool, &watch[1]));
    FAILS(PARA_ERR_BUSY, para_pool_watch(pool, &watch[1]));
    OK(para_watch_fd(&watch[0], &end.fd));
    int again = -1;
    OK(para_watch_fd(&watch[0], &again));
    assert_int_equal(again, end.fd);
    assert_int_equal(poll(&end, 1, 0), 0);
    ran = 0;
    task[0] = (para_task){.run = count_up, .arg = &ran};
    OK(para_submit(pool, &task[0]));
    OK(para_task_wait(&task[0]));
    settle();
    while (tells < 6) /* accepted, begun, over; both watches. The last comes after the end */
        sched_yield();
    assert_int_equal(poll(&end, 1, 0), 1);
    assert_int_equal(read(end.fd, &count, sizeof count), sizeof count);
    OK(para_watch_end(&watch[1]));
    const unsigned before = tells;
    OK(para_pool_destroy(pool));
    assert_true(tells > before); /* the other watch */
    assert_int_equal(last_sum, 0);
    assert_int_equal(poll(&end, 1, 0), 1);
    OK(para_watch_end(&watch[0]));
    close(end.fd);
    assert_int_equal(faults, 0);
}

/* What it changes itself does not lead to a circle. */
static _Atomic unsigned more;

static void submit_more(para_watch *watch)
{
    fault_unless(para_watch_end(watch) == PARA_ERR_BUSY);
    const unsigned i = more++;
    if (i >= N)
        return;
    task[i] = (para_task){.run = count_up, .arg = &ran};
    fault_unless(para_submit(pool, &task[i]) == PARA_OK);
}

TEST(who_is_told_may_submit)
{
    para_watch watch = {.changed = submit_more};
    para_task first = {.run = count_up, .arg = &ran};
    pool = check_pool(WORKERS);
    ran = more = 0;
    OK(para_pool_watch(pool, &watch));
    OK(para_submit(pool, &first));
    while (ran < N + 1)
        sched_yield();
    settle();
    OK(para_watch_end(&watch));
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

static _Atomic bool is_asking;

static void *ask(void *watch)
{
    while (is_asking) {
        const para_signals now = of_watch(watch);
        fault_unless(now.workers == WORKERS || (now.workers == 0 && now.queued == 0));
    }
    return NULL;
}

TEST(a_watch_is_read_while_its_pool_ends)
{
    for (unsigned round = 0; round < 50; round++) {
        para_watch watch = {.changed = NULL};
        pthread_t reader;
        pool = check_pool(WORKERS);
        is_asking = true;
        OK(para_pool_watch(pool, &watch));
        assert_int_equal(pthread_create(&reader, NULL, ask, &watch), 0);
        for (unsigned i = 0; i < N; i++) {
            task[i] = (para_task){.run = count_up, .arg = &ran};
            OK(para_submit(pool, &task[i]));
        }
        OK(para_pool_destroy(pool));
        is_asking = false;
        pthread_join(reader, NULL);
        OK(para_watch_end(&watch));
    }
    assert_int_equal(faults, 0);
}

/* Watches come and go while the pool works. */
static void *come_and_go(void *arg)
{
    for (unsigned i = 0; i < 300; i++) {
        para_watch watch = {.changed = note, .arg = &tells};
        fault_unless(para_pool_watch(pool, &watch) == PARA_OK);
        fault_unless(para_watch_end(&watch) == PARA_OK);
    }
    return arg;
}

TEST(watches_come_and_go)
{
    pthread_t thread[2];
    pool = check_pool(WORKERS);
    ran = 0;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, NULL), 0);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < N; i++) {
            task[i] = (para_task){.run = count_up, .arg = &ran};
            OK(para_submit(pool, &task[i]));
        }
        for (unsigned i = 0; i < N; i++)
            OK(para_task_wait(&task[i]));
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    OK(para_pool_destroy(pool));
    assert_int_equal(faults, 0);
}

/* Whoever is told of one pool changes another, which has a watch too, and ends that. */
static para_pool *other;
static para_watch of_other;
static _Atomic unsigned told_of_other, refused;
static bool other_tells_at_once; /* it has one worker */

static void note_other(para_watch *watch)
{
    (void)watch;
    told_of_other++;
}

static void change_other(para_watch *watch)
{
    static para_task once;
    if (tells++)
        return;
    once = (para_task){.run = count_up, .arg = &ran};
    fault_unless(para_submit(other, &once) == PARA_OK);
    fault_unless(para_task_wait(&once) == PARA_OK);
    fault_unless(told_of_other > 0 || !other_tells_at_once);
    fault_unless(para_pool_destroy(other) == PARA_OK && para_watch_end(&of_other) == PARA_OK);
    refused += para_watch_end(watch) == PARA_ERR_BUSY;
}

TEST(who_is_told_of_one_pool_may_change_another)
{
    for (unsigned workers = 1; workers <= 2; workers++) {
        para_watch watch = {.changed = change_other};
        para_task first = {.run = count_up, .arg = &ran};
        pool = check_pool(WORKERS);
        other = check_pool(workers);
        other_tells_at_once = workers == 1;
        ran = told_of_other = tells = refused = 0;
        of_other = (para_watch){.changed = note_other};
        OK(para_pool_watch(pool, &watch));
        OK(para_pool_watch(other, &of_other));
        OK(para_submit(pool, &first));
        OK(para_task_wait(&first));
        settle();
        OK(para_watch_end(&watch));
        OK(para_pool_destroy(pool));
        assert_int_equal(refused, 1);
        assert_int_equal(faults, 0);
    }
}

/* Watches are the parent's, also one that is told when it forks. */
static int end_in_child(para_watch *watch, bool restarts)
{
    para_signals now = {.size = sizeof now};
    int status = 1;
    const pid_t child = fork();
    if (child == 0) {
        alarm(50);
        bool holds = para_watch_get(watch, &now) == PARA_OK && now.workers == 0 &&
                     para_watch_end(watch) == PARA_OK;
        if (restarts)
            holds = holds && para_pool_restart(pool) == PARA_OK &&
                    para_pool_watch(pool, watch) == PARA_OK && para_watch_end(watch) == PARA_OK &&
                    para_pool_destroy(pool) == PARA_OK;
        _exit(holds ? 0 : 1);
    }
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

static void fork_once(para_watch *watch)
{
    if (tells++ == 0)
        refused += end_in_child(watch, false) != 0;
}

TEST(watches_are_not_a_childs)
{
    para_watch watch = {.changed = fork_once}, unused = {.changed = note_other};
    para_task first = {.run = count_up, .arg = &ran};
    if (!CHILDREN_HAVE_THREADS || !FORKS_AMID_THREADS)
        skip();
    pool = check_pool(WORKERS);
    ran = tells = refused = 0;
    OK(para_pool_watch(pool, &unused));
    OK(para_pool_watch(pool, &watch));
    OK(para_submit(pool, &first));
    OK(para_task_wait(&first));
    assert_int_equal(end_in_child(&unused, true), 0);
    settle();
    OK(para_watch_end(&watch));
    OK(para_watch_end(&unused));
    OK(para_pool_destroy(pool));
    assert_int_equal(refused, 0);
}

TEST(what_is_no_watch_is_refused)
{
    para_watch watch = {.changed = NULL};
    para_signals now = {.size = 3};
    int fd = -7;
    pool = check_pool(WORKERS);
    FAILS(PARA_ERR_ARGUMENT, para_pool_watch(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_pool_get_signals(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_pool_get_signals(pool, &now));
    FAILS(PARA_ERR_ARGUMENT, para_watch_get(NULL, &now));
    FAILS(PARA_ERR_ARGUMENT, para_watch_get(&watch, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_watch_fd(&watch, &fd));
    FAILS(PARA_ERR_ARGUMENT, para_watch_fd(NULL, &fd));
    FAILS(PARA_ERR_ARGUMENT, para_watch_end(NULL));
    OK(para_watch_end(&watch));
    assert_int_equal(fd, -7);
    OK(para_pool_destroy(pool));
    pool = NULL;
    now.size = sizeof now;
    OK(para_pool_watch(NULL, &watch)); /* the default pool */
    OK(para_watch_get(&watch, &now));
    OK(para_watch_end(&watch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_right_at_rest),
        cmocka_unit_test(tasks_of_tasks_and_of_threads_without_seats_are_counted),
        cmocka_unit_test(who_watches_is_told_of_each_change),
        cmocka_unit_test(who_is_told_may_submit),
        cmocka_unit_test(a_watch_is_read_while_its_pool_ends),
        cmocka_unit_test(watches_come_and_go),
        cmocka_unit_test(who_is_told_of_one_pool_may_change_another),
        cmocka_unit_test(watches_are_not_a_childs),
        cmocka_unit_test(what_is_no_watch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
