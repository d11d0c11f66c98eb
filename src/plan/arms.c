#include "plan/arms.h"

#include "base/bounds.h"

static double least_ratio(const para__arms *arms)
{
    double least = arms->ratio[0];
    for (unsigned i = 1; i < PARA__WINDOWS_COMPARED; i++)
        least = para__min(least, arms->ratio[i]);
    return least;
}

/* After the last window of a trial. */
static void choose(para__arms *arms)
{
    const double least = least_ratio(arms);
    const bool is_better = arms->tried < least * (1 - PARA__ARM_BETTER);
    arms->lost = is_better ? 0 : (uint8_t)para__min(arms->lost + 1, PARA__TRIALS_LOST_MOST);
    arms->other = is_better ? (float)least : arms->tried;
    if (is_better) {
        arms->arm = !arms->arm;
        for (unsigned i = 0; i < PARA__WINDOWS_COMPARED; i++)
            arms->ratio[i] = arms->tried;
    }
    arms->windows_left = (uint16_t)(PARA__ARM_WINDOWS << arms->lost);
    arms->credit = 0;
}

/* The other arm takes as long as when it was last tried; or alone, which is the first to be tried,
 * as predicted. */
static bool is_time_for_trial(const para__arms *arms)
{
    const double longer = arms->other - least_ratio(arms);
    return arms->windows_left == 0 && arms->credit >= longer * arms->alone_ns * PARA__TRIAL_WINDOWS;
}

/* After each PARA__ARM_WINDOWS. Other sites than before are another part of the program. */
static void look_at_sites(para__arms *arms)
{
    if (arms->sites != arms->known) {
        arms->other = 1;
        arms->lost = 0;
        arms->windows_left = (uint16_t)para__min((int)arms->windows_left, (int)PARA__ARM_WINDOWS);
    }
    arms->known = arms->sites;
    arms->sites = 0;
    arms->windows = 0;
}

static void end_window(para__arms *arms, double ns)
{
    const float ratio = (float)(ns / arms->alone_ns);
    if (arms->trial) {
        const bool is_second = arms->trial == PARA__WINDOWS_COMPARED;
        arms->tried = is_second || ratio < arms->tried ? ratio : arms->tried;
        if (--arms->trial == 0)
            choose(arms);
        return;
    }
    if (++arms->windows == PARA__ARM_WINDOWS)
        look_at_sites(arms);
    arms->ratio[arms->next] = ratio;
    arms->next = (uint8_t)((arms->next + 1) % PARA__WINDOWS_COMPARED);
    arms->credit += (float)(ns * PARA__CREDIT_PART / (1u << arms->lost));
    if (arms->windows_left > 0)
        arms->windows_left--;
    if (is_time_for_trial(arms))
        arms->trial = PARA__TRIAL_WINDOWS;
}

void para__arms_next_window(para__arms *arms, uint32_t site, uint64_t now_ns)
{
    if (arms->since == 0) {
        arms->other = 1;
        arms->windows_left = PARA__ARM_WINDOWS;
    } else if (arms->alone_ns > 0)
        end_window(arms, (double)(now_ns - arms->since));
    arms->since = now_ns;
    arms->first = site;
    arms->calls = 0;
    arms->alone_ns = 0;
}
