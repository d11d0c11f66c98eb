/* `para trace`: where the time of a trace went, as text, JSON and a drawing. */
#include "cli/commands.h"
#include "cli/say.h"
#include "cli/svg.h"
#include "cli/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t span_of(const para__traced_thread *t)
{
    return t->first_ns < t->last_ns ? t->last_ns - t->first_ns : 0;
}

/* Of a thread: in kernels and tasks; and in none of its spans. */
static uint64_t computing_of(const para__traced_thread *t)
{
    return t->self_ns[PARA__DOING_CALL] + t->self_ns[PARA__DOING_BATCH] +
           t->self_ns[PARA__DOING_STOLEN] + t->self_ns[PARA__DOING_TASK];
}

static uint64_t rest_of(const para__traced_thread *t, uint64_t span_ns)
{
    uint64_t known_ns = 0;
    for (unsigned i = 0; i < PARA__DOINGS; i++)
        known_ns += t->self_ns[i];
    return span_ns > known_ns ? span_ns - known_ns : 0;
}

static uint64_t quantile(const para__traced *traced, unsigned percent)
{
    return traced->queued_ns[(traced->queued - 1) * percent / 100];
}

/* The reason of most calls; NULL: it has none. */
static const char *reason_of(const para__traced_name *name)
{
    unsigned most = 0;
    for (unsigned w = 1; w < 4; w++)
        most = name->why[w].count > name->why[most].count ? w : most;
    return name->why[most].count ? name->why[most].text : NULL;
}

/* ---- Text ---------------------------------------------------------------------------- */

static void say_percent(uint64_t ns, uint64_t of_ns)
{
    printf(" %9.1f%%", of_ns ? 100 * (double)ns / (double)of_ns : 0.0);
}

static void say_threads(const para__traced *traced)
{
    printf("%-16s %10s %10s %10s %10s %10s %10s %10s\n", "thread", "ms", "computing", "stolen",
           "sharing", "waiting", "asleep", "else");
    for (size_t i = 0; i < traced->threads; i++) {
        const para__traced_thread *const t = &traced->thread[i];
        const uint64_t ns = span_of(t);
        printf("%-16s %10.3f", t->name, (double)ns / 1e6);
        say_percent(computing_of(t), ns);
        say_percent(t->self_ns[PARA__DOING_STOLEN], ns);
        say_percent(t->self_ns[PARA__DOING_SHARING], ns);
        say_percent(t->self_ns[PARA__DOING_WAITING], ns);
        say_percent(t->self_ns[PARA__DOING_IDLE], ns);
        say_percent(rest_of(t, ns), ns);
        putchar('\n');
    }
}

static void say_names(const para__traced *traced)
{
    printf("%10s %8s %8s %10s %8s %8s %12s  %s\n", "ms", "calls", "shared", "batches", "stolen",
           "tasks", "longest us", "kernel or task: most frequent reason");
    for (size_t i = 0; i < traced->names; i++) {
        const para__traced_name *const n = &traced->name[i];
        const char *const reason = reason_of(n);
        printf("%10.3f %8ju %8ju %10ju %8ju %8ju %12.1f  %s%s%s\n", (double)n->self_ns / 1e6,
               (uintmax_t)n->calls, (uintmax_t)n->shared, (uintmax_t)n->batches,
               (uintmax_t)n->stolen, (uintmax_t)n->tasks, (double)n->longest_ns / 1e3, n->name,
               reason ? ": " : "", reason ? reason : "");
    }
}

static void say_trace(const para__traced *traced)
{
    printf("%.3f ms, %ju events of %zu thread%s",
           (double)(traced->last_ns - traced->first_ns) / 1e6, (uintmax_t)traced->events,
           traced->threads, para__say_plural(traced->threads));
    if (traced->dropped)
        printf("; %ju were lost", (uintmax_t)traced->dropped);
    puts(traced->is_closed ? "" : "; the program was killed, or runs still");
    say_threads(traced);
    say_names(traced);
    if (traced->queued)
        printf("tasks waited: %zu; half of them %.1f us or less, 95 %% %.1f us, 99 %% %.1f us\n",
               traced->queued, (double)quantile(traced, 50) / 1e3,
               (double)quantile(traced, 95) / 1e3, (double)quantile(traced, 99) / 1e3);
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void say_trace_json(const para__traced *traced)
{
    printf("{\"ns\": %ju, \"events\": %ju, \"dropped\": %ju, \"complete\": %s, \"threads\": [",
           (uintmax_t)(traced->last_ns - traced->first_ns), (uintmax_t)traced->events,
           (uintmax_t)traced->dropped, traced->is_closed ? "true" : "false");
    for (size_t i = 0; i < traced->threads; i++) {
        const para__traced_thread *const t = &traced->thread[i];
        printf("%s{\"name\": ", i ? ", " : "");
        para__say_json_string(t->name);
        printf(", \"tid\": %jd, \"ns\": %ju, \"computing_ns\": %ju, \"stolen_ns\": %ju, "
               "\"sharing_ns\": %ju, \"waiting_ns\": %ju, \"asleep_ns\": %ju}",
               (intmax_t)t->tid, (uintmax_t)span_of(t), (uintmax_t)computing_of(t),
               (uintmax_t)t->self_ns[PARA__DOING_STOLEN],
               (uintmax_t)t->self_ns[PARA__DOING_SHARING],
               (uintmax_t)t->self_ns[PARA__DOING_WAITING], (uintmax_t)t->self_ns[PARA__DOING_IDLE]);
    }
    printf("], \"kernels\": [");
    for (size_t i = 0; i < traced->names; i++) {
        const para__traced_name *const n = &traced->name[i];
        printf("%s{\"name\": ", i ? ", " : "");
        para__say_json_string(n->name);
        printf(", \"ns\": %ju, \"calls\": %ju, \"shared\": %ju, \"batches\": %ju, \"stolen\": %ju, "
               "\"tasks\": %ju, \"longest_ns\": %ju, \"reason\": ",
               (uintmax_t)n->self_ns, (uintmax_t)n->calls, (uintmax_t)n->shared,
               (uintmax_t)n->batches, (uintmax_t)n->stolen, (uintmax_t)n->tasks,
               (uintmax_t)n->longest_ns);
        if (reason_of(n))
            para__say_json_string(reason_of(n));
        else
            printf("null");
        putchar('}');
    }
    puts("]}");
}

/* ---- The command --------------------------------------------------------------------- */

/* What a timeline is drawn from. */
typedef struct read_trace {
    para__traced traced;
    FILE *file;
    const char *path;
} read_trace;

static int draw_timeline(FILE *to, const void *of)
{
    const read_trace *const trace = of;
    return para__timeline_write(to, &trace->traced, trace->file, trace->path);
}

static int summarise(const para__request *request, para__target *target)
{
    read_trace trace = {.path = request->operands[0]};
    trace.file = fopen(trace.path, "re");
    if (!trace.file)
        return para__say_failed("%s: %s", trace.path, strerror(errno));
    int status = para__traced_read(&trace.traced, trace.file, trace.path, NULL, NULL);
    if (!status && request->drawing)
        status = para__svg_save(target, draw_timeline, &trace);
    if (!status)
        (request->json ? say_trace_json : say_trace)(&trace.traced);
    para__traced_free(&trace.traced);
    fclose(trace.file);
    return status;
}

int para__command_trace(const para__request *request)
{
    if (request->operand_count == 0)
        return para__say_usage(request->command, "which trace?");
    if (!*request->operands[0])
        return para__say_usage(request->command, "the trace's name is empty");
    if (request->operand_count > 1)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[1]);
    return para__svg_run(request, summarise);
}
