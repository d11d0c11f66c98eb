/* The stack of another thread, of this process or of one that was forked from it: it is asked by a
 * signal, SIGURG, which does nothing where nobody has installed the handler. */
#ifndef PARA_BASE_BACKTRACE_H
#define PARA_BASE_BACKTRACE_H

#include "base/atomic.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PARA__FRAMES = 64 };

/* Where an answer is written: by the thread that is asked, one at a time. Who reads what another
 * process has written bounds `count`. */
typedef struct para__frames {
    para__atomic_u32 asked;    /* [E32] counts questions */
    para__atomic_int thread;   /* who is asked; 0: the only thread of its process. A value alone */
    para__atomic_u32 answered; /* [E32] the last question that was answered, with: */
    unsigned count;
    uintptr_t frame[PARA__FRAMES];
} para__frames;

/* For who is asked: whether it is this thread, which has not answered yet; *asked is the question.
 * self: its number, 0 if it is the only one. Then it has answered. */
static inline bool para__frames_are_asked(para__frames *frames, pid_t self, uint32_t *asked)
{
    *asked = para__load_acquire(E32, &frames->asked);
    return para__load_relaxed(&frames->thread) == self && /* the question brings it */
           para__load_relaxed(&frames->answered) != *asked;
}

/* Whether the calling thread may write its answer, until it says that it has ended: not while
 * another thread of that process does, which was asked before and got no time. process: not 0; what
 * a parent's thread has begun ends in the parent. Does not wait. */
static inline bool para__frames_begin(para__atomic_u32 *writer, uint32_t process)
{
    uint32_t seen = para__load_relaxed(writer); /* the swap decides */
    return seen != process && para__cas_acquire(E32, writer, &seen, process);
}

static inline void para__frames_end(para__atomic_u32 *writer)
{
    para__store_release(E32, writer, 0);
}

static inline void para__frames_answer(para__frames *frames, uint32_t asked)
{
    para__store_release(E32, &frames->answered, asked);
}

/* For who asks: a question, and whether it is answered. */
static inline uint32_t para__frames_ask(para__frames *frames, pid_t whom)
{
    const uint32_t asked = para__load_relaxed(&frames->asked) + 1; /* the asker's own */
    para__store_relaxed(&frames->thread, whom);
    para__store_release(E32, &frames->asked, asked);
    return asked;
}

static inline bool para__frames_are_answered(para__frames *frames, uint32_t asked)
{
    return para__load_acquire(E32, &frames->answered) == asked;
}

/* Whether a thread that is asked may walk its stack, wherever it is. */
bool para__backtraces_are_safe(void);

/* Installs the handler, which answers into those frames; false: the program has one of its own.
 * Once more, it replaces the frames. In the same thread the second function takes it away. */
bool para__backtrace_begin(para__frames *frames);
void para__backtrace_end(void);

/* The calling thread lets itself be asked, if it did not: true; and then no more. */
bool para__backtrace_open(void);
void para__backtrace_close(void);

/* Asks that thread by send(of), and waits for its answer for some time; false: there is none. One
 * thread at a time. */
bool para__backtrace_ask(para__frames *frames, pid_t whom, void (*send)(void *of), void *of);

#endif
