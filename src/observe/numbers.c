#include "observe/numbers.h"

#include "base/fork.h"
#include "base/process.h"
#include "observe/ledger.h"
#include "observe/look.h"

#include <string.h>

/* ---- Kept ----------------------------------------------------------------------------- */

static para__guard keeping = PARA__GUARD_INIT;
static unsigned keepers, keeper_forks; /* of that process; under the guard */

static unsigned keepers_here(void)
{
    keepers = keeper_forks == para__fork_count() ? keepers : 0;
    keeper_forks = para__fork_count();
    return keepers;
}

para_status para__numbers_keep(void)
{
    para_status status = PARA_OK;
    para__guard_enter(&keeping);
    if (keepers_here() == 0)
        status = para__look(PARA__LOOKS_NUMBERS);
    if (!status && keepers++ == 0)
        para__ledger_open();
    para__guard_leave(&keeping);
    return status;
}

void para__numbers_rest(void)
{
    para__guard_enter(&keeping);
    if (keepers_here() > 0 && --keepers == 0) {
        para__look_away(PARA__LOOKS_NUMBERS);
        para__ledger_rest();
    }
    para__guard_leave(&keeping);
}

bool para__numbers_are_kept(void)
{
    para__guard_enter(&keeping);
    const bool are_kept = keepers_here() > 0;
    para__guard_leave(&keeping);
    return are_kept;
}

__attribute__((constructor(101))) static void begin_keeping(void)
{
    para__fork_handle(PARA__FORK_KEEP, &keeping, NULL);
}

/* ---- Read ----------------------------------------------------------------------------- */

/* All words of tracks are values on their own. */
static void add_histogram(uint64_t sum[PARA__HISTOGRAM_BUCKETS + 1], para__histogram *more)
{
    for (unsigned i = 0; i < PARA__HISTOGRAM_BUCKETS; i++)
        sum[i] += para__load_relaxed(&more->count[i]); /* see above, like the next */
    sum[PARA__HISTOGRAM_BUCKETS] += para__load_relaxed(&more->sum);
}

void para__numbers_read(para__numbers *numbers)
{
    memset(numbers, 0, sizeof *numbers);
    para__tracks_lock();
    para__tracks *const tracks = para__tracks_get();
    if (tracks) {
        numbers->threads = para__load_relaxed(&tracks->used); /* under the guard */
        memcpy(numbers->count, tracks->past, sizeof numbers->count);
        memcpy(numbers->waits, tracks->past_waits, sizeof numbers->waits);
        memcpy(numbers->runs, tracks->past_runs, sizeof numbers->runs);
    }
    for (unsigned t = 0; t < numbers->threads; t++) {
        para__track *const track = &tracks->track[t];
        for (unsigned i = 0; i < PARA__COUNTS; i++)
            numbers->count[i] += para__load_relaxed(&track->count[i]); /* see above */
        add_histogram(numbers->waits, &track->waits);
        add_histogram(numbers->runs, &track->runs);
    }
    para__tracks_unlock();
}

uint64_t para__ns_of_ticks(uint64_t ticks)
{
    return (uint64_t)((double)ticks * para__ns_per_tick());
}

bool para__numbers_of(unsigned number, para_thread_stats *stats)
{
    uint64_t count[PARA__COUNTS];
    para__tracks_lock();
    para__tracks *const tracks = para__tracks_get();
    const bool is_there =
        tracks && number < para__load_relaxed(&tracks->used); /* under the guard */
    if (is_there) {
        para__track *const track = &tracks->track[number];
        for (unsigned i = 0; i < PARA__COUNTS; i++)
            count[i] = para__load_relaxed(&track->count[i]); /* a value on its own */
        memcpy(stats->name, track->name, sizeof stats->name);
        stats->tid = track->tid;
        stats->has_ended = track->state == PARA__TRACK_LEFT;
    }
    para__tracks_unlock();
    if (!is_there)
        return false;
    stats->calls = count[PARA__COUNT_CALLS];
    stats->chunks = count[PARA__COUNT_CHUNKS];
    stats->units = count[PARA__COUNT_UNITS];
    stats->claims = count[PARA__COUNT_CLAIMS];
    stats->stolen = count[PARA__COUNT_STOLEN];
    stats->parks = count[PARA__COUNT_PARKS];
    stats->wakes = count[PARA__COUNT_WAKES];
    stats->tasks = count[PARA__COUNT_BEGUN];
    stats->busy_ns = para__ns_of_ticks(count[PARA__COUNT_BUSY]);
    stats->parked_ns = para__ns_of_ticks(count[PARA__COUNT_PARKED]);
    stats->joined_ns = para__ns_of_ticks(count[PARA__COUNT_JOINED]);
    return true;
}

/* The end of the bucket in which that many of the times lie, or more. */
static uint64_t quantile_ns(const uint64_t histogram[PARA__HISTOGRAM_BUCKETS + 1], uint64_t rank)
{
    uint64_t below = 0;
    unsigned bucket = 0;
    for (; bucket + 1 < PARA__HISTOGRAM_BUCKETS; bucket++) {
        below += histogram[bucket];
        if (below >= rank)
            break;
    }
    return para__ns_of_ticks(para__histogram_end(bucket));
}

para_times para__times_of(const uint64_t histogram[PARA__HISTOGRAM_BUCKETS + 1])
{
    para_times times = {0};
    for (unsigned i = 0; i < PARA__HISTOGRAM_BUCKETS; i++)
        times.count += histogram[i];
    if (times.count == 0)
        return times;
    times.sum_ns = para__ns_of_ticks(histogram[PARA__HISTOGRAM_BUCKETS]);
    times.p50_ns = quantile_ns(histogram, times.count - times.count / 2);
    times.p95_ns = quantile_ns(histogram, times.count - times.count / 20);
    times.p99_ns = quantile_ns(histogram, times.count - times.count / 100);
    return times;
}
