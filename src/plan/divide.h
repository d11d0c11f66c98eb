/* How the units of a call are divided among its participants.
 *
 * A unit is the least that can be handed out: some elements of a map, some blocks of a reduction.
 * Each participant owns a slice, a contiguous run of units, and the same one in every call of the
 * same shape, so that data stays in its caches and on its node. A slice is cut into tickets, all
 * slices into equally many; a ticket is what a claim counts in.
 *
 *     units    0                                             units
 *              |--- slice 0 ---|--- slice 1 (caller's) ---|--- slice 2 ---|
 *              | t0 | t1 | t2  |   t0   |   t1   |   t2   | t0 | t1 | t2  |
 *
 * The caller's slice may be longer by a head start: the others hear of the call later than the
 * caller, and the caller hears of their end later. It works meanwhile. Lengths of slices, without
 * the head start and by their weight, and of tickets within a slice differ by at most one unit.
 *
 * Where cores are of several kinds, slices may be as long as these are fast: they have weights.
 *
 * A call may ask for slices that begin at borders of grains, which are pages of the memory that it
 * writes: then a page has one owner. Slices have equally many grains, or one more; the call may
 * begin and end within a grain.
 *
 *     grains   |.......|.......|.......|.......|.......|.......|
 *     units        |- slice 0 -|--- slice 1 ---|- slice 2 -|
 *              offset
 *
 * Pure functions. */
#ifndef PARA_PLAN_DIVIDE_H
#define PARA_PLAN_DIVIDE_H

#include "base/bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where slices may begin: at units k * 2^log2 - offset. All zero: anywhere, and they are even. It
 * is one word, because it travels in the line of a call that has the least room. */
typedef struct para__grain {
    uint32_t log2 : 5;
    uint32_t is_weighed : 1; /* slices are as long as the division's weighing says */
    uint32_t offset : 26;    /* units that the first grain has before the call; < 2^log2 */
} para__grain;

/* Kinds of cores that are told apart; the fastest ones count as one. */
enum { PARA__KINDS_MOST = 4 };

/* Of each kind, how many workers stand before one. */
typedef struct para__kinds_before {
    uint16_t of[PARA__KINDS_MOST];
} para__kinds_before;

typedef struct para__weighing {
    const para__kinds_before *before;  /* each slice, counted from anywhere: [width + 1] */
    uint16_t weight[PARA__KINDS_MOST]; /* of a slice of that kind; above 0 */
} para__weighing;

typedef struct para__division {
    size_t units;
    size_t head_start; /* units that the caller's slice has beyond the others' share; <= units */
    unsigned width;    /* slices, at least 1 */
    unsigned tickets;  /* in each slice, 1 .. PARA__SLICE_TICKETS_MAX */
    unsigned caller_slice;          /* the caller's slice, < width */
    para__grain grain;              /* where its log2 is not zero, head_start is */
    const para__weighing *weighing; /* read if the grain says so */
} para__division;

/* The most tickets of a slice: the room in the words that participants claim from. */
#define PARA__SLICE_TICKETS_MAX 1023

typedef struct para__range {
    size_t first, count;
} para__range;

/* The start of part i if n things are divided into parts as equal as possible; i may equal
 * parts. */
static inline size_t para__share(size_t n, size_t parts, size_t i)
{
    const size_t rest = n % parts;
    return n / parts * i + para__min(i, rest);
}

/* The units of slice s. */
para__range para__slice_units(const para__division *division, unsigned s);

/* The units of tickets [t, t + n) of slice s; may be none, where a slice has fewer units than
 * tickets. */
para__range para__ticket_units(const para__division *division, unsigned s, unsigned t, unsigned n);

/* Asserts that its fields are in range, that its slices and their tickets are all units, each once
 * and in order, and that slices begin at grains. */
void para__division_check(const para__division *division);

/* Whether the slices of a call are to begin at page borders, and then the grain for that, which is
 * 0 where units are whole pages. Its units write unit_bytes each from `address` on. Huge pages
 * where they are enough for all slices, else the system's, of page_bytes. Who owns a page is the
 * same for all sizes of units that divide one: so calls over the same memory agree. */
bool para__grain_of_pages(para__grain *grain, uintptr_t address, size_t unit_bytes, size_t units,
                          unsigned width, size_t page_bytes);

/* Lists the other parts of count by their distance from part `own`, the nearest first; of those
 * equally far, first the ones after it, then round. others has room for count - 1. */
void para__nearest_first(uint16_t *others, unsigned own, unsigned count, const unsigned *distance);

/* How many of a slice's remaining tickets to claim at once: `first` of an untouched slice, as the
 * plan says. Later, and never more than that, half of what remains, rounded up, so that claims
 * shrink towards the end and nobody has to wait for a large one. */
static inline unsigned para__claim_size(unsigned remaining, unsigned tickets, unsigned first)
{
    const unsigned half = (remaining + 1) / 2;
    return remaining == tickets || first < half ? first : half;
}

#endif
