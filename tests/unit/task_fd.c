/* Descriptors of tasks: readable from the task's end on, for loops that poll. */
#include "../common/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static para_pool *pool;

static int make_pool(void **state)
{
    (void)state;
    pool = check_pool(3);
    return pool == NULL;
}

static int end_pool(void **state)
{
    (void)state;
    para_pool_destroy(pool);
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int wait_for_it(void *arg)
{
    return para_semaphore_acquire(arg);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    int found;
    while ((found = poll(&look, 1, timeout_ms)) < 0)
        continue;
    return found == 1 && look.revents == POLLIN;
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

TEST(readable_from_the_end_on)
{
    const int before = count_descriptors();
    para_semaphore gate = PARA_SEMAPHORE_INIT(0, 10);
    para_task task = {.run = wait_for_it, .arg = &gate};
    int fd = -1;
    int again = -1;
    OK(para_submit(pool, &task));
    OK(para_task_fd(&task, &fd));
    OK(para_task_fd(&task, &again));
    assert_true(fd >= 0 && again == fd);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(is_readable(fd, 0));
    OK(para_semaphore_release(&gate, 1));
    assert_true(is_readable(fd, -1));
    OK(para_task_wait(&task));
    assert_true(is_readable(fd, 0)); /* until somebody reads */
    OK(para_task_fd(&task, &again));
    assert_int_equal(again, fd);
    close(fd);

    OK(para_submit(pool, &task)); /* the same memory, another descriptor */
    OK(para_task_fd(&task, &fd));
    assert_false(is_readable(fd, 0));
    OK(para_semaphore_release(&gate, 1));
    assert_true(is_readable(fd, -1));
    OK(para_task_wait(&task));
    close(fd);
    assert_int_equal(count_descriptors(), before);
}

TEST(asked_for_after_the_end)
{
    para_cancel cancel = {0};
    para_cancel_request(&cancel);
    para_task task = {.run = nothing};
    para_task dropped = {.run = nothing, .cancel = &cancel};
    int fd = -1;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    OK(para_task_fd(&task, &fd));
    assert_true(is_readable(fd, 0));
    close(fd);
    OK(para_submit(pool, &dropped));
    OK(para_task_fd(&dropped, &fd));
    assert_true(is_readable(fd, -1));
    FAILS(PARA_ERR_CANCELLED, para_task_wait(&dropped));
    close(fd);
}

/* Another thread asks as well, while the task comes to its end. */
static void *ask(void *task)
{
    int fd = -1;
    return (void *)(intptr_t)(para_task_fd(task, &fd) ? -1 : fd);
}

TEST(asked_for_by_several_at_the_end)
{
    const int before = count_descriptors();
    for (int i = 0; i < 300; i++) {
        para_task task = {.run = nothing};
        pthread_t other;
        void *others = NULL;
        int fd = -1;
        OK(para_submit(pool, &task));
        assert_int_equal(pthread_create(&other, NULL, ask, &task), 0);
        OK(para_task_fd(&task, &fd));
        assert_true(is_readable(fd, -1));
        assert_int_equal(pthread_join(other, &others), 0);
        assert_int_equal((intptr_t)others, fd);
        OK(para_task_wait(&task));
        close(fd);
    }
    assert_int_equal(count_descriptors(), before);
}

TEST(what_has_none)
{
    int fd = -5;
    para_semaphore gate = PARA_SEMAPHORE_INIT(0, 10);
    para_task task = {.run = wait_for_it, .arg = &gate};
    para_task_group group = {0};
    para_task detached = {.run = wait_for_it, .arg = &gate, .is_detached = true, .group = &group};
    FAILS(PARA_ERR_ARGUMENT, para_task_fd(NULL, &fd));
    FAILS(PARA_ERR_ARGUMENT, para_task_fd(&task, &fd)); /* not submitted */
    OK(para_submit(pool, &task));
    OK(para_submit(pool, &detached));
    FAILS(PARA_ERR_ARGUMENT, para_task_fd(&task, NULL));
    FAILS(PARA_ERR_ARGUMENT, para_task_fd(&detached, &fd));

    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
    const para_status status = para_task_fd(&task, &fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(status, PARA_ERR_FILE);
    assert_int_equal(fd, -5);
    OK(para_semaphore_release(&gate, 1));
    OK(para_semaphore_release(&gate, 1));
    OK(para_task_wait(&task));
    OK(para_task_group_wait(&group));
}

TEST(in_a_child_there_is_none)
{
    para_semaphore gate = PARA_SEMAPHORE_INIT(0, 10);
    para_task task = {.run = wait_for_it, .arg = &gate};
    OK(para_submit(pool, &task));
    const pid_t child = fork();
    if (child == 0) {
        int fd;
        _exit(para_task_fd(&task, &fd) == PARA_ERR_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    OK(para_semaphore_release(&gate, 1));
    OK(para_task_wait(&task));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_from_the_end_on),
        cmocka_unit_test(asked_for_after_the_end),
        cmocka_unit_test(asked_for_by_several_at_the_end),
        cmocka_unit_test(what_has_none),
        cmocka_unit_test(in_a_child_there_is_none),
    };
    return cmocka_run_group_tests(tests, make_pool, end_pool);
}
