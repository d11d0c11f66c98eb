/* Requests dispatched by name: what they bring back, what they may have as tasks, what is refused;
 * the table of names. */
#include "../common/tasks.h"

#include <poll.h>
#include <string.h>

static _Atomic unsigned ran;

typedef struct pair {
    int a, b;
} pair;

/* Adds; fails if the sum is negative. */
static int add(para_request *r, void *arg)
{
    const pair *p = r->request;
    const int sum = p->a + p->b;
    ran++;
    fault_unless(arg == &faults);
    fault_unless(r->request_bytes == sizeof *p && r->response_room >= sizeof sum);
    if (sum < 0)
        return sum;
    memcpy(r->response, &sum, sizeof sum);
    r->response_bytes = sizeof sum;
    return 0;
}

static para_entry add_entry(void)
{
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = add;
    entry.arg = (void *)&faults;
    entry.request_least = entry.request_most = sizeof(pair);
    entry.response_least = sizeof(int);
    return entry;
}

/* A pool with `add`, and `hold` of tasks.h as "hold". */
static int hold_request(para_request *r, void *arg)
{
    (void)r;
    return hold(arg);
}

static para_pool *serving_pool(unsigned workers)
{
    para_pool *made = check_pool(workers);
    para_entry entry = add_entry();
    OK(para_register(made, "add", &entry));
    entry = (para_entry)PARA_ENTRY_INIT;
    entry.run = hold_request;
    OK(para_register(made, "hold", &entry));
    ran = 0;
    return made;
}

static para_status dispatch_add(const pair *p, int *sum, para_request *r)
{
    return para_dispatch(pool, "add", p, sizeof *p, sum, sizeof *sum, r);
}

/* ---- What they bring back ------------------------------------------------------------- */

static void check_round_trip(void)
{
    const para_entry entry = add_entry();
    const pair p = {2, 3}, negative = {2, -9};
    int sum = 0;
    para_request r = {0};
    OK(para_register(pool, "add", &entry));
    OK(dispatch_add(&p, &sum, &r));
    OK(para_task_wait(&r.task));
    assert_int_equal(sum, 5);
    assert_int_equal(r.response_bytes, sizeof sum);
    assert_int_equal(r.task.result, 0);
    sum = 77;
    OK(dispatch_add(&negative, &sum, &r)); /* the same request again */
    FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    assert_int_equal(r.task.result, -7);
    assert_int_equal(r.response_bytes, 0);
    assert_int_equal(sum, 77);
}

TEST(a_response_comes_back_and_an_error_is_the_result)
{
    each_pool(check_round_trip);
}

/* Writes as many bytes as the request says; says that it has if it returns 0. */
static int write_bytes(para_request *r, void *arg)
{
    size_t wanted;
    (void)arg;
    memcpy(&wanted, r->request, sizeof wanted);
    if (wanted)
        memset(r->response, 1, wanted < r->response_room ? wanted : r->response_room);
    r->response_bytes = wanted;
    return wanted == 99 ? 1 : 0;
}

TEST(a_response_says_its_length)
{
    char room[10];
    size_t wanted;
    para_request r = {0};
    para_entry entry = PARA_ENTRY_INIT;
    pool = check_pool(2);
    entry.run = write_bytes;
    OK(para_register(pool, "write", &entry));
    for (wanted = 0; wanted <= 10; wanted++) {
        OK(para_dispatch(pool, "write", &wanted, sizeof wanted, room, sizeof room, &r));
        OK(para_task_wait(&r.task));
        assert_int_equal(r.response_bytes, wanted);
    }
    wanted = 11; /* more than there is room for: a fault of the function */
    OK(para_dispatch(pool, "write", &wanted, sizeof wanted, room, sizeof room, &r));
    FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    assert_int_equal(r.task.result, PARA_ERR_LENGTH);
    assert_int_equal(r.response_bytes, 0);
    wanted = 99; /* what it would have needed */
    OK(para_dispatch(pool, "write", &wanted, sizeof wanted, room, sizeof room, &r));
    FAILS(PARA_ERR_TASK, para_task_wait(&r.task));
    assert_int_equal(r.task.result, 1);
    assert_int_equal(r.response_bytes, 99);
    wanted = 0;
    OK(para_dispatch(pool, "write", &wanted, sizeof wanted, NULL, 0, &r));
    OK(para_task_wait(&r.task));
    para_pool_destroy(pool);
}

