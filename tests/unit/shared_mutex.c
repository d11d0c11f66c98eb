/* para_shared_mutex: between processes; one dies while it holds the mutex. */
#include "../common/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* gcc 12's ThreadSanitizer does not know pthread_mutex_clocklock: it takes an unlock after that for
 * one too many. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "mutex:para_shared_mutex_\n";
}

typedef struct shared {
    para_shared_mutex mutex;
    uint64_t counter; /* plain, guarded */
    _Atomic bool held;
} shared;

enum { CHILDREN = 3, ROUNDS = 3000 };

static shared *map_shared(void)
{
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(s != MAP_FAILED);
    OK(para_shared_mutex_init(&s->mutex));
    return s;
}

static pid_t child_of(int (*body)(shared *), shared *s)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(body(s));
    }
    assert_true(child > 0);
    return child;
}

static int end_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(misuse)
{
    shared *s = map_shared();
    FAILS(PARA_ERR_NOT_OWNER, para_shared_mutex_unlock(&s->mutex));
    OK(para_shared_mutex_lock(&s->mutex));
    FAILS(PARA_ERR_DEADLOCK, para_shared_mutex_lock(&s->mutex));
    FAILS(PARA_ERR_DEADLOCK, para_shared_mutex_try_lock(&s->mutex));
    FAILS(PARA_ERR_BUSY, para_shared_mutex_fini(&s->mutex));
    FAILS(PARA_ERR_ARGUMENT, para_shared_mutex_recover(&s->mutex));
    assert_string_equal(para_status_detail(), "the mutex is not held after a holder's death");
    OK(para_shared_mutex_unlock(&s->mutex));
    OK(para_shared_mutex_lock_until(&s->mutex, 0)); /* free: taken */
    OK(para_shared_mutex_unlock(&s->mutex));
    OK(para_shared_mutex_fini(&s->mutex));
    munmap(s, sizeof *s);
}

static int count(shared *s)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3 == 0) {
            while (para_shared_mutex_lock_until(&s->mutex, 1) == PARA_ERR_TIMEOUT) {
            }
        } else if (para_shared_mutex_lock(&s->mutex) != PARA_OK) {
            return 1;
        }
        s->counter++;
        if (para_shared_mutex_unlock(&s->mutex) != PARA_OK)
            return 2;
    }
    return 0;
}

TEST(exclusion_between_processes)
{
    shared *s = map_shared();
    pid_t children[CHILDREN];
    for (size_t i = 0; i < CHILDREN; i++)
        children[i] = child_of(count, s);
    assert_int_equal(count(s), 0);
    for (size_t i = 0; i < CHILDREN; i++)
        assert_int_equal(end_of(children[i]), 0);
    assert_int_equal(s->counter, (CHILDREN + 1) * ROUNDS);
    OK(para_shared_mutex_fini(&s->mutex));
    munmap(s, sizeof *s);
}

static char path[40]; /* of an open file */

static int map_and_count(shared *unused)
{
    (void)unused;
    para_buffer *buffer;
    if (para_buffer_map_file(&buffer, path, PARA_FILE_WRITE) != PARA_OK)
        return 3;
    const int fault = count(para_buffer_data(buffer));
    para_buffer_destroy(buffer);
    return fault;
}

/* In a file that each process maps for itself, at whatever address. */
TEST(exclusion_in_mapped_buffers)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(file));
    assert_int_equal(ftruncate(fileno(file), sizeof(shared)), 0);
    para_buffer *buffer;
    OK(para_buffer_map_file(&buffer, path, PARA_FILE_WRITE));
    shared *s = para_buffer_data(buffer);
    OK(para_shared_mutex_init(&s->mutex));
    pid_t children[CHILDREN];
    for (size_t i = 0; i < CHILDREN; i++)
        children[i] = child_of(map_and_count, NULL);
    for (size_t i = 0; i < CHILDREN; i++)
        assert_int_equal(end_of(children[i]), 0);
    assert_int_equal(s->counter, CHILDREN * ROUNDS);
    OK(para_shared_mutex_fini(&s->mutex));
    para_buffer_destroy(buffer);
    fclose(file);
}

