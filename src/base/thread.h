/* Threads: the one way the library makes them, and what it needs to know of the calling one. */
#ifndef PARA_BASE_THREAD_H
#define PARA_BASE_THREAD_H

#include <pthread.h>
#include <stdint.h>
#include <stdbool.h>

/* Starts a named thread with every signal blocked but those that faults raise, so that an
 * application's handlers run on its own threads. Returns 0, or the error number of pthread_create.
 */
int para__thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

/* How many of the threads that are wanted have room for their stacks in half of the address
 * space that a limit leaves (ulimit -v): with the other half the program has to do its work. */
unsigned para__threads_that_fit(unsigned wanted);

/* The CPU that the calling thread runs on; negative if the system does not say. */
int para__current_cpu(void);

/* Whether threads of the process can run at the same time: if not, there is no point in spinning
 * for what another one does. Looked at once, at the first call, since the threads that wait for
 * each other are there by then; or settled by the other function, once the process is known to
 * have several. */
bool para__several_cpus(void);
void para__set_several_cpus(void);

/* The CPU time that the calling thread has used, and how often it was taken off its CPU. */
typedef struct para__usage {
    uint64_t cpu_ns;
    long preemptions;
} para__usage;
para__usage para__thread_usage(void);

/* How often the process has been forked off: a child's count differs from its parent's. */
unsigned para__fork_count(void);

#endif
