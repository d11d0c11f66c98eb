/* Slices and tickets: every unit is in exactly one, in order, and they are as equal as possible;
 * and slices that begin at page borders. */
#include "../common/check.h"

#include "base/memory.h"
#include "plan/divide.h"

/* What is wrong with a division, or NULL. Single tickets, and runs of them cut at `cut`. */
static const char *fault_of(const para__division *d, unsigned cut)
{
    size_t next = 0;
    size_t shortest = SIZE_MAX;
    size_t longest = 0;
    for (unsigned s = 0; s < d->width; s++) {
        const para__range slice = para__slice_units(d, s);
        if (slice.first != next)
            return "a slice does not begin where the one before ended";
        const size_t head_start = s == d->caller_slice ? d->head_start : 0;
        if (slice.count < head_start)
            return "the caller's slice is shorter than its head start";
        const size_t share = slice.count - head_start;
        shortest = share < shortest ? share : shortest;
        longest = share > longest ? share : longest;

        size_t least = SIZE_MAX;
        size_t most = 0;
        for (unsigned t = 0; t < d->tickets; t++) {
            const para__range one = para__ticket_units(d, s, t, 1);
            if (one.first != next)
                return "a ticket does not begin where the one before ended";
            next += one.count;
            least = one.count < least ? one.count : least;
            most = one.count > most ? one.count : most;
        }
        if (next != slice.first + slice.count)
            return "the tickets of a slice are not the slice";
        if (most - least > 1)
            return "tickets differ by more than one unit";
        const unsigned head = cut < d->tickets ? cut : d->tickets;
        const para__range a = para__ticket_units(d, s, 0, head);
        const para__range b = para__ticket_units(d, s, head, d->tickets - head);
        if (a.first != slice.first || (head < d->tickets && b.first != a.first + a.count) ||
            a.count + b.count != slice.count)
            return "two runs of tickets are not the slice";
    }
    if (next != d->units)
        return "the slices are not all units";
    if (longest - shortest >= (size_t)2 << d->grain.log2) /* in grains by one; two may be cut */
        return "slices differ by more than one unit or grain";
    return NULL;
}

static void check(size_t units, size_t head_start, unsigned width, unsigned tickets,
                  unsigned caller)
{
    const para__division d = {.units = units,
                              .head_start = head_start,
                              .width = width,
                              .tickets = tickets,
                              .caller_slice = caller};
    const char *fault = fault_of(&d, (tickets + 1) / 2);
    if (fault)
        fail_msg("%s: units %zu, head start %zu, width %u, tickets %u, caller %u", fault, units,
                 head_start, width, tickets, caller);
}

TEST(small_divisions_partition_the_units)
{
    for (size_t units = 0; units <= 24; units++)
        for (unsigned width = 1; width <= 7; width++)
            for (unsigned tickets = 1; tickets <= 6; tickets++)
                for (unsigned caller = 0; caller < width; caller++)
                    for (size_t head_start = 0; head_start <= units;
                         head_start += head_start < 3 ? 1 : 5)
                        check(units, head_start, width, tickets, caller);
}

TEST(all_widths_partition_the_units)
{
    static const unsigned tickets[] = {1, 2, 255, 256, 1022, PARA__SLICE_TICKETS_MAX};
    static const size_t units[] = {0, 1, 63, 64, 65, 4095, 65536, 1000003};
    for (unsigned width = 1; width <= 64; width++)
        for (size_t t = 0; t < COUNT_OF(tickets); t++)
            for (size_t u = 0; u < COUNT_OF(units); u++)
                check(units[u], units[u] / 5, width, tickets[t], width / 2);
}

TEST(all_ticket_counts_partition_the_units)
{
    for (unsigned tickets = 1; tickets <= PARA__SLICE_TICKETS_MAX; tickets++)
        for (unsigned width = 1; width <= 3; width++)
            check(2500, 100, width, tickets, 0);
}

TEST(huge_counts_do_not_overflow)
{
    static const unsigned widths[] = {1, 2, 3, 63, 64, 1024};
    static const unsigned tickets[] = {1, 7, 256, PARA__SLICE_TICKETS_MAX};
    for (size_t back = 0; back < 3; back++)
        for (size_t w = 0; w < COUNT_OF(widths); w++)
            for (size_t t = 0; t < COUNT_OF(tickets); t++) {
                const size_t units = SIZE_MAX - back;
                check(units, 0, widths[w], tickets[t], 0);
                check(units, units, widths[w], tickets[t], widths[w] - 1);
                check(units, units / 3, widths[w], tickets[t], widths[w] / 2);
            }
}

TEST(shares_are_equal_to_one)
{
    for (size_t parts = 1; parts <= 70; parts++)
        for (size_t n = 0; n <= 200; n++) {
            assert_int_equal(para__share(n, parts, 0), 0);
            assert_int_equal(para__share(n, parts, parts), n);
            for (size_t i = 0; i < parts; i++) {
                const size_t part = para__share(n, parts, i + 1) - para__share(n, parts, i);
                assert_in_range(part, n / parts, n / parts + 1);
            }
        }
}

