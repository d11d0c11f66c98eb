#include "plan/width.h"

#include "base/bounds.h"
#include "base/tuning.h"

/* No call is narrowed to less. */
enum { LEAST_WIDTH = 2 };

/* The width after so many halvings, and of those at most as many as leave LEAST_WIDTH. */
static unsigned halved(unsigned all, unsigned halvings)
{
    const unsigned width = halvings < 32 ? all >> halvings : 0;
    return para__max(width, LEAST_WIDTH);
}

static bool can_narrow(para__width w, unsigned all)
{
    return halved(all, w.halvings) >= 2 * LEAST_WIDTH;
}

/* The width of the next trial; the present one if it is not its time. */
static unsigned trial(para__width w, unsigned all)
{
    const unsigned present = halved(all, w.halvings);
    if (w.calls < PARA__WIDTH_CALLS << w.refused)
        return present;
    if (w.halvings > 0 && (w.wider || !can_narrow(w, all)))
        return halved(all, w.halvings - 1u);
    return can_narrow(w, all) ? halved(all, w.halvings + 1u) : present;
}

unsigned para__width_present(para__width width, unsigned all)
{
    return all < 2 * LEAST_WIDTH ? all : halved(all, width.halvings);
}

unsigned para__width_next(para__width width, unsigned all)
{
    return all < 2 * LEAST_WIDTH ? all : trial(width, all);
}

static para__width stay(para__width w, double element_ns)
{
    /* A call that was disturbed counts as twice the mean at most. */
    const double pace = w.pace_ns > 0 ? w.pace_ns : element_ns;
    const double most = PARA__STEP * pace;
    w.pace_ns = (float)(pace + (para__min(element_ns, most) - pace) / PARA__PACE_WEIGHT);
    if (w.calls < PARA__WIDTH_CALLS << PARA__WIDTH_REFUSED_MOST)
        w.calls++;
    return w;
}

static para__width move(para__width w, int halvings, double element_ns)
{
    return (para__width){.pace_ns = (float)element_ns,
                         .halvings = (uint8_t)(w.halvings + halvings),
                         .wider = true}; /* so that a step down that was a mistake is soon undone */
}

static para__width refuse(para__width w)
{
    w.refused += w.refused < PARA__WIDTH_REFUSED_MOST;
    w.wider = !w.wider;
    w.again = false;
    w.calls = 0;
    return w;
}

para__width para__width_add(para__width width, unsigned all, unsigned ran, double element_ns)
{
    const unsigned present = halved(all, width.halvings);
    if (all < 2 * LEAST_WIDTH)
        return width;
    if (ran == present)
        return stay(width, element_ns);
    if (ran != trial(width, all))
        return width;
    const bool wider = ran > present;
    if (!wider && element_ns > PARA__NO_LONGER * width.pace_ns)
        return refuse(width);
    if (!width.again) {
        width.again = true; /* the next call decides */
        return width;
    }
    if (wider && element_ns >= PARA__FASTER * width.pace_ns)
        return refuse(width);
    return move(width, wider ? -1 : 1, element_ns);
}
