/* The constants of policy and calibration: each number that was chosen and could be another.
 *
 * They stand in `base`, since locks spin by some of them, and `sync` lies below `plan`. Sizes of
 * words and tables stand with their types, and the shape of reductions with plan/tree.h: it is a
 * part of what they compute.
 *
 * An entry has meaning, unit and source. "Measured" and "compared" name what was measured or tried,
 * on two virtual CPUs of an EPYC where nothing else is said; "reasoned" is an argument without a
 * figure. The comment behind an entry is its tested range, as factors of the value: within it no
 * scenario of bench/model/sweep.py takes more than 3 % longer. Half and twice the value were tried,
 * so "1" means that both are worse somewhere. "-": no scenario sees the constant, so it was not
 * varied to any effect. */
#ifndef PARA_BASE_TUNING_H
#define PARA_BASE_TUNING_H

/* Constants; the model makes variables of them, to vary them (bench/model/tuning.c). */
#ifndef PARA__REAL
#define PARA__REAL(name, value)  static const double name = value;
#define PARA__COUNT(name, value) enum { name = value };
#endif

/* ---- Before the default pool is made --------------------------------------------------------- */

/* More is not allocated for all CPUs of the machine before it is read how many are ours. Bytes.
 * Reasoned: reading takes 0.3 ms, about as long as it takes to touch so much new memory. */
PARA__COUNT(PARA__ROOM_BYTES, 262144) /* - */

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
 * loops in turn; each is 36 bytes of each thread's. Plain, since it is a size. */
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

/* ---- What sharing costs: pool/calibrate.c ---------------------------------------------------- */

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

/* One that is not seen goes back to what was measured, by one of so many. Reasoned. */
PARA__COUNT(PARA__COST_BACK_WEIGHT, 32) /* - */

/* Bounds of what is followed: of reach and wake-up, and of the cost of sharing. ns. Reasoned. */
PARA__REAL(PARA__REACH_LEAST_NS, 50)  /* 0.5 to 2 */
PARA__REAL(PARA__REACH_MOST_NS, 1e6)  /* - */
PARA__REAL(PARA__SHARE_LEAST_NS, 20)  /* - */
PARA__REAL(PARA__SHARE_MOST_NS, 5000) /* - */

/* ---- Waiting: plan/spin_budget.h, pool/worker.c, pool/yield.c, share/caller.c ---------------- */

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

/* A worker gives up its pin when as many yields have not helped; and takes it back when it has run
 * for so long, ns, and was hardly preempted: once in each of the first value. Doubled each time up
 * to the second, until a pin has held for that. Reasoned: two tries that failed in a row are no
 * hiccup; 20 ms are what ends yields, and five of the system's slices; a second of work is little
 * to lose where contention comes and goes. */
PARA__COUNT(PARA__YIELDS_LOOSE, 8)          /* - */
PARA__COUNT(PARA__CALM_LEAST_NS, 20000000)  /* - */
PARA__COUNT(PARA__CALM_MOST_NS, 1280000000) /* - */

/* ---- Tasks: pool/tasks.c, details.c, ending.c, dispatch.c, retry.c --------------------------- */

/* Tasks from outside that wait in a pool's queue at most. Reasoned: 20 MiB of tasks, and a second
 * of work if each takes 15 us. */
PARA__COUNT(PARA__TASKS_QUEUED, 65536) /* - */

/* Tasks that a worker takes from there at once, at most. Compared with 64: see ADR 96 and
 * docs/performance.md, F16; urgent tasks wait for those that are taken already. */
PARA__COUNT(PARA__TASKS_AT_ONCE, 16) /* - */

/* A thread that waits for room is told once this part of the queue is free. Reasoned: then it fills
 * thousands of places while others run tasks, and pays for one sleep. */
PARA__COUNT(PARA__ROOM_PART, 8) /* - */

/* Calls that were tasks and failed: of so many what they have said is kept, until somebody waits.
 * Reasoned: a program waits soon; 4 KiB. */
