/* What a thread is doing, for another that looks now and then: things that lie within each other,
 * the innermost last. One thread writes, any may read.
 *
 *   push      since = 0; the words, each by a release; since by a release; then the depth
 *   read      since, each word by an acquire; then since again: what was read is whole if both are
 *             the same [E31]
 *
 * A word that a later push has written brings the 0 before it, or what came after that, and since
 * never has the same value twice. So the reader's second look differs. */
#ifndef PARA_BASE_DOING_H
#define PARA_BASE_DOING_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

/* Models have fewer. */
#ifndef PARA__DOING_WORDS
#define PARA__DOING_WORDS 6
#define PARA__DOING_DEPTH 8
#endif

typedef struct para__doing {
    para__atomic_u32 depth; /* a value on its own: what is read is looked at again */
    struct {
        para__atomic_u64 since;                   /* [E31] ticks; 0: it is being written */
        para__atomic_u64 word[PARA__DOING_WORDS]; /* [E31] */
        uintptr_t frame;                          /* where its thread began it; its own */
    } level[PARA__DOING_DEPTH];
} para__doing;

/* What has left its frame by a jump is over. */
static inline void para__doing_push(para__doing *doing, uint64_t since, uintptr_t frame,
                                    const uint64_t word[PARA__DOING_WORDS])
{
    uint32_t depth = para__load_relaxed(&doing->depth); /* its own, as below */
    while (depth > 0 && doing->level[depth - 1].frame <= frame)
        depth--;
    if (depth < PARA__DOING_DEPTH) {
        para__store_relaxed(&doing->level[depth].since, 0); /* the words' releases publish it */
        for (unsigned i = 0; i < PARA__DOING_WORDS; i++)
            para__store_release(E31, &doing->level[depth].word[i], word[i]);
        para__store_release(E31, &doing->level[depth].since, since);
        doing->level[depth].frame = frame;
        depth++;
    }
    para__store_relaxed(&doing->depth, depth);
}

/* What began at that time is over, with all that lies within. */
static inline void para__doing_pop(para__doing *doing, uint64_t since)
{
    uint32_t depth = para__load_relaxed(&doing->depth); /* all: its own */
    while (depth > 0 && para__load_relaxed(&doing->level[depth - 1].since) >= since)
        depth--;
    para__store_relaxed(&doing->depth, depth);
}

/* What lies at that level; false: nothing does, or it has just changed. */
static inline bool para__doing_read(para__doing *doing, unsigned level, uint64_t *since,
                                    uint64_t word[PARA__DOING_WORDS])
{
    if (level >= para__load_relaxed(&doing->depth))
        return false;
    *since = para__load_acquire(E31, &doing->level[level].since);
    for (unsigned i = 0; i < PARA__DOING_WORDS; i++)
        word[i] = para__load_acquire(E31, &doing->level[level].word[i]);
    return *since != 0 &&
           para__load_relaxed(&doing->level[level].since) == *since; /* after the acquires */
}

#endif
