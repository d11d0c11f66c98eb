#include "pool/turn.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/tuning.h"

void para__turn_init(para__turn *turn)
{
    *turn = (para__turn){.turn_ticks = para__ns_to_ticks(PARA__TURN_NS),
                         .look_ticks = para__ns_to_ticks(PARA__TURN_LOOK_NS)};
    para__turn_begin(turn);
}

void para__turn_begin(para__turn *turn)
{
    turn->begun_ticks = para__ticks();
    turn->begun_usage = para__thread_usage();
}

/* A long stretch, looked at: was the thread off its CPU? */
static void look(para__turn *turn, uint64_t ticks)
{
    const para__usage now = para__thread_usage();
    const uint64_t ran_ns = now.cpu_ns - turn->begun_usage.cpu_ns;
    if (now.preemptions == turn->begun_usage.preemptions ||
        (double)ticks * para__ns_per_tick() < (double)(ran_ns + PARA__TURN_LOST_NS)) {
        turn->calm_ticks += ticks;
        if (turn->calm_ticks > para__ns_to_ticks(PARA__TURN_CALM_NS))
            turn->failed = 0;
        return;
    }
    turn->calm_ticks = 0;
    turn->failed = turn->failed ? 2 * turn->failed : PARA__TURNS_LEAST;
    turn->failed = para__min(turn->failed, PARA__TURNS_MOST);
    turn->left = turn->failed;
}

bool para__turn_is_over(para__turn *turn, uint64_t now_ticks)
{
    const uint64_t ticks = now_ticks - turn->begun_ticks;
    if (turn->left) {
        if (ticks < turn->turn_ticks)
            return false;
        turn->left--;
        return true;
    }
    if (ticks < turn->look_ticks)
        return false;
    look(turn, ticks);
    para__turn_begin(turn);
    return turn->left != 0;
}
