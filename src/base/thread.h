/* Threads: how the library makes them, and what it needs to know of the calling one. */
#ifndef PARA_BASE_THREAD_H
#define PARA_BASE_THREAD_H

#include "base/cancellation.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A thread-local variable that calls read: it is at a fixed distance from the thread pointer. Such
 * space is scarce in a library that is loaded late, so these are few and small. */
#if defined(__GLIBC__)
#define PARA__THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define PARA__THREAD_LOCAL _Thread_local /* others refuse to load a library with the above */
#endif

/* The stack of a thread, in bytes; 0: what `ulimit -s` grants, at least 8 MiB. If the system
 * refuses that size, with or_less or 0 a smaller one is taken, but at least 8 MiB. */
typedef struct para__stack {
    size_t bytes;
    bool or_less;
} para__stack;

/* Starts a thread that leaves the application's signals to the application's threads. It blocks all
 * signals but those that faults raise and, unless the caller blocks them, SIGPROF and SIGVTALRM.
 * The thread calls para__process_thread_ends at its end. Returns 0, or the error number of
 * pthread_create. */
int para__thread_start(pthread_t *thread, const para__stack *stack, void *(*run)(void *),
                       void *arg);

/* The stack of the calling thread, which is not the main one. False: not known. */
bool para__thread_stack(void **low, size_t *bytes);

/* Names the calling thread, in at most 15 characters, for debuggers. (To name another thread the C
 * library would open a file.) */
void para__thread_name(const char *name);

/* How many of the wanted threads have room for their stacks in half of the address space that a
 * limit leaves (ulimit -v). The program needs the other half for its work. */
unsigned para__threads_that_fit(const para__stack *stack, unsigned wanted);

/* The CPU that the calling thread runs on; negative if the system does not say. */
int para__current_cpu(void);

/* Whether threads of the process can run at the same time; if not, spinning for another thread is
 * pointless. Checked once, at the first call, because the threads that wait for each other exist by
 * then; or set by the other function, once the process is known to have several CPUs. */
bool para__several_cpus(void);
void para__set_several_cpus(void);

/* The CPU time that the calling thread has used by a time, how often it was taken off its CPU, and
 * how often it left the CPU by itself: to wait, or because its process was stopped. */
typedef struct para__usage {
    uint64_t at_ns; /* para__now_ns */
    uint64_t cpu_ns;
    long preemptions, sleeps;
} para__usage;
para__usage para__thread_usage(void);

#endif
