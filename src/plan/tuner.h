/* The tuner: the width from which on more workers add nothing. Pure functions.
 *
 * Calls that are bound by memory gain nothing from workers beyond those that saturate it; further
 * ones only wait. The cost of a call's batches does not show that, since those of a loop may cost
 * anything, but whole calls do. So now and then one of a site's long calls runs on half as many
 * workers. If that takes no longer, twice in a row, the site stays there. From then on two calls in
 * a row sometimes run on twice as many workers again, and the site returns if the second is faster;
 * the first may have to wake them. A call bound by computing takes twice as long on half of the
 * workers. That costs one of 64 calls; each trial that is refused makes the next one rarer, down to
 * one of 4096 calls. Sites of less than four workers do not try: with two, the known cost alone
 * decides. */
#ifndef PARA_PLAN_TUNER_H
#define PARA_PLAN_TUNER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct para__tuner {
    float element_ns; /* an element of calls on the present width, from begin to end: mean */
    uint16_t calls;   /* on that width since the last trial */
    uint8_t halvings; /* the present width is what is asked for, halved so often */
    bool wider;       /* the next trial is */
    bool again;       /* the last call was the first of a trial's two */
    uint8_t refused;  /* trials in a row, at most 6 */
} para__tuner;

/* The site's width, if `all` workers are asked for; and the width of its next call, which differs
 * if that is a trial. */
unsigned para__tuner_present(para__tuner tuner, unsigned all);
unsigned para__tuner_next(para__tuner tuner, unsigned all);

/* Learns from a call on ran workers that took element_ns an element. Calls on other widths than
 * para__tuner_next has given are ignored. */
para__tuner para__tuner_add(para__tuner tuner, unsigned all, unsigned ran, double element_ns);

/* Asserts that its fields are in range. */
void para__tuner_check(const para__tuner *tuner);

/* As one word, so that it can be read and written whole. */
static inline uint64_t para__tuner_pack(para__tuner w)
{
    union {
        float f;
        uint32_t u;
    } element = {.f = w.element_ns};
    return (uint64_t)element.u << 32 | (uint32_t)w.calls << 16 | (uint32_t)w.wider << 12 |
           (uint32_t)w.again << 11 | (uint32_t)w.refused << 8 | w.halvings;
}

static inline para__tuner para__tuner_unpack(uint64_t word)
{
    union {
        uint32_t u;
        float f;
    } element = {.u = (uint32_t)(word >> 32)};
    return (para__tuner){.element_ns = element.f,
                         .calls = (uint16_t)(word >> 16),
                         .wider = word >> 12 & 1,
                         .again = word >> 11 & 1,
                         .refused = word >> 8 & 7,
                         .halvings = (uint8_t)word};
}

#endif
