/* The order that elements are sorted in, by a function or by keys; and what one thread does with
 * it. */
#ifndef PARA_DATA_ORDER_H
#define PARA_DATA_ORDER_H

#include <para/sort.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of all kinds become unsigned numbers of 64 bits that compare alike: raw bits, moved up to
 * the top, are exchanged with a mask that depends on the topmost of them. */
typedef struct para__order {
    para_compare_fn *compare; /* with key_bytes 0 */
    const void *arg;
    size_t bytes; /* of an element */
    size_t key_offset;
    unsigned key_bytes; /* 0: by compare */
    uint64_t mask[2];   /* for keys whose topmost bit is 0, 1 */
} para__order;

/* The order that a call asks for, which has been checked. */
para__order para__order_of(const para_sort *sort);

/* Whether a is to stand before b, even if it stood behind it. */
bool para__order_before(const para__order *order, const void *a, const void *b);

/* Whether an element of data[0 .. count] is to stand before the one that precedes it. */
bool para__order_descends(const para__order *order, const char *data, size_t count);

/* Merges two sorted runs into out, which overlaps neither; of equal elements those of x first.
 * Whatever compare returns, out has each element once. */
void para__order_merge(const para__order *order, char *out, const char *x, size_t x_count,
                       const char *y, size_t y_count);

/* Sorts count elements, with as much memory besides; the result comes to stand in either. */
void para__order_sort(const para__order *order, char *data, char *other, size_t count,
                      bool into_other);

/* The same digit by digit: by key, and worth it from some dozens of elements on. radix.c */
void para__radix_sort(const para__order *order, char *data, char *other, size_t count,
                      bool into_other);

/* Of the first k elements of two merged runs, how many are x's: co-ranking. */
size_t para__order_co_rank(const para__order *order, size_t k, const char *x, size_t x_count,
                           const char *y, size_t y_count);

/* The bits of an element's key, at the top, and the key itself; key_bytes is a constant where this
 * is to be fast. */
static inline __attribute__((always_inline)) uint64_t
para__order_raw(const para__order *order, const char *element, unsigned key_bytes)
{
    uint64_t raw = 0;
    __builtin_memcpy(&raw, element + order->key_offset, key_bytes);
    return raw << (64 - 8 * key_bytes);
}

static inline __attribute__((always_inline)) uint64_t
para__order_key(const para__order *order, const char *element, unsigned key_bytes)
{
    const uint64_t raw = para__order_raw(order, element, key_bytes);
    return raw ^ (raw >> 63 ? order->mask[1] : order->mask[0]);
}

/* Calls function(..., element bytes, key bytes), which is inlined for common sizes. */
#define PARA__BY_SIZE(function, order, ...)                   \
    do {                                                      \
        const size_t bytes_ = (order)->bytes;                 \
        const unsigned key_bytes_ = (order)->key_bytes;       \
        if (bytes_ == 8 && key_bytes_ == 8)                   \
            function(order, __VA_ARGS__, 8, 8);               \
        else if (bytes_ == 4 && key_bytes_ == 4)              \
            function(order, __VA_ARGS__, 4, 4);               \
        else if (bytes_ == 16 && key_bytes_ == 8)             \
            function(order, __VA_ARGS__, 16, 8);              \
        else if (bytes_ == 8 && key_bytes_ == 0)              \
            function(order, __VA_ARGS__, 8, 0);               \
        else                                                  \
            function(order, __VA_ARGS__, bytes_, key_bytes_); \
    } while (0)

#endif
