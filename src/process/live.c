#include "process/live.h"

#include "process/limits.h"

#include <stdlib.h>
#include <unistd.h>

static unsigned kind_of_core; /* on which this process runs */

void para__live_enter(void *of, unsigned worker)
{
    const para__living *const l = of;
    const para_status bound = l->enter(l->of, worker, &kind_of_core);
    para__store_relaxed(&l->board->record[worker].bound, bound); /* a value alone */
}

/* It makes room for one that begins anew. */
static void retire_process(para__record *record)
{
    para__store_relaxed(&record->retires, 1); /* its end brings it */
    _exit(EXIT_SUCCESS);
}

void para__live_run(void *of, unsigned worker)
{
    const para__living *const l = of;
    const uint64_t most = l->processes->worker_chunks;
    uint64_t chunks = 0;
    bool is_tidy = true;
    /* Other news than there are or will be, so that it looks at once. */
    uint32_t seen = para__load_relaxed(&l->board->news) - 1;
    for (;;) {
        if (!para__board_spin_for_news(l->board, seen) && !is_tidy) {
            para__limits_trim(); /* nobody waits for it now */
            is_tidy = true;
        }
        seen = para__board_await_news(l->board, worker, seen);
        const unsigned run = para__board_work(l->board, worker, kind_of_core);
        if (run == 0)
            continue;
        chunks += run;
        is_tidy = false;
        if ((most && chunks >= most) || para__limits_outgrown(l->processes))
            retire_process(&l->board->record[worker]);
    }
}
