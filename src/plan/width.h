/* The width from which on more workers add nothing. Pure functions.
 *
 * Calls that are bound by memory gain nothing from workers beyond those that saturate it; these
 * only take turns. Which calls are so bound cannot be told from what their batches cost, since
 * those of a loop may cost what they like, but from whole calls. So another width is an arm of its
 * site, tried from the credit that pays for all trials (trial.h): half of the present workers, or
 * twice as many. A trial is two calls. Half of the workers are enough if both take no longer; twice
 * as many are better if the second is faster, since the first may have to wake them. Sites of less
 * than four workers have no such arm: with two, what is known of the cost alone decides.
 */
#ifndef PARA_PLAN_WIDTH_H
#define PARA_PLAN_WIDTH_H

#include "plan/trial.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct para__width {
    float pace_ns;    /* an element of calls on the present width, from begin to end: EWMA */
    uint8_t halvings; /* the present width is what is asked for, halved so often */
    bool wider;       /* the next trial of a width is */
    bool again;       /* the last call was the first of a trial's two */
    bool turn;        /* the site's next trial is of a width, not of the call alone */
} para__width;

/* The width that a site is at, where `all` are asked for; and that of a trial, which is the same if
 * there is no other. */
unsigned para__width_present(para__width width, unsigned all);
unsigned para__width_trial(para__width width, unsigned all);

/* A call on the present width took so long an element. */
para__width para__width_add(para__width width, double element_ns);

/* A call of a trial did. The verdict pays for it. */
para__width para__width_try(para__width width, unsigned all, double element_ns,
                            para__verdict *verdict);

/* As one word, so that it can be read and written whole. */
static inline uint64_t para__width_pack(para__width w)
{
    union {
        float f;
        uint32_t u;
    } pace = {.f = w.pace_ns};
    return (uint64_t)pace.u << 32 | (uint32_t)w.turn << 10 | (uint32_t)w.wider << 9 |
           (uint32_t)w.again << 8 | w.halvings;
}

static inline para__width para__width_unpack(uint64_t word)
{
    union {
        uint32_t u;
        float f;
    } pace = {.u = (uint32_t)(word >> 32)};
    return (para__width){.pace_ns = pace.f,
                         .turn = word >> 10 & 1,
                         .wider = word >> 9 & 1,
                         .again = word >> 8 & 1,
                         .halvings = (uint8_t)word};
}

#endif
