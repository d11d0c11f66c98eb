/* The width from which on more workers add nothing. Pure functions.
 *
 * Calls that are bound by memory gain nothing from workers beyond those that saturate it; these
 * only take turns. Which calls are so bound cannot be told from what their batches cost, since
 * those of a loop may cost what they like, but from whole calls: of a site's long calls now and
 * then one runs on half as many workers. Where that takes no longer, twice in a row, the site stays
 * there, and now and then two run on twice as many again, to return when the second is faster: the
 * first may have to wake them. One that is bound by computing takes twice as long on half of the
 * workers: that costs one of 64 calls, and one of more and more the more often it is refused, down
 * to one of 4096. Sites of less than four workers do not try: with two, what is known of the cost
 * alone decides.
 */
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

/* The width that a site is at, where `all` are asked for; and that of its next call, which is
 * another one if it is a trial. */
unsigned para__tuner_present(para__tuner tuner, unsigned all);
unsigned para__tuner_next(para__tuner tuner, unsigned all);

/* One call that ran on that width, and took so long an element. Other calls and widths than those
 * that para__tuner_next tells are passed over. */
para__tuner para__tuner_add(para__tuner tuner, unsigned all, unsigned ran, double element_ns);

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
