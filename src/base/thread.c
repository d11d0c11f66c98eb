#include "base/thread.h"

#include "base/memory.h"
#include "base/process.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

/* A kernel finds at least the stack that a program's main thread commonly has, and where that is
 * unlimited so much that few need more: it costs addresses, and memory where it is used. */
static const size_t least_stack_bytes = (size_t)8 << 20;
static const size_t unlimited_stack_bytes = (size_t)256 << 20;

/* Below each stack: so much that a large array which does not fit is met by a fault, rather than by
 * the neighbour's stack. */
static const size_t guard_bytes = (size_t)64 << 20;

/* With less a thread cannot do much: the C library takes thread-local variables from it. */
static const size_t smallest_stack_bytes = (size_t)64 << 10;

static rlim_t limit_of(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : 0;
}

/* What the main thread's stack may grow to, and what the C library gives threads, if more. */
static size_t automatic_stack(size_t library_bytes)
{
    const rlim_t limit = limit_of(RLIMIT_STACK);
    const size_t granted = limit == RLIM_INFINITY ? unlimited_stack_bytes
                           : limit < SIZE_MAX / 2 ? (size_t)limit
                                                  : 0;
    const size_t more = granted > library_bytes ? granted : library_bytes;
    return more > least_stack_bytes ? more : least_stack_bytes;
}

static int create(pthread_t *thread, pthread_attr_t *attributes, size_t bytes, size_t guard,
                  void *(*run)(void *), void *arg)
{
    const size_t page = para__page_bytes();
    int error = pthread_attr_setstacksize(attributes, para__round_up(bytes, page));
    if (!error)
        error = pthread_attr_setguardsize(attributes, guard);
    return error ? error : pthread_create(thread, attributes, run, arg);
}

/* With the stack that was asked for, or the largest that the system grants. */
static int create_with_stack(pthread_t *thread, const para__stack *stack, void *(*run)(void *),
                             void *arg)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error)
        return error;
    size_t library = 0;
    size_t page_guard = 0;
    pthread_attr_getstacksize(&attributes, &library);
    pthread_attr_getguardsize(&attributes, &page_guard);
    const bool is_fixed = stack->bytes && !stack->or_less;
    const bool is_roomy = limit_of(RLIMIT_AS) == RLIM_INFINITY; /* else addresses are dear */
    size_t bytes = stack->bytes ? stack->bytes : automatic_stack(library);
    if (bytes < smallest_stack_bytes)
        bytes = smallest_stack_bytes;
    if (bytes < (size_t)PTHREAD_STACK_MIN) /* which some architectures have larger */
        bytes = (size_t)PTHREAD_STACK_MIN;
    if (!is_roomy && !stack->bytes && limit_of(RLIMIT_STACK) == RLIM_INFINITY)
        bytes = least_stack_bytes;
    error = create(thread, &attributes, bytes, is_roomy ? guard_bytes : page_guard, run, arg);
    if (error && is_roomy)
        error = create(thread, &attributes, bytes, page_guard, run, arg);
    while (error && !is_fixed && bytes / 2 >= least_stack_bytes) {
        bytes /= 2;
        error = create(thread, &attributes, bytes, page_guard, run, arg);
    }
    pthread_attr_destroy(&attributes);
    return error;
}

/* All signals are blocked but these: those that a fault raises on the thread itself, which would end
 * the process without the application's handler; and, if the calling thread lets them through,
 * those of the timers that count the time of all threads, by which profilers work. */
static void choose_signals(sigset_t *blocked, const sigset_t *callers)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    static const int timers[] = {SIGPROF, SIGVTALRM};
    sigfillset(blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(blocked, faults[i]);
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++)
        if (!sigismember(callers, timers[i]))
            sigdelset(blocked, timers[i]);
}

int para__thread_start(pthread_t *thread, const char *name, const para__stack *stack,
                       void *(*run)(void *), void *arg)
{
    sigset_t blocked;
    sigset_t before;
    const int saved = errno; /* which pthread_create need not touch, and may */
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    choose_signals(&blocked, &before);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
    para__process_thread_begins();
    const int error = create_with_stack(thread, stack, run, arg);
    if (error)
        para__process_thread_ends();
    else
        pthread_setname_np(*thread, name); /* for debuggers only: a refusal changes nothing */
    errno = saved;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int para__current_cpu(void)
{
    const int saved = errno; /* which a failure would change */
    const int cpu = sched_getcpu();
    errno = saved;
    return cpu;
}

static bool several_cpus = true; /* written once, before there can be another thread */

/* When the library is loaded, by the thread that loads it, commonly the main one, which has the
 * process's affinity: those that come later may be pinned. */
__attribute__((constructor)) static void look_around(void)
{
    const int saved = errno;
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0)
        several_cpus = CPU_COUNT(&usable) > 1;
    errno = saved; /* failed: more CPUs than a set holds */
}

bool para__several_cpus(void)
{
    return several_cpus;
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
