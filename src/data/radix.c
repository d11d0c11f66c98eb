/* Sorting by keys, digit by digit from the least (Knuth, "The Art of Computer Programming" 3,
 * 5.2.5, algorithm R): stable, and of a time that depends on keys only by the digits that all have
 * in common, which are left out. */
#include "data/order.h"

#include <string.h>

enum { DIGITS = 256 };

static inline __attribute__((always_inline)) void count_digits(const para__order *order,
                                                               const char *data, size_t count,
                                                               size_t (*counts)[DIGITS],
                                                               size_t bytes, unsigned key_bytes)
{
    const para__order own = *order; /* known not to change */
    for (size_t i = 0; i < count; i++) {
        const uint64_t key = para__order_key(&own, data + i * bytes, key_bytes);
        for (unsigned d = 0; d < key_bytes; d++)
            counts[d][key >> (64 - 8 * key_bytes + 8 * d) & (DIGITS - 1)]++;
    }
}

/* Moves elements to where those of their digit belong; at[digit]: how many bytes stand before. */
static inline __attribute__((always_inline)) void
move_by_digit(const para__order *order, const char *from, size_t count, char *to, size_t *at,
              unsigned shift, size_t bytes, unsigned key_bytes)
{
    const para__order own = *order;
    for (size_t i = 0; i < count; i++) {
        const char *const element = from + i * bytes;
        const uint64_t key = para__order_key(&own, element, key_bytes);
        const unsigned digit = (unsigned)(key >> shift) & (DIGITS - 1);
        memcpy(to + at[digit], element, bytes);
        at[digit] += bytes;
    }
}

void para__radix_sort(const para__order *order, char *data, char *other, size_t count,
                      bool into_other)
{
    size_t counts[8][DIGITS];
    const unsigned key_bytes = order->key_bytes;
    memset(counts, 0, key_bytes * sizeof counts[0]);
    PARA__BY_SIZE(count_digits, order, data, count, counts);
    char *from = data, *to = other;
    for (unsigned d = 0; d < key_bytes; d++) {
        const unsigned shift = 64 - 8 * key_bytes + 8 * d;
        const uint64_t any = para__order_key(order, data, key_bytes); /* of whichever element */
        size_t *const at = counts[d];
        if (at[any >> shift & (DIGITS - 1)] == count)
            continue;
        size_t sum = 0;
        for (unsigned i = 0; i < DIGITS; i++) {
            const size_t n = at[i];
            at[i] = sum * order->bytes;
            sum += n;
        }
        PARA__BY_SIZE(move_by_digit, order, from, count, to, at, shift);
        char *const moved = to;
        to = from;
        from = moved;
    }
    if (from != (into_other ? other : data))
        memcpy(to, from, count * order->bytes);
}
