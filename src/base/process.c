#include "base/process.h"

#include "base/atomic.h"
#include "base/fork.h"
#include "base/futex.h"
#include "base/module.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Forks --------------------------------------------------------------------------- */

/* A page that the system wipes in a child, however that is made: its word is 0 there until somebody
 * asks. Where the system cannot, a word that the handler of fork() wipes. The page is one that lies
 * whole in this room, whose memory the system gives when it is touched, and goes with the
 * module. */
enum { PAGE_MOST = 65536 };
static char page_room[2 * PAGE_MOST];
static _Atomic unsigned own_word;
static _Atomic unsigned *wiped_word = &own_word; /* changed once, by the constructor */
const volatile unsigned *para__fork_word = (const volatile unsigned *)&own_word; /* the same word */
static _Atomic unsigned latest_fork; /* the last number that was counted, here or in a parent */

unsigned para__count_fork(void)
{
    /* A number is counted before it is given: another thread may fork in between. Of several
     * threads that ask at once one gives its number, and the others' are skipped: nothing to
     * order. */
    const unsigned next = para__add_relaxed(&latest_fork, 1) + 1;
    unsigned known = 0;
    return para__cas_relaxed(wiped_word, &known, next) ? next : known;
}

static void wipe(void)
{
    para__store_relaxed(wiped_word, 0); /* one thread: nothing to order */
}

void para__after_fork(_Atomic unsigned *known, void (*handle)(void))
{
    const unsigned now = para__fork_count();
    const unsigned busy = now | 1u << 31; /* not a parent's */
    unsigned seen = para__load_acquire(E14, known);
    while (seen != now) {
        if (seen != busy && para__cas_acquire(E14, known, &seen, busy)) {
            if (seen)
                handle();
            para__store_release(E14, known, now);
            return;
        }
        para__pause();
        seen = para__load_acquire(E14, known);
    }
}

/* ---- The end of the main thread -------------------------------------------------------- */

/* A count of threads, and the process that they belong to: a child begins at none. */
static _Atomic uint64_t thread_count;
static _Atomic uint32_t ends;      /* [E5] how many have ended: the stand-in sleeps on it */
static _Atomic unsigned main_left; /* [E5] the process whose main thread has left; 0: none */
static _Atomic unsigned standing;  /* [E5] the process that has a stand-in */
static sigset_t mask_of_main;      /* written before main_left */
static para__key main_key;

static void add_threads(int count)
{
    const uint64_t process = (uint64_t)para__fork_count() << 32;
    uint64_t known = para__load_relaxed(&thread_count); /* the swap decides */
    uint64_t next;
    do
        next = (known >> 32 == process >> 32 ? known : process) + (uint64_t)(int64_t)count;
    while (!para__cas_seq_cst(E5, &thread_count, &known, next));
}

static bool has_threads(void)
{
    const uint64_t known = para__load_seq_cst(E5, &thread_count);
    return known >> 32 == para__fork_count() && (uint32_t)known != 0;
}

/* For as long as there are threads. Says that it leaves before it looks for the last time, as a
 * thread that begins counts itself before it looks for a stand-in. */
static void *stand_in(void *unused)
{
    const unsigned process = para__fork_count();
    unsigned none = 0;
    do {
        for (uint32_t seen = para__load_seq_cst(E5, &ends); has_threads();
             seen = para__load_seq_cst(E5, &ends))
            para__futex_wait(&ends, seen);
        para__store_seq_cst(E5, &standing, 0);
        none = 0;
    } while (has_threads() && para__cas_seq_cst(E5, &standing, &none, process));
    return unused;
}

/* Starts the stand-in if it is due. Where the system refuses it, the next thread tries again. */
static void see_to_stand_in(void)
{
    const unsigned process = para__fork_count();
    if (para__load_seq_cst(E5, &main_left) != process || !has_threads())
        return;
    if (para__swap_seq_cst(E5, &standing, process) == process)
        return; /* there is one */
    sigset_t before;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_sigmask(SIG_SETMASK, &mask_of_main, &before);
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        error = pthread_create(&thread, &attributes, stand_in, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (error)
        para__store_seq_cst(E5, &standing, 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Runs on the main thread when it leaves by pthread_exit, and not when main returns. */
static void main_leaves(void *unused)
{
    const int saved = errno;
    (void)unused;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_of_main);
    para__store_seq_cst(E5, &main_left, para__fork_count());
    see_to_stand_in();
    errno = saved;
}

/* Asks to be told of the end of the calling thread, if that is the main one. */
static void watch_main(void)
{
    if (gettid() == getpid() && !para__key_value(&main_key))
        para__key_set(&main_key, &main_key); /* if it cannot be: nobody will stand in */
}

void para__process_thread_begins(void)
{
    const int saved = errno;
    watch_main();
    add_threads(1);
    see_to_stand_in();
    errno = saved;
}

void para__process_thread_ends(void)
{
    add_threads(-1);
    para__add_relaxed(&ends, 1); /* after the count, by the seq_cst swap there [E5] */
    para__futex_wake(&ends, 1);
}

/* When the library is loaded, before any other of its constructors. */
__attribute__((constructor(101))) static void look_at_process(void)
{
    const int saved = errno;
    para__fork_handle(PARA__FORK_PROCESS, NULL, wipe);
    const size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *const page = page_room + (bytes - (uintptr_t)page_room % bytes) % bytes;
    if (bytes <= PAGE_MOST && madvise(page, bytes, MADV_WIPEONFORK) == 0) {
        _Atomic unsigned *wiped = page;
        para__store_relaxed(wiped, para__fork_count()); /* before there can be another thread */
        wiped_word = wiped;
        para__fork_word = page;
    }
    para__key_make(&main_key, main_leaves);
    watch_main();
    errno = saved;
}
