#include "base/thread.h"

#include "base/atomic.h"
#include "base/cpus.h"
#include "base/memory.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

/* A kernel finds at least the stack that a program's main thread commonly has, also where that is
 * unlimited and the system's choice for threads is smaller. */
static const size_t least_stack_bytes = (size_t)8 << 20;

int para__thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
    /* Those that a fault raises on the thread itself are not blocked: blocked, they would end the
     * process without the application's handler. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked;
    sigset_t before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const int saved = errno;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        size_t bytes = 0;
        if (pthread_attr_getstacksize(&attributes, &bytes) == 0 && bytes < least_stack_bytes)
            pthread_attr_setstacksize(&attributes, least_stack_bytes);
        error = pthread_create(thread, &attributes, run, arg);
        pthread_attr_destroy(&attributes);
    }
    if (error == 0)
        pthread_setname_np(*thread, name); /* for debuggers only: a refusal changes nothing */
    errno = saved;                         /* which pthread_create need not touch, and may */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* Of the address space in use, in pages, the first number in /proc/self/statm. */
static uint64_t address_bytes_used(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (uint64_t)pages * para__page_bytes();
}

unsigned para__threads_that_fit(unsigned wanted)
{
    const int saved = errno;
    struct rlimit limit;
    size_t stack_bytes = 0;
    pthread_attr_t attributes;
    unsigned fit = wanted;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        pthread_attr_init(&attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &stack_bytes);
        pthread_attr_destroy(&attributes);
        stack_bytes = stack_bytes > least_stack_bytes ? stack_bytes : least_stack_bytes;
        const uint64_t used = address_bytes_used();
        const uint64_t most = limit.rlim_cur > used ? (limit.rlim_cur - used) / 2 / stack_bytes : 0;
        fit = most < wanted ? (unsigned)most : wanted;
    }
    errno = saved;
    return fit;
}

int para__current_cpu(void)
{
    const int saved = errno; /* which a failure would change */
    const int cpu = sched_getcpu();
    errno = saved;
    return cpu;
}

/* Written in a child while it has one thread. */
static _Atomic unsigned fork_count;

static void count_fork(void)
{
    para__add_relaxed(&fork_count, 1); /* one thread: nothing to order */
}

/* When the library is loaded, so that no fork can come in between. */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

enum { NOT_LOOKED_AT = 0, ONE_CPU, SEVERAL_CPUS };
static _Atomic int cpus_at_once; /* a value on its own: orders nothing */

void para__set_several_cpus(void)
{
    para__store_relaxed(&cpus_at_once, SEVERAL_CPUS);
}

bool para__several_cpus(void)
{
    int known = para__load_relaxed(&cpus_at_once);
    if (known == NOT_LOOKED_AT) {
        para__cpus cpus;
        int cancel_state; /* files are read, and the caller may hold a lock */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
        known =
            !para__cpus_of_process(&cpus) || para__cpus_count(&cpus) > 1 ? SEVERAL_CPUS : ONE_CPU;
        pthread_setcancelstate(cancel_state, NULL);
        para__store_relaxed(&cpus_at_once, known);
    }
    return known == SEVERAL_CPUS;
}

unsigned para__fork_count(void)
{
    return para__load_relaxed(
        &fork_count); /* changes only in a child, before it has a second thread */
}

static uint64_t ns_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

para__usage para__thread_usage(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return (para__usage){0};
    return (para__usage){.cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime),
                         .preemptions = usage.ru_nivcsw};
}
