/* The constants of policy, calibration and waiting: each number that was chosen and could be
 * another, by which calls are planned, and what is learnt from them. Those of other areas stand
 * beside this file: tuning_tasks.h, tuning_locks.h, tuning_memory.h, tuning_data.h,
 * tuning_observe.h, tuning_processes.h.
 *
 * They stand in `base`, since all layers use them. Sizes of words and tables stand with their
 * types, and the shape of reductions with plan/tree.h: it is a part of what they compute.
 *
 * An entry has meaning, unit and source. "Measured" and "compared" name what was measured or tried,
 * on two virtual CPUs of an EPYC where nothing else is said; "reasoned" is an argument without a
 * figure. The comment behind an entry is its tested range, as factors of the value: within it no
 * scenario of bench/model/sweep.py takes more than 3 % longer. Half and twice the value were tried,
 * so "1" means that both are worse somewhere. "-": no scenario sees the constant, so it was not
 * varied to any effect. */
#ifndef PARA_BASE_TUNING_H
#define PARA_BASE_TUNING_H

#include "base/constant.h"

/* ---- Before the default pool is made --------------------------------------------------------- */

/* More is not allocated for all CPUs of the machine before it is read how many are ours. Bytes.
 * Reasoned: reading takes 0.3 ms, about as long as it takes to touch so much new memory. */
PARA__COUNT(PARA__ROOM_BYTES, 262144) /* - */

/* Threads of the process that are asked for their CPUs. Reasoned: each takes 20 us. */
PARA__COUNT(PARA__THREADS_ASKED, 256) /* - */

/* What making the pool adds to the call that has it made, and so what calls have to forgo before
 * that. ns. Measured: to read a machine of two CPUs takes 0.3 ms, to create a thread 0.06 ms. By
 * the plans' model the helpers come later by this, and the caller not; so it counts double for a
 * team of two. */
PARA__COUNT(PARA__MAKING_NS, 700000) /* - */

/* After a failure to make it, calls that would have liked to have it go by before the next try,
 * doubled so often at most. Reasoned: a million calls. */
PARA__COUNT(PARA__MAKING_DOUBLED, 20) /* - */

/* ---- When the clock is read ------------------------------------------------------------------ */

/* Shorter calls are timed now and then only, and shorter batches tell no unit's cost. ns.
 * Reasoned: a look at the clock takes some 20 ns. */
PARA__REAL(PARA__CLOCK_SHOWS_NS, 1000) /* 0.5 to 2 */

/* Shorter ones of a thread whose short calls all run alone likewise, and without a plan. ns.
 * Measured: a look at the clock and what comes with it takes 100 ns, as much as running them alone
 * gains. */
PARA__COUNT(PARA__BRIEF_NS, 10000) /* - */

/* So many short calls that a thread shares in turn are planned as they were before. Reasoned: two
 * loops in turn; each is 32 bytes of each thread's. Plain, since it is a size. */
#define PARA__SHORT_PLANS 2

/* One of so many short calls is timed. Odd, so that two sites in turn both have their turn.
 * Reasoned: two looks are then 2 ns a call. */
PARA__COUNT(PARA__SAMPLE_EVERY, 17) /* 0.5 to 2 */

/* In shorter calls data that travels between cores shows: trials are several in a row, and calls
 * are not always timed; and a disturbance is much of them. ns. Reasoned: about a wake-up. */
PARA__REAL(PARA__LONG_NS, 50000) /* - */

/* The length of a tick comes from a span of so many ns at least; again, if both ends together are
 * uncertain by this part of it. Reasoned: 0.5 %. */
PARA__REAL(PARA__TICK_SPAN_NS, 1e5) /* - */
PARA__REAL(PARA__TICK_GAP, 0.005)   /* - */

/* Likewise at the start of a process, which does not wait; calls measure it anew. Reasoned: 1 %. */
PARA__REAL(PARA__TICK_FIRST_SPAN_NS, 2e4) /* - */
PARA__REAL(PARA__TICK_FIRST_GAP, 0.01)    /* - */

/* The span may begin when the library was loaded, if that is no longer ago. ns. Reasoned: a longer
 * time may have a suspended machine in it, which stops one of the clocks. */
PARA__REAL(PARA__TICK_RECENT_NS, 1e10) /* - */

