#include "base/thread.h"

#include "base/atomic.h"
#include "base/bounds.h"
#include "base/clock.h"
#include "base/cpus.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/tuning_memory.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static rlim_t limit_of(int resource, rlim_t if_refused)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : if_refused;
}

/* Whether addresses cost nothing. If a filter forbids the question, the answer is yes: if they do
 * cost something, the system refuses threads, and fewer or smaller ones serve. */
static bool is_roomy(void)
{
    return limit_of(RLIMIT_AS, RLIM_INFINITY) == RLIM_INFINITY;
}

/* The size that was asked for; else the main thread's limit, or what the C library gives threads if
 * that is more. */
static size_t stack_bytes(const para__stack *stack, size_t library_bytes)
{
    if (stack->bytes) {
        const size_t systems = (size_t)PTHREAD_STACK_MIN; /* which some architectures have larger */
        const size_t least = para__max(PARA__STACK_LEAST_BYTES, systems);
        return para__max(stack->bytes, least);
    }
    const rlim_t limit = limit_of(RLIMIT_STACK, 0);
    /* If a limit holds for all of them together, a part of that. */
    const uint64_t part = limit_of(RLIMIT_AS, RLIM_INFINITY) / 64;
    const size_t unlimited = is_roomy() || part > PARA__STACK_UNLIMITED_BYTES
                                 ? PARA__STACK_UNLIMITED_BYTES
                             : part > PARA__STACK_BYTES ? (size_t)part
                                                        : PARA__STACK_BYTES;
    const size_t granted = limit == RLIM_INFINITY ? unlimited
                           : limit < SIZE_MAX / 2 ? (size_t)limit
                                                  : 0;
    const size_t more = para__max(granted, library_bytes);
    return para__max(more, PARA__STACK_BYTES);
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
    const bool roomy = is_roomy();
    size_t bytes = stack_bytes(stack, library);
    error =
        create(thread, &attributes, bytes, roomy ? PARA__STACK_GUARD_BYTES : page_guard, run, arg);
    if (error && roomy)
        error = create(thread, &attributes, bytes, page_guard, run, arg);
    while (error && !is_fixed && bytes / 2 >= PARA__STACK_BYTES) {
        bytes /= 2;
        error = create(thread, &attributes, bytes, page_guard, run, arg);
    }
    pthread_attr_destroy(&attributes);
    return error;
}

/* Blocks all signals but these: those that a fault raises on the thread itself, which would
 * otherwise end the process without the application's handler; and, unless the calling thread
 * blocks them, those of the timers that count the time of all threads, by which profilers work. */
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

int para__thread_start(pthread_t *thread, const para__stack *stack, void *(*run)(void *), void *arg)
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
    errno = saved;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void para__thread_name(const char *name)
{
    pthread_setname_np(pthread_self(), name); /* a refusal changes nothing */
}

/* The address space in use: the first number in /proc/self/statm, in pages. */
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

unsigned para__threads_that_fit(const para__stack *stack, unsigned wanted)
{
    const int saved = errno;
    pthread_attr_t attributes;
    unsigned fit = wanted;
    if (!is_roomy() && pthread_attr_init(&attributes) == 0) {
        size_t library = 0;
        pthread_attr_getstacksize(&attributes, &library);
        pthread_attr_destroy(&attributes);
        const size_t asked = stack_bytes(stack, library);
        const bool or_less = (!stack->bytes || stack->or_less) && asked > PARA__STACK_BYTES;
        const uint64_t limit = limit_of(RLIMIT_AS, RLIM_INFINITY);
        const uint64_t used = address_bytes_used();
        const uint64_t most =
            limit > used ? (limit - used) / 2 / (or_less ? PARA__STACK_BYTES : asked) : 0;
        fit = most < wanted ? (unsigned)most : wanted;
    }
    errno = saved;
    return fit;
}

bool para__thread_stack(void **low, size_t *bytes)
{
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return false;
    const bool known = pthread_attr_getstack(&attributes, low, bytes) == 0;
    pthread_attr_destroy(&attributes);
    return known;
}

int para__current_cpu(void)
{
    const int saved = errno; /* which a failure would change */
    const int cpu = sched_getcpu();
    errno = saved;
    return cpu;
}

enum { NOT_LOOKED_AT = 0, ONE_CPU, SEVERAL_CPUS };
static para__atomic_int cpus_at_once; /* a value on its own: orders nothing */

void para__set_several_cpus(void)
{
    para__store_relaxed(&cpus_at_once, SEVERAL_CPUS);
}

bool para__several_cpus(void)
{
    int known = para__load_relaxed(&cpus_at_once);
    if (known == NOT_LOOKED_AT) {
        para__cpus cpus;
        /* Files are read, and the caller may hold a lock. */
        const int cancel_state = para__cancellation_off();
        known =
            !para__cpus_of_process(&cpus) || para__cpus_count(&cpus) > 1 ? SEVERAL_CPUS : ONE_CPU;
        para__cancellation_restore(cancel_state);
        para__store_relaxed(&cpus_at_once, known);
    }
    return known == SEVERAL_CPUS;
}

static uint64_t ns_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

para__usage para__thread_usage(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) != 0)
        return (para__usage){.at_ns = para__now_ns()};
    return (para__usage){.at_ns = para__now_ns(),
                         .cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime),
                         .preemptions = usage.ru_nivcsw,
                         .sleeps = usage.ru_nvcsw};
}
