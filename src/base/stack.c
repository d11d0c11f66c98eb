#include "base/stack.h"

#include "base/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <unwind.h>

/* Answers of no, by place: the point on the stack, and what it was asked for. A later call from
 * there has the same callers, unless it is made at the same depth by chance. A recursion that makes
 * calls has a place at each depth, on each thread. A place belongs to one set, which keeps the
 * latest first and drops the oldest. Values on their own: they order nothing. Threads that remember
 * at the same time may lose some. */
enum { SETS_LOG = 10, WAYS = 4 };
static _Alignas(PARA__LINE) para__atomic_u64 known_places[1 << SETS_LOG][WAYS];

static uint64_t place_of(uintptr_t frame, uintptr_t for_what)
{
    /* Multiplication by the golden ratio, as in queue.c. */
    return ((uint64_t)frame ^ (uint64_t)for_what << 20) * 0x9e3779b97f4a7c15u;
}

static bool is_known_place(uint64_t place)
{
    para__atomic_u64 *const set = known_places[place >> (64 - SETS_LOG)];
    for (int i = 0; i < WAYS; i++)
        if (para__load_relaxed(&set[i]) == place) /* all: see above */
            return true;
    return false;
}

static void remember(uint64_t place)
{
    para__atomic_u64 *const set = known_places[place >> (64 - SETS_LOG)];
    for (int i = WAYS - 1; i > 0; i--)
        para__store_relaxed(&set[i], para__load_relaxed(&set[i - 1]));
    para__store_relaxed(&set[0], place);
}

/* ---- The loader ------------------------------------------------------------------------ */

/* The C library cannot be asked who holds the loader's lock. But a thread that holds it while it
 * runs code outside the loader was called by the loader, and had called the loader before: its
 * stack has a frame of the loader, and further out one that is not. At the start of a program, when
 * the loader runs constructors without a lock, the loader's frames are the outermost.
 * __cxa_finalize destroys static objects of C++; it is called by a function that compilers add
 * without information on its frame, so the walk ends there.
 *
 * Rejected: to let a helper try the lock before it claims anything, because it could be blocked
 * while its pool is destroyed; the count of loaded libraries, which says nothing of dlclose. */
#if defined(__GLIBC__)

#include <link.h>

/* The loader's code: its first and last byte. Found once; threads that search at the same time find
 * the same. Relaxed: last is 0 until first is there, and neither changes afterwards. */
typedef struct range {
    uintptr_t first, last;
} range;

static int find_loader(struct dl_phdr_info *info, size_t bytes, void *found)
{
    range *r = found;
    (void)bytes;
    if (info->dlpi_addr != _r_debug.r_ldbase || info->dlpi_addr == 0)
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
            continue;
        r->first = info->dlpi_addr + part->p_vaddr;
        r->last = r->first + part->p_memsz - 1;
    }
    return 1;
}

static range loader_code(void)
{
    static para__atomic_uptr first, last;
    range r = {para__load_relaxed(&first), para__load_relaxed(&last)};
    if (r.first && r.last)
        return r;
    r = (range){1, 1}; /* a program without a loader: nobody calls from there */
    dl_iterate_phdr(find_loader, &r);
    para__store_relaxed(&first, r.first);
    para__store_relaxed(&last, r.last);
    return r;
}

extern void __cxa_finalize(void *library);

typedef struct walk {
    range loader;
    bool met, left; /* a frame of the loader's; one further out that is not */
    bool finalizes; /* the frame before is that of __cxa_finalize */
    bool is_cut;    /* the last frame was not the outermost */
} walk;

static _Unwind_Reason_Code look_at_frame(struct _Unwind_Context *context, void *arg)
{
    walk *w = arg;
    const uintptr_t code = _Unwind_GetIP(context);
    const bool is_loaders = code >= w->loader.first && code <= w->loader.last;
    w->left = w->met && !is_loaders && code != 0;
    w->met |= is_loaders;
    w->is_cut = w->finalizes && code != 0;
    w->finalizes = code && _Unwind_FindEnclosingFunction((void *)code) == (void *)__cxa_finalize;
    return w->left ? _URC_NORMAL_STOP : _URC_NO_REASON;
}

static bool is_within(void)
{
    walk w = {.loader = loader_code()};
    _Unwind_Backtrace(look_at_frame, &w);
    return w.left || w.is_cut;
}

bool para__in_loader(uintptr_t for_what)
{
    const uint64_t place = place_of((uintptr_t)__builtin_frame_address(0), for_what);
    if (is_known_place(place))
        return false;
    const bool within = is_within();
    if (!within)
        remember(place);
    return within;
}

#else

/* Other C libraries load a library completely before its constructors run, or hold no lock then. */
bool para__in_loader(uintptr_t for_what)
{
    (void)for_what;
    return false;
}

#endif

/* ---- Frames that are left -------------------------------------------------------------- */

typedef struct search {
    uintptr_t frame, owner; /* sought; the function whose frame is there, 0: not found */
    uintptr_t code;         /* of the frame before, which ends where the next one begins */
} search;

static _Unwind_Reason_Code look_for_frame(struct _Unwind_Context *context, void *arg)
{
    search *s = arg;
    if (s->code && s->frame < _Unwind_GetCFA(context)) {
        s->owner = (uintptr_t)_Unwind_FindEnclosingFunction((void *)s->code);
        return _URC_NORMAL_STOP;
    }
    s->code = _Unwind_GetIP(context);
    return _URC_NO_REASON;
}

bool para__is_left(uintptr_t frame, void (*function)(void))
{
    const uint64_t place = place_of((uintptr_t)__builtin_frame_address(0), frame);
    if (is_known_place(place))
        return false;
    search s = {.frame = frame};
    _Unwind_Backtrace(look_for_frame, &s);
    const bool is_left = s.owner && s.owner != (uintptr_t)function;
    if (!is_left)
        remember(place);
    return is_left;
}

bool para__on_own_stack(uintptr_t a, uintptr_t b)
{
    const int saved = errno;
    pthread_attr_t attributes;
    void *first = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &first, &bytes);
        pthread_attr_destroy(&attributes);
    }
    errno = saved;
    return a - (uintptr_t)first < bytes && b - (uintptr_t)first < bytes;
}