/* ---- Estimates: plan/estimate.c -------------------------------------------------------------- */

/* A new sample's part of an estimate is one of so many (EWMA). Reasoned: a lasting change shows
 * within four samples. */
PARA__COUNT(PARA__SAMPLE_WEIGHT, 4) /* 0.5 to 2 */

/* What costs so many times more or less than is known is taken for something else: an outlier, or
 * calls of another kind. Reasoned: frequency, caches and a busy sibling together make 3. */
PARA__REAL(PARA__ANOTHER_KIND, 4) /* - */

/* What is known moves by this factor at a sample of another kind, and a disturbed short call counts
 * as so many times what is known. Reasoned: two such samples are no accident. */
PARA__REAL(PARA__STEP, 2) /* 0.5 to 2 */

/* Less is the clock's noise. ns of a whole sample. Reasoned: three looks at the clock. */
PARA__REAL(PARA__NOISE_NS, 60) /* - */

/* The most that a sample deviates by, as a part of the estimate. Reasoned: an outlier costs a site
 * its trust, and the next sample that fits gives it back. */
PARA__REAL(PARA__DEVIATION_MOST, 1.5) /* 0.5 to 2 */

/* Samples that a trusted site has at least, and below which mean deviation its calls are planned
 * without a probe (32: 100 %). Reasoned: 3/8 of a cost is too much to be wrong by. */
PARA__COUNT(PARA__TRUST_SAMPLES, 2)    /* 0.5 to 1 */
PARA__COUNT(PARA__TRUST_DEVIATION, 12) /* 1 to 2 */

/* Calls that the plain mean goes back to. Reasoned. */
PARA__COUNT(PARA__MEAN_CALLS, 16) /* - */

/* ---- The price of a kernel call: plan/estimate.c --------------------------------------------- */

/* Batches tell a price only if the shortest has at most this part of the mean length. Reasoned:
 * otherwise a difference of two noisy times is divided by less than 0.3. */
PARA__REAL(PARA__PRICE_SHORTER, 0.7) /* 0.5 to 2 */

/* A price that was not known is most of the shortest batch; one below the second part is none.
 * Reasoned, with the cases of tests/unit/estimate.c. */
PARA__REAL(PARA__PRICE_DOMINANT, 0.6) /* 0.5 to 2 */
PARA__REAL(PARA__PRICE_MINOR, 0.25)   /* 0.5 to 2 */

/* Batches lie on a line if the mean square of their distance, as a part of each, is less; those of
 * a shared call come in no order, the last from slices of others, and must lie closer. Reasoned:
 * batches of uneven loops differ by 1 and more. */
PARA__REAL(PARA__RESIDUAL, 1.0 / 8)         /* 0.5 to 2 */
PARA__REAL(PARA__RESIDUAL_SHARED, 1.0 / 64) /* - */

/* One sample raises a price to so many times what is known, and counts as one of so many. Reasoned:
 * a price is found seldom, so it is followed faster than costs. */
PARA__REAL(PARA__PRICE_CLIP, 8)    /* - */
PARA__COUNT(PARA__PRICE_WEIGHT, 2) /* 0.5 to 2 */

/* In calls of at most so many units a dear unit looks like a price. Reasoned. */
PARA__COUNT(PARA__FEW_UNITS, 16) /* - */

/* ---- Whether to share, and among how many: plan/decide.c ------------------------------------- */

/* A done word's part of the caller's join: three lines that have to travel. ns. Compared in the
 * model of 2 x 128 cores: without it, teams for short work are two to three times too wide. */
PARA__REAL(PARA__JOIN_EACH_NS, 10) /* 1 */

/* The most workers of a group, which have one done word. Reasoned: what shares a cache on most
 * machines; above, an announcement waits for each of its readers. */
PARA__COUNT(PARA__GROUP_MOST, 16) /* - */

/* The least gain to go for: ns, and a part of the call. Reasoned: less is noise. */
PARA__REAL(PARA__MARGIN_NS, 10)     /* 0.5 to 2 */
PARA__REAL(PARA__MARGIN_PART, 0.02) /* 1 to 2 */

/* A call of unknown cost is shared from its first unit if it has at most so many units a worker.
 * Reasoned: of more units, one that is tried alone holds up 6 %. */
