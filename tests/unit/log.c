/* The log: who is told what. */
#include "../common/check.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 };

/* What was told; the log's function runs on one thread at a time. */
static struct {
    para_log_entry entry[MOST];
    char reason[MOST][128];
} seen;
static _Atomic unsigned count;
static _Atomic unsigned faults;

static void note(const para_log_entry *e, void *arg)
{
    const unsigned i = count;
    faults += arg != &seen || e->size != sizeof *e || !*e->text || !*e->reason || !e->time_ns ||
              strcmp(para_log_name(e->id), "unknown") == 0;
    if (i < MOST) {
        seen.entry[i] = *e;
        snprintf(seen.reason[i], sizeof seen.reason[i], "%s", e->reason);
    }
    count = i + 1;
    errno = 99;
}

static const para_log all = {.size = sizeof all, .entry = note, .arg = &seen, .most = 1000};

static unsigned told(para_log_id id)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count && i < MOST; i++)
        n += seen.entry[i].id == id;
    return n;
}

static const para_log_entry *last(para_log_id id)
{
    const para_log_entry *found = NULL;
    for (unsigned i = 0; i < count && i < MOST; i++)
        if (seen.entry[i].id == id)
            found = &seen.entry[i];
    assert_non_null(found);
    return found;
}

static int stop(void **state)
{
    (void)state;
    DROP(para_log_stop());
    assert_int_equal(faults, 0);
    count = 0;
    return 0;
}

static int fails(void *arg)
{
    (void)arg;
    return 1;
}

/* Dropped, on the calling thread. */
static void drop_tasks(unsigned n)
{
    para_pool *const pool = check_pool(2);
    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    for (unsigned i = 0; i < n; i++) {
        para_task task = {.run = fails, .id = 40 + i, .cancel = &cancel};
        OK(para_submit(pool, &task));
        FAILS(PARA_ERR_CANCELLED, para_task_wait(&task));
    }
    OK(para_pool_destroy(pool));
}

TEST(nobody_is_told_by_default)
{
    drop_tasks(1);
    assert_int_equal(count, 0);
    FAILS(PARA_ERR_ARGUMENT, para_log_stop());
    FAILS(PARA_ERR_ARGUMENT, para_log_alarms());
}

TEST(who_is_told_is_checked)
{
    para_log log = all;
    FAILS(PARA_ERR_ARGUMENT, para_log_start(NULL));
    log.size--;
    FAILS(PARA_ERR_ARGUMENT, para_log_start(&log));
    log = all;
    log.entry = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_log_start(&log));
    log = all;
    log.least = (para_log_level)4;
    FAILS(PARA_ERR_ARGUMENT, para_log_start(&log));
    OK(para_log_start(&all));
    FAILS(PARA_ERR_BUSY, para_log_start(&all));
    OK(para_log_alarms());
    FAILS(PARA_ERR_BUSY, para_log_alarms());
    OK(para_log_stop());
    OK(para_log_start(&all));
    OK(para_log_alarms());
}

TEST(dropped_tasks_are_told)
{
    OK(para_log_start(&all));
    errno = 77;
    drop_tasks(3);
    assert_int_equal(errno, 77);
    assert_int_equal(told(PARA_LOG_TASK_DROPPED), 3);
    const para_log_entry *const e = last(PARA_LOG_TASK_DROPPED);
    assert_int_equal(e->level, PARA_LEVEL_NOTE);
    assert_int_equal(e->subject, 42);
    assert_string_equal(seen.reason[e - seen.entry], para_status_text(PARA_ERR_CANCELLED));
    OK(para_log_stop());
    const unsigned before = count;
    drop_tasks(1);
    assert_int_equal(count, before);
}

TEST(levels_below_are_not_told)
{
    para_log log = PARA_LOG_INIT;
    log.entry = note;
    log.arg = &seen;
    log.least = PARA_LEVEL_WARNING;
    OK(para_log_start(&log));
    drop_tasks(1);
    assert_int_equal(told(PARA_LOG_TASK_DROPPED), 0);
}

TEST(too_many_are_left_out)
{
    para_log log = all;
    log.most = 2;
    OK(para_log_start(&log));
    drop_tasks(5);
    const unsigned n = told(PARA_LOG_TASK_DROPPED);
    assert_in_range(n, 2, 5); /* of a slow machine more, in another second */
    assert_int_equal(seen.entry[0].left_out, 0);
}

TEST(retries_are_told)
{
    para_pool *const pool = check_pool(2);
    para_retry retry = {.task = {.run = fails, .id = 7}, .attempts = 3, .first_ns = 1};
    OK(para_log_start(&all));
    FAILS(PARA_ERR_TASK, para_retry_wait(pool, &retry, PARA_DEADLINE_NEVER));
    assert_int_equal(told(PARA_LOG_RETRY), 2);
    assert_int_equal(last(PARA_LOG_RETRY)->subject, 7);
    OK(para_pool_destroy(pool));
}

