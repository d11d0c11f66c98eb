/* The tuner: the width from which on more workers add nothing. Pure functions.
 *
 * Calls that are bound by memory gain nothing from workers beyond those that saturate it; further
 * ones only wait. The cost of a call's batches does not show that, since those of a loop may cost
 * anything, but whole calls do. So another width is an arm of its site, tried from the credit that
 * pays for all trials (trial.h): half of the present workers, or twice as many. A trial is two
 * calls. Half of the workers are enough if both take no longer; twice as many are better if the
 * second is faster, since the first may have to wake them. Sites of less than four workers are not
 * narrowed: with two, the known cost alone decides.
 *
 * Some pools have more workers than calls usually get: those on second hardware threads of cores.
 * Two threads of one core are worth anything from less than one to almost two, as the loop is. So
 * all of them are one more arm, above the usual width, under the same rule. */
#ifndef PARA_PLAN_TUNER_H
#define PARA_PLAN_TUNER_H

#include "plan/trial.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct para__tuner {
    float element_ns; /* an element of calls on the present width, from begin to end: EWMA */
    int8_t halvings;  /* the present width is the usual one, halved so often; -1: it is all */
    bool wider;       /* the next trial of a width is */
    bool again;       /* the last call was the first of a trial's two */
    bool turn;        /* the site's next trial is of a width, not of the call alone */
} para__tuner;

typedef struct para__widths {
    unsigned usual, all; /* how wide a call usually is, and may be; less than usual means usual */
} para__widths;

/* The width that a site is at; and that of a trial, which is the same if there is no other. */
unsigned para__tuner_present(para__tuner tuner, para__widths widths);
unsigned para__tuner_trial(para__tuner tuner, para__widths widths);

/* A call on the present width took so long an element. */
para__tuner para__tuner_add(para__tuner tuner, double element_ns);

/* A call of a trial did. The verdict pays for it. */
para__tuner para__tuner_try(para__tuner tuner, para__widths widths, double element_ns,
                            para__verdict *verdict);

/* Asserts that its fields are in range. */
void para__tuner_check(const para__tuner *tuner);

/* As one word, so that it can be read and written whole. */
static inline uint64_t para__tuner_pack(para__tuner w)
{
    union {
        float f;
        uint32_t u;
    } element = {.f = w.element_ns};
    return (uint64_t)element.u << 32 | (uint32_t)w.turn << 10 | (uint32_t)w.wider << 9 |
           (uint32_t)w.again << 8 | (uint8_t)w.halvings;
}

static inline para__tuner para__tuner_unpack(uint64_t word)
{
    union {
        uint32_t u;
        float f;
    } element = {.u = (uint32_t)(word >> 32)};
    return (para__tuner){.element_ns = element.f,
                         .turn = word >> 10 & 1,
                         .wider = word >> 9 & 1,
                         .again = word >> 8 & 1,
                         .halvings = (int8_t)(uint8_t)word};
}

#endif