PARA__COUNT(PARA__FEW_UNITS_A_WORKER, 16) /* - */

/* The same in a site's first call, whose units count as so many ns each. Reasoned: a first call is
 * shared at once where that costs at most 10 us in vain. */
PARA__COUNT(PARA__FIRST_UNITS_A_WORKER, 4) /* 1 to 2 */
PARA__REAL(PARA__FIRST_UNIT_NS, 20000)     /* - */

/* A call within a kernel may have help before it is over if it takes so long. ns. Reasoned: 20
 * round trips. */
PARA__REAL(PARA__LONG_WITHIN_NS, 10000) /* - */

/* ---- Claims and tickets: plan/decide.c, share/participant.c ---------------------------------- */

/* No claim is meant to take longer. ns. Reasoned: short against a time slice of 3 ms, which is what
 * a join waits for if the thread of a claim is descheduled. */
PARA__REAL(PARA__CLAIM_MOST_NS, 500000) /* 0.5 to 2 */

/* An even ticket costs at least so much. ns. Compared in the suite (irregular): a claim costs 40
 * ns, and smaller tickets gain less. */
PARA__REAL(PARA__TICKET_NS, 4000) /* 0.5 to 2 */

/* And so many prices of a kernel call: that is then 3 % of it. Reasoned. */
PARA__REAL(PARA__TICKET_PRICES, 32) /* 0.5 to 2 */

/* Dearer tickets are claimed one by one, if there are fewer than so many: a claim costs 0.2 % of
 * one. ns. Reasoned. */
PARA__REAL(PARA__DEAR_TICKET_NS, 20000) /* - */
PARA__COUNT(PARA__MANY_TICKETS, 64)     /* - */

/* A claim is one of so many of a slice; of an uneven one up to so many times smaller for each
 * worker of the team. Compared: docs/adr/0015 and 0111. */
PARA__COUNT(PARA__CLAIMS, 4)         /* 1 */
PARA__REAL(PARA__SPREAD_A_WORKER, 2) /* - */

/* A call is announced twice if its slices take longer. ns. Reasoned: a line travels in 0.1 us or
 * so, and what the announcement may spare is a whole slice. */
PARA__REAL(PARA__ANNOUNCE_TWICE_NS, 20000) /* 0.5 to 2 */

/* Claims of unknown units get longer below the first and shorter above the second length, and
 * longer where their tickets came out cheaper than by this factor. Multiples of CLOCK_SHOWS_NS;
 * a part. Compared: docs/adr/0018. */
PARA__COUNT(PARA__CLAIM_SHORT, 16)    /* 0.5 to 2 */
PARA__COUNT(PARA__CLAIM_LONG, 64)     /* 0.5 to 2 */
PARA__REAL(PARA__CLAIM_CHEAPER, 0.75) /* 0.5 to 2 */

/* At the end of a short call a participant looks so often at the done word of a slice's owner, and
 * only then at the slice's ticket. Measured: a look at the ticket costs its owner two ways of a
 * line in the next call. */
PARA__COUNT(PARA__OWNER_LOOKS, 64) /* 0.5 to 1 */

/* A thief looks so often, with a pause each time, whether its group's scout is back. Compared in
 * the model of 2 x 128 cores: 32 to 1024 make no difference of more than 3 %. */
PARA__COUNT(PARA__SCOUT_LOOKS, 64) /* 0.5 to 16 */

/* ---- Cores of several kinds: pool/calibrate.c ------------------------------------------------ */

/* Slices have weights if they have so many units in the mean; fewer are claimed one by one.
 * Reasoned: a length is then right to one eighth. */
PARA__COUNT(PARA__WEIGHED_UNITS, 8) /* - */

/* The weight of a slice on the fastest kind; and how much, as a part, another weight may be wrong
 * before it is changed, since data then moves to other cores. Reasoned: 2 % and 6 %. */
PARA__COUNT(PARA__WEIGHT_ONE, 64)       /* - */
PARA__REAL(PARA__WEIGHT_STEP, 1.0 / 16) /* - */

/* One of so many timed calls is looked at for that, once the kinds are known. Reasoned: it reads a
 * line of each worker. */
PARA__COUNT(PARA__WEIGHTS_EVERY, 8) /* - */

