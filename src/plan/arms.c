#include "plan/arms.h"

#include "base/bounds.h"

/* An arm is better if its windows are shorter by this part; less is noise. */
static const double clearly_better = 0.03;

/* All calls alone take what they are predicted to take, so that is not tried where windows take
 * clearly less: with many workers a trial would cost many times what it can gain. And a thread that
 * is mostly elsewhere has nothing to gain. */
static const double least_ratio = 0.9;
static const double most_ratio = 4;

static void choose(para__arms *arms)
{
    const bool is_better = arms->ratio[!arms->arm] < arms->ratio[arms->arm] * (1 - clearly_better);
    arms->lost = is_better ? 0 : (uint8_t)para__min(arms->lost + 1, PARA__TRIALS_LOST_MOST);
    if (is_better)
        arms->arm = !arms->arm;
    arms->windows_left = (uint16_t)(PARA__ARM_WINDOWS << arms->lost);
}

static void end_window(para__arms *arms, uint64_t ns)
{
    const double ratio = (double)ns / arms->alone_ns;
    const para__arm arm = para__arms_now(arms);
    if (arms->trial) {
        if (--arms->trial > 0)
            return; /* the first of its windows */
        arms->ratio[arm] = (float)ratio;
        choose(arms);
        return;
    }
    const double known = arms->ratio[arm];
    arms->ratio[arm] = (float)(known == 0 || ratio < known ? ratio : known + (ratio - known) / 8);
    if (arms->windows_left > 0)
        arms->windows_left--;
    else if (ratio < most_ratio && (arms->arm == PARA__ALL_ALONE || ratio > least_ratio))
        arms->trial = PARA__TRIAL_WINDOWS;
}

static void begin_part(para__arms *arms)
{
    arms->kind = arms->sites;
    arms->ratio[0] = 0;
    arms->ratio[1] = 0;
    arms->arm = PARA__EACH_FOR_ITSELF;
    arms->lost = 0;
    arms->windows_left = PARA__ARM_WINDOWS;
}

void para__arms_next_window(para__arms *arms, uint32_t site, uint64_t now_ns)
{
    const bool is_new = arms->sites != arms->kind && arms->sites == arms->last && !arms->trial;
    if (arms->since == 0 || is_new)
        begin_part(arms);
    else if (arms->alone_ns > 0)
        end_window(arms, now_ns - arms->since);
    if (!arms->trial) /* a trial's may have others, while helpers wake */
        arms->last = arms->sites;
    arms->sites = 0;
    arms->since = now_ns;
    arms->first = site;
    arms->calls = 0;
    arms->alone_ns = 0;
}
