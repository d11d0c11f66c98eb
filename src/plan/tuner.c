#include "plan/tuner.h"

#include "base/assert.h"
#include "base/bounds.h"

#include <float.h>

/* The first trial comes after so many calls, later ones after more, doubled with each refusal. */
enum { CALLS_BETWEEN = 64, MOST_REFUSED = 6 };

/* No call is narrowed to less. */
enum { LEAST_WIDTH = 2 };

/* What takes no longer, and what is faster: between the two a site stays where it is. */
static const double no_longer = 1.03;
static const double clearly_faster = 0.95;

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
    PARA__ASSERT(tuner->calls <= CALLS_BETWEEN << MOST_REFUSED);
    PARA__ASSERT(tuner->halvings < 32 && tuner->refused <= MOST_REFUSED);
}

/* The width of the next trial; the present one if it is not its time. */
static unsigned trial(para__tuner w, unsigned all)
{
    const unsigned present = halved(all, w.halvings);
    if (w.calls < CALLS_BETWEEN << w.refused)
        return present;
    if (w.halvings > 0 && (w.wider || !can_narrow(w, all)))
        return halved(all, w.halvings - 1u);
    return can_narrow(w, all) ? halved(all, w.halvings + 1u) : present;
}

unsigned para__tuner_present(para__tuner tuner, unsigned all)
{
    return all < 2 * LEAST_WIDTH ? all : halved(all, tuner.halvings);
}

unsigned para__tuner_next(para__tuner tuner, unsigned all)
{
    return all < 2 * LEAST_WIDTH ? all : trial(tuner, all);
}

static para__tuner stay(para__tuner w, double element_ns)
{
    /* A call that was disturbed counts as twice the mean at most. */
    const double mean = w.element_ns > 0 ? w.element_ns : element_ns;
    const double most = 2 * mean;
    w.element_ns = (float)(mean + (para__min(element_ns, most) - mean) / 8);
    if (w.calls < CALLS_BETWEEN << MOST_REFUSED)
        w.calls++;
    return w;
}

static para__tuner move(para__tuner w, int halvings, double element_ns)
{
    return (para__tuner){.element_ns = (float)element_ns,
                         .halvings = (uint8_t)(w.halvings + halvings),
                         .wider = true}; /* so that a step down that was a mistake is soon undone */
}

static para__tuner refuse(para__tuner w)
{
    w.refused += w.refused < MOST_REFUSED;
    w.wider = !w.wider;
    w.again = false;
    w.calls = 0;
    return w;
}

para__tuner para__tuner_add(para__tuner tuner, unsigned all, unsigned ran, double element_ns)
{
    const unsigned present = halved(all, tuner.halvings);
    if (all < 2 * LEAST_WIDTH)
        return tuner;
    if (ran == present)
        return stay(tuner, element_ns);
    if (ran != trial(tuner, all))
        return tuner;
    const bool wider = ran > present;
    if (!wider && element_ns > no_longer * tuner.element_ns)
        return refuse(tuner);
    if (!tuner.again) {
        tuner.again = true; /* the next call decides */
        return tuner;
    }
    if (wider && element_ns >= clearly_faster * tuner.element_ns)
        return refuse(tuner);
    return move(tuner, wider ? -1 : 1, element_ns);
}