static uint64_t breaker_time;

static uint64_t time_of_breaker(void)
{
    return breaker_time;
}

static int answer(para_request *r, void *arg)
{
    (void)arg;
    return r->request_bytes == 0;
}

TEST(breakers_are_told)
{
    para_pool *const pool = check_pool(2);
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = answer;
    entry.breaker = (para_breaker){
        .error_percent = 50, .least_calls = 2, .pause_ns = 10, .now_ns = time_of_breaker};
    OK(para_register(pool, "rank", &entry));
    OK(para_log_start(&all));
    for (int i = 0; i < 2; i++) {
        para_request r = {.task = {.priority = 0}};
        OK(para_dispatch(pool, "rank", NULL, 0, NULL, 0, &r));
        FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    }
    assert_int_equal(told(PARA_LOG_BREAKER_OPEN), 1);
    assert_int_equal(last(PARA_LOG_BREAKER_OPEN)->level, PARA_LEVEL_ALARM);
    assert_non_null(strstr(seen.reason[last(PARA_LOG_BREAKER_OPEN) - seen.entry], "'rank'"));
    breaker_time += 11;
    para_request r = {.task = {.priority = 0}};
    OK(para_dispatch(pool, "rank", "x", 1, NULL, 0, &r));
    OK(para_task_wait(&r.task));
    assert_int_equal(told(PARA_LOG_BREAKER_CLOSED), 1);
    OK(para_pool_destroy(pool));
}

static void call_back(const para_log_entry *e, void *arg)
{
    para_log log = all;
    (void)arg;
    faults += para_log_stop() != PARA_ERR_BUSY || para_log_start(&log) != PARA_ERR_BUSY;
    count += e->id == PARA_LOG_TASK_DROPPED; /* a busy machine may have more to tell */
}

TEST(the_function_does_not_end_itself)
{
    para_log log = all;
    log.entry = call_back;
    OK(para_log_start(&log));
    drop_tasks(1);
    assert_int_equal(count, 1);
}

/* Threads that ask for alarms, and end them, at the same time leave nothing behind. */
static void *ask_for_alarms(void *arg)
{
    (void)arg;
    for (int i = 0; i < 300; i++) {
        const para_status status = para_log_alarms();
        faults += status != PARA_OK && status != PARA_ERR_BUSY && status != PARA_ERR_ARGUMENT;
    }
    return NULL;
}

TEST(alarms_begin_and_end_on_several_threads)
{
    pthread_t thread[2];
    for (size_t t = 0; t < COUNT_OF(thread); t++)
        assert_int_equal(pthread_create(&thread[t], NULL, ask_for_alarms, NULL), 0);
    for (int i = 0; i < 300; i++) {
        OK(para_log_start(&all));
        OK(para_log_stop());
    }
    for (size_t t = 0; t < COUNT_OF(thread); t++)
        pthread_join(thread[t], NULL);
    para_stats stats = {.size = sizeof stats};
    OK(para_stats_get(&stats));
    assert_false(stats.is_on);
    OK(para_log_start(&all));
    OK(para_log_alarms());
    FAILS(PARA_ERR_BUSY, para_log_alarms());
}

/* A child tells nobody, until it asks for it. */
TEST(children_tell_nobody)
{
    if (!FORKS_AMID_THREADS)
        skip();
    OK(para_log_start(&all));
    const pid_t child = fork();
    if (child == 0) {
        drop_tasks(1);
        if (count != 0 || para_log_start(&all) != PARA_OK)
            _exit(1);
        drop_tasks(1);
        _exit(told(PARA_LOG_TASK_DROPPED) == 1 ? 0 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

TEST(names_and_texts_are_there)
{
    assert_string_equal(para_log_name(PARA_LOG_RETRY), "PARA_LOG_RETRY");
    assert_string_equal(para_log_name((para_log_id)9999), "unknown");
    assert_string_equal(para_log_level_text(PARA_LEVEL_ALARM), "alarm");
    assert_string_equal(para_log_level_text((para_log_level)-1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nobody_is_told_by_default, stop),
        cmocka_unit_test_teardown(who_is_told_is_checked, stop),
        cmocka_unit_test_teardown(dropped_tasks_are_told, stop),
        cmocka_unit_test_teardown(levels_below_are_not_told, stop),
        cmocka_unit_test_teardown(too_many_are_left_out, stop),
        cmocka_unit_test_teardown(retries_are_told, stop),
        cmocka_unit_test_teardown(breakers_are_told, stop),
        cmocka_unit_test_teardown(the_function_does_not_end_itself, stop),
        cmocka_unit_test_teardown(alarms_begin_and_end_on_several_threads, stop),
        cmocka_unit_test_teardown(children_tell_nobody, stop),
        cmocka_unit_test(names_and_texts_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
