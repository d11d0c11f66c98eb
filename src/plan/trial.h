/* When an arm of a site that is not in use is tried: one rule for all of them. Pure functions.
 *
 * What a site costs in the way that is not in use is not known for ever. So each site has a credit:
 * a part of the time that its calls take. When it covers what a trial may cost more, one is run.
 * A trial that is lost spends the credit, and each one in a row doubles what the next has to be
 * covered by, three times at most. So exploring costs a bounded part of the time, whatever the site
 * and however many arms it has: at most 1/64, and 1/512 where nothing changes. */
#ifndef PARA_PLAN_TRIAL_H
#define PARA_PLAN_TRIAL_H

#include "base/bounds.h"
#include "plan/estimate.h"

/* What came of a trial. */
typedef enum para__verdict {
    PARA__LOST,    /* the arm in use is better */
    PARA__PENDING, /* the next call confirms it, from the same credit */
    PARA__WON
} para__verdict;

/* Whether a trial is paid for that may cost so much more. */
static inline bool para__trial_is_covered(para__estimate estimate, double more_ns)
{
    return estimate.credit_ns > more_ns * (1u << estimate.refused);
}

/* Calls took so long, whose part for trials that is. */
static inline para__estimate para__trial_earn(para__estimate estimate, double ns, double part)
{
    estimate.credit_ns += (float)(ns * part);
    return estimate;
}

static inline para__estimate para__trial_settle(para__estimate estimate, para__verdict verdict)
{
    if (verdict == PARA__LOST) {
        estimate.refused = (unsigned)para__min(estimate.refused + 1, PARA__REFUSED_MOST) & 3;
        estimate.credit_ns = 0;
    } else if (verdict == PARA__WON) {
        estimate.refused = 0;
    }
    return estimate;
}

#endif