/* ---- As tasks ------------------------------------------------------------------------- */

static _Atomic unsigned done;

static void count_done(para_task *task)
{
    para_request *r = (para_request *)task;
    fault_unless(task->done == count_done);
    fault_unless(r->response_bytes == (task->status ? 0 : sizeof(int)));
    done++;
}

TEST(requests_have_what_tasks_have)
{
    const pair p = {2, 3};
    para_cancel cancel = {0};
    para_task_group group = {0};
    para_task held[3];
    para_request late = {.task = {.deadline_ns = 1, .done = count_done, .group = &group}};
    para_request cancelled = {.task = {.cancel = &cancel, .done = count_done}};
    para_request watched = {.task = {.done = count_done, .priority = 3, .id = 7}};
    int sum[4], fd = -1;
    pool = serving_pool(3);
    done = 0;
    begin_holding(held, 3);
    OK(dispatch_add(&p, &sum[0], &late));
    OK(dispatch_add(&p, &sum[1], &cancelled));
    OK(dispatch_add(&p, &sum[2], &watched));
    OK(para_task_fd(&watched.task, &fd));
    FAILS(PARA_ERR_BUSY, dispatch_add(&p, &sum[2], &watched)); /* which changes nothing of it */
    para_cancel_request(&cancel);
    is_open = true;
    assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1), 1);
    OK(para_task_wait(&watched.task)); /* the descriptor is told just before */
    close(fd);
    assert_int_equal(sum[2], 5);
    FAILS(PARA_ERR_DEADLINE, para_task_wait(&late.task));
    FAILS(PARA_ERR_DEADLINE, para_task_group_wait(&group));
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&cancelled.task));
    assert_int_equal(late.task.result, 0);
    assert_int_equal(done, 3);
    assert_int_equal(ran, 1);
    for (unsigned i = 0; i < 3; i++)
        OK(para_task_wait(&held[i]));
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

static para_entry_info info_of(const char *name)
{
    para_entry_info info = {.size = sizeof info};
    OK(para_get_entry(pool, name, &info));
    return info;
}

typedef struct letter {
    para_request request;
    pair body;
    int sum;
} letter;

static void free_letter(para_task *task)
{
    letter *l = (letter *)task;
    fault_unless(l->sum == l->body.a + l->body.b && task->status == PARA_OK);
    free(l);
    done++;
}

TEST(detached_requests_may_be_freed_when_they_are_done)
{
    enum { N = 200 };
    pool = serving_pool(3);
    done = 0;
    for (int i = 0; i < N; i++) {
        letter *l = calloc(1, sizeof *l);
        assert_non_null(l);
        l->body = (pair){i, 1};
        l->request.task.is_detached = true;
        l->request.task.done = free_letter;
        OK(dispatch_add(&l->body, &l->sum, &l->request));
    }
    while (done < N)
        sched_yield();
    static para_request forgotten = {.task.is_detached = true}; /* also without `done` */
    static int sum;
    OK(dispatch_add(&(pair){1, 1}, &sum, &forgotten));
    OK(para_unregister(pool, "add"));
    assert_int_equal(sum, 2);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

/* A request that dispatches another one. */
static int add_twice(para_request *r, void *arg)
{
    int once, twice;
    para_request inner = {0};
    (void)arg;
    fault_unless(dispatch_add(r->request, &once, &inner) == PARA_OK);
    fault_unless(para_task_wait(&inner.task) == PARA_OK);
    fault_unless(dispatch_add(&(pair){once, once}, &twice, &inner) == PARA_OK);
    fault_unless(para_task_wait(&inner.task) == PARA_OK);
    memcpy(r->response, &twice, sizeof twice);
    r->response_bytes = sizeof twice;
    return 0;
}

static void check_nested(void)
{
    para_entry entry = add_entry();
    para_request r = {0};
    int twice = 0;
    OK(para_register(pool, "add", &entry));
    entry.run = add_twice;
    OK(para_register(pool, "add_twice", &entry));
    OK(para_dispatch(pool, "add_twice", &(pair){2, 3}, sizeof(pair), &twice, sizeof twice, &r));
    OK(para_task_wait(&r.task));
    assert_int_equal(twice, 10);
    assert_int_equal(info_of("add").inflight, 0);
}

TEST(requests_dispatch_requests)
{
    each_pool(check_nested);
}

TEST(a_full_queue_refuses)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    const para_entry entry = add_entry();
    const pair p = {1, 2};
    para_task held[2];
    para_request first = {0}, second = {.task.done = count_done};
    int sum[2] = {0};
    config.workers = 2;
    config.task_capacity = 1;
    config.start = PARA_START_WAIT;
    OK(para_pool_create(&pool, &config));
    OK(para_register(pool, "add", &entry));
    begin_holding(held, 2);
    OK(dispatch_add(&p, &sum[0], &first));
    second.response_bytes = 55;
    FAILS(PARA_ERR_TIMEOUT,
          para_dispatch_until(pool, "add", &p, sizeof p, &sum[1], sizeof sum[1], &second, 0));
    assert_true(second.task.done == count_done); /* as it was */
    assert_int_equal(second.response_bytes, 55);
    assert_null(second.request);
    assert_int_equal(info_of("add").inflight, 1);
    is_open = true;
    OK(para_task_wait(&first.task));
    OK(dispatch_add(&p, &sum[1], &second));
    OK(para_task_wait(&second.task));
    for (unsigned i = 0; i < 2; i++)
        OK(para_task_wait(&held[i]));
    para_pool_destroy(pool);
}