PARA__COUNT(PARA__DETAILS_KEPT, 16) /* - */

/* How often a thread looks that waits for room, or for one of very many tasks. ns. Reasoned. */
PARA__COUNT(PARA__TASKS_LOOK_NS, 1000000) /* - */

/* A thread that ends a pool looks after this time whether the others are through, then after twice
 * as long, and so on up to the above. Reasoned: most functions take less. */
PARA__COUNT(PARA__ENDING_LOOK_NS, 20000) /* - */

/* A breaker looks back so long, opens with no fewer calls than that, and stays open for so long, if
 * the program does not say. ms. Those of Netflix's Hystrix. */
PARA__COUNT(PARA__BREAKER_WINDOW_MS, 10000) /* - */
PARA__COUNT(PARA__BREAKER_CALLS, 20)        /* - */
PARA__COUNT(PARA__BREAKER_PAUSE_MS, 5000)   /* - */

/* A retry makes so many attempts, and waits so long before the second, twice as long before each
 * further one, and so long at most, if the program does not say. ms. Reasoned: a fault that passes
 * does so within seconds. */
PARA__COUNT(PARA__RETRY_ATTEMPTS, 5)    /* - */
PARA__COUNT(PARA__RETRY_FIRST_MS, 10)   /* - */
PARA__COUNT(PARA__RETRY_MOST_MS, 10000) /* - */

/* A pause is shorter by chance, by up to this part. Reasoned: those who failed together do not come
 * again together. */
PARA__REAL(PARA__RETRY_CHANCE, 0.5) /* - */

/* ---- Locks: sync/spin.c, mutex.c, semaphore.c ------------------------------------------------ */

/* A waiter spins so long. ns. Measured: to sleep and be woken takes 35 us, and most waits that are
 * over by half of that are over much sooner. */
PARA__COUNT(PARA__LOCK_SPIN_NS, 15000) /* - */

/* A small lock inside the library's own: looks before a waiter sleeps, and pauses before each.
 * Reasoned: some 2 us, longer than a running holder takes, and much less than a sleep. */
PARA__COUNT(PARA__LATCH_LOOKS, 20) /* - */
PARA__COUNT(PARA__LATCH_PAUSES, 4) /* - */

/* The first pause between two looks, doubled up to so long. ns. Measured: a line goes to and fro in
 * 0.3 us, and who looks sooner gets in the way of the owner. */
PARA__COUNT(PARA__LOCK_PAUSE_NS, 500)       /* - */
PARA__COUNT(PARA__LOCK_PAUSE_MOST_NS, 2000) /* - */

/* Chances to spin that are let go after spinning in vain double so often. Reasoned. */
PARA__COUNT(PARA__SPIN_FAILURES_MOST, 6) /* - */

/* Newcomers may overtake the first in line for so long. ns. Reasoned: 30 hand-overs of a mutex, so
 * that it does not show in the throughput. */
PARA__COUNT(PARA__OVERTAKE_NS, 1000000) /* - */

/* A starved waiter naps so long. ns. Compared: of 30, 50, 100, 200, 300 and 1000 us, all are as
 * good for sections of 5 us one after the other; with time between them short ones are better. */
PARA__COUNT(PARA__NAP_NS, 50000) /* - */

/* ---- Memory and length of calls: schedule.c, executor/lease.c, plan/tree.c ------------------- */

/* A kernel call where a call can be cancelled. ns; and parts of one of unknown cost. Reasoned: a
 * moment. */
PARA__REAL(PARA__PIECE_NS, 200000)    /* - */
PARA__COUNT(PARA__PIECES_UNKNOWN, 64) /* - */

/* Memory of less lies on the caller's stack: of reductions and scans, and of sorts. Bytes.
 * Reasoned: accumulators of some numbers, and a short array; no call of para's takes 16 KiB. */
#define PARA__SMALL_BYTES      1024
#define PARA__SMALL_SORT_BYTES 4096