/* A call tells how fast kinds are if half of a kind's cores take at most so many times what its
 * fastest takes. Reasoned: less is noise, more is uneven work. */
PARA__REAL(PARA__PACE_EVEN, 1.25) /* - */

/* How fast a kind of cores can be, as a multiple of the fastest as it is known. Reasoned. */
PARA__REAL(PARA__SPEED_LEAST, 1.0 / 16) /* - */
PARA__REAL(PARA__SPEED_MOST, 2)         /* - */

/* ---- Waking, and how slices lie: share/participant.c, plan/divide.c, schedule/run.c ---------- */

/* A participant wakes so many others. Compared on 8 to 256 simulated cores, wake-ups of 2 to 50 us
 * that cost the waker 1.5 to 5: 2 takes up to 1.21 of the time of 4, and nothing else is always as
 * good (docs/performance.md, "Beyond this machine"). */
PARA__COUNT(PARA__WAKES_EACH, 4) /* 1 to 2 */

/* Slices of fewer tickets are few and dear batches: all helpers are woken at once. Reasoned. */
PARA__COUNT(PARA__FEW_TICKETS, 8) /* 0.5 to 2 */

/* Slices begin at page borders if each has so many pages. Reasoned: no slice is then longer than
 * the mean by more than 2 %, and smaller ones stay in caches. */
PARA__COUNT(PARA__GRAINS_LEAST, 64) /* - */

/* A slice of a call's further phases has so many tickets at most, and a claim begins with one of so
 * many of them. Reasoned: of their cost nothing is known; a claim is then 6 % of a slice. */
PARA__COUNT(PARA__PHASE_TICKETS, 256) /* - */
PARA__COUNT(PARA__PHASE_CLAIMS, 16)   /* - */

/* ---- Probes: schedule/learn.c ---------------------------------------------------------------- */

/* The next batch is so many times as long as all before; where cost and price are not clear.
 * Reasoned: 8 takes three batches to the cost of sharing, and the
 * last one is most of what was run alone. */
PARA__REAL(PARA__PROBE_GROWTH, 8)         /* 0.5 to 2 */
PARA__REAL(PARA__PROBE_GROWTH_UNCLEAR, 2) /* 0.5 to 2 */

/* A shorter rest is run alone. ns. Reasoned: that costs little, and tells the cost alone. */
PARA__REAL(PARA__ESCALATE_NS, 10000) /* 0.5 to 2 */

/* A batch of a probe takes so many prices. Reasoned. */
PARA__COUNT(PARA__PRICES_A_BATCH, 4) /* - */

/* ---- Trials: plan/trial.h, schedule ---------------------------------------------------------- */

/* The part of a site's time that trials may take; and until both ways have been seen. Reasoned:
 * 1.6 %; and a few calls. */
PARA__REAL(PARA__CREDIT_PART, 1.0 / 64)      /* 0.5 to 2 */
PARA__REAL(PARA__FIRST_CREDIT_PART, 1.0 / 8) /* 0.5 to 2 */

/* Lost trials in a row after which the credit that is asked for doubles no more. Reasoned: trials
 * then take 1/512 of the time. */
PARA__COUNT(PARA__REFUSED_MOST, 3) /* 0.5 to 2 */

/* Short calls of a trial in a row, of which the last is timed. Compared (docs/performance.md): the
 * first finds data where the other way has left them; two in a row are 1.00 to 1.03 of the time of
 * sums. */
PARA__COUNT(PARA__TRIALS_IN_A_ROW, 3) /* 1 to 2 */

/* The first batch of a trial alone takes this part of the usual time: 1 / 8. Reasoned: the trial is
 * given up when it has taken as long as the whole call usually does, and batches double. */
PARA__COUNT(PARA__TRIAL_BATCHES, 8) /* 0.5 to 2 */

/* A helper that is woken for a trial is awake after so many calls, or the trial is given up.
 * Reasoned: a wake-up takes 25 us, and short calls from 1 us on. */
PARA__COUNT(PARA__CALLS_TO_WAKE, 32) /* - */

/* Where the dearest batch costs so many times the mean, participants wait for its unit, and the
 * others are not dearer for that. Reasoned. */
