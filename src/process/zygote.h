/* The zygote: a child of one thread, forked when a pool is made, from which its workers are forked.
 * So all of them begin with the same memory, whatever the program does later, and a fork does not
 * copy the tables of a program that has grown.
 *
 * It does what it is asked over a socket, and nothing unasked: to fork a worker, and to wait for
 * one that has ended. So a worker's number stays its own until it is waited for.
 *
 * Both end with their parent: the system kills the zygote when the thread ends that has forked it,
 * and a worker when the zygote ends. */
#ifndef PARA_PROCESS_ZYGOTE_H
#define PARA_PROCESS_ZYGOTE_H

#include "process/limits.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct para__zygote {
    pid_t process; /* 0: there is none */
    int socket;
    int life; /* readable when it has ended; 0: there is no process */
} para__zygote;

/* What becomes of a worker: it enters, and when its limits hold, it runs, and does not return. */
typedef struct para__birth {
    void (*enter)(void *of, unsigned worker);
    void (*run)(void *of, unsigned worker);
    void *of;
    const para_processes *processes; /* its limits */
} para__birth;

/* Forks the zygote; 0 or an error number. ENOTSUP: the system does not grant *limit. The calling
 * thread lives as long as it does. */
int para__zygote_fork(para__zygote *zygote, const para__birth *birth, para__limit *limit);

/* Has it fork that worker: its process number, and a descriptor that is readable when it has ended.
 * 0, or an error number; if that is ETIMEDOUT or EPIPE the zygote is of no use any more. */
int para__zygote_bear(const para__zygote *zygote, unsigned worker, pid_t *process, int *life);

/* Has it wait for a worker that has ended, and tell how. The same errors. */
int para__zygote_reap(const para__zygote *zygote, pid_t process, para_death *death, int *number);

/* Has it end, also if it may not be killed, unless it is stopped as well. When it has ended, the
 * system kills its workers. */
void para__zygote_kill(const para__zygote *zygote);

/* Then it is waited for, or left to itself if it has not ended. */
void para__zygote_leave(para__zygote *zygote, bool has_ended);

/* Sends a worker a signal, or kills it, by the descriptor. False: the system does not let it, as of
 * a program that has given up its rights since. */
bool para__process_signal(int life, int signal);
bool para__process_kill(int life);

#endif
