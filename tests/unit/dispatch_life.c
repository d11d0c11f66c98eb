/* Names that come and go while requests are dispatched: what is registered is used until
 * para_unregister has returned, and not after that. */
#include "../common/child.h"
#include "../common/tasks.h"

#include <pthread.h>

static _Atomic unsigned ran;

static int serve(para_request *r, void *arg)
{
    (void)r;
    return arg ? hold(arg) : count_up((void *)&ran);
}

static para_entry entry_with(void *arg)
{
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = serve;
    entry.arg = arg;
    return entry;
}

static para_status dispatch(const char *name, para_request *r)
{
    return para_dispatch(pool, name, NULL, 0, NULL, 0, r);
}

/* A pool whose "held" is at the gate. */
static void begin_request(unsigned workers, para_request *r)
{
    const para_entry entry = entry_with((void *)&begun);
    pool = check_pool(workers);
    is_open = false;
    begun = ran = 0;
    OK(para_register(pool, "held", &entry));
    OK(dispatch("held", r));
    while (begun < 1)
        sched_yield();
}

static _Atomic bool is_unregistered;

/* is_late: it may come when all is over. */
static void *unregister(void *is_late)
{
    const para_status status = para_unregister(pool, "held");
    fault_unless(status == PARA_OK || (is_late && status == PARA_ERR_NAME));
    fault_unless(is_open); /* not before the request could end */
    is_unregistered = true;
    return NULL;
}

TEST(unregister_waits_for_requests)
{
    pthread_t thread[2];
    para_request r = {0}, other = {0};
    para_entry entry = entry_with(NULL);
    para_entry_info info = {.size = sizeof info};
    begin_request(2, &r);
    is_unregistered = false;
    assert_int_equal(pthread_create(&thread[0], NULL, unregister, NULL), 0);
    do {
        OK(para_get_entry(pool, "held", &info));
    } while (info.is_registered);
    assert_int_equal(info.inflight, 1);
    assert_int_equal(pthread_create(&thread[1], NULL, unregister, &r), 0); /* also several */
    FAILS(PARA_ERR_NAME, dispatch("held", &other));
    FAILS(PARA_ERR_BUSY, para_register(pool, "held", &entry));
    FAILS(PARA_ERR_TIMEOUT, para_unregister_until(pool, "held", 0));
    FAILS(PARA_ERR_TIMEOUT, para_unregister_until(pool, "held", para_deadline_after(1000000)));
    assert_false(is_unregistered);
    usleep(1000); /* so that both sleep, as a rule */
    is_open = true;
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    OK(para_task_wait(&r.task));
    OK(para_register(pool, "held", &entry));
    OK(dispatch("held", &other));
    OK(para_task_wait(&other.task));
    assert_int_equal(ran, 1);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

/* ---- Within tasks --------------------------------------------------------------------- */

static int unregister_within(void *arg)
{
    fault_unless(para_unregister(pool, arg) == PARA_ERR_BUSY);
    fault_unless(para_unregister(pool, "unused") == PARA_OK);
    fault_unless(para_unregister(pool, "unused") == PARA_ERR_NAME);
    return 0;
}

static int unregister_itself(para_request *r, void *arg)
{
    (void)r;
    fault_unless(para_unregister(pool, arg) == PARA_ERR_BUSY);
    fault_unless(para_unregister_until(pool, arg, 0) == PARA_ERR_BUSY);
    return 0;
}

TEST(within_a_task_unregister_does_not_wait)
{
    para_request r = {0};
    para_task task = {.run = unregister_within, .arg = (void *)"held"};
    const para_entry entry = entry_with(NULL);
    begin_request(3, &r);
    OK(para_register(pool, "unused", &entry));
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    is_open = true;
    const para_status status = para_unregister(pool, "held"); /* it may be over already */
    assert_true(status == PARA_OK || status == PARA_ERR_NAME);
    OK(para_task_wait(&r.task));
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

static void check_itself(void)
{
    para_request r = {0};
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = unregister_itself;
    entry.arg = (void *)"itself";
    OK(para_register(pool, "itself", &entry));
    OK(dispatch("itself", &r));
    OK(para_task_wait(&r.task));
    FAILS(PARA_ERR_NAME, dispatch("itself", &r));
    FAILS(PARA_ERR_NAME, para_unregister(pool, "itself"));
    OK(para_register(pool, "itself", &entry));
}

TEST(a_request_may_unregister_its_own_name)
{
    each_pool(check_itself);
}

/* ---- While requests are dispatched ---------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 300, NAMES = 3, LIVE = 0x600d };

static const char *const names[NAMES] = {"one", "two", "three"};
static _Atomic unsigned accepted, refused, completed;
static _Atomic bool is_ending;

/* Freed after para_unregister. */
typedef struct service {
    int state;
    _Atomic unsigned served;
} service;

static int use_service(para_request *r, void *arg)
{
    service *s = arg;
    fault_unless(s->state == LIVE && r->response_room == sizeof(int));
    s->served++;
    completed++;
    return completed % 3 == 0 ? 1 : 0; /* so that breakers open */
}

static void *dispatch_some(void *arg)
{
    enum { MANY = 8 };
    para_request r[MANY];
    int room[MANY];
    uint64_t random = (uintptr_t)arg;
    while (!is_ending) {
        bool is_accepted[MANY];
        for (unsigned i = 0; i < MANY; i++) {
            const char *name = names[check_below(&random, NAMES)];
            r[i] = (para_request){.task.priority = i % PARA_TASK_PRIORITIES};
            const para_status status =
                para_dispatch(pool, name, NULL, 0, &room[i], sizeof room[i], &r[i]);
            is_accepted[i] = status == PARA_OK;
            accepted += is_accepted[i];
            refused += !is_accepted[i];
            fault_unless(!status || status == PARA_ERR_NAME || status == PARA_ERR_OPEN);
        }
        for (unsigned i = 0; i < MANY; i++)
            if (is_accepted[i]) {
                const para_status status = para_task_wait(&r[i].task);
                fault_unless(!status || status == PARA_ERR_TASK);
            }
    }
    return NULL;
}

static void *list_names(void *arg)
{
    para_entry_info info = {.size = sizeof info};
    (void)arg;
    while (!is_ending)
        for (unsigned i = 0; !para_list_entry(pool, i, &info); i++)
            fault_unless(info.failures <= info.calls && i < NAMES);
    return NULL;
}

static _Atomic unsigned served;

/* Registers names that another thread registers as well: what is freed is its own. */
static void *register_and_unregister(void *arg)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        const char *const name = names[(round + (uintptr_t)arg) % NAMES];
        service *s = calloc(1, sizeof *s);
        para_entry entry = PARA_ENTRY_INIT;
        s->state = LIVE;
        entry.run = use_service;
        entry.arg = s;
        entry.breaker = (para_breaker){
            .error_percent = round % 2 ? 30 : 0, .least_calls = 5, .pause_ns = 10000};
        const para_status status = para_register(pool, name, &entry);
        fault_unless(status == PARA_OK || status == PARA_ERR_BUSY);
        for (unsigned looks = 0; !status && s->served < round % 16 && looks < 1000; looks++)
            sched_yield();
        if (!status)
            fault_unless(para_unregister(pool, name) == PARA_OK);
        served += s->served;
        s->state = 0;
        free(s);
    }
    return NULL;
}

