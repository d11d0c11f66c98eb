#include "data/order.h"

#include "base/bounds.h"
#include "base/tuning_data.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

para__order para__order_of(const para_sort *sort)
{
    static const uint64_t top = (uint64_t)1 << 63;
    static const unsigned char key_bytes[] = {
        [PARA_KEY_U8] = 1,  [PARA_KEY_U16] = 2, [PARA_KEY_U32] = 4, [PARA_KEY_U64] = 8,
        [PARA_KEY_I8] = 1,  [PARA_KEY_I16] = 2, [PARA_KEY_I32] = 4, [PARA_KEY_I64] = 8,
        [PARA_KEY_F32] = 4, [PARA_KEY_F64] = 8};
    para__order order = {.compare = sort->compare,
                         .arg = sort->arg,
                         .bytes = sort->data.element_bytes,
                         .key_offset = sort->key_offset,
                         .key_bytes = key_bytes[sort->key]};
    /* Signed: negative ones below. Floating point: and of these the largest magnitude first. */
    if (sort->key >= PARA_KEY_I8)
        order.mask[0] = order.mask[1] = top;
    if (sort->key >= PARA_KEY_F32)
        order.mask[1] = UINT64_MAX;
    if (sort->descending) {
        order.mask[0] = ~order.mask[0];
        order.mask[1] = ~order.mask[1];
    }
    return order;
}

INLINE bool is_before(const para__order *order, const char *a, const char *b, unsigned key_bytes)
{
    if (key_bytes == 0)
        return order->compare(a, b, order->arg) < 0;
    return para__order_key(order, a, key_bytes) < para__order_key(order, b, key_bytes);
}

bool para__order_before(const para__order *order, const void *a, const void *b)
{
    return is_before(order, a, b, order->key_bytes);
}

/* By a function. */
INLINE bool descends_by_compare(const para__order *order, const char *data, size_t count,
                                size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        if (is_before(order, data + (i + 1) * bytes, data + i * bytes, 0))
            return true;
    return false;
}

/* How far keys of one topmost bit go on without a descent; *found: it ends with one. All are
 * exchanged with the mask of the first. So an element of the other topmost bit looks like a descent
 * if the first ones are the greater, and is one; else its own topmost bit tells. Four in a row: a
 * branch for each is cheaper than counting them. */
INLINE size_t run_of_alike(const para__order *order, const char *data, size_t count,
                           bool are_greater, bool *found, size_t bytes, unsigned key_bytes)
{
    const para__order own = *order; /* known not to change */
    const uint64_t first = para__order_raw(&own, data, key_bytes);
    const uint64_t mask = own.mask[first >> 63];
    uint64_t last = first ^ mask;
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        const uint64_t next = para__order_raw(&own, data + (i + 1) * bytes, key_bytes) ^ mask;
        if (next < last) {
            *found = true;
            return i;
        }
        if (!are_greater && next >> 63)
            return i + 1;
        last = next;
    }
    return count;
}

INLINE void look_for_descent(const para__order *order, const char *data, size_t count, bool *found,
                             size_t bytes, unsigned key_bytes)
{
    *found = key_bytes == 0 && descends_by_compare(order, data, count, bytes);
    for (size_t i = 0; key_bytes && i < count && !*found;) {
        const char *const at = data + i * bytes;
        if (para__order_key(order, at, key_bytes) >> 63)
            i += run_of_alike(order, at, count - i, true, found, bytes, key_bytes);
        else
            i += run_of_alike(order, at, count - i, false, found, bytes, key_bytes);
    }
}

bool para__order_descends(const para__order *order, const char *data, size_t count)
{
    bool found;
    PARA__BY_SIZE(look_for_descent, order, data, count, &found);
    return found;
}

/* Two merges at once, from both ends, as they do not wait for each other: as many elements as the
 * shorter run has can be taken from either end without looking for the end of a run. Right for keys
 * only: a function that contradicts itself could have an element taken from both ends. */
