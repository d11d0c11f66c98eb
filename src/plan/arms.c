#include "plan/arms.h"

#include "base/bounds.h"

static double least_ratio(const para__arms *arms)
{
    double least = arms->ratio[0];
    for (unsigned i = 1; i < PARA__WINDOWS_COMPARED; i++)
        least = para__min(least, arms->ratio[i]);
    return least;
}

static void choose(para__arms *arms)
{
    const double usual = (arms->before + least_ratio(arms)) / 2;
    const bool is_better = arms->tried < usual * (1 - PARA__ARM_BETTER);
    arms->lost = is_better ? 0 : (uint8_t)para__min(arms->lost + 1, PARA__TRIALS_LOST_MOST);
    arms->other = is_better ? 0 : arms->tried;
    if (is_better) {
        arms->arm = !arms->arm;
        arms->part_ns = 0; /* beside shared calls others look dearer */
        for (unsigned i = 0; i < PARA__WINDOWS_COMPARED; i++)
            arms->ratio[i] = arms->tried;
    }
}

/* After the last window of a trial. */
static void end_trial(para__arms *arms)
{
    if (arms->has_shared || !arms->shares)
        choose(arms);
    /* Not in step with what the program does from time to time. */
    const unsigned more = (unsigned)(arms->since / 8 % PARA__ARM_WINDOWS);
    arms->windows_left = (uint16_t)((PARA__ARM_WINDOWS << arms->lost) + more);
    arms->credit = 0;
}

/* What a window of the other arm takes longer. */
static double window_longer_ns(const para__arms *arms)
{
    return arms->other > 0 ? (arms->other - least_ratio(arms)) * arms->alone_ns : arms->gain_ns;
}

/* Mostly other sites than those that the part began with are another part of the program; a few
 * others are loops that are called seldom. One that is not always short is another part only if it
 * is much of the time. */
static bool is_another_part(const para__arms *arms, double call_ns)
{
    const int common = __builtin_popcount(arms->sites & arms->part);
    return 2 * common < __builtin_popcount(arms->sites | arms->part) ||
           (arms->part_ns > 0 && (call_ns > PARA__PART_FACTOR * arms->part_ns ||
                                  arms->part_ns > PARA__PART_FACTOR * call_ns));
}

/* After each PARA__ARM_WINDOWS. The windows just before another part was noticed may have had calls
 * of both. */
static void look_at_sites(para__arms *arms)
{
    const double call_ns = arms->alone_all_ns / arms->calls_all;
    const bool is_another = is_another_part(arms, call_ns);
    if (is_another || arms->part_ns == 0)
        arms->part_ns = (float)call_ns;
    if (is_another) {
        arms->part = arms->sites;
        arms->arm = PARA__EACH_FOR_ITSELF;
        arms->other = 0;
        arms->lost = 0;
        arms->shares = 0;
        arms->windows_left = (uint16_t)para__min((int)arms->windows_left, (int)PARA__ARM_WINDOWS);
    }
    arms->sites = 0;
    arms->alone_all_ns = 0;
    arms->calls_all = 0;
    arms->windows = 0;
}

static void add_ratio(para__arms *arms, float ratio)
{
    arms->ratio[arms->next] = ratio;
    arms->next = (uint8_t)((arms->next + 1) % PARA__WINDOWS_COMPARED);
}

/* A window of a trial: the other arm's, then those of the arm in use. */
static void go_on_trial(para__arms *arms, float ratio)
{
    const unsigned in_turn = PARA__TURN_WINDOWS - (arms->trial - 1) % PARA__TURN_WINDOWS;
    if (arms->trial <= PARA__TURN_WINDOWS && in_turn > 1)
        add_ratio(arms, ratio);
    else if (in_turn == 2 || (in_turn > 2 && ratio < arms->tried))
        arms->tried = ratio;
    arms->has_shared |= in_turn > 1 && arms->gain_ns > 0;
    if (--arms->trial == 0)
        end_trial(arms);
}

static void end_window(para__arms *arms, double ns)
{
    const float ratio = (float)(ns / arms->alone_ns);
    if (arms->trial) {
        go_on_trial(arms, ratio);
        return;
    }
    arms->alone_all_ns += (float)arms->alone_ns;
    arms->calls_all += arms->calls;
    if (++arms->windows == PARA__ARM_WINDOWS)
        look_at_sites(arms);
    if (arms->gain_ns > 0)
        arms->shares = PARA__ARM_WINDOWS;
    else if (arms->shares && arms->arm == PARA__EACH_FOR_ITSELF)
        arms->shares--;
    const bool tells = arms->shares % PARA__ARM_WINDOWS == 0 || arms->arm == PARA__ALL_ALONE;
    add_ratio(arms, ratio);
    arms->credit += (float)(ns * PARA__CREDIT_PART / (1u << arms->lost));
    if (arms->windows_left > 0)
        arms->windows_left--;
    if (tells && arms->windows_left == 0 &&
        arms->credit >= PARA__TURN_WINDOWS * window_longer_ns(arms)) {
        arms->before = (float)least_ratio(arms);
        arms->trial = PARA__TRIAL_WINDOWS;
        arms->has_shared = false;
    }
}

void para__arms_next_window(para__arms *arms, uint32_t site, uint64_t now_ns)
{
    if (arms->since == 0)
        arms->windows_left = PARA__ARM_WINDOWS;
    else if (arms->alone_ns > 0)
        end_window(arms, (double)(now_ns - arms->since));
    arms->since = now_ns;
    arms->first = site;
    arms->calls = 0;
    arms->alone_ns = 0;
    arms->gain_ns = 0;
}