TEST(names_come_and_go_while_requests_are_dispatched)
{
    pthread_t thread[THREADS + 2], lister;
    pool = check_pool(3);
    is_ending = false;
    for (uintptr_t i = 0; i < COUNT_OF(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL,
                                        i < THREADS ? dispatch_some : register_and_unregister,
                                        (void *)(i + 1)),
                         0);
    assert_int_equal(pthread_create(&lister, NULL, list_names, NULL), 0);
    for (unsigned i = COUNT_OF(thread); i-- > 0;) {
        pthread_join(thread[i], NULL);
        is_ending = i <= THREADS;
    }
    pthread_join(lister, NULL);
    assert_int_equal(accepted, completed);
    assert_int_equal(served, completed);
    assert_int_equal(faults, 0);
    para_pool_destroy(pool);
}

/* ---- Forks ---------------------------------------------------------------------------- */

static int use_in_child(void)
{
    const para_entry entry = entry_with(NULL);
    para_entry_info info = {.size = sizeof info};
    para_request r = {0};
    EXPECT(dispatch("held", &r) == PARA_ERR_FORKED);
    EXPECT(para_register(pool, "other", &entry) == PARA_ERR_FORKED);
    EXPECT(para_unregister(pool, "held") == PARA_ERR_FORKED);
    EXPECT(para_get_entry(pool, "held", &info) == PARA_ERR_FORKED);
    EXPECT(para_list_entry(pool, 0, &info) == PARA_ERR_FORKED);
    if (CHILDREN_HAVE_THREADS) {
        is_open = true;
        EXPECT(para_pool_restart(pool) == PARA_OK);
        EXPECT(para_get_entry(pool, "held", &info) == PARA_OK);
        EXPECT(info.is_registered && info.inflight == 0); /* the parent's is the parent's */
        EXPECT(dispatch("held", &r) == PARA_OK && para_task_wait(&r.task) == PARA_OK);
        EXPECT(para_unregister(pool, "held") == PARA_OK);
    }
    para_pool_destroy(pool);
    return 0;
}

TEST(a_child_has_the_names_after_a_restart)
{
    para_request r = {0};
    begin_request(2, &r);
    assert_int_equal(in_child(use_in_child), 0);
    is_open = true;
    OK(para_task_wait(&r.task));
    OK(para_unregister(pool, "held"));
    para_pool_destroy(pool);
}

static void *destroy(void *is_gone)
{
    fault_unless(para_pool_destroy(pool) == PARA_OK);
    *(_Atomic bool *)is_gone = true;
    return NULL;
}

/* Who waits in unregister is inside the pool: its memory stays until they have left. */
TEST(a_pool_is_not_freed_under_who_unregisters)
{
    pthread_t waits, ends;
    para_request r = {0};
    _Atomic bool is_gone = false;
    para_entry_info info = {.size = sizeof info};
    begin_request(2, &r);
    is_unregistered = false;
    assert_int_equal(pthread_create(&waits, NULL, unregister, NULL), 0);
    do {
        OK(para_get_entry(pool, "held", &info));
    } while (info.is_registered);
    assert_int_equal(pthread_create(&ends, NULL, destroy, (void *)&is_gone), 0);
    usleep(1000);
    assert_false(is_gone);
    is_open = true;
    pthread_join(waits, NULL);
    pthread_join(ends, NULL);
    OK(para_task_wait(&r.task));
    assert_true(is_unregistered && is_gone);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unregister_waits_for_requests),
        cmocka_unit_test(within_a_task_unregister_does_not_wait),
        cmocka_unit_test(a_request_may_unregister_its_own_name),
        cmocka_unit_test(names_come_and_go_while_requests_are_dispatched),
        cmocka_unit_test(a_child_has_the_names_after_a_restart),
        cmocka_unit_test(a_pool_is_not_freed_under_who_unregisters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
