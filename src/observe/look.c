#include "observe/look.h"

#include "base/fork.h"
#include "schedule/observer.h"

para_status para__look(unsigned bits)
{
    para__tracks_lock();
    para__tracks *const tracks = para__tracks_make();
    if (tracks) {
        para__or_relaxed(&para__watched, PARA__WATCH_TRACE); /* all: see observer.h, trace.h */
        para__or_relaxed(&para__traced, bits);
        para__store_relaxed(&tracks->looks, para__load_relaxed(&para__traced));
    }
    para__tracks_unlock();
    return tracks ? PARA_OK
                  : para__fail(PARA_ERR_MEMORY,
                               "%zu MiB of address space, in which threads record what they do",
                               sizeof *tracks >> 20);
}

void para__look_away(unsigned bits)
{
    para__tracks_lock();
    if ((para__and_relaxed(&para__traced, ~(uint32_t)bits) & ~(uint32_t)bits) == 0)
        para__and_relaxed(&para__watched, ~(uint32_t)PARA__WATCH_TRACE);
    if (para__tracks_get()) /* all: likewise */
        para__store_relaxed(&para__tracks_get()->looks, para__load_relaxed(&para__traced));
    para__tracks_unlock();
}

/* Nobody looks in a child: see base/trace.c. */
static void stop_watching(void)
{
    para__and_relaxed(&para__watched, ~(uint32_t)PARA__WATCH_TRACE); /* one thread */
}

__attribute__((constructor(101))) static void stop_watching_in_children(void)
{
    para__fork_handle(PARA__FORK_LOOK, NULL, stop_watching);
}
