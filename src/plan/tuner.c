#include "plan/tuner.h"

#include "base/assert.h"
#include "base/bounds.h"
#include "base/tuning.h"

#include <float.h>

/* No call is narrowed to less. */
enum { LEAST_WIDTH = 2 };

/* The least that there are: -1 only where all are more than usual. */
static int least_halvings(para__widths widths)
{
    return widths.all > widths.usual ? -1 : 0;
}

/* Those of the tuner; another pool may have left it. */
static int halvings_of(para__tuner w, para__widths widths)
{
    return para__max((int)w.halvings, least_halvings(widths));
}

/* The width after so many halvings, and of those at most as many as leave LEAST_WIDTH. */
static unsigned halved(para__widths widths, int halvings)
{
    if (halvings < 0)
        return widths.all;
    if (widths.usual < 2 * LEAST_WIDTH)
        return widths.usual;
    return para__max(widths.usual >> halvings, LEAST_WIDTH);
}

static bool can_narrow(para__tuner w, para__widths widths)
{
    const int halvings = halvings_of(w, widths);
    return halvings < 0 || halved(widths, halvings) >= 2 * LEAST_WIDTH;
}

void para__tuner_check(const para__tuner *tuner)
{
    PARA__ASSERT(tuner->element_ns >= 0 && tuner->element_ns <= FLT_MAX);
    PARA__ASSERT(tuner->halvings >= -1 && tuner->halvings < 32);
}

static bool tries_wider(para__tuner w, para__widths widths)
{
    return halvings_of(w, widths) > least_halvings(widths) && (w.wider || !can_narrow(w, widths));
}

unsigned para__tuner_present(para__tuner w, para__widths widths)
{
    return halved(widths, halvings_of(w, widths));
}

unsigned para__tuner_trial(para__tuner w, para__widths widths)
{
    const int step = tries_wider(w, widths) ? -1 : can_narrow(w, widths);
    return halved(widths, halvings_of(w, widths) + step);
}

para__tuner para__tuner_add(para__tuner w, double element_ns)
{
    w.element_ns = w.element_ns > 0 ? (float)para__estimate_robust(element_ns, w.element_ns)
                                    : (float)element_ns;
    return w;
}

para__tuner para__tuner_try(para__tuner w, para__widths widths, double element_ns,
                            para__verdict *verdict)
{
    const bool wider = tries_wider(w, widths);
    const bool first = !w.again;
    const double most = (wider ? PARA__FASTER : PARA__NO_LONGER) * w.element_ns;
    w.again = first && (wider || element_ns <= most);
    *verdict = w.again ? PARA__PENDING : element_ns <= most ? PARA__WON : PARA__LOST;
    if (*verdict == PARA__LOST) {
        w.wider = !w.wider;
        w.turn = false;
    } else if (*verdict == PARA__WON) {
        w.element_ns = (float)element_ns;
        w.halvings = (int8_t)(halvings_of(w, widths) + (wider ? -1 : 1));
        w.wider = true; /* so that a step down that was a mistake is soon undone */
    }
    return w;
}
