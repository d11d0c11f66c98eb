/* The public functions of statistics: kept, read, printed. */
#include <para/stats.h>

#include "base/fork.h"
#include "base/fpenv.h"
#include "base/info.h"
#include "base/process.h"
#include "observe/ledger.h"
#include "observe/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static para__guard asking = PARA__GUARD_INIT; /* who starts and stops */
static unsigned kept_by; /* the process that has asked for them; 0: none. Under it */

para_status para_stats_start(void)
{
    para__guard_enter(&asking);
    const para_status status = kept_by == para__fork_count()
                                   ? para__fail(PARA_ERR_BUSY, "statistics are kept already")
                                   : para__numbers_keep();
    if (!status)
        kept_by = para__fork_count();
    para__guard_leave(&asking);
    return status;
}

para_status para_stats_stop(void)
{
    para__guard_enter(&asking);
    const bool are_kept = kept_by == para__fork_count();
    if (are_kept) {
        kept_by = 0;
        para__numbers_rest();
    }
    para__guard_leave(&asking);
    return are_kept ? PARA_OK : para__fail(PARA_ERR_ARGUMENT, "no statistics are kept");
}

__attribute__((constructor(101))) static void guard_asking(void)
{
    para__fork_handle(PARA__FORK_STATS, &asking, NULL);
}

/* ---- Reading -------------------------------------------------------------------------- */

static void fill_stats(para_stats *full)
{
    para__numbers n;
    size_t kernels;
    uint64_t lost;
    para__numbers_read(&n);
    para__ledger_close(para__ledger_list(&kernels, &lost));
    para__tracks *const tracks = para__tracks_get();
    *full = (para_stats){
        .size = sizeof *full,
        .is_on = para__numbers_are_kept(),
        .threads = n.threads,
        .kernels = (unsigned)kernels,
        .calls = n.count[PARA__COUNT_CALLS],
        .chunks = n.count[PARA__COUNT_CHUNKS],
        .units = n.count[PARA__COUNT_UNITS],
        .claims = n.count[PARA__COUNT_CLAIMS],
        .stolen = n.count[PARA__COUNT_STOLEN],
        .parks = n.count[PARA__COUNT_PARKS],
        .wakes = n.count[PARA__COUNT_WAKES],
        .busy_ns = para__ns_of_ticks(n.count[PARA__COUNT_BUSY]),
        .parked_ns = para__ns_of_ticks(n.count[PARA__COUNT_PARKED]),
        .joined_ns = para__ns_of_ticks(n.count[PARA__COUNT_JOINED]),
        .submitted = n.count[PARA__COUNT_QUEUED],
        .begun = n.count[PARA__COUNT_BEGUN],
        .dropped = n.count[PARA__COUNT_DROPPED],
        .waits = para__times_of(n.waits),
        .runs = para__times_of(n.runs),
        .homeless = tracks ? para__load_relaxed(&tracks->homeless) : 0, /* a count on its own */
    };
}

para_status para_stats_get(para_stats *stats)
{
    para_stats full;
    const para__fp fp = para__fp_save();
    fill_stats(&full);
    para__fp_restore(fp, 0);
    return para__info_fill(stats, &full, sizeof full);
}

para_status para_stats_get_thread(unsigned index, para_thread_stats *stats)
{
    para_thread_stats full = {.size = sizeof full};
    const para__fp fp = para__fp_save();
    const bool is_there = para__numbers_of(index, &full);
    para__fp_restore(fp, 0);
    if (!is_there)
        return para__fail(PARA_ERR_ARGUMENT, "there is no thread %u", index);
    return para__info_fill(stats, &full, sizeof full);
}

static para_kernel_stats stats_of(const para__entry *e)
{
    para_kernel_stats full = {.size = sizeof full,
                              .site = e->loop,
                              .calls = e->calls,
                              .shared = e->shared,
                              .elements = e->elements,
                              .time_ns = e->time_ns,
                              .predicted = e->foreseen,
                              .predicted_ns = (uint64_t)e->predicted_ns,
                              .measured_ns = e->foreseen_ns};
    memcpy(full.name, e->symbol.name, sizeof full.name);
    memcpy(full.place, e->symbol.place, sizeof full.place);
    return full;
}