TEST(requests_that_no_one_has_begun_end_with_the_pool)
{
    para_request held[2] = {0}, queued = {.task.done = count_done};
    int sum;
    pool = serving_pool(2);
    is_open = false;
    begun = done = 0;
    for (unsigned i = 0; i < 2; i++)
        OK(para_dispatch(pool, "hold", NULL, 0, NULL, 0, &held[i]));
    while (begun < 2)
        sched_yield();
    OK(dispatch_add(&(pair){1, 2}, &sum, &queued));
    is_open = true;
    para_pool_destroy(pool); /* it may also have begun, and is over then */
    assert_int_equal(done, 1);
    assert_true(para_task_is_over(&queued.task));
    assert_true(queued.task.status == PARA_OK || queued.task.status == PARA_ERR_ENDING);
}

/* ---- What is refused ------------------------------------------------------------------ */

#define REFUSED(why, words, call)                                   \
    do {                                                            \
        FAILS(why, call);                                           \
        if (!strstr(para_status_detail(), words))                   \
            fail_msg("%s: no %s", para_status_detail(), words);     \
        assert_int_equal(r.response_bytes, 55);                     \
        FAILS(PARA_ERR_ARGUMENT, para_task_wait_until(&r.task, 0)); \
    } while (0)

TEST(what_does_not_fit_is_refused_with_a_detail)
{
    para_entry entry = add_entry();
    const pair p = {1, 2};
    char room[100];
    para_request r = {.response_bytes = 55};
    entry.version = 5;
    entry.oldest_version = 3;
    entry.request_most = 20;
    pool = check_pool(2);
    OK(para_register(pool, "add", &entry));
    REFUSED(PARA_ERR_NAME, "'sub'", para_dispatch(pool, "sub", &p, sizeof p, room, 4, &r));
    REFUSED(PARA_ERR_NAME, "''", para_dispatch(pool, "", &p, sizeof p, room, 4, &r));
    REFUSED(PARA_ERR_NAME, "'adda'", para_dispatch(pool, "adda", &p, sizeof p, room, 4, &r));
    REFUSED(PARA_ERR_LENGTH, "at least 8 bytes, not 7",
            para_dispatch(pool, "add", &p, 7, room, 4, &r));
    REFUSED(PARA_ERR_LENGTH, "at least 8 bytes, not 0",
            para_dispatch(pool, "add", NULL, 0, room, 4, &r));
    REFUSED(PARA_ERR_LENGTH, "at most 20 bytes, not 21",
            para_dispatch(pool, "add", room, 21, room, 4, &r));
    REFUSED(PARA_ERR_LENGTH, "response of 'add' has at least 4 bytes, not 3",
            para_dispatch(pool, "add", &p, sizeof p, room, 3, &r));
    REFUSED(PARA_ERR_LENGTH, "response", para_dispatch(pool, "add", &p, sizeof p, NULL, 0, &r));
    REFUSED(PARA_ERR_ARGUMENT, "the request", para_dispatch(pool, "add", NULL, 8, room, 4, &r));
    REFUSED(PARA_ERR_ARGUMENT, "the response",
            para_dispatch(pool, "add", &p, sizeof p, NULL, 4, &r));
    REFUSED(PARA_ERR_ARGUMENT, "no name", para_dispatch(pool, NULL, &p, sizeof p, room, 4, &r));
    FAILS(PARA_ERR_ARGUMENT, para_dispatch(pool, "add", &p, sizeof p, room, 4, NULL));
    r.task.priority = PARA_TASK_PRIORITIES;
    REFUSED(PARA_ERR_ARGUMENT, "priority", para_dispatch(pool, "add", &p, sizeof p, room, 4, &r));
    r.task.priority = 0;
    for (r.version = 1; r.version < 9; r.version++)
        if (r.version < 3 || r.version > 5)
            REFUSED(PARA_ERR_VERSION, "versions 3 to 5",
                    para_dispatch(pool, "add", &p, sizeof p, room, 4, &r));
    assert_int_equal(info_of("add").inflight, 0);
    assert_int_equal(ran, 0);
    for (r.version = 3; r.version <= 5; r.version++) {
        OK(para_dispatch(pool, "add", &p, sizeof p, room, 4, &r));
        OK(para_task_wait(&r.task));
    }
    para_pool_destroy(pool);
}

