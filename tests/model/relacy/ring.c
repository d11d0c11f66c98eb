#include "ring.h"

#include "base/ring.h"

#include <string.h>

static para__ring ring;
static uint64_t put, next, lost, taken;

void ring_make(void)
{
    memset(&ring, 0, sizeof ring);
    put = next = lost = taken = 0;
    (void)para__load_relaxed(&ring.head);
    for (unsigned e = 0; e < PARA__RING_EVENTS; e++)
        for (unsigned w = 0; w < PARA__RING_WORDS; w++)
            (void)para__load_relaxed(&ring.slot[e].word[w]);
}

void ring_put(void)
{
    uint64_t word[PARA__RING_WORDS];
    for (unsigned w = 0; w < PARA__RING_WORDS; w++)
        word[w] = put + 1;
    put++;
    para__ring_put(&ring, word);
}

bool ring_take(bool *is_whole)
{
    uint64_t word[PARA__RING_WORDS];
    if (!para__ring_take(&ring, para__ring_end(&ring), &next, &lost, word))
        return false;
    taken++;
    *is_whole = true;
    for (unsigned w = 0; w < PARA__RING_WORDS; w++)
        *is_whole &= word[w] == next;
    return true;
}

uint64_t ring_seen(void)
{
    return taken + lost;
}
