/* The process as a whole: whether it has been forked, and whether its main thread has left. */
#ifndef PARA_BASE_PROCESS_H
#define PARA_BASE_PROCESS_H

#include "base/atomic_types.h"

#include <stdbool.h>
#include <stdint.h>

/* The word that the next function reads: 0 in a child until its first call. It is plain because
 * every claim reads it; it changes once in a process and publishes nothing. */
extern const volatile unsigned *para__fork_word;
unsigned para__count_fork(void) __attribute__((cold));

/* The number of the process in its line of forks. A child has another number than its parent,
 * whether it was made by fork(), by _Fork() or by the system call. Never 0. Any thread; costs a
 * load. */
static inline unsigned para__fork_count(void)
{
    const unsigned known = *para__fork_word;
    return known ? known : para__count_fork();
}

/* Runs handle once in every child, before this function returns in any thread there. *known belongs
 * to the handler and is zeroed at first. Unlike a handler of pthread_atfork, it also runs if the
 * fork bypassed the C library. */
void para__after_fork(para__atomic_u32 *known, void (*handle)(void));

/* Counts the threads that the library has started and that have not ended. If the main thread
 * leaves by pthread_exit while there are any, a stand-in takes its signal mask and waits. Without
 * it there might be no thread left that SIGTERM can reach, because the library's threads block
 * signals. The stand-in ends with the last of them; it runs nothing but the application's
 * handlers. */
void para__process_thread_begins(void);
void para__process_thread_ends(void);

#endif