PARA__REAL(PARA__VERY_UNEVEN, 4) /* 0.5 to 2 */

/* ---- A thread's short calls together: plan/arms.c -------------------------------------------- */

/* A window has at least so many calls, and ends when the site of its first call comes again, or
 * after so many. Compared (docs/adr/0037): windows of one loop of the program's are alike. */
PARA__COUNT(PARA__WINDOW_CALLS, 32) /* - */
PARA__COUNT(PARA__WINDOW_MOST, 256) /* - */

/* The least distance of two trials in windows, doubled for each that is lost, so often at most.
 * Compared (docs/adr/0037). */
PARA__COUNT(PARA__ARM_WINDOWS, 16)     /* - */
PARA__COUNT(PARA__TRIALS_LOST_MOST, 4) /* - */

/* An arm is better if its windows are shorter by this part. Reasoned: less is noise. */
PARA__REAL(PARA__ARM_BETTER, 0.03) /* - */

/* Windows in which a call is predicted to take so many times as long as in those that the arm began
 * with, or the reverse, are another part of the program. Reasoned: where one core disturbs another
 * one, predictions differ by up to 1.6. */
PARA__REAL(PARA__PART_FACTOR, 2) /* - */

/* ---- Width: plan/tuner.c --------------------------------------------------------------------- */

/* What takes no longer, and what is faster: between the two a site stays where it is. Parts.
 * Compared in tests/unit/tuner.c, with noise of 2 %. */
PARA__REAL(PARA__NO_LONGER, 1.03) /* 0.5 to 1 */
PARA__REAL(PARA__FASTER, 0.95)    /* 0.5 to 2 */

/* ---- What sharing costs: pool/calibrate.c, pool/lent.c --------------------------------------- */

/* Before it is measured. ns. Reasoned: too low rather than too high, since calls correct that soon;
 * and calls that are not worth these costs never have a pool made that would measure others. Plain
 * constants, since a static value is made of them. */
#define PARA__ROUND_TRIP_NS 200
#define PARA__PER_HELPER_NS 50
#define PARA__WAKE_NS       50000
#define PARA__WAKE_COST_NS  5000
#define PARA__SHARE_NS      150
#define PARA__CLOCK_NS      20

/* Empty calls that are timed with one helper, with all, and with one that sleeps, of which the
 * shortest counts; and calls in vain after which measuring ends. Reasoned: a pool's start. */
PARA__COUNT(PARA__PINGS, 16)       /* 0.5 to 2 */
PARA__COUNT(PARA__PINGS_ALL, 8)    /* 0.5 to 2 */
PARA__COUNT(PARA__PINGS_ASLEEP, 3) /* 0.5 to 2 */
PARA__COUNT(PARA__PINGS_LATE, 3)   /* - */
PARA__COUNT(PARA__PINGS_LENT, 8)   /* 0.5 to 2 */

/* Nobody waits longer for a helper that does not come. ns. Measured: wake-ups take 25 to 60 us. */
PARA__REAL(PARA__PING_MOST_NS, 200000) /* 0.5 to 1 */

/* Places of a pool whose lender does not say how many threads it will have, at least. Reasoned: a
 * place takes 1 KiB. */
PARA__COUNT(PARA__LENT_PLACES, 64) /* - */

/* How long a thread that is lent waits for the call it came for to be published. ns. Reasoned: the
 * caller is on its way, unless the system does not run it. */
PARA__REAL(PARA__LENT_WAIT_NS, 100000) /* 0.2 to 2 */

/* Looks at the clock by which its cost is measured. Reasoned: 0.4 us. And for this part of
 * PING_MOST_NS who measures waits until a helper that is parked sleeps: 1 / 4. Reasoned: 50 us. */
PARA__COUNT(PARA__CLOCK_LOOKS, 16) /* - */
PARA__COUNT(PARA__ASLEEP_PART, 4)  /* - */

/* What waking costs the waker, as a part of a wake-up: 1 / 8. Measured: 3 of 25 us, by strace -w
 * and the pings. */
PARA__COUNT(PARA__WAKE_COST_PART, 8) /* 0.5 to 2 */

/* What a shared call costs its caller outside of its lane. ns. Reasoned: some 300 instructions
 * (tests/instructions). And looks at the clock in a timed call that others do not make. */