/* A participant's memory of less is not pages of its own. Bytes. Reasoned: a page. */
PARA__COUNT(PARA__STRIP_LEAST, 4096) /* - */

/* A call needs what a lane keeps if it uses more than one of so many parts of it; and what has so
 * many huge pages is rounded up to whole ones. Reasoned: a quarter, and 12 %. */
PARA__COUNT(PARA__KEPT_PART, 4)        /* - */
PARA__COUNT(PARA__STRIP_HUGE_PAGES, 8) /* - */

/* Larger blocks are pages, which go back to the system as soon as they are freed. Bytes. Reasoned:
 * the C library would keep them. */
#define PARA__BLOCK_SMALL ((size_t)1 << 20)

/* Blocks that no call has needed for so long are given back. ns. Measured: to have them anew costs
 * some 0.1 s a GiB. */
PARA__REAL(PARA__KEPT_IDLE_NS, 1e9) /* - */

/* A worker's units of a reduction: so many bytes of partials stay in its cache, but in these
 * bounds. Reasoned. */
PARA__COUNT(PARA__PARTIALS_CACHED_BYTES, 1 << 20) /* - */
PARA__COUNT(PARA__UNITS_LEAST, 8)                 /* - */
PARA__COUNT(PARA__UNITS_MOST, 256)                /* - */

/* Accumulators while a node of a reduction is folded: more are not piled up, and one that is larger
 * stays in its slot. Bytes. Reasoned: half of the first-level cache is left to data. */
PARA__COUNT(PARA__PILE_BYTES, 4096) /* - */

/* ---- Algorithms: src/data -------------------------------------------------------------------- */

/* The most elements of a kernel call of a search: what others look at in vain when one has found.
 * Reasoned: some us. */
PARA__COUNT(PARA__FIND_PIECE, 4096) /* - */

/* The most elements of a filter's block; their numbers lie on the stack. Reasoned: 8 KiB. */
#define PARA__FILTER_BLOCK 4096

/* The largest elements that a filter's kernel may store itself: a pass less, for so much memory an
 * element. Bytes. Measured on one machine: 0.65 of the time with 8; reasoned beyond. */
#define PARA__FILTER_PACKED_BYTES 16

/* Parts of a sort have so many elements at least: by key, and by a function, which may be dear.
 * Reasoned: 10 us. */
PARA__COUNT(PARA__SORT_LEAST_BY_KEY, 1024)   /* - */
PARA__COUNT(PARA__SORT_LEAST_BY_COMPARE, 16) /* - */

/* Parts for each participant by a function, whose parts are sorted by merging as well; by key
 * merging comes on top, and there is one. And pieces of a round of merging for each. Reasoned: the
 * last one is a quarter of what each does. */
PARA__COUNT(PARA__SORT_PARTS, 4)  /* - */
PARA__COUNT(PARA__SORT_PIECES, 4) /* - */

/* Pairs that the caller looks at alone for one that is out of order. Reasoned: random input shows
 * it in the first. */
PARA__COUNT(PARA__SORT_LOOK, 64) /* - */

/* Runs that are sorted by insertion before they are merged; and elements from which on there is
 * sorting by digits where keys allow it. Reasoned; a pass by digits looks at 256 counters. */
PARA__COUNT(PARA__SORT_RUN, 8)     /* - */
PARA__COUNT(PARA__RADIX_LEAST, 64) /* - */

/* ---- Threads: base/thread.c, base/cpus.c ----------------------------------------------------- */

/* The least stack of a thread, and that where the main thread's is unlimited. Bytes. Reasoned: what
 * main threads usually have; and so much that few need more: it costs addresses, and memory only
 * where it is used. */
#define PARA__STACK_BYTES           ((size_t)8 << 20)
#define PARA__STACK_UNLIMITED_BYTES ((size_t)256 << 20)

/* One that is asked for has at least so much. Bytes. Reasoned: the C library takes thread-local
 * variables from it. */
#define PARA__STACK_LEAST_BYTES ((size_t)64 << 10)

