/* para_mutex: exclusion, starvation, unlocks of what is not there, blocks, fork. */
#include "mutex.h"

#include <sys/mman.h>

TEST(size_and_start)
{
    assert_int_equal(sizeof(para_mutex), 4);
    para_mutex mutex = {0};
    OK(para_mutex_lock(&mutex));
    assert_false(para_mutex_try_lock(&mutex));
    OK(para_mutex_unlock(&mutex));
    assert_true(para_mutex_try_lock(&mutex));
    FAILS(PARA_ERR_BUSY, para_mutex_fini(&mutex));
    OK(para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, 0);
    OK(para_mutex_fini(&mutex));
}

/* Others read in the word whether they are in the holder's way. */
TEST(the_holder_tells_its_cpu_where_others_wait)
{
    cpu_set_t before;
    cpu_set_t one;
    const int cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    para_mutex mutex = {0};
    OK(para_mutex_lock(&mutex));
    assert_int_equal(mutex.word, LOCKED);
    OK(para_mutex_unlock(&mutex));
    mutex.word = SOMEBODY_WAITS | 0xffff0000u; /* as a holder elsewhere has left it */
    const uint32_t free = SOMEBODY_WAITS | (uint32_t)(cpu + 1) << 16;
    OK(para_mutex_lock(&mutex));
    assert_int_equal(mutex.word, LOCKED | free);
    OK(para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, free);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
}

/* ---- Exclusion ------------------------------------------------------------------------ */

enum { THREADS = 8, ROUNDS = 20000 };

static para_mutex the_mutex;
static uint64_t counter, other_counter; /* plain, guarded by the mutex */
static _Atomic unsigned violations;

static void *count(void *seed)
{
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t way = check_mix((uint64_t)(uintptr_t)seed + (uint64_t)i) % 8;
        if (way == 0) {
            if (!para_mutex_try_lock(&the_mutex))
                para_mutex_lock(&the_mutex);
        } else if (way == 1) {
            while (para_mutex_lock_until(&the_mutex, from_now(2000)) != PARA_OK) {
            }
        } else {
            para_mutex_lock(&the_mutex);
        }
        atomic_fetch_add_explicit(&violations, counter != other_counter, memory_order_relaxed);
        counter++;
        if (way == 2 && i % 64 == 0)
            sched_yield(); /* so that others go to sleep */
        other_counter++;
        para_mutex_unlock(&the_mutex);
    }
    return NULL;
}

TEST(exclusion)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = start(count, (void *)(i * ROUNDS));
    for (size_t i = 0; i < THREADS; i++)
        join(threads[i]);
    assert_int_equal(violations, 0);
    assert_int_equal(counter, THREADS * ROUNDS);
    assert_int_equal(the_mutex.word, 0); /* no bit is left behind */
    OK(para_mutex_fini(&the_mutex));
}

/* ---- Starvation ----------------------------------------------------------------------- */

static _Atomic bool served;

static void *lock_once(void *arg)
{
    para_mutex_lock(arg);
    served = true;
    para_mutex_unlock(arg);
    return NULL;
}

/* A thread that gives the lock back only to take it again would keep others out for as long as it
 * likes. That it does not end would show as the test's time limit. */
TEST(nobody_starves)
{
    para_mutex mutex = {0};
    served = false;
    OK(para_mutex_lock(&mutex));
    pthread_t thread = start(lock_once, &mutex);
    await_waiters(&mutex, 1);
    while (!served) {
        OK(para_mutex_unlock(&mutex));
        OK(para_mutex_lock(&mutex));
        for (uint64_t end = from_now(20000); para__now_ns() < end;) {
        }
    }
    OK(para_mutex_unlock(&mutex));
    join(thread);
    assert_int_equal(mutex.word, 0);
}

/* ---- Unlocking what is not there ------------------------------------------------------ */

/* The next holder may have freed the mutex before an unlocker comes to the queue. What is at its
 * address then is left alone: no memory, */
TEST(late_unlocker_of_memory_that_is_gone)
{
    void *const page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(munmap(page, 1), 0);
    OK(para_mutex_unlock_slow(page, SOMEBODY_WAITS));
}

static void *acquire_once(void *semaphore)
{
    return para_semaphore_acquire(semaphore) ? semaphore : NULL;
}

