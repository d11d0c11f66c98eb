/* The filter of system calls: kernels that reach for what is not theirs lose their worker and get
 * nothing; kernels that compute do not notice it. */
#include "../common/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 3000 };

static para_pool *enclosed_pool(void)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.sandbox = true;
    return process_pool(2, &processes);
}

/* ---- What is refused ------------------------------------------------------------------------ */

typedef enum reach {
    OPEN,
    CREATE,
    PIPE,
    WRITE,
    MAP_A_FILE,
    SOCKET,
    CONNECT,
    EXEC,
    FORK,
    VFORK,
    CLONE,
    PTRACE,
    READ_PARENT,
    KILL,
    KILL_GROUP,
    QUEUE,
    PRCTL,
    LIMIT,
    HANDLER,
    SHARED_NAME,
    UNKNOWN,
    REACHES
} reach;

typedef struct attempt {
    reach reach;
    int parent;      /* the program's number */
    int *got_beyond; /* in shared memory */
    char path[64];
} attempt;

static void ignore(int result)
{
    (void)result;
}

static void reach_out(const attempt *a)
{
    const struct sockaddr_in nowhere = {.sin_family = AF_INET, .sin_port = 9};
    struct rlimit limit = {0};
    switch (a->reach) {
    case OPEN:
        ignore(open("/dev/null", O_RDONLY));
        break;
    case CREATE:
        ignore(open(a->path, O_WRONLY | O_CREAT, 0600));
        break;
    case PIPE:
        ignore(pipe((int[2]){0}));
        break;
    case WRITE:
        ignore((int)write(STDOUT_FILENO, "", 0));
        break;
    case MAP_A_FILE:
        ignore(mmap(NULL, 4096, PROT_READ, MAP_SHARED, STDOUT_FILENO, 0) == MAP_FAILED);
        break;
    case SOCKET:
        ignore(socket(AF_UNIX, SOCK_STREAM, 0));
        break;
    case CONNECT:
        ignore(connect(STDERR_FILENO, (const struct sockaddr *)&nowhere, sizeof nowhere));
        break;
    case EXEC:
        ignore(execl("/bin/true", "true", (char *)NULL));
        break;
    case FORK:
        if (fork() == 0)
            _exit(0);
        break;
    case VFORK:
        ignore((int)syscall(SYS_clone, 0x4000 | 0x100 | SIGCHLD, NULL, NULL, NULL, NULL) == 1);
        break;
    case CLONE:
        ignore((int)syscall(SYS_clone3, NULL, 0));
        break;
    case PTRACE:
        ignore((int)ptrace(PTRACE_ATTACH, a->parent, NULL, NULL));
        break;
    case READ_PARENT:
        ignore((int)syscall(SYS_process_vm_readv, a->parent, NULL, 0, NULL, 0, 0));
        break;
    case KILL:
        ignore(kill(a->parent, 0));
        break;
    case KILL_GROUP:
        ignore(kill(0, 0));
        break;
    case QUEUE:
        ignore((int)syscall(SYS_tgkill, a->parent, a->parent, 0));
        break;
    case PRCTL:
        ignore(prctl(PR_SET_PDEATHSIG, 0));
        break;
    case LIMIT:
        ignore(setrlimit(RLIMIT_CORE, &limit));
        break;
    case HANDLER:
        ignore((int)syscall(SYS_rt_sigaction, SIGSEGV, NULL, NULL, 8));
        break;
    case SHARED_NAME:
        ignore((int)syscall(SYS_memfd_create, "other", 0));
        break;
    default:
        ignore((int)syscall(100000));
    }
}

static int reach_beyond(const para_chunk *c, const void *arg)
{
    const attempt *const a = arg;
    if (c->first == 0) {
        reach_out(a);
        ++*a->got_beyond;
    }
    return 0;
}