/* The guard below each stack. Bytes. Reasoned: a large array that does not fit hits it, instead of
 * the neighbour's stack. */
#define PARA__STACK_GUARD_BYTES ((size_t)64 << 20)

/* Threads of the process that are asked for their CPUs. Reasoned: each takes 20 us. */
PARA__COUNT(PARA__THREADS_ASKED, 256) /* - */

/* ---- The size of a pool that adapts: plan/size.c -------------------------------------------- */

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

/* ---- The log: base/log.c --------------------------------------------------------------------- */

/* Entries with one id that are told in a second, where the program does not say. Reasoned: as many
 * as a person reads. */
PARA__COUNT(PARA__LOG_MOST, 10) /* - */

/* ---- Alarms: plan/alarm.c -------------------------------------------------------------------- */

/* How often what was counted is looked at. ns. Reasoned: people act within minutes. */
PARA__REAL(PARA__ALARM_LOOK_NS, 1e9) /* - */

/* A window has so many waits of tasks, or calls of a kernel, at least. Reasoned: with fewer than
 * 100 the 99th percentile is the longest; a mean of 10 is steady. */
PARA__COUNT(PARA__ALARM_WAITS, 100) /* - */
PARA__COUNT(PARA__ALARM_CALLS, 10)  /* - */

/* Windows from which the usual wait is learnt, before there is an alarm; it then follows with as
 * many. Reasoned: half a minute of a busy program, long against a burst. */
PARA__COUNT(PARA__ALARM_WINDOWS, 32) /* - */

/* What is this many times the usual is high. Reasoned: less comes and goes with the load. */
PARA__REAL(PARA__ALARM_FACTOR, 2) /* - */

/* Shorter waits are no reason for an alarm. ns. Reasoned: the system's scheduler alone makes a
 * thread wait that long. */
PARA__REAL(PARA__ALARM_WAIT_NS, 1e6) /* - */

/* Windows in a row before an alarm is raised, or over: of waits, and of predictions, which calls
 * that change their length put off for a while. Reasoned: one or two are a burst. */
PARA__COUNT(PARA__ALARM_IN_A_ROW, 3) /* - */
PARA__COUNT(PARA__ALARM_LONG, 10)    /* - */

/* ---- Traces: observe/trace.c ----------------------------------------------------------------- */

/* The writer looks at the threads' events so often. ns. Reasoned: a thread that tells of an event
 * each 10 us has put 1000 by then, a quarter of what its ring holds. */
PARA__COUNT(PARA__TRACE_LOOK_NS, 10000000) /* - */

/* PARA_METRICS is written so often. ns. Reasoned: Prometheus asks each 15 s or more rarely. */
PARA__REAL(PARA__METRICS_NS, 5e9) /* - */

/* The page that `para top` reads is written so often; and read so often, with a pause, before it
 * counts as damaged. ns. Reasoned: a person sees no more; writing takes 20 us. */
PARA__REAL(PARA__PAGE_NS, 2.5e8)          /* - */
PARA__COUNT(PARA__PAGE_READS, 10)         /* - */
PARA__COUNT(PARA__PAGE_PAUSE_NS, 1000000) /* - */

/* ---- Worker processes: src/process ----------------------------------------------------------- */

/* Addresses that a pool of processes reserves for its buffers, at most; and the least with which it
 * can work. Bytes. Reasoned: addresses cost nothing, and 128 TiB of them are there. */
#define PARA__REGION_BYTES ((size_t)1 << 40)
#define PARA__REGION_LEAST ((size_t)64 << 20)

/* Tickets of a call for each worker process. Reasoned: one that dies costs 1/16 of its share, and
 * the last one to finish keeps the others waiting for no longer; each costs a kernel call. */
PARA__COUNT(PARA__PROCESS_TICKETS, 16) /* - */

/* How often a watchdog looks, at least. ms. Reasoned: a tenth of a second is soon for people. */
PARA__COUNT(PARA__WATCHDOG_MS, 100) /* - */

