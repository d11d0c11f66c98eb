#include "process/live.h"

#include "base/bounds.h"
#include "base/futex.h"
#include "process/limits.h"
#include "process/output.h"

#include <stdlib.h>
#include <unistd.h>

static unsigned kind_of_core; /* on which this process runs */
static uint32_t own_number;   /* taken before a sandbox is entered */

void para__live_enter(void *of, unsigned worker)
{
    const para__living *const l = of;
    const para_status bound = l->enter(l->of, worker, &kind_of_core);
    para__presence *const self = &l->hall->worker[worker];
    own_number = (uint32_t)getpid();
    para__store_relaxed(&self->bound, bound); /* a value alone */
    if (!l->processes->sandbox)
        para__printing_begin();
    (void)para__backtrace_begin(&self->frames); /* its signals are all reset */
}

/* It makes room for one that begins anew. */
static void retire_process(para__presence *self)
{
    para__store_relaxed(&self->retires, 1); /* its end brings it */
    _exit(EXIT_SUCCESS);
}

/* A worker of which nobody knows would keep for ever what it claims. */
static void await_admission(para__presence *self)
{
    uint32_t known;
    while ((known = para__load_relaxed(&self->process)) != own_number) /* a value alone */
        para__futex_wait_shared(&self->process, known, UINT64_MAX);
}

void para__live_run(void *of, unsigned worker)
{
    const para__living *const l = of;
    const uint64_t most = l->processes->worker_chunks;
    uint64_t chunks = 0;
    bool is_tidy = true;
    para__hall *const hall = l->hall;
    await_admission(&hall->worker[worker]);
    /* Other news than there are or will be, so that it looks at once. */
    uint32_t seen = para__load_relaxed(&hall->news) - 1;
    for (;;) {
        if (!para__hall_spin_for_news(hall, seen) && !is_tidy) {
            para__limits_trim(); /* nobody waits for it now */
            is_tidy = true;
        }
        seen = para__hall_await_news(hall, worker, seen);
        /* The news have brought it. */
        const unsigned boards = para__min(para__load_relaxed(&hall->boards), l->desks);
        unsigned run = 0;
        for (unsigned b = 0; b < boards; b++)
            run += para__board_work(hall, l->boards, b, worker, kind_of_core);
        if (run == 0)
            continue;
        chunks += run;
        is_tidy = false;
        if ((most && chunks >= most) || para__limits_outgrown(l->processes))
            retire_process(&hall->worker[worker]);
    }
}
