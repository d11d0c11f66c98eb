/* Slices and tickets: every unit in exactly one, in order, in parts as equal as can be. */
#include "../common/check.h"

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
        const size_t lead = s == d->caller ? d->lead : 0;
        if (slice.count < lead)
            return "the caller's slice is shorter than its lead";
        const size_t share = slice.count - lead;
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
    if (longest - shortest > 1)
        return "slices differ by more than one unit";
    return NULL;
}

static void check(size_t units, size_t lead, unsigned width, unsigned tickets, unsigned caller)
{
    const para__division d = {
        .units = units, .lead = lead, .width = width, .tickets = tickets, .caller = caller};
    const char *fault = fault_of(&d, (tickets + 1) / 2);
    if (fault)
        fail_msg("%s: units %zu, lead %zu, width %u, tickets %u, caller %u", fault, units, lead,
                 width, tickets, caller);
}

TEST(small_divisions_partition_the_units)
{
    for (size_t units = 0; units <= 24; units++)
        for (unsigned width = 1; width <= 7; width++)
            for (unsigned tickets = 1; tickets <= 6; tickets++)
                for (unsigned caller = 0; caller < width; caller++)
                    for (size_t lead = 0; lead <= units; lead += lead < 3 ? 1 : 5)
                        check(units, lead, width, tickets, caller);
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

/* From any first claim on, a slice is claimed to the end, in pieces that shrink and are never larger
 * than the first; quickly, if that was half of the slice or more. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_divisions_partition_the_units),
        cmocka_unit_test(all_widths_partition_the_units),
        cmocka_unit_test(all_ticket_counts_partition_the_units),
        cmocka_unit_test(huge_counts_do_not_overflow),
        cmocka_unit_test(shares_are_equal_to_one),
        cmocka_unit_test(claims_use_up_a_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
