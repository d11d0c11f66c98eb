/* The handler walks its stack with the unwinder that exceptions have. It allocates nothing, and
 * takes at most the loader's lock, which the thread that it has interrupted may hold and may take
 * again. With musl it may not, and nobody is asked. It is not in any thread's way but the one that
 * is asked. */
#include "base/backtrace.h"

#include "base/clock.h"
#include "base/process.h"
#include "base/tuning_observe.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

/* Whose handler it is. Set before the handler is installed; read in it. */
static para__atomic_uptr frames_here;

/* [E32] The process (base/process.h) of which a thread is writing its answer; 0: none. One that was
 * asked and got no time may come late, when another is asked. */
static para__atomic_u32 answering;

/* A stack as it is walked, private to the handler. */
typedef struct stack_walk {
    unsigned count;
    uintptr_t frame[PARA__FRAMES];
} stack_walk;

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *of)
{
    stack_walk *const walk = of;
    if (walk->count == PARA__FRAMES)
        return _URC_END_OF_STACK;
    walk->frame[walk->count++] = (uintptr_t)_Unwind_GetIP(context);
    return _URC_NO_REASON;
}

/* Where the thread was interrupted; 0: not known. */
static uintptr_t place_of_signal(const void *context)
{
    const ucontext_t *const at = context;
#if defined(__x86_64__)
    return (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)at->uc_mcontext.pc;
#else
    (void)at;
    return 0;
#endif
}

/* The frames of the handler itself are left out: the first that is not. */
static unsigned first_beyond_handler(const stack_walk *walk, uintptr_t place)
{
    for (unsigned i = 0; place && i < walk->count; i++)
        if (walk->frame[i] == place)
            return i;
    return 0;
}

/* Unless another thread does, or the question is old by now: then nobody waits for it. */
static void write_answer(para__frames *into, pid_t self, uint32_t asked, const stack_walk *walk,
                         unsigned first)
{
    uint32_t now;
    if (!para__frames_begin(&answering, para__fork_count()))
        return;
    if (para__frames_are_asked(into, self, &now) && now == asked) {
        const unsigned count = walk->count - first;
        memcpy(into->frame, walk->frame + first, count * sizeof into->frame[0]);
        into->count = count;
        para__frames_answer(into, asked);
    }
    para__frames_end(&answering);
}

static void answer(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    para__frames *const into = (para__frames *)para__load_relaxed(&frames_here); /* see above */
    const pid_t self = into && para__load_relaxed(&into->thread) ? gettid() : 0; /* likewise */
    uint32_t asked;
    (void)signal;
    (void)info;
    if (into && para__frames_are_asked(into, self, &asked)) {
        stack_walk walk = {.count = 0};
        (void)_Unwind_Backtrace(note_frame, &walk);
        write_answer(into, self, asked, &walk,
                     first_beyond_handler(&walk, place_of_signal(context)));
    }
    errno = saved;
}

bool para__backtraces_are_safe(void)
{
#ifdef __GLIBC__
    return true;
#else
    return false;
#endif
}

bool para__backtrace_begin(para__frames *frames)
{
    struct sigaction known, own = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_RESTART};
    if (sigaction(SIGURG, NULL, &known) != 0)
        return false;
    const bool is_own = (known.sa_flags & SA_SIGINFO) && known.sa_sigaction == answer;
    if (!is_own && ((known.sa_flags & SA_SIGINFO) || known.sa_handler != SIG_DFL))
        return false;
    para__store_relaxed(&frames_here, (uintptr_t)frames); /* both: see above */
    sigemptyset(&own.sa_mask);
    return sigaction(SIGURG, &own, NULL) == 0;
}

void para__backtrace_end(void)
{
    struct sigaction known, plain = {.sa_handler = SIG_DFL};
    if (sigaction(SIGURG, NULL, &known) == 0 && (known.sa_flags & SA_SIGINFO) &&
        known.sa_sigaction == answer)
        sigaction(SIGURG, &plain, NULL);
    para__store_relaxed(&frames_here, 0);
}

static void urgent_only(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGURG);
}

bool para__backtrace_open(void)
{
    sigset_t urgent, before;
    urgent_only(&urgent);
    return pthread_sigmask(SIG_UNBLOCK, &urgent, &before) == 0 && sigismember(&before, SIGURG);
}

void para__backtrace_close(void)
{
    sigset_t urgent;
    urgent_only(&urgent);
    pthread_sigmask(SIG_BLOCK, &urgent, NULL);
}

bool para__backtrace_ask(para__frames *frames, pid_t whom, void (*send)(void *of), void *of)
{
    const uint64_t end = para__now_ns() + (uint64_t)PARA__BACKTRACE_MS * PARA__NS_OF_MS;
    const uint32_t asked = para__frames_ask(frames, whom);
    const int saved = errno;
    bool is_answered;
    send(of);
    while (!(is_answered = para__frames_are_answered(frames, asked)) && para__now_ns() < end)
        usleep(50);
    errno = saved;
    return is_answered;
}
