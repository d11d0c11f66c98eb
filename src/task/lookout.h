/* Workers that look out for tasks, so that who submits one wakes nobody while somebody looks.
 *
 * `looking` counts the workers that are awake and find nothing to do, and those that were woken to
 * look and are on their way.
 *
 *   submit   Queue the task; if nobody looks and a worker sleeps: count it in [E23], and wake it.
 *   worker   Count itself in when it finds nothing to do. When it has found something, or goes to
 *            sleep: count itself out, then look at what is queued [E23]. Who has found something
 *            and was the last to look out wakes another worker if there is more.
 *
 * Why no task waits while a worker sleeps. Who submits has queued the task, then looks at the
 * count; who counts itself out does that, then looks for tasks. All four are seq_cst, so if the
 * count was not 0 and falls to 0 after that look, the look of who made it 0 comes after the task
 * was queued. If the count was 0, the sleeper is found as by any other waker [E5].
 *
 * Who counts another worker in and then finds that it does not sleep any more counts it out, as if
 * it had looked out itself, and looks again for tasks and for sleepers: another thread may have
 * relied on that count meanwhile. */
#ifndef PARA_TASK_LOOKOUT_H
#define PARA_TASK_LOOKOUT_H

#include "base/atomic.h"

typedef struct para__lookout {
    para__atomic_u32 looking; /* [E23] */
} para__lookout;

/* After a task was queued: whether somebody looks, or is on the way. */
static inline bool para__lookout_is_kept(para__lookout *l)
{
    return para__load_seq_cst(E23, &l->looking) != 0;
}

/* Counts in a worker that is to be woken, unless another one looks. The worker counts itself out
 * because of a word that is left because of this: neither can overtake what it depends on. */
static inline bool para__lookout_appoint(para__lookout *l)
{
    uint32_t none = 0;
    return para__cas_relaxed(&l->looking, &none, 1); /* no order: see above */
}

static inline void para__lookout_begin(para__lookout *l)
{
    para__add_relaxed(&l->looking, 1); /* only its end orders anything */
}

/* True: nobody looks any more, and the caller looks for what was queued before. */
static inline bool para__lookout_end(para__lookout *l)
{
    return para__add_seq_cst(E23, &l->looking, -1u) == 1;
}

#endif
