/* Whether keys are in order already: a descent is seen wherever it is. */
#include "../common/check.h"

#include "data/order.h"

#include <string.h>

enum { KEYS = 23 };

/* Around zero and around the middle of all numbers, as the order has them. */
static void fill_rising(const para__order *order, uint64_t *rising)
{
    const unsigned bits = 8 * order->key_bytes;
    for (uint64_t i = 0; i < KEYS; i++) {
        const uint64_t middle = i % 4 < 2 ? 0 : (uint64_t)1 << (bits - 1);
        const uint64_t key = (i % 2 ? i : i - KEYS) ^ middle;
        size_t at = i;
        for (; at > 0 && para__order_before(order, &key, &rising[at - 1]); at--)
            rising[at] = rising[at - 1];
        rising[at] = key;
    }
}

static void check_descents(const para__order *order, const uint64_t *rising)
{
    uint64_t keys[KEYS];
    assert_false(para__order_descends(order, (const char *)rising, KEYS - 1));
    for (size_t at = 0; at + 1 < KEYS; at++) {
        memcpy(keys, rising, sizeof keys);
        keys[at] = rising[at + 1];
        keys[at + 1] = rising[at];
        const bool differ = para__order_before(order, &rising[at], &rising[at + 1]);
        assert_int_equal(para__order_descends(order, (char *)keys, KEYS - 1), differ);
        assert_false(para__order_descends(order, (char *)keys, at));
        assert_false(para__order_descends(order, (char *)&keys[at + 1], KEYS - at - 2));
    }
}

TEST(a_descent_is_seen_wherever_it_is)
{
    uint64_t rising[KEYS];
    for (para_key kind = PARA_KEY_U8; kind <= PARA_KEY_F64; kind++)
        for (int descending = 0; descending < 2; descending++) {
            const para__order order = para__order_of(
                &(para_sort){.data = PARA_OUT(rising), .key = kind, .descending = descending});
            fill_rising(&order, rising);
            check_descents(&order, rising);
        }
}

static int before_by_value(const void *a, const void *b, const void *arg)
{
    const uint64_t *const x = a, *const y = b;
    (void)arg;
    return *x < *y ? -1 : *x > *y;
}

TEST(by_a_function_likewise)
{
    uint64_t rising[KEYS];
    const para__order order =
        para__order_of(&(para_sort){.data = PARA_OUT(rising), .compare = before_by_value});
    for (uint64_t i = 0; i < KEYS; i++)
        rising[i] = i / 2;
    check_descents(&order, rising);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_descent_is_seen_wherever_it_is),
                                       cmocka_unit_test(by_a_function_likewise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