/* From any first claim on, a slice is claimed to the end, in pieces that shrink and are never
 * larger than the first; quickly, if that was half of the slice or more. */
TEST(claims_use_up_a_slice)
{
    for (unsigned tickets = 1; tickets <= PARA__SLICE_TICKETS_MAX; tickets++)
        for (unsigned first = 1; first <= tickets; first += 1 + tickets / 50) {
            unsigned remaining = tickets;
            unsigned before = first;
            unsigned steps = 0;
            while (remaining) {
                const unsigned n = para__claim_size(remaining, tickets, first);
                assert_in_range(n, 1, remaining < before ? remaining : before);
                assert_true(remaining != tickets || n == first);
                remaining -= n;
                before = n;
                steps++;
            }
            assert_true(2 * first < tickets || steps <= 11);
        }
}

/* ---- Pages --------------------------------------------------------------------------- */

#define PAGE ((size_t)4096)

/* What a call writes: units of that size from an address on. */
typedef struct memory {
    uintptr_t address;
    size_t unit_bytes, units;
} memory;

/* How a call that writes there is divided; *aligned: its slices are to begin at page borders. */
static para__division divide(memory m, unsigned width, bool *aligned)
{
    para__division d = {.units = m.units, .width = width, .tickets = 5, .caller_slice = width / 2};
    *aligned = para__grain_of_pages(&d.grain, m.address, m.unit_bytes, m.units, width, PAGE);
    return d;
}

static uintptr_t slice_address(memory m, const para__division *d, unsigned s)
{
    return m.address + para__slice_units(d, s).first * m.unit_bytes;
}

/* Whether any unit begins at the border of a small page. */
static bool meets_a_page(memory m)
{
    for (size_t u = 0; u < PAGE; u++)
        if ((m.address + u * m.unit_bytes) % PAGE == 0)
            return true;
    return false;
}

static void check_borders(memory m, unsigned width, size_t page)
{
    bool aligned;
    const para__division d = divide(m, width, &aligned);
    const char *fault = fault_of(&d, 3);
    if (!fault && aligned != meets_a_page(m))
        fault = "slices begin at page borders, or do not";
    for (unsigned s = 1; s < width && aligned; s++)
        if (slice_address(m, &d, s) % page)
            fault = "a slice begins within a page";
    if (fault)
        fail_msg("%s: address %zx, %zu units of %zu bytes, width %u", fault, (size_t)m.address,
                 m.units, m.unit_bytes, width);
}

TEST(slices_begin_at_page_borders)
{
    static const size_t unit_bytes[] = {1, 2, 3, 8, 12, 24, 100, 4097, PAGE, 3 * PAGE};
    static const size_t offsets[] = {0, 1, 8, 24, 100, PAGE, 5 * PAGE + 64};
    static const uintptr_t base = (uintptr_t)1 << 40;
    for (unsigned width = 1; width <= 64; width++)
        for (size_t b = 0; b < COUNT_OF(unit_bytes); b++)
            for (size_t o = 0; o < COUNT_OF(offsets); o++) {
                /* Enough for grains as long as they can be: as many pages as a unit has bytes. */
                const size_t many = (size_t)65 * PAGE * width + 77;
                check_borders((memory){base + offsets[o], unit_bytes[b], many}, width, PAGE);
            }
    for (size_t b = 0; b < COUNT_OF(unit_bytes); b++) {
        const size_t many = (size_t)65 * PARA__HUGE_PAGE_BYTES * 5 + 77;
        check_borders((memory){base, unit_bytes[b], many}, 5, PARA__HUGE_PAGE_BYTES);
        check_borders((memory){base + 7 * unit_bytes[b], unit_bytes[b], many}, 5,
                      PARA__HUGE_PAGE_BYTES);
    }
}

TEST(small_calls_are_divided_anywhere)
{
    for (unsigned width = 1; width <= 64; width++) {
        bool aligned;
        const memory m = {PAGE, 8, (size_t)63 * width * PAGE / 8};
        const para__division d = divide(m, width, &aligned);
        assert_false(aligned);
        assert_int_equal(d.grain.log2 | d.grain.offset, 0);
    }
}

/* A buffer is touched page by page, and then used element by element. */
static void check_owners(uintptr_t address, size_t bytes, size_t unit_bytes, unsigned width)
{
    bool touch_aligned;
    bool use_aligned;
    const memory pages = {address, PAGE, (bytes + PAGE - 1) / PAGE};
    const memory elements = {address, unit_bytes, bytes / unit_bytes};
    const para__division touch = divide(pages, width, &touch_aligned);
    const para__division use = divide(elements, width, &use_aligned);
    assert_int_equal(touch_aligned, use_aligned);
    for (unsigned s = 1; s < width && use_aligned; s++)
        assert_int_equal(slice_address(pages, &touch, s), slice_address(elements, &use, s));
}