TEST(what_is_not_theirs)
{
    para_pool *const pool = enclosed_pool();
    para_buffer *buffer;
    OK(para_buffer_create(&buffer, pool, 1, sizeof(int), NULL));
    attempt a = {.parent = getpid(), .got_beyond = para_buffer_data(buffer)};
    snprintf(a.path, sizeof a.path, "/tmp/para-sandbox-%d", getpid());
    for (a.reach = OPEN; a.reach < REACHES; a.reach++) {
        para_report report;
        const para_survival once = {.attempts = 1};
        const para_status status = para_pmap(pool, &(para_map){.kernel = reach_beyond,
                                                               .arg = &a,
                                                               .arg_bytes = sizeof a,
                                                               .count = LENGTH,
                                                               .options = {.survival = &once},
                                                               .report = &report});
        if (status != PARA_ERR_WORKER_DIED || !strstr(para_status_detail(), "system call"))
            fail_msg("call %d: %s, %s", (int)a.reach, para_status_name(status),
                     para_status_detail());
        assert_int_equal(report.deaths, 1);
    }
    assert_int_equal(*a.got_beyond, 0);
    assert_int_equal(access(a.path, F_OK), -1);
    errno = 0;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the zygote is there, and nobody else */
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

static int note_signal(const para_chunk *c, const void *arg)
{
    (void)arg;
    if (c->first == 0)
        (void)getppid();
    return 0;
}

static void take_damage(const para_damage *damage, void *of)
{
    *(para_damage *)of = *damage;
}

/* Whoever is told of the damage gets the signal; and elements can be filled. */
TEST(the_signal_is_told)
{
    para_pool *const pool = enclosed_pool();
    para_damage damage = {0};
    const para_survival survival = {
        .on_crash = PARA_CRASH_FILLS, .damaged = take_damage, .damaged_arg = &damage};
    OK(para_pmap(
        pool,
        &(para_map){.kernel = note_signal, .count = LENGTH, .options = {.survival = &survival}}));
    assert_int_equal(damage.death, PARA_DEATH_SIGNAL);
    assert_int_equal(damage.number, SIGSYS);
    OK(para_pool_destroy(pool));
}

/* ---- What is theirs ------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double compute(double x, size_t e)
{
    char text[64];
    const size_t count = 1 + e % 40000; /* also blocks that get pages of their own */
    double *const heap = calloc(count, sizeof *heap);
    if (!heap)
        return -1;
    for (size_t i = 0; i < count; i++)
        heap[i] = (double)(i * 7919 % count);
    double *const grown = realloc(heap, 2 * count * sizeof *grown);
    qsort(grown, count, sizeof *grown, by_value);
    snprintf(text, sizeof text, "%.17g %zu", sin(x) + exp(-x) + tgamma(1 + x), e);
    const double result = strtod(text, NULL) + grown[count / 2];
    free(grown);
    return result;
}

static int do_ordinary(const para_chunk *c, const void *arg)
{
    const double *x = c->in[0];
    double *y = c->out[0];
    (void)arg;
    if (c->scratch)
        memset(c->scratch, 1, 100);
    for (size_t i = 0; i < c->count; i++)
        y[i] = compute(x[i], c->first + i);
    const struct timespec moment = {.tv_nsec = 1000};
    nanosleep(&moment, NULL);
    return clock() == (clock_t)-1 || time(NULL) == 0;
}

static int fold_logs(const para_chunk *c, void *acc, const void *arg)
{
    const double *x = c->in[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        *(double *)acc += log1p(x[i]);
    return 0;
}

static void add_logs(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}

TEST(what_is_theirs)
{
    static double expected[LENGTH];
    para_pool *const pool = enclosed_pool();
    para_buffer *buffers[2];
    double *const x = shared_array(pool, &buffers[0], LENGTH);
    double *const y = shared_array(pool, &buffers[1], LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        x[i] = (double)i / 100;
    para_map map = {.kernel = do_ordinary,
                    .count = LENGTH,
                    .in = {PARA_IN(x)},
                    .out = {PARA_OUT(y)},
                    .scratch_bytes = 100};
    OK(para_pmap(pool, &map));
    map.out[0] = PARA_OUT(expected);
    OK(para_pmap(NULL, &map));
    assert_memory_equal(y, expected, sizeof expected);
    double sum = 1, same = 1;
    para_reduce reduce = {.kernel = fold_logs,
                          .combine = add_logs,
                          .count = LENGTH,
                          .in = {PARA_IN(x)},
                          .result = &sum,
                          .result_bytes = sizeof sum};
    OK(para_preduce(pool, &reduce));
    reduce.result = &same;
    OK(para_preduce(NULL, &reduce));
    assert_memory_equal(&sum, &same, sizeof sum);
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.deaths, 0);
    para_buffer_destroy(buffers[0]);
    para_buffer_destroy(buffers[1]);
    OK(para_pool_destroy(pool));
}

static int end_itself(const para_chunk *c, const void *arg)
{
    if (c->first > 0)
        return 0;
    if (*(const int *)arg == SIGABRT)
        abort();
    if (*(const int *)arg)
        raise(*(const int *)arg);
    _exit(7);
}

/* How a worker ends is told as without the filter. */
TEST(ends_are_their_own)
{
    static const int ends[] = {SIGABRT, SIGSEGV, SIGFPE, SIGKILL, 0};
    para_pool *const pool = enclosed_pool();
    para_damage damage = {0};
    const para_survival once = {.attempts = 1, .damaged = take_damage, .damaged_arg = &damage};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        FAILS(PARA_ERR_WORKER_DIED, para_pmap(pool, &(para_map){.kernel = end_itself,
                                                                .arg = &ends[i],
                                                                .arg_bytes = sizeof ends[i],
                                                                .count = LENGTH,
                                                                .options = {.survival = &once}}));
        assert_int_equal(damage.death, ends[i] ? PARA_DEATH_SIGNAL : PARA_DEATH_EXIT);
        assert_int_equal(damage.number, ends[i] ? ends[i] : 7);
    }
    OK(para_pool_destroy(pool));
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_theirs),
        cmocka_unit_test(the_signal_is_told),
        cmocka_unit_test(what_is_theirs),
        cmocka_unit_test(ends_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
