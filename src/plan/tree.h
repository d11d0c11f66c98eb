/* The fixed tree of a reduction: which blocks it has, and in which order partial results combine.
 *
 * Leaves are blocks of elements, whose length depends on the call alone. With h the largest power
 * of two below n, tree(n) = tree(first h) (+) tree(other n - h): the node of level l at position i
 * covers leaves [i << l, min((i + 1) << l, n)). Every run of leaves that is aligned to its power of
 * two, or reaches to the end, is one node, so that it can be folded by whoever has it, in any
 * company, with the same bits. Pure functions, but for the combine function that they are given. */
#ifndef PARA_PLAN_TREE_H
#define PARA_PLAN_TREE_H

#include "base/atomic.h"
#include "base/bounds.h"
#include "base/memory.h"

#include <stddef.h>
#include <stdint.h>

/* Partial results of a call are at most as many as take 256 KiB; or up to 64, as long as they take
 * no more than 64 MiB; or 4, however large they are. With the stacks on which participants fold
 * them they take at most 256 MiB; or as much as 4 of them, or as one participant alone. */
#define PARA__PARTIALS_BYTES ((size_t)256 << 10)
#define PARA__LARGE_BYTES    ((size_t)64 << 20)
#define PARA__FOLDING_BYTES  ((size_t)256 << 20)

/* The block length for a call that does not state one; para/reduce.h says what it depends on.
 * Blocks number about sqrt(count) / 4: enough of them to balance many workers, few enough that
 * their own cost of some 5 ns each stays below 2 % of 0.1 ns elements from 10^6 elements on; at
 * least 8, as far as there are elements, since elements may be dear; and none shorter than an
 * eighth of the accumulator's bytes, since starting and combining one costs as much. Accumulators
 * beyond 256 KiB come from memory rather than from a core's cache each time: none shorter than half
 * of their bytes. */
size_t para__block_elements(size_t count, size_t acc_bytes);

/* How many leaves, as a power of two, a unit of work should have, with that many participants: as
 * few as make 256 units for each, or 8 if units are too large to stay in its cache; and no more
 * units than memory for partial results allows. Does not change the result: a unit is a node of the
 * tree. */
unsigned para__unit_level(size_t leaves, size_t acc_bytes, unsigned width);

/* At most 63: with no array, there may be as many blocks as a size_t counts. */
static inline unsigned para__ceiling_log2(size_t n)
{
    const unsigned bits = n > 1 ? 64 - (unsigned)__builtin_clzll(n - 1) : 0;
    return para__min(bits, 63);
}

/* How many of width participants have room to fold units of 2^*level leaves. Longer units may leave
 * room for more of them; then *level becomes theirs. 1: only one has room, and the whole is its
 * unit. */
unsigned para__tree_width(size_t leaves, size_t acc_bytes, unsigned width, unsigned *level);

/* Partial results in progress. Slot i holds the node that begins at leaf i. Its last byte is that
 * node's level: how far it is folded; with PARA__SLOT_EMPTY there is nothing in it, since what it
 * would hold is part of the node before it. It is within the slot, so that a participant touches no
 * line of another's slot. */
#define PARA__SLOT_EMPTY 0x80u
typedef struct para__partials {
    unsigned char *slots;
    size_t stride; /* bytes from one slot to the next: para__slot_bytes */
    size_t leaves; /* of the whole tree */
} para__partials;

/* The alignment of accumulators of that size: the largest power of two that divides it, since a
 * type's alignment does; at least 16, and at most a line. */
static inline size_t para__acc_alignment(size_t acc_bytes)
{
    const size_t power = acc_bytes & -acc_bytes;
    return para__clamp(power, 16, PARA__LINE);
}

static inline size_t para__slot_bytes(size_t acc_bytes)
{
    return para__round_up(acc_bytes + 1, para__acc_alignment(acc_bytes));
}

static inline uint8_t *para__slot_level(const para__partials *partials, size_t leaf)
{
    return partials->slots + (leaf + 1) * partials->stride - 1;
}

/* The level of the largest node that begins at leaf first and lies within [first, end): it covers
 * min(2^level, leaves - first) of them. */
unsigned para__tree_level(size_t leaves, size_t first, size_t end);

/* The slot of leaf first holds all of [first, end), whatever nodes these are. Only for operations
 * that give the same bits in any grouping. */
void para__tree_set_run(const para__partials *partials, size_t first, size_t end);

typedef void para__combine(void *acc, const void *rhs, const void *arg);

/* Combines all nodes within leaves [first, end), as far as possible. Nodes that are folded already,
 * as their slots record, are not touched again. With first = 0 and end = leaves it finishes the
 * tree, and slot 0 holds the result. */
void para__tree_fold(const para__partials *partials, size_t first, size_t end,
                     para__combine *combine, const void *arg);

#endif