TEST(pages_have_the_same_owners_whatever_the_units)
{
    static const size_t pages[] = {PAGE, PARA__HUGE_PAGE_BYTES};
    static const size_t begins[] = {0, PAGE, PARA__HUGE_PAGE_BYTES - 3 * PAGE};
    for (unsigned width = 1; width <= 64; width++)
        for (size_t unit_bytes = 1; unit_bytes <= PAGE; unit_bytes *= 2)
            for (size_t p = 0; p < COUNT_OF(pages); p++)
                for (size_t b = 0; b < COUNT_OF(begins); b++) {
                    const uintptr_t address = ((uintptr_t)1 << 40) + begins[b];
                    const size_t least = 64 * pages[p] * width;
                    const size_t sizes[] = {
                        least - pages[p],      least - 1 * unit_bytes, least,
                        least + unit_bytes,    least + 10 * pages[p],  3 * least - unit_bytes,
                        3 * least + 17 * PAGE, 5 * least / 3};
                    for (size_t n = 0; n < COUNT_OF(sizes); n++)
                        check_owners(address, sizes[n] / unit_bytes * unit_bytes, unit_bytes,
                                     width);
                }
}

/* ---- Weights --------------------------------------------------------------------------- */

enum { WEIGHED_MOST = 40 };

/* Cores of kind 1, then of kind 0, then again of kind 1, as with second threads; team: it begins at
 * the third. */
static para__division weigh(para__weighing *weighing, size_t units, unsigned width, unsigned slow,
                            unsigned weight)
{
    static para__kinds_before before[WEIGHED_MOST + 3];
    for (unsigned i = 0; i < WEIGHED_MOST + 2; i++) {
        before[i + 1] = before[i];
        before[i + 1].of[i < 2 + (width - slow) / 2 || i >= 2 + (width - slow) / 2 + slow]++;
    }
    *weighing = (para__weighing){.before = before + 2, .weight = {(uint16_t)weight, 64, 64, 64}};
    return (para__division){.units = units,
                            .width = width,
                            .tickets = 5,
                            .caller_slice = width / 2,
                            .grain.is_weighed = true,
                            .weighing = weighing};
}

/* Each unit is in one slice, in order; a slice is as long as its weight, to a unit or a grain. */
static void check_weighed(const para__division *d)
{
    double all = 0;
    size_t next = 0;
    const double most = d->grain.log2 ? 2.0 * (double)((size_t)1 << d->grain.log2) : 1;
    double weight[WEIGHED_MOST];
    for (unsigned s = 0; s < d->width; s++) {
        const para__kinds_before *const at = &d->weighing->before[s];
        weight[s] = d->weighing->weight[at[1].of[1] > at->of[1]];
        all += weight[s];
    }
    for (unsigned s = 0; s < d->width; s++) {
        const para__range slice = para__slice_units(d, s);
        const size_t head_start = s == d->caller_slice ? d->head_start : 0;
        const double due = (double)(d->units - d->head_start) * weight[s] / all;
        assert_int_equal(slice.first, next);
        assert_true(slice.count >= head_start);
        assert_true((double)(slice.count - head_start) > due - most - 1e-6 * due);
        assert_true((double)(slice.count - head_start) < due + most + 1e-6 * due);
        for (unsigned t = 0; t < d->tickets; t++) {
            const para__range ticket = para__ticket_units(d, s, t, 1);
            assert_int_equal(ticket.first, next);
            next += ticket.count;
        }
        assert_int_equal(next, slice.first + slice.count);
    }
    assert_int_equal(next, d->units);
}

TEST(slices_are_as_long_as_their_weights)
{
    static const size_t units[] = {0, 1, 39, 40, 41, 1000, 123457, SIZE_MAX / 2, SIZE_MAX};
    static const unsigned weights[] = {1, 4, 21, 63, 64, 128};
    for (size_t u = 0; u < COUNT_OF(units); u++)
        for (size_t w = 0; w < COUNT_OF(weights); w++)
            for (unsigned width = 2; width <= WEIGHED_MOST; width += 1 + width / 3)
                for (unsigned slow = 0; slow <= width; slow += 1 + slow / 2) {
                    para__weighing weighing;
                    para__division d = weigh(&weighing, units[u], width, slow, weights[w]);
                    check_weighed(&d);
                    d.head_start = units[u] / 3;
                    check_weighed(&d);
                    d.head_start = 0;
                    d.grain.log2 = 5;
                    d.grain.offset = 11;
                    if (units[u] <= SIZE_MAX / 2)
                        check_weighed(&d);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_divisions_partition_the_units),
        cmocka_unit_test(all_widths_partition_the_units),
        cmocka_unit_test(all_ticket_counts_partition_the_units),
        cmocka_unit_test(huge_counts_do_not_overflow),
        cmocka_unit_test(shares_are_equal_to_one),
        cmocka_unit_test(claims_use_up_a_slice),
        cmocka_unit_test(slices_begin_at_page_borders),
        cmocka_unit_test(slices_are_as_long_as_their_weights),
        cmocka_unit_test(small_calls_are_divided_anywhere),
        cmocka_unit_test(pages_have_the_same_owners_whatever_the_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
