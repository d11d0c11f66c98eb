#include "cli/ending.h"

#include "base/unique.h"
#include "cli/say.h"

#include <para/kernel.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

/* Signals that do not end a process, or that nothing can be done about, and SIGXFSZ, which main
 * ignores: a file beyond the limit is an error like any other. */
static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH, SIGTSTP,
                               SIGTTIN, SIGTTOU, SIGKILL, SIGSTOP,  SIGXFSZ};

/* The name of the file in the making, "" if there is none, and its folder. Changed only while
 * signals are blocked and no call is running; read by whatever ends the process, on any thread. */
static char hidden[PARA__UNIQUE_MAX];
static int hidden_folder;

/* Sentences for addresses that cause a signal. Changed as above. */
enum { MISSING, UNREADABLE, SENTENCES };
static struct watched {
    const char *begin, *end;
    int number;     /* the signal */
    int descriptor; /* of the file that is mapped there */
    bool written;
    char *sentence[SENTENCES];
} watched[PARA_IN_MAX + 2]; /* inputs, an output, and what is constant */
enum { WATCHED = sizeof watched / sizeof watched[0] };

static bool at_work;

static void remove_hidden(void)
{
    if (hidden[0])
        unlinkat(hidden_folder, hidden, 0);
}

/* Finds out why the page is missing: reading or writing the same byte by its descriptor tells. */
static int cause_of(const struct watched *w, const char *address)
{
    char byte = 0;
    const off_t offset = address - w->begin;
    if (w->number != SIGBUS)
        return MISSING;
    if (!w->written)
        return pread(w->descriptor, &byte, 1, offset) == 0 ? MISSING : UNREADABLE;
    return pwrite(w->descriptor, &byte, 1, offset) < 0 && (errno == ENOSPC || errno == EDQUOT)
               ? MISSING
               : UNREADABLE;
}

/* Says why and ends the process, within a signal handler. */
static _Noreturn void end_saying(const char *sentence)
{
    remove_hidden();
    const ssize_t written = write(STDERR_FILENO, sentence, strlen(sentence));
    (void)written; /* there is nobody left to tell */
    _exit(PARA__EXIT_FAILED);
}

static void end_if_watched(int number, const char *address)
{
    for (size_t i = 0; i < WATCHED; i++) {
        const struct watched *w = &watched[i];
        if (w->number == number && address >= w->begin && address < w->end)
            end_saying(w->sentence[cause_of(w, address)]);
    }
}

/* Where each thread's stack ends: its lowest address, and how far above it the system may refuse to
 * let it grow. And the stack on which it handles signals. */
enum { SIGNAL_STACK_BYTES = 64 << 10, MAIN_GAP_BYTES = 2 << 20 };
static _Thread_local struct {
    uintptr_t end;
    size_t gap;
    void *signal_stack;
} stack;

static void prepare_stack(size_t gap)
{
    pthread_attr_t attributes;
    void *end = NULL;
    size_t bytes;
    stack_t present;
    if (sigaltstack(NULL, &present) != 0 || !(present.ss_flags & SS_DISABLE))
        return; /* a sanitizer's */
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &end, &bytes);
        pthread_attr_destroy(&attributes);
    }
    stack.signal_stack = malloc(SIGNAL_STACK_BYTES);
    const stack_t on = {.ss_sp = stack.signal_stack, .ss_size = SIGNAL_STACK_BYTES};
    if (stack.signal_stack && sigaltstack(&on, NULL) == 0)
        stack.end = (uintptr_t)end; /* else an overflow ends the process without a word */
    stack.gap = gap;
}

int para__ending_worker_init(unsigned worker, void *unused)
{
    (void)worker;
    (void)unused;
    prepare_stack(0);
    return 0;
}

void para__ending_worker_exit(unsigned worker, void *unused)
{
    const stack_t off = {.ss_flags = SS_DISABLE};
    (void)worker;
    (void)unused;
    if (stack.signal_stack)
        sigaltstack(&off, NULL);
    free(stack.signal_stack);
}

/* A fault below the end of the thread's stack, and not below its stack pointer, or hardly so: a
 * call or an array that does not fit. */
static void end_if_overflown(uintptr_t address, const ucontext_t *context)
{
    const size_t below = 64 << 10;
#if defined(__x86_64__)
    const uintptr_t pointer = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    const uintptr_t pointer = context->uc_mcontext.sp;
#else
    const uintptr_t pointer = address;
    (void)context;
#endif
    if (stack.end && address < stack.end + stack.gap && address + below >= pointer)
        end_saying(
            "para: a kernel needs more stack than there is: PARA_STACKSIZE sets that of the "
            "workers, such as PARA_STACKSIZE=64M, and 'ulimit -s' that of the main thread\n");
}

