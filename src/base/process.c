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

/* A page that the system wipes in every child, however it is made: its word is 0 there until
 * somebody asks. If the system cannot do that, the handler of fork() wipes a word. The page is a
 * whole one within this room. The system supplies its memory when it is touched, and takes it back
 * with the module. */
enum { PAGE_MOST = 65536 };
static char page_room[2 * PAGE_MOST];
static para__atomic_u32 own_word;
static para__atomic_u32 *wiped_word = &own_word; /* changed once, by the constructor */
const volatile unsigned *para__fork_word = (const volatile unsigned *)&own_word; /* the same word */
static para__atomic_u32 latest_fork; /* the last number that was counted, here or in a parent */

unsigned para__count_fork(void)
{
    /* A number is counted before it is stored, because another thread may fork in between. If
     * several threads ask at the same time, one stores its number and the others' are skipped:
     * nothing to order. */
    const unsigned next = para__add_relaxed(&latest_fork, 1) + 1;
    unsigned known = 0;
    return para__cas_relaxed(wiped_word, &known, next) ? next : known;
}

static void wipe(void)
{
    para__store_relaxed(wiped_word, 0); /* one thread: nothing to order */
}

void para__after_fork(para__atomic_u32 *known, void (*handle)(void))
{
    const unsigned now = para__fork_count();
    const unsigned busy = now | 1u << 31; /* not a parent's */
    for (unsigned seen; (seen = para__load_acquire(E14, known)) != now; para__pause()) {
        /* Relaxed: the number that is replaced comes from the parent, by the fork. */
        if (seen == busy || !para__cas_relaxed(known, &seen, busy))
            continue;
        if (seen)
            handle();
        para__store_release(E14, known, now);
        return;
    }
}

/* ---- The end of the main thread -------------------------------------------------------- */

/* The library's threads, and whether the process has lost its main thread and has a stand-in:
 *
 *   process | MAIN_LEFT | STANDING | threads
 *
 * A word of another process means none of it: a child begins anew. It is one word, so of two
 * changes the later one sees the earlier one. So a thread that begins while main leaves, or while
 * the stand-in ends, has a stand-in. Every change is a read-modify-write, so whoever acquires the
 * word after MAIN_LEFT was set sees what main wrote before it [E15]. */
static para__atomic_u64 own_threads;
static const uint32_t MAIN_LEFT = 1u << 31;
static const uint32_t STANDING = 1u << 30; /* a stand-in runs, or is being started */
static const uint32_t THREADS = (1u << 30) - 1;
static sigset_t mask_of_main; /* [E15] written before MAIN_LEFT */
static para__key main_key;

static uint64_t own_crew(uint64_t known)
{
    const uint64_t none = (uint64_t)para__fork_count() << 32;
    return known >> 32 == none >> 32 ? known : none;
}

/* The half of the word on which the stand-in sleeps: the count is in it. */
static para__atomic_u32 *crew_futex(void)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low half comes first");
    return (para__atomic_u32 *)&own_threads;
}

/* Waits for as long as there are threads. */
static void *stand_in(void *unused)
{
    uint64_t known = para__load_relaxed(&own_threads); /* all: the word alone matters */
    for (;;) {
        const uint64_t own = own_crew(known);
        if (!(own & THREADS)) {
            if (para__cas_relaxed(&own_threads, &known, own & ~(uint64_t)STANDING))
                return unused;
            continue;
        }
        para__futex_wait(crew_futex(), (uint32_t)known);
        known = para__load_relaxed(&own_threads);
    }
}

static void start_stand_in(void)
{
    sigset_t before;
    pthread_attr_t attributes;
    pthread_t thread;
    (void)para__load_acquire(E15, &own_threads); /* main's change of it, or a later one */
    pthread_sigmask(SIG_SETMASK, &mask_of_main, &before);
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        error = pthread_create(&thread, &attributes, stand_in, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (error) /* the next thread tries again */
        para__and_relaxed(&own_threads, ~(uint64_t)STANDING);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Adds to the count, sets a bit, and starts a stand-in if one is due. A thread that ends must not
 * start one: it blocks signals, and would let them through meanwhile. */
static void change_crew(int count, uint32_t bit)
{
    uint64_t known = para__load_relaxed(&own_threads); /* the swap decides */
    uint64_t next;
    bool is_due;
    do {
        next = (own_crew(known) + (uint64_t)(int64_t)count) | bit;
        is_due = count >= 0 && next & MAIN_LEFT && next & THREADS && !(next & STANDING);
        next |= is_due ? STANDING : 0;
    } while (!para__cas_release(E15, &own_threads, &known, next));
    if (is_due)
        start_stand_in();
    if (count < 0 && !(next & THREADS))
        para__futex_wake(crew_futex(), 1);
}

/* Runs on the main thread when it leaves by pthread_exit, and not when main returns. */
static void main_leaves(void *unused)
{
    const int saved = errno;
    (void)unused;
    pthread_sigmask(SIG_SETMASK, NULL, &mask_of_main);
    change_crew(0, MAIN_LEFT);
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
    change_crew(1, 0);
    errno = saved;
}

void para__process_thread_ends(void)
{
    change_crew(-1, 0);
}

/* When the library is loaded, before any other of its constructors. */
__attribute__((constructor(101))) static void look_at_process(void)
{
    const int saved = errno;
    para__fork_handle(PARA__FORK_PROCESS, NULL, wipe);
    const size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *const page = page_room + (bytes - (uintptr_t)page_room % bytes) % bytes;
    if (bytes <= PAGE_MOST && madvise(page, bytes, MADV_WIPEONFORK) == 0) {
        para__atomic_u32 *wiped = page;
        para__store_relaxed(wiped, para__fork_count()); /* before there can be another thread */
        wiped_word = wiped;
        para__fork_word = page;
    }
    para__key_make(&main_key, main_leaves);
    watch_main();
    errno = saved;
}
