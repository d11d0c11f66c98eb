/* How a process ends: its main thread leaves, or somebody calls exit(), while there are pools and
 * calls. */
#include "../common/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, N = 1000 };

static const para_options threads = {.executor = PARA_EXECUTOR_THREADS, .chunk = 10};

static int nothing(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    return 0;
}

static void call(para_pool *pool, para_map_fn *kernel)
{
    DROP(para_pmap(pool, &(para_map){.kernel = kernel, .count = N, .options = threads}));
}

static pid_t in_child(void (*body)(int ready))
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        body(ready[1]);
        _exit(99);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static int status_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void say_ready(int ready)
{
    if (write(ready, "", 1) != 1)
        _exit(98);
}

/* ---- The main thread leaves ------------------------------------------------------------ */

/* How a thread sees that the main one has left: the system calls it a zombie. */
static void await_main(void)
{
    char path[64];
    char text[400];
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", (long)getpid());
    for (;;) {
        FILE *file = fopen(path, "r");
        const size_t bytes = file ? fread(text, 1, sizeof text - 1, file) : 0;
        if (file)
            fclose(file);
        text[bytes] = '\0';
        const char *after = strrchr(text, ')');
        if (after && after[2] == 'Z')
            return;
        usleep(1000);
    }
}

static int the_ready;

static void *report_and_end(void *unused)
{
    await_main();
    say_ready(the_ready);
    return unused;
}

static void leave(int ready, void *(*other)(void *))
{
    pthread_t thread;
    the_ready = ready;
    if (pthread_create(&thread, NULL, other, NULL) != 0)
        _exit(97);
    pthread_detach(thread);
    pthread_exit(NULL);
}

static void use_and_leave(int ready)
{
    call(NULL, nothing);
    leave(ready, report_and_end);
}

static void *make_report_and_end(void *unused)
{
    await_main();
    para_pool *pool = check_pool(3);
    call(pool, nothing);
    say_ready(the_ready);
    return unused;
}

static void leave_and_have_it_used(int ready)
{
    leave(ready, make_report_and_end);
}

TEST(a_process_whose_main_thread_has_left_can_be_ended)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    static void (*const bodies[])(int) = {use_and_leave, leave_and_have_it_used};
    if (!CHILDREN_HAVE_THREADS)
        skip();
    for (size_t b = 0; b < COUNT_OF(bodies); b++)
        for (size_t i = 0; i < COUNT_OF(signals); i++) {
            const pid_t child = in_child(bodies[b]);
            usleep(20000); /* its last own thread may still be there, and take it */
            assert_int_equal(kill(child, signals[i]), 0);
            const int status = status_of(child);
            assert_true(WIFSIGNALED(status));
            assert_int_equal(WTERMSIG(status), signals[i]);
        }
}

static void end_by_handler(int number)
{
    _exit(number);
}

static void leave_with_a_handler(int ready)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGTERM, end_by_handler);
    use_and_leave(ready);
}

/* What the main thread blocked stays blocked. */
TEST(its_handlers_and_its_mask_go_on)
{
    if (!CHILDREN_HAVE_THREADS)
        skip();
    const pid_t child = in_child(leave_with_a_handler);
    usleep(20000);
    assert_int_equal(kill(child, SIGINT), 0);
    usleep(20000);
    assert_int_equal(kill(child, SIGTERM), 0);
    const int status = status_of(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SIGTERM);
}

static para_pool *last_pool;

static void *destroy_and_end(void *unused)
{
    await_main();
    call(last_pool, nothing);
    say_ready(the_ready);
    para_pool_destroy(last_pool);
    return unused;
}

static void leave_a_pool_behind(int ready)
{
    last_pool = check_pool(3);
    call(last_pool, nothing);
    leave(ready, destroy_and_end);
}

/* With its last thread, as without para. Leak checkers look at what the main thread has left. */
TEST(without_pools_it_ends_by_itself)
{
    if (!CHILDREN_HAVE_THREADS || !FORKS_AMID_THREADS)
        skip();
    for (int i = 0; i < 10; i++) {
        const int status = status_of(in_child(leave_a_pool_behind));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/* ---- Somebody calls exit() ------------------------------------------------------------- */

static int work(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    usleep(100);
    return 0;
}

static void *call_for_ever(void *pool)
{
    for (;;)
        call(pool, work);
    return NULL;
}

static void call_at_exit(void)
{
    for (int i = 0; i < 3; i++)
        call(NULL, work);
    call(last_pool, work);
}

/* Static objects of C++ that hold a pool do so. */
static void destroy_at_exit(void)
{
    para_pool_destroy(last_pool);
}

static void exit_amid_calls(int ready)
{
    pthread_t thread[2];
    last_pool = check_pool(3);
    atexit(call_at_exit);
    if (pthread_create(&thread[0], NULL, call_for_ever, NULL) ||
        pthread_create(&thread[1], NULL, call_for_ever, last_pool))
        _exit(97);
    usleep(5000);
    say_ready(ready);
    exit(5);
}

static int exit_within(const para_chunk *chunk, const void *arg)
{
    static atomic_flag once = ATOMIC_FLAG_INIT;
    (void)arg;
    if (chunk->first >= N / 2 && !atomic_flag_test_and_set(&once))
        exit(5);
    usleep(100);
    return 0;
}

static void exit_in_a_kernel(int ready)
{
    last_pool = check_pool(3);
    atexit(destroy_at_exit);
    atexit(call_at_exit);
    say_ready(ready);
    call(last_pool, exit_within);
    usleep(SECONDS * 1000000u); /* the call does not return */
}

TEST(exit_while_calls_run)
{
    if (!CHILDREN_HAVE_THREADS || !FORKS_AMID_THREADS)
        skip();
    for (int i = 0; i < 20; i++) {
        const int status = status_of(in_child(i % 2 ? exit_amid_calls : exit_in_a_kernel));
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 5);
    }
}

/* ---- Signals ---------------------------------------------------------------------------- */

static _Atomic unsigned seen;

static void note(int number)
{
    (void)number;
    seen++;
}

static void *send_signals(void *thread)
{
    for (int i = 0; i < 200; i++) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        kill(getpid(), SIGUSR2);
        usleep(100);
    }
    return NULL;
}

TEST(handlers_that_interrupt_calls)
{
    pthread_t self = pthread_self();
    pthread_t sender;
    signal(SIGUSR1, note);
    signal(SIGUSR2, note);
    para_pool *pool = check_pool(3);
    assert_int_equal(pthread_create(&sender, NULL, send_signals, &self), 0);
    while (seen < 20)
        call(pool, work);
    pthread_join(sender, NULL);
    para_pool_destroy(pool);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_whose_main_thread_has_left_can_be_ended),
        cmocka_unit_test(its_handlers_and_its_mask_go_on),
        cmocka_unit_test(without_pools_it_ends_by_itself),
        cmocka_unit_test(exit_while_calls_run),
        cmocka_unit_test(handlers_that_interrupt_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