/* a semaphore that somebody waits for, */
TEST(late_unlocker_of_what_is_a_semaphore_now)
{
    para_semaphore semaphore = PARA_SEMAPHORE_INIT(0, 1);
    pthread_t thread = start(acquire_once, &semaphore);
    await_waiters(&semaphore, 1);
    const para_semaphore before = semaphore;
    OK(para_mutex_unlock_slow((para_mutex *)&semaphore, SOMEBODY_WAITS));
    assert_memory_equal(&semaphore, &before, sizeof before);
    assert_int_equal(waiters(&semaphore), 1);
    OK(para_semaphore_release(&semaphore, 1));
    join(thread);
}

/* or a mutex that somebody waits for: that one is woken in vain, and served all the same. */
TEST(late_unlocker_of_what_is_another_mutex_now)
{
    para_mutex mutex = {0};
    ask a = {.mutex = &mutex, .deadline_ns = UINT64_MAX, .status = 1};
    OK(para_mutex_lock(&mutex));
    pthread_t thread = start(lock_as_asked, &a);
    await_waiters(&mutex, 1);
    for (int times = 0; times < 100; times++)
        OK(para_mutex_unlock_slow(&mutex, SOMEBODY_WAITS));
    assert_int_equal(waiters(&mutex), 1);
    OK(para_mutex_unlock(&mutex));
    join(thread);
    assert_int_equal(a.status, PARA_OK);
    assert_int_equal(mutex.word, 0);
}

/* A mistake of the caller's, which locks nobody out. */
TEST(unlock_of_what_is_free)
{
    para_mutex mutex = {0};
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, 0);
    assert_true(para_mutex_try_lock(&mutex));
    OK(para_mutex_unlock(&mutex));
    mutex.word = 14; /* waited for by threads that a child of fork() does not have */
    FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock(&mutex));
    assert_int_equal(mutex.word, 0);
    OK(para_mutex_fini(&mutex));
}

/* Who has queued before it is put right is woken, and who has left leaves no bit behind. */
TEST(unlock_of_what_is_free_while_others_come)
{
    for (uint32_t word = 0; word < 16; word += 2) {
        for (int leaves = 0; leaves < 2; leaves++) {
            para_mutex mutex = {word - 1};
            ask a = {.mutex = &mutex,
                     .deadline_ns = leaves ? from_now(1000000) : UINT64_MAX,
                     .status = 1};
            pthread_t thread = start(lock_as_asked, &a);
            if (leaves)
                join(thread);
            else
                await_waiters(&mutex, 1);
            FAILS(PARA_ERR_NOT_OWNER, para_mutex_unlock_slow(&mutex, word - 1));
            if (!leaves)
                join(thread);
            assert_int_equal(a.status, leaves ? PARA_ERR_TIMEOUT : PARA_OK);
            assert_int_equal(mutex.word, 0);
        }
    }
}

/* ---- Blocks --------------------------------------------------------------------------- */

static int leave_by_return(para_mutex *mutex)
{
    PARA_WITH_MUTEX(mutex)
    {
        return (int)mutex->word;
    }
    return -1;
}

static int leave_by_goto(para_mutex *mutex)
{
    PARA_WITH_MUTEX(mutex)
    {
        if (mutex->word == LOCKED)
            goto out;
    }
    return -1;
out:
    return (int)mutex->word;
}

TEST(blocks)
{
    para_mutex mutex = {0}, second = {0};
    int rounds = 0;
    PARA_WITH_MUTEX(&mutex)
    {
        assert_false(para_mutex_try_lock(&mutex));
        PARA_WITH_MUTEX(&second)
        {
            rounds++;
            assert_int_equal(second.word, LOCKED);
        }
        assert_int_equal(second.word, 0);
    }
    assert_int_equal(mutex.word, 0);
    for (int i = 0; i < 3; i++) {
        PARA_WITH_MUTEX(&mutex)
        {
            rounds++;
            if (i == 0)
                continue;
            if (i == 1)
                break;
            rounds += 10;
        }
        assert_int_equal(mutex.word, 0);
    }
    assert_int_equal(rounds, 14);
    assert_int_equal(leave_by_return(&mutex), LOCKED);
    assert_int_equal(mutex.word, 0);
    assert_int_equal(leave_by_goto(&mutex), 0);
}

/* ---- Fork ----------------------------------------------------------------------------- */

static para_mutex held_by_parent;

