/* Statistics in Prometheus's text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * Times are in seconds, as is the custom there. */
#include <para/stats.h>

#include "base/process.h"
#include "base/log.h"
#include "base/tuning_observe.h"
#include "base/variable.h"
#include "observe/timer.h"
#include "observe/file.h"
#include "observe/ledger.h"
#include "observe/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Text ----------------------------------------------------------------------------- */

static void put_family(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Seconds, whatever the locale's point. */
static void put_seconds(FILE *to, uint64_t ns)
{
    fprintf(to, "%ju.%09ju\n", (uintmax_t)(ns / 1000000000), (uintmax_t)(ns % 1000000000));
}

/* A label's value in quotes. */
static void put_label(FILE *to, const char *name, const char *value)
{
    fprintf(to, "%s=\"", name);
    for (; *value; value++)
        if (*value == '\n')
            fputs("\\n", to);
        else if (*value == '"' || *value == '\\')
            fprintf(to, "\\%c", *value);
        else
            fputc((unsigned char)*value < ' ' ? '?' : *value, to);
    fputc('"', to);
}

/* ---- Families ------------------------------------------------------------------------- */

/* A metric of a struct of statistics. */
typedef struct metric {
    const char *name, *help;
    size_t offset;
    bool is_time;
} metric;

static const metric thread_metrics[] = {
    {"para_thread_chunks_total", "Kernel calls.", offsetof(para_thread_stats, chunks), false},
    {"para_thread_units_total", "Elements, chunks or blocks that were run.",
     offsetof(para_thread_stats, units), false},
    {"para_thread_claims_total", "Batches of shared calls.", offsetof(para_thread_stats, claims),
     false},
    {"para_thread_stolen_total", "Batches that were another participant's.",
     offsetof(para_thread_stats, stolen), false},
    {"para_thread_parks_total", "How often a worker slept.", offsetof(para_thread_stats, parks),
     false},
    {"para_thread_wakes_total", "How often the thread woke another.",
     offsetof(para_thread_stats, wakes), false},
    {"para_thread_tasks_total", "Tasks that were begun.", offsetof(para_thread_stats, tasks),
     false},
    {"para_thread_busy_seconds_total", "Time in kernels and tasks.",
     offsetof(para_thread_stats, busy_ns), true},
    {"para_thread_parked_seconds_total", "Time asleep as a worker.",
     offsetof(para_thread_stats, parked_ns), true},
    {"para_thread_joined_seconds_total", "Time waiting for participants.",
     offsetof(para_thread_stats, joined_ns), true},
};

static const metric kernel_metrics[] = {
    {"para_kernel_calls_total", "Calls that have run.", offsetof(para_kernel_stats, calls), false},
    {"para_kernel_shared_calls_total", "Calls with helpers.", offsetof(para_kernel_stats, shared),
     false},
    {"para_kernel_elements_total", "Elements of all calls.", offsetof(para_kernel_stats, elements),
     false},
    {"para_kernel_seconds_total", "Time from call to return.", offsetof(para_kernel_stats, time_ns),
     true},
    {"para_kernel_predicted_seconds_total", "Time that was predicted.",
     offsetof(para_kernel_stats, predicted_ns), true},
    {"para_kernel_measured_seconds_total", "Time of the calls whose time was predicted.",
     offsetof(para_kernel_stats, measured_ns), true},
};

static void put_value(FILE *to, const metric *m, const void *stats)
{
    uint64_t value;
    memcpy(&value, (const char *)stats + m->offset, sizeof value);
    if (m->is_time)
        put_seconds(to, value);
    else
        fprintf(to, "%ju\n", (uintmax_t)value);
}

/* Of threads that live: others' numbers would stand there for ever. */
static void put_threads(FILE *to, unsigned threads)
{
    for (size_t i = 0; i < sizeof thread_metrics / sizeof thread_metrics[0]; i++) {
        const metric *const m = &thread_metrics[i];
        put_family(to, m->name, "counter", m->help);
        for (unsigned t = 0; t < threads; t++) {
            para_thread_stats s = {.size = sizeof s};
            if (!para__numbers_of(t, &s) || s.has_ended)
                continue;
            fprintf(to, "%s{", m->name);
            put_label(to, "thread", s.name);
            fprintf(to, ",tid=\"%jd\"} ", (intmax_t)s.tid);
            put_value(to, m, &s);
        }
    }
}

static para_status put_kernels(FILE *to, size_t most)
{
    para_kernel_stats *const rows = calloc(most + 1, sizeof *rows);
    const size_t kernels = rows ? para__numbers_of_kernels(rows, most) : 0;
    for (size_t i = 0; i < sizeof kernel_metrics / sizeof kernel_metrics[0]; i++) {
        const metric *const m = &kernel_metrics[i];
        put_family(to, m->name, "counter", m->help);
        for (size_t k = 0; k < kernels; k++) {
            const para_kernel_stats *const s = &rows[k];
            fprintf(to, "%s{", m->name);
            put_label(to, "kernel", s->name);
            fputc(',', to);
            put_label(to, "place", s->place);
            fprintf(to, ",site=\"%ju\"} ", (uintmax_t)s->site);
            put_value(to, m, s);
        }
    }
    free(rows);
    return rows ? PARA_OK : para__fail(PARA_ERR_MEMORY, "what is told of kernels");
}

static void put_times(FILE *to, const char *name, const char *help, const para_times *times)
{
    const struct {
        const char *quantile;
        uint64_t ns;
    } quantiles[] = {{"0.5", times->p50_ns}, {"0.95", times->p95_ns}, {"0.99", times->p99_ns}};
    put_family(to, name, "summary", help);
    for (size_t i = 0; i < 3; i++) {
        fprintf(to, "%s{quantile=\"%s\"} ", name, quantiles[i].quantile);
        put_seconds(to, quantiles[i].ns);
    }
    fprintf(to, "%s_sum ", name);
    put_seconds(to, times->sum_ns);
    fprintf(to, "%s_count %ju\n", name, (uintmax_t)times->count);
}

static para_status put_all(void *of, FILE *to)
{
    para_stats s = {.size = sizeof s};
    (void)of;
    const para_status status = para_stats_get(&s);
    if (status)
        return status;
    put_family(to, "para_calls_total", "counter", "Calls that threads have made.");
    fprintf(to, "para_calls_total %ju\n", (uintmax_t)s.calls);
    put_family(to, "para_busy_seconds_total", "counter",
               "Time of all threads in kernels and tasks, also of threads that have ended.");
    fputs("para_busy_seconds_total ", to);
    put_seconds(to, s.busy_ns);
    put_family(to, "para_tasks_total", "counter", "Tasks by what has become of them.");
    fprintf(to,
            "para_tasks_total{state=\"submitted\"} %ju\npara_tasks_total{state=\"begun\"} %ju\n"
            "para_tasks_total{state=\"dropped\"} %ju\n",
            (uintmax_t)s.submitted, (uintmax_t)s.begun, (uintmax_t)s.dropped);
    const uint64_t over = s.begun + s.dropped;
    put_family(to, "para_tasks_queued", "gauge", "Tasks that nobody has begun.");
    fprintf(to, "para_tasks_queued %ju\n",
            (uintmax_t)(s.submitted > over ? s.submitted - over : 0));
    put_times(to, "para_task_wait_seconds", "Time of tasks from submission to begin.", &s.waits);
    put_times(to, "para_task_run_seconds", "Time of tasks from begin to end.", &s.runs);
    put_threads(to, s.threads);
    return put_kernels(to, s.kernels);
}

para_status para_stats_write_prometheus(const char *path)
{
    if (!path || !*path)
        return para__fail(PARA_ERR_ARGUMENT, "no path");
    const int saved = errno;
    const para_status status = para__file_replace(path, put_all, NULL);
    errno = saved;
    return status;
}

/* ---- PARA_METRICS --------------------------------------------------------------------- */

static struct {
    char path[4096];
    unsigned forks;  /* the process that writes; 0: none */
    bool has_failed; /* the looking thread's: it is told once */
} the_metrics;

static void write_metrics(void)
{
    const bool failed = para_stats_write_prometheus(the_metrics.path) != PARA_OK;
    if (failed && !the_metrics.has_failed)
        para__tell(PARA_LOG_FILE, "PARA_METRICS: %s", para_status_detail());
    the_metrics.has_failed = failed;
}

__attribute__((constructor(102))) static void begin_metrics(void)
{
    const char *const path = para__file_variable("PARA_METRICS");
    if (!path)
        return;
    const bool fits = para__file_name(the_metrics.path, sizeof the_metrics.path, path);
    para_status status =
        fits ? para__numbers_keep() : para__fail(PARA_ERR_FILE, "the path is too long");
    if (!status) {
        status = para__timer_start(PARA__TIMER_METRICS, (uint64_t)PARA__METRICS_NS, write_metrics);
        if (status)
            para__numbers_rest();
    }
    if (status)
        para__tell(PARA_LOG_FILE, "PARA_METRICS: %s", para_status_detail());
    else
        the_metrics.forks = para__fork_count();
}

__attribute__((destructor)) static void end_metrics(void)
{
    if (the_metrics.forks != para__fork_count())
        return;
    para__timer_stop(PARA__TIMER_METRICS);
    write_metrics();
}
