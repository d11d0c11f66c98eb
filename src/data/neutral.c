#include "data/neutral.h"

#include "base/fpenv.h"
#include "base/tuning_data.h"
#include "data/shadows.h"

#include <string.h>

void para__neutral_place(para__neutral *room, uintptr_t *at, size_t bytes)
{
    room->identity = para__take_bytes(at, bytes);
    for (size_t c = 0; c < 3; c++)
        room->copy[c] = para__take_bytes(at, bytes);
}

/* to = identity (+) from, or from (+) identity. */
static void fold_identity(const para__monoid *monoid, const para__neutral *room, unsigned char *to,
                          const unsigned char *from, bool is_first)
{
    memcpy(to, is_first ? room->identity : from, monoid->bytes);
    monoid->combine(to, is_first ? from : room->identity, monoid->arg);
}

static bool identity_stays(const para__monoid *monoid, const para__neutral *room, const void *value,
                           bool is_first)
{
    unsigned char *last = room->copy[0], *now = room->copy[1], *next = room->copy[2];
    memcpy(last, value, monoid->bytes);
    fold_identity(monoid, room, now, last, is_first);
    for (unsigned step = 0; step < PARA__NEUTRAL_STEPS; step++) {
        fold_identity(monoid, room, next, now, is_first);
        if (memcmp(next, now, monoid->bytes) == 0 || memcmp(next, last, monoid->bytes) == 0)
            return true;
        unsigned char *const oldest = last;
        last = now;
        now = next;
        next = oldest;
    }
    return false;
}

bool para__is_neutral(const para__monoid *monoid, const para__neutral *room, const void *result)
{
    const para__fp fp = para__fp_save();
    if (monoid->identity)
        memcpy(room->identity, monoid->identity, monoid->bytes);
    else
        memset(room->identity, 0, monoid->bytes);
    const bool is_neutral =
        identity_stays(monoid, room, result, true) && identity_stays(monoid, room, result, false);
    para__fp_restore(fp, 0);
    return is_neutral;
}
