#include "plan/size.h"

#include "base/bounds.h"
#include "base/tuning.h"

static void begin_calm(para__size *size)
{
    size->calm_ns = 0;
    size->peak = 0;
}

/* Whether there are too few workers. Of several, one has its place taken by a thread that calls. */
static bool is_size_pressed(para__size *size, para__size_seen seen)
{
    const bool is_full = size->workers > 1 && seen.busy >= size->workers - 1;
    size->full = is_full ? size->full + 1 : 0;
    return seen.queued >= size->workers || (seen.queued && seen.wait_ns > PARA__SIZE_WAIT_NS) ||
           size->full >= PARA__SIZE_FULL;
}

static void grow_size(para__size *size)
{
    size->pressed = 0;
    size->full = 0;
    if (size->workers == size->most)
        return;
    size->workers = para__min(2 * size->workers, size->most);
    if (size->has_shrunk)
        size->doubled = para__min(size->doubled + 1, PARA__SIZE_DOUBLED);
    size->has_shrunk = false;
}

static void end_calm(para__size *size)
{
    const unsigned wanted = size->peak + (size->peak + PARA__SIZE_SPARE - 1) / PARA__SIZE_SPARE;
    const unsigned least = para__clamp(wanted, size->least, size->most);
    if (least < size->workers) {
        size->workers -= (size->workers - least + 1) / 2;
        size->has_shrunk = true;
        size->right = 0;
    } else if (size->doubled > 0 && size->peak > 0 && ++size->right >= PARA__SIZE_RIGHT) {
        size->doubled--;
        size->right = 0;
    }
    begin_calm(size);
}

unsigned para__size_look(para__size *size, para__size_seen seen)
{
    if (is_size_pressed(size, seen)) {
        begin_calm(size);
        if (++size->pressed >= PARA__SIZE_PRESSED)
            grow_size(size);
        return size->workers;
    }
    size->pressed = 0;
    size->peak = para__max(size->peak, para__min(seen.busy + seen.queued, size->most));
    size->calm_ns += para__min(seen.elapsed_ns, PARA__SIZE_GAP_NS);
    if (size->calm_ns >= PARA__SIZE_CALM_NS * (double)(1u << size->doubled))
        end_calm(size);
    return size->workers;
}
