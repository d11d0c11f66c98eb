#include "observe/alarms.h"

#include "base/fork.h"
#include "base/log.h"
#include "base/process.h"
#include "base/tuning_observe.h"
#include "observe/timer.h"
#include "observe/ledger.h"
#include "observe/numbers.h"
#include "plan/alarm.h"

#include <string.h>

static para__guard alarming = PARA__GUARD_INIT; /* who starts and stops */
static unsigned alarmed;                        /* the process that looks; 0: none. Under it */
static bool has_program_asked;                  /* likewise */

/* The looking thread's. */
static struct {
    para__waits_alarm waits;
    uint64_t seen[PARA__HISTOGRAM_BUCKETS + 1]; /* of waits: when the window began */
} the_alarms;

static void look_at_waits(void)
{
    static para__numbers now; /* large, and one thread's */
    uint64_t window[PARA__HISTOGRAM_BUCKETS + 1];
    para__numbers_read(&now);
    for (unsigned i = 0; i <= PARA__HISTOGRAM_BUCKETS; i++)
        window[i] = now.waits[i] - the_alarms.seen[i];
    const para_times times = para__times_of(window);
    if (!para__alarm_is_window(times.count))
        return;
    memcpy(the_alarms.seen, now.waits, sizeof the_alarms.seen);
    const double usual_ns = the_alarms.waits.usual_ns;
    const para__change verdict = para__alarm_waits(&the_alarms.waits, (double)times.p99_ns);
    if (verdict != PARA__CHANGE_NONE)
        para__log(verdict == PARA__CHANGE_RAISED ? PARA_LOG_TASKS_WAIT : PARA_LOG_TASKS_FLOW,
                  times.p99_ns, "99 %% of %ju tasks waited %ju us at most; %ju us are usual",
                  (uintmax_t)times.count, (uintmax_t)(times.p99_ns / 1000),
                  (uintmax_t)(usual_ns / 1000));
}

/* What is said of a kernel, once the ledger is closed. */
typedef struct verdict {
    para__change verdict;
    para__symbol symbol;
    uint64_t loop;
    uint64_t predicted_us, measured_us;
} verdict;

enum { VERDICTS = 16 };

static void look_at_predictions(void)
{
    static verdict found[VERDICTS];
    size_t count, said = 0;
    uint64_t lost;
    para__entry *const *const list = para__ledger_list(&count, &lost);
    for (size_t i = 0; i < count && said < VERDICTS; i++) {
        para__entry *const e = list[i];
        const double predicted_ns = e->predicted_ns - e->seen.predicted_ns;
        const double measured_ns = (double)(e->foreseen_ns - e->seen.foreseen_ns);
        if (!para__alarm_is_sample(e->foreseen - e->seen.foreseen))
            continue;
        e->seen.foreseen = e->foreseen;
        e->seen.foreseen_ns = e->foreseen_ns;
        e->seen.predicted_ns = e->predicted_ns;
        const para__change v = para__alarm_predicted(&e->alarm, predicted_ns, measured_ns);
        if (v != PARA__CHANGE_NONE)
            found[said++] = (verdict){.verdict = v,
                                      .symbol = e->symbol,
                                      .loop = e->loop,
                                      .predicted_us = (uint64_t)(predicted_ns / 1000),
                                      .measured_us = (uint64_t)(measured_ns / 1000)};
    }
    para__ledger_close(list);
    for (size_t i = 0; i < said; i++)
        para__log(found[i].verdict == PARA__CHANGE_RAISED ? PARA_LOG_PREDICTION
                                                          : PARA_LOG_PREDICTION_FITS,
                  found[i].loop, "%s (%s): predicted %ju us, took %ju us", found[i].symbol.name,
                  found[i].symbol.place, (uintmax_t)found[i].predicted_us,
                  (uintmax_t)found[i].measured_us);
}

static void look_at_all(void)
{
    look_at_waits();
    look_at_predictions();
}

static para_status start_alarms(bool by_program)
{
    static para__numbers now;
    if (!para__log_is_open())
        return para__fail(PARA_ERR_ARGUMENT, "nobody is told");
    if (alarmed == para__fork_count()) {
        if (!by_program || has_program_asked)
            return para__fail(PARA_ERR_BUSY, "alarms are looked for already");
        has_program_asked = true;
        return PARA_OK;
    }
    para_status status = para__numbers_keep();
    if (status)
        return status;
    para__numbers_read(&now);
    memset(&the_alarms, 0, sizeof the_alarms);
    memcpy(the_alarms.seen, now.waits, sizeof the_alarms.seen);
    status = para__timer_start(PARA__TIMER_ALARMS, (uint64_t)PARA__ALARM_LOOK_NS, look_at_all);
    if (status) {
        para__numbers_rest();
        return status;
    }
    alarmed = para__fork_count();
    has_program_asked = by_program;
    return PARA_OK;
}

para_status para__alarms_start(bool by_program)
{
    para__guard_enter(&alarming);
    const para_status status = start_alarms(by_program);
    para__guard_leave(&alarming);
    return status;
}

para_status para__alarms_stop_with(para_status (*first)(void))
{
    para__guard_enter(&alarming);
    const para_status status = first ? first() : PARA_OK;
    if (!status)
        has_program_asked = false;
    if (!status && alarmed == para__fork_count() && !(first && para__log_is_open())) {
        alarmed = 0;
        para__timer_stop(PARA__TIMER_ALARMS);
        para__numbers_rest();
    }
    para__guard_leave(&alarming);
    return status;
}

__attribute__((constructor(101))) static void guard_alarms(void)
{
    para__fork_handle(PARA__FORK_ALARMS, &alarming, NULL);
}