static int lock_and_stay(shared *s)
{
    if (para_shared_mutex_lock(&s->mutex) != PARA_OK)
        return 1;
    s->held = true;
    for (;;)
        pause();
}

/* A process that holds the lock is killed. */
static void let_one_die(shared *s)
{
    s->held = false;
    const pid_t child = child_of(lock_and_stay, s);
    while (!s->held)
        usleep(100);
    FAILS(PARA_ERR_BUSY, para_shared_mutex_try_lock(&s->mutex));
    FAILS(PARA_ERR_TIMEOUT, para_shared_mutex_lock_until(&s->mutex, 1));
    kill(child, SIGKILL);
    assert_int_equal(end_of(child), 1000 + SIGKILL);
}

TEST(owner_died)
{
    if (UNDER_QEMU)
        skip();
    shared *s = map_shared();
    let_one_die(s);
    FAILS(PARA_ERR_OWNER_DIED, para_shared_mutex_lock(&s->mutex));
    FAILS(PARA_ERR_DEADLOCK, para_shared_mutex_lock(&s->mutex)); /* it is held now */
    OK(para_shared_mutex_recover(&s->mutex));
    OK(para_shared_mutex_unlock(&s->mutex));
    OK(para_shared_mutex_lock(&s->mutex)); /* as if nothing had happened */
    OK(para_shared_mutex_unlock(&s->mutex));

    let_one_die(s);
    FAILS(PARA_ERR_OWNER_DIED, para_shared_mutex_lock_until(&s->mutex, UINT64_MAX));
    OK(para_shared_mutex_unlock(&s->mutex)); /* given up */
    FAILS(PARA_ERR_NOT_RECOVERABLE, para_shared_mutex_lock(&s->mutex));
    FAILS(PARA_ERR_NOT_RECOVERABLE, para_shared_mutex_try_lock(&s->mutex));
    FAILS(PARA_ERR_NOT_RECOVERABLE, para_shared_mutex_lock_until(&s->mutex, 0));
    munmap(s, sizeof *s);
}

/* Who waits already when the holder dies. */
static int wait_and_recover(shared *s)
{
    if (para_shared_mutex_lock(&s->mutex) != PARA_ERR_OWNER_DIED)
        return 1;
    if (para_shared_mutex_recover(&s->mutex) != PARA_OK)
        return 2;
    return para_shared_mutex_unlock(&s->mutex) != PARA_OK;
}

TEST(owner_dies_while_others_wait)
{
    if (UNDER_QEMU)
        skip();
    shared *s = map_shared();
    const pid_t holder = child_of(lock_and_stay, s);
    while (!s->held)
        usleep(100);
    const pid_t waiter = child_of(wait_and_recover, s);
    usleep(20000); /* it may wait by then; if not, it finds the same */
    kill(holder, SIGKILL);
    assert_int_equal(end_of(waiter), 0);
    assert_int_equal(end_of(holder), 1000 + SIGKILL);
    OK(para_shared_mutex_lock(&s->mutex));
    OK(para_shared_mutex_unlock(&s->mutex));
    OK(para_shared_mutex_fini(&s->mutex));
    munmap(s, sizeof *s);
}

static void *lock_and_exit(void *mutex)
{
    return para_shared_mutex_lock(mutex) == PARA_OK ? NULL : mutex;
}

TEST(a_thread_ends_as_owner)
{
    if (UNDER_QEMU)
        skip();
    shared *s = map_shared();
    pthread_t thread;
    void *failed = s;
    assert_int_equal(pthread_create(&thread, NULL, lock_and_exit, &s->mutex), 0);
    pthread_join(thread, &failed);
    assert_null(failed);
    FAILS(PARA_ERR_OWNER_DIED, para_shared_mutex_lock(&s->mutex));
    OK(para_shared_mutex_recover(&s->mutex));
    OK(para_shared_mutex_unlock(&s->mutex));
    munmap(s, sizeof *s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(exclusion_between_processes),
        cmocka_unit_test(exclusion_in_mapped_buffers),
        cmocka_unit_test(owner_died),
        cmocka_unit_test(owner_dies_while_others_wait),
        cmocka_unit_test(a_thread_ends_as_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