static void *take_turns(void *mutex)
{
    for (int i = 0; i < 200; i++) {
        para_mutex_lock(mutex);
        counter++;
        sched_yield();
        para_mutex_unlock(mutex);
    }
    return NULL;
}

/* The lock is this thread's; those who waited for it are not here. */
static int use_in_child(void)
{
    if (waiters(&held_by_parent))
        return 1;
    if (para_mutex_lock_until(&held_by_parent, 0) != PARA_ERR_TIMEOUT)
        return 2;
    para_mutex_unlock(&held_by_parent);
    if (para_mutex_lock(&held_by_parent) || para_mutex_unlock(&held_by_parent))
        return 3;
    counter = 0;
    if (CHILDREN_HAVE_THREADS) {
        pthread_t threads[3];
        for (size_t i = 0; i < 3; i++)
            if (pthread_create(&threads[i], NULL, take_turns, &held_by_parent))
                return 4;
        for (size_t i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
        if (counter != 600)
            return 5;
    }
    return para_mutex_fini(&held_by_parent) ? 6 : 0;
}

TEST(fork_while_held_and_waited_for)
{
    if (!FORKS_AMID_THREADS)
        skip();
    OK(para_mutex_lock(&held_by_parent));
    assert_int_equal(in_child(use_in_child), 0);
    ask asks[3];
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++) {
        asks[i] = (ask){&held_by_parent, NULL, UINT64_MAX, 1, 0};
        threads[i] = start(lock_as_asked, &asks[i]);
    }
    await_waiters(&held_by_parent, 3);
    for (int i = 0; i < 5; i++)
        assert_int_equal(in_child(use_in_child), 0);
    OK(para_mutex_unlock(&held_by_parent));
    for (unsigned i = 0; i < 3; i++)
        join(threads[i]);
    OK(para_mutex_fini(&held_by_parent));
}

/* As a child finds it whose parent's waiters had it reserved, or not even that. */
static int try_in_child(void)
{
    for (uint32_t bits = 0; bits < 8; bits++) {
        para_mutex mutex = {bits << 1};
        if (!para_mutex_try_lock(&mutex) || para_mutex_try_lock(&mutex))
            return 1;
        para_mutex_unlock(&mutex);
        if (!para_mutex_try_lock(&mutex))
            return 2;
        mutex.word = LOCKED | bits << 1; /* by the thread that forked */
        if (para_mutex_try_lock(&mutex))
            return 3;
        para_mutex_unlock(&mutex);
        if (!para_mutex_try_lock(&mutex))
            return 4;
    }
    return 0;
}

TEST(fork_while_reserved)
{
    assert_int_equal(in_child(try_in_child), 0);
}

/* ---- In kernels ----------------------------------------------------------------------- */

typedef struct tally {
    para_mutex mutex;
    uint64_t chunks, elements;
} tally;

static int add_up(const para_chunk *chunk, const void *arg)
{
    tally *t = *(tally *const *)arg;
    PARA_WITH_MUTEX(&t->mutex)
    {
        t->chunks++;
        t->elements += chunk->count;
    }
    return 0;
}

TEST(in_kernels)
{
    para_pool *pool = check_pool(4);
    tally t = {.elements = 0};
    tally *const address = &t;
    static char out[10000];
    for (int i = 0; i < 20; i++)
        OK(para_pmap(pool,
                     &(para_map){.kernel = add_up,
                                 .arg = &address,
                                 .count = sizeof out,
                                 .out = {PARA_OUT(out)},
                                 .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 10}}));
    assert_int_equal(t.chunks, 20 * sizeof out / 10);
    assert_int_equal(t.elements, 20 * sizeof out);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_start),
        cmocka_unit_test(the_holder_tells_its_cpu_where_others_wait),
        cmocka_unit_test(exclusion),
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(late_unlocker_of_memory_that_is_gone),
        cmocka_unit_test(late_unlocker_of_what_is_a_semaphore_now),
        cmocka_unit_test(late_unlocker_of_what_is_another_mutex_now),
        cmocka_unit_test(unlock_of_what_is_free),
        cmocka_unit_test(unlock_of_what_is_free_while_others_come),
        cmocka_unit_test(blocks),
        cmocka_unit_test(fork_while_held_and_waited_for),
        cmocka_unit_test(fork_while_reserved),
        cmocka_unit_test(in_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