/* Runs with all signals blocked. */
static void end_by_signal(int number, siginfo_t *info, void *context)
{
    /* Several workers may fault at once. The first ends the process, the others wait for that. */
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&ending))
        pause();
    if ((number == SIGBUS || number == SIGSEGV) && info->si_code > 0)
        end_if_watched(number, info->si_addr);
    if (number == SIGSEGV && info->si_code > 0)
        end_if_overflown((uintptr_t)info->si_addr, context);
    remove_hidden();
    signal(number, SIG_DFL);
    raise(number); /* arrives when this function returns */
}

/* A kernel has called exit(). */
static void end_by_exit(int status, void *unused)
{
    (void)unused;
    if (!at_work)
        return;
    remove_hidden();
    if (status == 0) { /* nobody is to take that for success */
        para__say_failed("the kernel ended the process");
        _exit(PARA__EXIT_FAILED);
    }
}

#ifndef __GLIBC__ /* others do not tell the status: it may be 0 */
static void end_by_some_exit(void)
{
    end_by_exit(0, NULL);
}
#endif

static bool is_harmless(int number)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (harmless[i] == number)
            return true;
    return false;
}

void para__ending_watch(void)
{
    struct sigaction ours = {.sa_sigaction = end_by_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction before;
    sigfillset(&ours.sa_mask);
    if (!stack.signal_stack)
        prepare_stack(MAIN_GAP_BYTES);
    for (int number = 1; number < NSIG; number++) {
        if (is_harmless(number) || sigaction(number, NULL, &before) != 0)
            continue;
        /* Others are ignored, or a sanitizer's; but nobody else knows what is an input. */
        if (before.sa_handler == SIG_DFL || number == SIGBUS)
            sigaction(number, &ours, NULL);
    }
    at_work = true;
#ifdef __GLIBC__
    on_exit(end_by_exit, NULL);
#else
    atexit(end_by_some_exit);
#endif
}

void para__ending_release(void)
{
    at_work = false;
}

static void block(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

static void unblock(const sigset_t *before)
{
    const int saved = errno;
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = saved;
}

static char *sentence_of(const char *path, const char *fault)
{
    char *sentence = NULL;
    char *escaped = para__say_escaped(path);
    if (!escaped || asprintf(&sentence, "para: %s: %s\n", escaped, fault) < 0)
        sentence = NULL;
    free(escaped);
    return sentence;
}

static void forget(struct watched *w)
{
    for (int k = 0; k < SENTENCES; k++)
        free(w->sentence[k]);
    *w = (struct watched){0};
}

/* Takes ownership of the sentences. Without memory or room for them the signal has to do. */
static void watch(struct watched added)
{
    for (size_t i = 0; i < WATCHED && added.sentence[MISSING] && added.sentence[UNREADABLE]; i++)
        if (!watched[i].number) {
            watched[i] = added;
            return;
        }
    forget(&added);
}

void para__ending_watch_input(const char *path, const void *data, size_t bytes, int descriptor)
{
    watch(
        (struct watched){.begin = data,
                         .end = (const char *)data + bytes,
                         .number = SIGBUS,
                         .descriptor = descriptor,
                         .sentence = {sentence_of(path, "the file was cut short while it was read"),
                                      sentence_of(path, "reading it failed: Input/output error")}});
}

void para__ending_watch_output(const char *path, const void *data, size_t bytes, int descriptor)
{
    watch(
        (struct watched){.begin = data,
                         .end = (const char *)data + bytes,
                         .number = SIGBUS,
                         .descriptor = descriptor,
                         .written = true,
                         .sentence = {sentence_of(path, "No space left on device"),
                                      sentence_of(path, "writing it failed: Input/output error")}});
}

void para__ending_watch_constant(const void *data, size_t bytes, const char *sentence)
{
    watch((struct watched){.begin = data,
                           .end = (const char *)data + bytes,
                           .number = SIGSEGV,
                           .sentence = {strdup(sentence), strdup(sentence)}});
}

void para__ending_forget(const void *data)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (watched[i].number && watched[i].begin == data)
            forget(&watched[i]);
}

int para__ending_create(int folder, mode_t mode)
{
    sigset_t before;
    block(&before);
    hidden_folder = folder;
    const int descriptor = para__unique_create(folder, "", 0, hidden, mode);
    if (descriptor < 0)
        hidden[0] = '\0';
    unblock(&before);
    return descriptor;
}

bool para__ending_owns(int descriptor)
{
    struct stat ours;
    struct stat there;
    return fstat(descriptor, &ours) == 0 &&
           fstatat(hidden_folder, hidden, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int para__ending_dispose(const char *target)
{
    sigset_t before;
    if (!hidden[0])
        return 0;
    block(&before);
    const int result = target ? renameat(hidden_folder, hidden, hidden_folder, target)
                              : unlinkat(hidden_folder, hidden, 0);
    const int saved = errno;
    if (target && result != 0)
        unlinkat(hidden_folder, hidden, 0);
    hidden[0] = '\0';
    errno = saved;
    unblock(&before);
    return result;
}
