/* para_cancel: once requested it stays so, it is seen with what came before, and it ends all
 * waits. */
#include "../common/waiters.h"

TEST(a_request)
{
    para_cancel cancel = {0};
    assert_false(para_cancel_requested(&cancel));
    para_cancel_request(&cancel);
    assert_true(para_cancel_requested(&cancel));
    para_cancel_request(&cancel);
    assert_true(para_cancel_requested(&cancel));
}

typedef struct letter {
    para_cancel cancel;
    uint64_t text; /* plain: written before the request */
    uint64_t read;
} letter;

static void *read_when_requested(void *arg)
{
    letter *l = arg;
    while (!para_cancel_requested(&l->cancel)) {
    }
    l->read = l->text;
    return NULL;
}

TEST(what_was_before_is_seen)
{
    for (uint64_t i = 1; i < 200; i++) {
        letter l = {.text = 0};
        pthread_t thread = start(read_when_requested, &l);
        l.text = i;
        para_cancel_request(&l.cancel);
        join(thread);
        assert_int_equal(l.read, i);
    }
}

/* One token for waits on a mutex and on a semaphore, at whatever point of going to sleep. */
static para_mutex mutex;
static para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 1);
static _Atomic unsigned wrong;

static void *wait_on_mutex(void *token)
{
    wrong += para_mutex_lock_cancellable(&mutex, token) != PARA_ERR_CANCELLED;
    return NULL;
}

static void *wait_on_semaphore(void *token)
{
    wrong += para_semaphore_acquire_cancellable(&semaphore, token) != PARA_ERR_CANCELLED;
    return NULL;
}

static void *request(void *token)
{
    para_cancel_request(token);
    return NULL;
}

TEST(no_request_is_lost)
{
    OK(para_mutex_lock(&mutex));
    for (unsigned i = 0; i < 500; i++) {
        para_cancel cancel = {0};
        pthread_t threads[] = {start(wait_on_mutex, &cancel), start(wait_on_semaphore, &cancel),
                               start(wait_on_mutex, &cancel)};
        for (unsigned k = 0; k < i % 8; k++)
            sched_yield();
        pthread_t other = start(request, &cancel);
        para_cancel_request(&cancel); /* two at once */
        join(other);
        for (size_t k = 0; k < COUNT_OF(threads); k++)
            join(threads[k]);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(mutex.word, 1);
    OK(para_mutex_unlock(&mutex));
}

static para_cancel of_parent;

static int use_in_child(void)
{
    if (waiters(&of_parent) || para_cancel_requested(&of_parent))
        return 1;
    para_cancel_request(&of_parent);
    return !para_cancel_requested(&of_parent);
}

TEST(fork_while_waited_with)
{
    if (!FORKS_AMID_THREADS)
        skip();
    OK(para_mutex_lock(&mutex));
    pthread_t thread = start(wait_on_mutex, &of_parent);
    await_waiters(&mutex, 1);
    assert_int_equal(in_child(use_in_child), 0);
    assert_false(para_cancel_requested(&of_parent));
    para_cancel_request(&of_parent);
    join(thread);
    assert_int_equal(wrong, 0);
    OK(para_mutex_unlock(&mutex));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(what_was_before_is_seen),
        cmocka_unit_test(no_request_is_lost),
        cmocka_unit_test(fork_while_waited_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