/* How long a thread may take to answer for its backtrace. ms. Reasoned: it answers in some
 * microseconds, once it has a CPU. */
PARA__COUNT(PARA__BACKTRACE_MS, 200) /* - */

/* Calls that go on at the same time on worker processes, beyond one for each worker. */
PARA__COUNT(PARA__PROCESS_DESKS, 4) /* - */

/* How long a worker process spins for the next call, and a caller for the end of its own, before it
 * sleeps; and for how much of that it keeps its CPU. ns. Reasoned: a wake-up. Measured on two CPUs,
 * see ADR 101: without yields a call after a pause takes two to three times as long, since a caller
 * keeps a worker off its CPU; with yields alone one after the other take twice as long. */
PARA__COUNT(PARA__PROCESS_SPIN_NS, 20000) /* - */
PARA__COUNT(PARA__PROCESS_PAUSE_NS, 8000) /* - */

/* How often one that spins looks before it reads the clock, which takes as long as two looks. */
PARA__COUNT(PARA__PROCESS_LOOKS, 8) /* - */

/* For so long who waits for a call lets workers sleep if others are awake: these may do all of it
 * before. ns. Reasoned: a wake-up costs about as much. */
PARA__COUNT(PARA__PROCESS_PATIENCE_NS, 3000) /* - */

/* A call has no more tickets than so long a work of the last one like it would fill. ns. Reasoned:
 * to claim and finish a ticket takes 70. */
PARA__COUNT(PARA__PROCESS_TICKET_NS, 2000) /* - */

/* How often the caller of a call that lasts looks whether its words can be as they are; ms. And how
 * often in a row nothing is left to be done, and yet it is not over, before that counts as spoilt.
 * Reasoned: ten looks a second cost nothing, and a worker that is kept from its last store for a
 * second was stopped. */
PARA__COUNT(PARA__PROCESS_AUDIT_MS, 100) /* - */

/* Where there is a token to look at, or where somebody may not have been woken, who waits sleeps so
 * long at most. ms. Reasoned: what others see of it is not later than a slice of the system's. */
PARA__COUNT(PARA__PROCESS_JOIN_MS, 1) /* - */
PARA__COUNT(PARA__PROCESS_RESTS, 10)  /* - */

/* How often a chunk is tried if nothing says. Reasoned: a death by accident is not likely to strike
 * the same chunk three times. */
PARA__COUNT(PARA__PROCESS_ATTEMPTS, 3) /* - */

/* How long the zygote may take for an answer before it is replaced, with all workers. ms. Reasoned:
 * a fork takes some ms with much memory; an answer that late means that it was stopped. */
PARA__COUNT(PARA__ZYGOTE_ANSWER_MS, 1000) /* - */

/* Zygotes that are forked in a row, if one was killed at once. Reasoned: more would not live
 * either. */
PARA__COUNT(PARA__ZYGOTE_TRIES, 3) /* - */

/* How often it is looked meanwhile whether the zygote is stopped. ms. Reasoned: an answer takes
 * less than that, and calls wait for it. */
PARA__COUNT(PARA__ZYGOTE_LOOK_MS, 5) /* - */

/* How long is waited before processes are forked again after the system has refused one; and how
 * often in a row before a call that has no worker fails. ms. Reasoned: limits of processes are
 * exceeded for moments, or for long. */
PARA__COUNT(PARA__FORK_PAUSE_MS, 10)  /* - */
PARA__COUNT(PARA__FORK_REFUSALS, 100) /* - */

/* The breaker of a pool of processes: so many ends of tickets and workers in so long, of which so
 * many per cent are deaths, stop forks for so long. Reasoned: the halving of a chunk with a bad
 * element takes some 20 deaths; 256 are of a kernel that does nothing else. */
PARA__COUNT(PARA__PROCESS_BREAKER_WINDOW_MS, 10000) /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_LEAST, 256)       /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_PERCENT, 90)      /* - */
PARA__COUNT(PARA__PROCESS_BREAKER_PAUSE_MS, 1000)   /* - */

#endif
