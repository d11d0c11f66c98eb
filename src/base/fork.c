#include "base/fork.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static struct {
    para__guard *guard;
    void (*in_child)(void);
} handlers[PARA__FORK_ALL];

static void before_fork(void)
{
    for (int i = 0; i < PARA__FORK_ALL; i++)
        if (handlers[i].guard)
            para__guard_enter(handlers[i].guard);
}

static void after_fork_in_parent(void)
{
    for (int i = PARA__FORK_ALL; i-- > 0;)
        if (handlers[i].guard)
            para__guard_leave(handlers[i].guard);
}

static void after_fork_in_child(void)
{
    for (int i = 0; i < PARA__FORK_ALL; i++)
        if (handlers[i].in_child)
            handlers[i].in_child();
    after_fork_in_parent();
}

/* Before a fork the C library runs handlers in the reverse order of their registration. A program
 * may call para while it holds locks of its own, so the library's handlers have to run after the
 * program's. For this they are registered by constructors that run before the program's. */
void para__fork_handle(para__fork_order which, para__guard *guard, void (*in_child)(void))
{
    static bool registered;
    if (!registered)
        registered = pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
    handlers[which].guard = guard;
    handlers[which].in_child = in_child;
}
