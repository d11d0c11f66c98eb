#include "plan/divide.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/memory.h"
#include "base/tuning.h"

#include <limits.h>

/* Grains, the first and the last of which the units may not fill. */
static size_t count_grains(size_t units, para__grain grain)
{
    return (units + grain.offset + ((size_t)1 << grain.log2) - 1) >> grain.log2;
}

/* The weight of all slices before slice s. */
static size_t weight_before(const para__weighing *weighing, unsigned s)
{
    size_t sum = 0;
    for (unsigned k = 0; k < PARA__KINDS_MOST; k++)
        sum += (size_t)weighing->weight[k] *
               (unsigned)(weighing->before[s].of[k] - weighing->before[0].of[k]);
    return sum;
}

/* The first of n things that slice s has; s may be the width. */
static size_t slice_start(const para__division *division, size_t n, unsigned s)
{
    if (!division->grain.is_weighed)
        return para__share(n, division->width, s);
    const size_t all = weight_before(division->weighing, division->width);
    const size_t part = weight_before(division->weighing, s);
    return n / all * part + n % all * part / all;
}

/* Where slice s of grains begins; s may be the width. */
static size_t border(const para__division *division, size_t grains, unsigned s)
{
    const para__grain grain = division->grain;
    const size_t unit = slice_start(division, grains, s) << grain.log2;
    const size_t first = unit > grain.offset ? unit - grain.offset : 0;
    return para__min(first, division->units);
}

static para__range slice_of_grains(const para__division *division, unsigned s)
{
    const size_t grains = count_grains(division->units, division->grain);
    const size_t first = border(division, grains, s);
    return (para__range){.first = first, .count = border(division, grains, s + 1) - first};
}

/* Slice s, of all units but the head start from first to end. */
static inline para__range with_head_start(const para__division *division, unsigned s, size_t first,
                                          size_t end)
{
    return (para__range){
        .first = first + (s > division->caller_slice ? division->head_start : 0),
        .count = end - first + (s == division->caller_slice ? division->head_start : 0),
    };
}

/* Apart, so that short calls on cores of one kind, which need none of it, have a short way. */
__attribute__((noinline)) static para__range slice_apart(const para__division *division, unsigned s)
{
    const size_t shared = division->units - division->head_start;
    return division->grain.log2 ? slice_of_grains(division, s)
                                : with_head_start(division, s, slice_start(division, shared, s),
                                                  slice_start(division, shared, s + 1));
}

para__range para__slice_units(const para__division *division, unsigned s)
{
    if (division->grain.log2 || division->grain.is_weighed)
        return slice_apart(division, s);
    const size_t shared = division->units - division->head_start;
    return with_head_start(division, s, para__share(shared, division->width, s),
                           para__share(shared, division->width, s + 1));
}

para__range para__ticket_units(const para__division *division, unsigned s, unsigned t, unsigned n)
{
    const para__range slice = para__slice_units(division, s);
    if (n == division->tickets)
        return slice;
    const size_t first = para__share(slice.count, division->tickets, t);
    const size_t end = para__share(slice.count, division->tickets, t + n);
    return (para__range){.first = slice.first + first, .count = end - first};
}

void para__division_check(const para__division *d)
{
    if (!PARA__ASSERTS)
        return;
    PARA__ASSERT(d->width >= 1 && d->caller_slice < d->width);
    PARA__ASSERT(d->tickets >= 1 && d->tickets <= PARA__SLICE_TICKETS_MAX);
    PARA__ASSERT(d->head_start <= d->units && (d->head_start == 0 || d->grain.log2 == 0));
    PARA__ASSERT(d->grain.offset >> d->grain.log2 == 0);
    const size_t within_grain = ((size_t)1 << d->grain.log2) - 1;
    const unsigned half = d->tickets / 2;
    size_t next = 0;
    for (unsigned s = 0; s < d->width; s++) {
        const para__range slice = para__slice_units(d, s);
        const para__range head = para__ticket_units(d, s, 0, half);
        const para__range tail = para__ticket_units(d, s, half, d->tickets - half);
        PARA__ASSERT(slice.first == next && head.first == next);
        PARA__ASSERT(next == 0 || next == d->units ||
                     ((next + d->grain.offset) & within_grain) == 0);
        PARA__ASSERT(tail.first == next + head.count && head.count + tail.count == slice.count);
        next += slice.count;
    }
    PARA__ASSERT(next == d->units);
}

/* The x with x * odd = 1, modulo 2^64: each step doubles the low bits that are right, at first
 * 3. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int bits = 3; bits < 64; bits *= 2)
        x *= 2 - odd * x;
    return x;
}

/* The grain that pages of that size, a power of two, make; false if no unit begins at a border. */
static bool grain_of_page(para__grain *grain, uintptr_t address, size_t unit_bytes, size_t page)
{
    const unsigned page_log2 = (unsigned)__builtin_ctzll(page);
    const unsigned unit_log2 = (unsigned)__builtin_ctzll(unit_bytes);
    const unsigned common = para__min(unit_log2, page_log2);
    if (address & (((size_t)1 << common) - 1))
        return false;
    /* offset * unit_bytes = address modulo page; both divided by what they have in common. */
    const uint64_t mask = (page >> common) - 1;
    const uint64_t offset = (address >> common) * inverse(unit_bytes >> unit_log2);
    *grain = (para__grain){.log2 = (page_log2 - common) & 31, .offset = offset & mask};
    return true;
}

bool para__grain_of_pages(para__grain *grain, uintptr_t address, size_t unit_bytes, size_t units,
                          unsigned width, size_t page_bytes)
{
    const size_t least = (size_t)PARA__GRAINS_LEAST * width;
    if (units * unit_bytes < (least - 2) * page_bytes)
        return false; /* most calls; two pages may be cut */
    const size_t pages[] = {PARA__HUGE_PAGE_BYTES, page_bytes};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        para__grain found;
        if (grain_of_page(&found, address, unit_bytes, pages[i]) &&
            count_grains(units, found) >= least) {
            *grain = found;
            return true;
        }
    }
    return false;
}

void para__nearest_first(uint16_t *others, unsigned own, unsigned count, const unsigned *distance)
{
    unsigned listed = 0;
    for (unsigned radius = 0, next; listed + 1 < count; radius = next) {
        next = UINT_MAX;
        for (unsigned i = 1; i < count; i++) {
            const unsigned other = (own + i) % count;
            if (distance[other] == radius)
                others[listed++] = (uint16_t)other;
            else if (distance[other] > radius && distance[other] < next)
                next = distance[other];
        }
    }
}
