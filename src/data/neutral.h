/* Whether the identity of a reduction is neutral: folding it in changes no result.
 *
 * What is compared has had the identity folded in at least once, and has it folded in again. So
 * 0 + -0.0, which is 0.0, is no finding, nor is an identity that bounds a minimum: results are the
 * same however often it is folded in. The first value of a sum, say 10, is found. */
#ifndef PARA_DATA_NEUTRAL_H
#define PARA_DATA_NEUTRAL_H

#include <para/kernel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An associative operation and its identity. */
typedef struct para__monoid {
    para_combine_fn *combine;
    const void *arg;
    const void *identity; /* NULL: zero bytes */
    size_t bytes;
} para__monoid;

/* Copies that the check works with. */
typedef struct para__neutral {
    unsigned char *identity, *copy[3];
} para__neutral;

/* Places these copies from *at on. */
void para__neutral_place(para__neutral *room, uintptr_t *at, size_t bytes);

/* result: one that the operation has made, aligned as its accumulators. The identity is not folded
 * into itself: a call does not do that, and an operation may divide by a count. */
bool para__is_neutral(const para__monoid *monoid, const para__neutral *room, const void *result)
    __attribute__((cold));

#endif