PARA__REAL(PARA__AROUND_NS, 45)   /* 0.5 to 2 */
PARA__COUNT(PARA__TIMED_LOOKS, 5) /* 0.5 to 2 */

/* A cost is followed down by one of SAMPLE_WEIGHT, and up by one of so many: what disturbs a call
 * makes it longer. Reasoned. */
PARA__COUNT(PARA__COST_UP_WEIGHT, 64) /* 0.5 to 2 */

/* Only calls that take no longer than so many times what sharing costs each of their team tell of
 * it: what others idle in a long one is that a core is slower, or a unit dearer. Reasoned. */
PARA__REAL(PARA__SHARE_TELLS, 8) /* 0.5 to 2 */

/* The cost of sharing is followed by steps of one of so many, and 1 ns. Reasoned: a lasting change
 * by half shows within 16 timed calls, and no call that was disturbed. */
PARA__COUNT(PARA__COST_STEP_WEIGHT, 32) /* 0.5 to 2 */

/* One that is not seen goes back to what was measured, by one of so many. Reasoned. */
PARA__COUNT(PARA__COST_BACK_WEIGHT, 32) /* - */

/* Bounds of what is followed: of reach and wake-up, and of the cost of sharing. ns. Reasoned. */
PARA__REAL(PARA__REACH_LEAST_NS, 50)  /* 0.5 to 2 */
PARA__REAL(PARA__REACH_MOST_NS, 1e6)  /* - */
PARA__REAL(PARA__SHARE_LEAST_NS, 20)  /* - */
PARA__REAL(PARA__SHARE_MOST_NS, 5000) /* - */

/* ---- Waiting: plan/spin_budget.h, pool/{worker,yield,binding}.c, share/caller.c -------------- */

/* A worker spins for so many wake-ups, within bounds in ns: as long as the park and the wake-up
 * that it may spare. Reasoned (ski rental). */
PARA__REAL(PARA__SPIN_WAKES, 2)        /* 0.5 to 1 */
PARA__REAL(PARA__SPIN_LEAST_NS, 20000) /* 1 to 2 */
PARA__REAL(PARA__SPIN_MOST_NS, 200000) /* 0.5 to 2 */

/* The full spins that a spin budget holds at most; what a new worker begins with, in ns; rounds
 * between two looks at the clock. Reasoned: a pause in a burst of calls; the time in which costs
 * are measured; a look costs as much as a round. */
PARA__COUNT(PARA__SPIN_BUDGET_SPINS, 16) /* 0.5 to 2 */
PARA__REAL(PARA__FIRST_BUDGET_NS, 3e6)   /* 0.5 to 2 */
PARA__COUNT(PARA__ROUNDS_A_LOOK, 16)     /* 1 */

/* A spinning worker looks for tasks in one of so many rounds. Reasoned (docs/adr/0096): the line
 * with the news is written by each thread that submits. Plain, since a static value is made of it.
 */
#define PARA__TASK_ROUNDS 64

/* Wake-ups of a worker on its own CPU between two looks at its mask. Reasoned: a system call of 0.1
 * us beside wake-ups of 5 us and more. */
PARA__COUNT(PARA__WAKES_A_LOOK, 8) /* - */

/* A displaced worker looks after so long, doubled up to so long. ns. Reasoned: less and less
 * disturbance. */
PARA__COUNT(PARA__AWAY_LEAST_NS, 1000000) /* - */
PARA__COUNT(PARA__AWAY_MOST_NS, 64000000) /* - */

/* A join spins for one of so many parts of its call's time; and as long as so many spins of an idle
 * worker at most; and does so many rounds between two looks at the clock. Reasoned: a wake-up is
 * then 1 % of the call. */
PARA__COUNT(PARA__JOIN_SPIN_PART, 4)  /* - */
PARA__COUNT(PARA__JOIN_SPIN_MOST, 32) /* - */
PARA__COUNT(PARA__JOIN_ROUNDS, 16)    /* 0.5 to 2 */

/* On a contended CPU a worker yields after so long, for a rest. ns. Compared with 300 to 1000 us
 * and rests of 300 to 3000 us, beside one and two hogs: these were the best. */
PARA__COUNT(PARA__QUANTUM_NS, 500000) /* - */
PARA__COUNT(PARA__REST_NS, 1000000)   /* - */