TEST(a_version_alone)
{
    para_entry entry = add_entry();
    para_request r = {0};
    int sum;
    pool = check_pool(2);
    OK(para_register(pool, "none", &entry));
    entry.version = 2;
    OK(para_register(pool, "two", &entry));
    for (r.version = 0; r.version < 4; r.version++) {
        const para_status none =
            para_dispatch(pool, "none", &(pair){1, 2}, sizeof(pair), &sum, sizeof sum, &r);
        if (!none)
            OK(para_task_wait(&r.task));
        const para_status two =
            para_dispatch(pool, "two", &(pair){1, 2}, sizeof(pair), &sum, sizeof sum, &r);
        if (!two)
            OK(para_task_wait(&r.task));
        assert_int_equal(none, r.version == 0 ? PARA_OK : PARA_ERR_VERSION);
        assert_int_equal(two, r.version == 0 || r.version == 2 ? PARA_OK : PARA_ERR_VERSION);
    }
    para_pool_destroy(pool);
}

/* ---- The table ------------------------------------------------------------------------ */

TEST(what_cannot_be_registered)
{
    char longest[PARA_NAME_BYTES + 1];
    para_entry entry = add_entry();
    memset(longest, 'a', sizeof longest);
    longest[PARA_NAME_BYTES] = 0;
    pool = check_pool(1);
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, NULL, &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "", &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a b", &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a\n", &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a\177", &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, longest, &entry));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", NULL));
    longest[PARA_NAME_BYTES - 1] = 0;
    OK(para_register(pool, longest, &entry));
    OK(para_register(pool,
                     "gr\xc3\xb6\xc3\x9f"
                     "e/2",
                     &entry));
    FAILS(PARA_ERR_BUSY, para_register(pool, longest, &entry));
    assert_non_null(strstr(para_status_detail(), longest));
    entry.size--;
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", &entry));
    entry = add_entry();
    entry.run = NULL;
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", &entry));
    entry = add_entry();
    entry.request_least = entry.request_most + 1;
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", &entry));
    entry = add_entry();
    entry.oldest_version = 1;
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", &entry));
    entry = add_entry();
    entry.breaker.error_percent = 101;
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "a", &entry));
    para_entry_info info = {.size = sizeof info};
    FAILS(PARA_ERR_NAME, para_get_entry(pool, "a", &info));
    FAILS(PARA_ERR_NAME, para_unregister(pool, "a"));
    FAILS(PARA_ERR_ARGUMENT, para_unregister(pool, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_get_entry(pool, NULL, &info));
    FAILS(PARA_ERR_ARGUMENT, para_get_entry(pool, longest, NULL));
    info.size = 0;
    FAILS(PARA_ERR_ARGUMENT, para_get_entry(pool, longest, &info));
    FAILS(PARA_ERR_ARGUMENT, para_list_entry(pool, 0, &info));
    para_pool_destroy(pool);
}

