/* A ring of events: one thread writes, another reads beside it, and the oldest are overwritten.
 *
 *   head      how many events were ever written; event e is in slot e % EVENTS
 *   put       write the words of slot head % EVENTS, each by a release; then head + 1 [E30]
 *   take      read head [E30]; if event e is before it, read its words, each by an acquire; then
 *             read head again: the event is whole if head - e < EVENTS
 *
 * Why no event is torn. The words of event e come with the head that the reader has seen, e + 1 or
 * later [E30]. The next event that is put into the slot is e + EVENTS. Its writer has stored
 * head = e + EVENTS before, and each of its words is a release. So a reader that has one of these
 * words sees that head, or a later one, in its second look, and gives the event up. One slot is
 * always being written, so a reader finds at most EVENTS - 1 events.
 *
 * There are no pointers inside, so a ring may lie in memory that several processes share. Rejected:
 * a sequence number in each slot (eight bytes more, and the same argument); a reader that makes the
 * writer wait. */
#ifndef PARA_BASE_RING_H
#define PARA_BASE_RING_H

#include "base/atomic.h"

/* Models have fewer. */
#ifndef PARA__RING_EVENTS
#define PARA__RING_EVENTS 4096
#define PARA__RING_WORDS  8
#define PARA__RING_KNOCKS 1024 /* so many events are news for a reader that sleeps */
#endif

typedef struct para__ring {
    _Alignas(PARA__LINE) para__atomic_u64 head; /* [E30] written by the ring's thread alone */
    struct {
        para__atomic_u64 word[PARA__RING_WORDS]; /* [E30] likewise */
    } slot[PARA__RING_EVENTS];
} para__ring;

static inline void para__ring_put(para__ring *ring, const uint64_t word[PARA__RING_WORDS])
{
    const uint64_t head = para__load_relaxed(&ring->head); /* its own */
    for (unsigned i = 0; i < PARA__RING_WORDS; i++)
        para__store_release(E30, &ring->slot[head % PARA__RING_EVENTS].word[i], word[i]);
    para__store_release(E30, &ring->head, head + 1);
}

/* How many events were put so far: those before it can be taken, as far as they are there. */
static inline uint64_t para__ring_end(para__ring *ring)
{
    return para__load_acquire(E30, &ring->head);
}

/* Takes event *next, one before `end`, or the oldest that is still there; false: none is. *next is
 * then the one behind it, and *lost has grown by those that were overwritten. */
static inline bool para__ring_take(para__ring *ring, uint64_t end, uint64_t *next, uint64_t *lost,
                                   uint64_t word[PARA__RING_WORDS])
{
    while (*next < end) {
        const uint64_t event = (*next)++;
        for (unsigned i = 0; i < PARA__RING_WORDS; i++)
            word[i] = para__load_acquire(E30, &ring->slot[event % PARA__RING_EVENTS].word[i]);
        const uint64_t head = para__load_relaxed(&ring->head); /* after the words' acquires */
        if (head - event < PARA__RING_EVENTS)
            return true;
        const uint64_t oldest = head - PARA__RING_EVENTS + 1;
        *lost += oldest - event;
        *next = oldest;
    }
    return false;
}

#endif