INLINE size_t merge_ends(const para__order *order, char *out, const char **x, size_t *x_count,
                         const char **y, size_t *y_count, size_t bytes, unsigned key_bytes)
{
    const size_t n = para__min(*x_count, *y_count);
    const char *a = *x, *b = *y;
    const char *c = *x + *x_count * bytes, *d = *y + *y_count * bytes; /* behind the last ones */
    char *front = out, *back = out + (*x_count + *y_count) * bytes;
    for (size_t i = 0; i < n; i++) {
        const bool second = is_before(order, b, a, key_bytes);
        memcpy(front, second ? b : a, bytes);
        front += bytes;
        b += second ? bytes : 0;
        a += second ? 0 : bytes;
        const bool first = is_before(order, d - bytes, c - bytes, key_bytes);
        back -= bytes;
        memcpy(back, (first ? c : d) - bytes, bytes);
        c -= first ? bytes : 0;
        d -= first ? 0 : bytes;
    }
    *x = a;
    *y = b;
    *x_count = (size_t)(c - a) / bytes;
    *y_count = (size_t)(d - b) / bytes;
    return n;
}

INLINE void merge_runs(const para__order *order, char *out, const char *x, size_t x_count,
                       const char *y, size_t y_count, size_t bytes, unsigned key_bytes)
{
    const bool is_ordered =
        x_count == 0 || y_count == 0 || !is_before(order, y, x + (x_count - 1) * bytes, key_bytes);
    while (!is_ordered && key_bytes && x_count && y_count)
        out += bytes * merge_ends(order, out, &x, &x_count, &y, &y_count, bytes, key_bytes);
    const char *x_end = x + x_count * bytes, *y_end = y + y_count * bytes;
    while (!is_ordered && x != x_end && y != y_end) {
        const bool second = is_before(order, y, x, key_bytes);
        memcpy(out, second ? y : x, bytes);
        out += bytes;
        y += second ? bytes : 0;
        x += second ? 0 : bytes;
    }
    memcpy(out, x, (size_t)(x_end - x));
    memcpy(out + (x_end - x), y, (size_t)(y_end - y));
}

void para__order_merge(const para__order *order, char *out, const char *x, size_t x_count,
                       const char *y, size_t y_count)
{
    PARA__BY_SIZE(merge_runs, order, out, x, x_count, y, y_count);
}

/* Sorts a short run by insertion; spare has room for an element. */
INLINE void insert_all(const para__order *order, char *run, size_t count, char *spare, size_t bytes,
                       unsigned key_bytes)
{
    for (size_t i = 1; i < count; i++) {
        size_t at = i;
        while (at > 0 && is_before(order, run + i * bytes, run + (at - 1) * bytes, key_bytes))
            at--;
        if (at < i) {
            memcpy(spare, run + i * bytes, bytes);
            memmove(run + (at + 1) * bytes, run + at * bytes, (i - at) * bytes);
            memcpy(run + at * bytes, spare, bytes);
        }
    }
}

INLINE void merge_sort(const para__order *order, char *data, char *other, size_t count,
                       bool into_other, size_t bytes, unsigned key_bytes)
{
    bool in_other = into_other; /* where runs are to begin, for as many rounds as there are */
    for (size_t run = PARA__SORT_RUN; run < count; run *= 2)
        in_other = !in_other;
    if (in_other)
        memcpy(other, data, count * bytes);
    char *from = in_other ? other : data;
    char *to = in_other ? data : other;
    for (size_t i = 0; i < count; i += PARA__SORT_RUN)
        insert_all(order, from + i * bytes, para__min(PARA__SORT_RUN, count - i), to, bytes,
                   key_bytes);
    for (size_t run = PARA__SORT_RUN; run < count; run *= 2) {
        for (size_t i = 0; i < count; i += 2 * run) {
            const size_t x_count = para__min(run, count - i);
            const size_t y_count = para__min(run, count - i - x_count);
            merge_runs(order, to + i * bytes, from + i * bytes, x_count,
                       from + (i + x_count) * bytes, y_count, bytes, key_bytes);
        }
        char *const merged = to;
        to = from;
        from = merged;
    }
}

void para__order_sort(const para__order *order, char *data, char *other, size_t count,
                      bool into_other)
{
    if (order->key_bytes && count >= PARA__RADIX_LEAST)
        para__radix_sort(order, data, other, count, into_other);
    else
        PARA__BY_SIZE(merge_sort, order, data, other, count, into_other);
}

size_t para__order_co_rank(const para__order *order, size_t k, const char *x, size_t x_count,
                           const char *y, size_t y_count)
{
    size_t low = k > y_count ? k - y_count : 0;
    size_t high = para__min(k, x_count);
    while (low < high) {
        const size_t i = low + (high - low) / 2;
        if (para__order_before(order, y + (k - i - 1) * order->bytes, x + i * order->bytes))
            high = i;
        else
            low = i + 1;
    }
    return low;
}