size_t para__numbers_of_kernels(para_kernel_stats *rows, size_t most)
{
    size_t count;
    uint64_t lost;
    para__entry *const *const list = para__ledger_list(&count, &lost);
    const size_t n = count < most ? count : most;
    for (size_t k = 0; k < n; k++)
        rows[k] = stats_of(list[k]);
    para__ledger_close(list);
    return n;
}

para_status para_stats_get_kernel(unsigned index, para_kernel_stats *stats)
{
    size_t count;
    uint64_t lost;
    para_kernel_stats full = {.size = sizeof full};
    const para__fp fp = para__fp_save();
    para__entry *const *const list = para__ledger_list(&count, &lost);
    const bool is_there = index < count;
    if (is_there)
        full = stats_of(list[index]);
    para__ledger_close(list);
    para__fp_restore(fp, 0);
    if (!is_there)
        return para__fail(PARA_ERR_ARGUMENT, "there is no kernel %u", index);
    return para__info_fill(stats, &full, sizeof full);
}

/* ---- Printing ------------------------------------------------------------------------- */

/* Milliseconds with three digits behind a point, whatever the locale's. */
typedef struct ms_text {
    char text[32];
} ms_text;

static ms_text ms_of(uint64_t ns)
{
    ms_text ms;
    snprintf(ms.text, sizeof ms.text, "%ju.%03ju", (uintmax_t)(ns / 1000000),
             (uintmax_t)(ns / 1000 % 1000));
    return ms;
}

static void print_times(FILE *stream, const char *what, const para_times *times)
{
    fprintf(stream, "%-12s %10ju  p50 %s ms  p95 %s ms  p99 %s ms\n", what, (uintmax_t)times->count,
            ms_of(times->p50_ns).text, ms_of(times->p95_ns).text, ms_of(times->p99_ns).text);
}

static void print_threads(FILE *stream, unsigned threads)
{
    fprintf(stream, "%10s %10s %10s %10s %10s %12s %12s  %s\n", "chunks", "claims", "stolen",
            "parks", "tasks", "busy ms", "parked ms", "thread");
    for (unsigned t = 0; t < threads; t++) {
        para_thread_stats s = {.size = sizeof s};
        if (para__numbers_of(t, &s))
            fprintf(stream, "%10ju %10ju %10ju %10ju %10ju %12s %12s  %s (%jd)%s\n",
                    (uintmax_t)s.chunks, (uintmax_t)s.claims, (uintmax_t)s.stolen,
                    (uintmax_t)s.parks, (uintmax_t)s.tasks, ms_of(s.busy_ns).text,
                    ms_of(s.parked_ns).text, s.name, (intmax_t)s.tid, s.has_ended ? ", ended" : "");
    }
}

static void print_kernels(FILE *stream)
{
    size_t count;
    uint64_t lost;
    para__entry *const *const list = para__ledger_list(&count, &lost);
    fprintf(stream, "%10s %10s %12s %12s %12s  %s\n", "calls", "shared", "ms", "predicted",
            "measured", "kernel");
    for (size_t i = 0; i < count; i++) {
        const para_kernel_stats s = stats_of(list[i]);
        fprintf(stream, "%10ju %10ju %12s %12s %12s  %s (%s)\n", (uintmax_t)s.calls,
                (uintmax_t)s.shared, ms_of(s.time_ns).text,
                s.predicted ? ms_of(s.predicted_ns).text : "-",
                s.predicted ? ms_of(s.measured_ns).text : "-", s.name, s.place);
    }
    para__ledger_close(list);
}

para_status para_stats_print(FILE *stream)
{
    para_stats s;
    if (!stream)
        return para__fail(PARA_ERR_ARGUMENT, "there is no stream");
    const int saved = errno;
    const para__fp fp = para__fp_save();
    fill_stats(&s);
    fprintf(stream, "para: %ju calls, %ju chunks, busy for %s ms\n", (uintmax_t)s.calls,
            (uintmax_t)s.chunks, ms_of(s.busy_ns).text);
    print_threads(stream, s.threads);
    if (s.kernels)
        print_kernels(stream);
    if (s.submitted) {
        print_times(stream, "tasks waited", &s.waits);
        print_times(stream, "tasks ran", &s.runs);
    }
    para__fp_restore(fp, 0);
    const bool is_written = fflush(stream) == 0 && !ferror(stream);
    const int error = errno;
    errno = saved;
    return is_written ? PARA_OK : para__fail(PARA_ERR_FILE, "statistics: %s", strerror(error));
}