/* A stretch is looked at after so long; contention is so much lost in it, and this part of the last
 * CALM_NS; after so long without any the last failed try is forgotten. ns. Reasoned: a slice of the
 * system's is some 3 ms; beside one other program half is lost. Measured: a thread of the kernel's
 * took 1.5 ms of each 25, and lost_ns alone made every worker loose (docs/adr/0124). */
PARA__REAL(PARA__YIELD_LOOK_NS, 2e6)      /* - */
PARA__COUNT(PARA__YIELD_LOST_NS, 1000000) /* - */
PARA__REAL(PARA__YIELD_LOST_PART, 0.25)   /* - */
PARA__REAL(PARA__YIELD_CALM_NS, 2e7)      /* - */

/* Yields before the worker tries to run on, doubled up to so many. Reasoned: 6 ms at first, 0.1 s
 * in the end. */
PARA__COUNT(PARA__YIELDS_LEAST, 4) /* - */
PARA__COUNT(PARA__YIELDS_MOST, 64) /* - */

/* A worker gives up its pin when as many yields have not helped; and takes it back after so long,
 * ns, if it was hardly preempted: once in each of the first value. Doubled each time up to the
 * second, until a pin has held for that. Reasoned: two tries that failed in a row are no hiccup; 20
 * ms are what ends yields, and five of the system's slices; a second is little to lose where
 * contention comes and goes. */
PARA__COUNT(PARA__YIELDS_LOOSE, 8)          /* - */
PARA__COUNT(PARA__CALM_LEAST_NS, 20000000)  /* - */
PARA__COUNT(PARA__CALM_MOST_NS, 1280000000) /* - */

/* ---- The length of kernel calls: schedule/schedule.c ----------------------------------------- */

/* A kernel call where a call can be cancelled. ns; and parts of one of unknown cost. Reasoned: a
 * moment. */
PARA__REAL(PARA__PIECE_NS, 200000)    /* - */
PARA__COUNT(PARA__PIECES_UNKNOWN, 64) /* - */

/* ---- The size of a pool that adapts: plan/size.c --------------------------------------------- */

/* At most so often somebody looks at the load. ns. Reasoned: a look takes some 100 ns and one ns
 * for each worker; tasks wait 20 ms at most before a pool grows. */
PARA__REAL(PARA__SIZE_LOOK_NS, 1e7) /* - */

/* While the pool is not at its least, who sleeps looks again after that. ns. Reasoned: ten wake-ups
 * a second, until the pool is small. */
PARA__COUNT(PARA__SIZE_SLEEP_NS, 100000000) /* - */

/* A longer time between two looks counts as this. ns. Reasoned: nobody looked, so it is not known
 * that there was nothing to do. */
PARA__REAL(PARA__SIZE_GAP_NS, 2e8) /* - */

/* Tasks that wait longer are too many for the workers. ns. Reasoned: 40 wake-ups; work that is
 * worth a thread waits for its turn no longer than that. */
PARA__REAL(PARA__SIZE_WAIT_NS, 2e6) /* - */

/* Looks in a row that see pressure before the pool grows; and that see all workers busy before that
 * is pressure. Reasoned: a burst that is over within a look needs nobody; workers that are all busy
 * keep nobody waiting, so there is no hurry. */
PARA__COUNT(PARA__SIZE_PRESSED, 2) /* - */
PARA__COUNT(PARA__SIZE_FULL, 5)    /* - */

/* A window without pressure before the pool shrinks. ns; and how often it may double. Reasoned: one
 * second is long against a burst of requests, and a thread that sleeps costs nothing but memory; 64
 * seconds are long against a person who waits. */
PARA__REAL(PARA__SIZE_CALM_NS, 1e9) /* - */
PARA__COUNT(PARA__SIZE_DOUBLED, 6)  /* - */

/* A pool keeps one worker more for so many that were busy. Reasoned: a quarter. */
PARA__COUNT(PARA__SIZE_SPARE, 4) /* - */

/* Windows in which the size was right before a doubled window is halved. Reasoned: if that was in
 * vain the pool shrinks and grows once more, which is then rare. */
PARA__COUNT(PARA__SIZE_RIGHT, 16) /* - */

#endif