TEST(the_table_is_listed_in_order_and_belongs_to_its_pool)
{
    enum { N = 500 };
    para_entry_info info = {.size = sizeof info};
    para_entry entry = add_entry();
    char name[PARA_NAME_BYTES];
    para_pool *other = serving_pool(2);
    pool = check_pool(2);
    FAILS(PARA_ERR_NAME, para_list_entry(pool, 0, &info));
    FAILS(PARA_ERR_NAME, para_get_entry(pool, "hold", &info));
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "name-%u", i);
        entry.version = i;
        OK(para_register(pool, name, &entry));
    }
    OK(para_unregister(pool, "name-7"));
    FAILS(PARA_ERR_NAME, para_unregister(pool, "name-7"));
    unsigned i = 0;
    for (; para_list_entry(pool, i, &info) == PARA_OK; i++) {
        snprintf(name, sizeof name, "name-%u", i);
        assert_string_equal(info.name, name);
        assert_int_equal(info.version, i);
        assert_int_equal(info.is_registered, i != 7);
        assert_int_equal(info.request_most, sizeof(pair));
        assert_int_equal(info.response_least, sizeof(int));
        assert_int_equal(info.breaker, PARA_BREAKER_CLOSED);
        assert_int_equal(info_of(name).version, i);
    }
    assert_int_equal(i, N);
    entry.version = 77;
    OK(para_register(pool, "name-7", &entry)); /* has its index still */
    OK(para_list_entry(pool, 7, &info));
    assert_true(info.is_registered && info.version == 77);
    FAILS(PARA_ERR_NAME, para_list_entry(pool, N, &info));
    para_pool_destroy(other);
    para_pool_destroy(pool);
}

TEST(a_table_has_a_limit)
{
    const para_entry entry = add_entry();
    char name[PARA_NAME_BYTES];
    pool = check_pool(1);
    for (unsigned i = 0; i < PARA_NAMES; i++) {
        snprintf(name, sizeof name, "%u", i);
        OK(para_register(pool, name, &entry));
    }
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "more", &entry));
    assert_non_null(strstr(para_status_detail(), "4096"));
    OK(para_unregister(pool, "17"));
    FAILS(PARA_ERR_ARGUMENT, para_register(pool, "more", &entry));
    OK(para_register(pool, "17", &entry));
    para_pool_destroy(pool);
}

TEST(the_default_pool_has_a_table)
{
    const para_entry entry = add_entry();
    para_request r = {0};
    int sum = 0;
    pool = NULL;
    OK(para_register(NULL, "add", &entry));
    OK(dispatch_add(&(pair){4, 5}, &sum, &r));
    OK(para_task_wait(&r.task));
    assert_int_equal(sum, 9);
    pool = para_default_pool();
    assert_true(info_of("add").is_registered);
    OK(para_unregister(NULL, "add"));
    FAILS(PARA_ERR_NAME, dispatch_add(&(pair){4, 5}, &sum, &r));
    OK(para_task_wait(&r.task)); /* its last outcome */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_comes_back_and_an_error_is_the_result),
        cmocka_unit_test(a_response_says_its_length),
        cmocka_unit_test(requests_have_what_tasks_have),
        cmocka_unit_test(detached_requests_may_be_freed_when_they_are_done),
        cmocka_unit_test(requests_dispatch_requests),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(requests_that_no_one_has_begun_end_with_the_pool),
        cmocka_unit_test(what_does_not_fit_is_refused_with_a_detail),
        cmocka_unit_test(a_version_alone),
        cmocka_unit_test(what_cannot_be_registered),
        cmocka_unit_test(the_table_is_listed_in_order_and_belongs_to_its_pool),
        cmocka_unit_test(a_table_has_a_limit),
        cmocka_unit_test(the_default_pool_has_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
