#include "fixture.h"

#include "base/process.h"

#include "calls.h"

static para__atomic_u32 handled;

/* Most models have neither children nor a main thread that leaves: words that they had no use for
 * would only make them larger. */
void __real_para__after_fork(para__atomic_u32 *known, void (*handle)(void));
void __wrap_para__after_fork(para__atomic_u32 *known, void (*handle)(void));
void __real_para__process_thread_ends(void);
void __wrap_para__process_thread_ends(void);

void __wrap_para__process_thread_ends(void)
{
}

void __wrap_para__after_fork(para__atomic_u32 *known, void (*handle)(void))
{
    if (*para__fork_word == 0)
        __real_para__after_fork(known, handle);
}

unsigned fixture_fork(fixture_handled state)
{
    const unsigned parent = para__fork_count();
    para__store_relaxed(&handled, state == FIXTURE_NEVER  ? 0
                                  : state == FIXTURE_DONE ? parent
                                                          : parent | 1u << 31);
    (void)para__load_relaxed(&handled);
    model_fork();
    return parent;
}

unsigned fixture_fork_count(void)
{
    return para__fork_count();
}

void fixture_after_fork(void (*handle)(void))
{
    __real_para__after_fork(&handled, handle);
}

void fixture_thread_begins(void)
{
    para__process_thread_begins();
}

void fixture_thread_ends(void)
{
    __real_para__process_thread_ends();
}
