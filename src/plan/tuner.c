#include "plan/tuner.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/tuning.h"

#include <float.h>

/* No call is narrowed to less. */
enum { LEAST_WIDTH = 2 };

/* The width after so many halvings, and of those at most as many as leave LEAST_WIDTH. */
static unsigned halved(unsigned all, unsigned halvings)
{
    const unsigned width = halvings < 32 ? all >> halvings : 0;
    return para__max(width, LEAST_WIDTH);
}

static bool can_narrow(para__tuner w, unsigned all)
{
    return halved(all, w.halvings) >= 2 * LEAST_WIDTH;
}

void para__tuner_check(const para__tuner *tuner)
{
    PARA__ASSERT(tuner->element_ns >= 0 && tuner->element_ns <= FLT_MAX);
    PARA__ASSERT(tuner->halvings < 32);
}

static bool tries_wider(para__tuner w, unsigned all)
{
    return w.halvings > 0 && (w.wider || !can_narrow(w, all));
}

unsigned para__tuner_present(para__tuner w, unsigned all)
{
    return all < 2 * LEAST_WIDTH ? all : halved(all, w.halvings);
}

unsigned para__tuner_trial(para__tuner w, unsigned all)
{
    if (all < 2 * LEAST_WIDTH)
        return all;
    if (tries_wider(w, all))
        return halved(all, w.halvings - 1u);
    return halved(all, w.halvings + can_narrow(w, all));
}

para__tuner para__tuner_add(para__tuner w, double element_ns)
{
    w.element_ns = w.element_ns > 0 ? (float)para__estimate_robust(element_ns, w.element_ns)
                                    : (float)element_ns;
    return w;
}

para__tuner para__tuner_try(para__tuner w, unsigned all, double element_ns, para__verdict *verdict)
{
    const bool wider = tries_wider(w, all);
    const bool first = !w.again;
    const double most = (wider ? PARA__FASTER : PARA__NO_LONGER) * w.element_ns;
    w.again = first && (wider || element_ns <= most);
    *verdict = w.again ? PARA__PENDING : element_ns <= most ? PARA__WON : PARA__LOST;
    if (*verdict == PARA__LOST) {
        w.wider = !w.wider;
        w.turn = false;
    } else if (*verdict == PARA__WON) {
        w.element_ns = (float)element_ns;
        w.halvings = (uint8_t)(wider ? w.halvings - 1 : w.halvings + 1);
        w.wider = true; /* so that a step down that was a mistake is soon undone */
    }
    return w;
}
