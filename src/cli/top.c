/* `para top`: what a program does now, from the page that it publishes. */
#include "cli/commands.h"
#include "cli/say.h"

#include <para/page.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    REFRESH_MS = 1000,
    AWAIT_MS = 1000, /* for a page that may be there soon: a program that has just been started */
    LOOK_MS = 20,    /* meanwhile */
    OLD_MS = 1000    /* a page of that age is told: it should be replaced four times a second */
};

/* Whose page it is. */
typedef struct source {
    const char *path; /* NULL: that of a process */
    int64_t pid;
} source;

static source source_of(const char *word)
{
    const bool is_number = *word && strspn(word, "0123456789") == strlen(word);
    return (source){.path = is_number ? NULL : word, .pid = strtoll(word, NULL, 10)};
}

static para_status read_source(const source *of, para_page *page)
{
    return of->path ? para_page_read(of->path, page, sizeof *page)
                    : para_page_read_process(of->pid, page, sizeof *page);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Whether there is a process that may come to publish one, or no file yet. */
static bool may_come(const source *of)
{
    if (of->path)
        return access(of->path, F_OK) != 0 && errno == ENOENT;
    return of->pid > 0 && of->pid == (pid_t)of->pid &&
           (kill((pid_t)of->pid, 0) == 0 || errno == EPERM);
}

/* The first page, which is waited for. */
static para_status await_source(const source *of, para_page *page)
{
    const uint64_t end = now_ns() + (uint64_t)AWAIT_MS * 1000000;
    para_status status;
    while ((status = read_source(of, page)) == PARA_ERR_FILE && now_ns() < end && may_come(of))
        pause_ms(LOOK_MS);
    return status;
}

/* How old the page is. */
static uint64_t age_ns(const para_page *page)
{
    const uint64_t now = now_ns();
    return now > page->written_ns ? now - page->written_ns : 0;
}

/* ---- Text ---------------------------------------------------------------------------- */

/* A text of the page, which may have what a terminal obeys. */
static void say_clean(const char *format, const char *text)
{
    char *const escaped = para__say_escaped(text);
    printf(format, escaped ? escaped : "?");
    free(escaped);
}

static double per_second(uint64_t now, uint64_t before, double seconds)
{
    return now > before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

/* The same thread's row in the page before; zero: there is none. */
static para_thread_stats thread_before(const para_page *before, const para_thread_stats *row)
{
    for (unsigned t = 0; t < before->threads; t++)
        if (before->thread[t].tid == row->tid)
            return before->thread[t];
    return (para_thread_stats){0};
}

static para_kernel_stats kernel_before(const para_page *before, const para_kernel_stats *row)
{
    for (unsigned k = 0; k < before->kernels; k++)
        if (before->kernel[k].site == row->site && strcmp(before->kernel[k].name, row->name) == 0 &&
            strcmp(before->kernel[k].place, row->place) == 0)
            return before->kernel[k];
    return (para_kernel_stats){0};
}

static void show_times(const char *what, const para_times *times)
{
    if (times->count)
        printf("%-12s p50 %.3f ms  p95 %.3f ms  p99 %.3f ms\n", what, (double)times->p50_ns / 1e6,
               (double)times->p95_ns / 1e6, (double)times->p99_ns / 1e6);
}

static void show_threads(const para_page *page, const para_page *before, double seconds)
{
    printf("%10s %8s %8s %8s %12s %12s %12s  %s\n", "tid", "busy", "asleep", "joining", "chunks/s",
           "stolen/s", "tasks/s", "thread");
    for (unsigned t = 0; t < page->threads; t++) {
        const para_thread_stats *const row = &page->thread[t];
        const para_thread_stats was = thread_before(before, row);
        printf("%10jd %7.1f%% %7.1f%% %7.1f%% %12.1f %12.1f %12.1f", (intmax_t)row->tid,
               per_second(row->busy_ns, was.busy_ns, seconds) / 1e7,
               per_second(row->parked_ns, was.parked_ns, seconds) / 1e7,
               per_second(row->joined_ns, was.joined_ns, seconds) / 1e7,
               per_second(row->chunks, was.chunks, seconds),
               per_second(row->stolen, was.stolen, seconds),
               per_second(row->tasks, was.tasks, seconds));
        say_clean("  %s\n", row->name);
    }
}

static void show_kernels(const para_page *page, const para_page *before, double seconds)
{
    printf("%12s %12s %12s %12s  %s\n", "calls/s", "shared/s", "busy", "off", "kernel");
    for (unsigned k = 0; k < page->kernels; k++) {
        const para_kernel_stats *const row = &page->kernel[k];
        const para_kernel_stats was = kernel_before(before, row);
        char off[32] = "-";
        if (row->predicted_ns)
            snprintf(off, sizeof off, "x %.2f",
                     (double)row->measured_ns / (double)row->predicted_ns);
        printf("%12.1f %12.1f %11.1f%% %12s", per_second(row->calls, was.calls, seconds),
               per_second(row->shared, was.shared, seconds),
               per_second(row->time_ns, was.time_ns, seconds) / 1e7, off);
        say_clean("  %s", row->name);
        say_clean(" (%s)\n", row->place);
    }
}

/* Rates since the page before; of a zero one: since publishing began. */
static void show_page(const para_page *page, const para_page *before)
{
    const para_stats *const s = &page->stats;
    const uint64_t since_ns = before->number ? before->written_ns : page->started_ns;
    const double seconds =
        page->written_ns > since_ns ? (double)(page->written_ns - since_ns) / 1e9 : 0;
    const uint64_t over = s->begun + s->dropped;
    say_clean("%s", page->program);
    printf(" (%jd): the last %.1f s, up for %.0f s; %.2f threads busy, %.1f calls/s, %.1f tasks/s, "
           "%ju queued",
           (intmax_t)page->pid, seconds, (double)(page->written_ns - page->started_ns) / 1e9,
           per_second(s->busy_ns, before->stats.busy_ns, seconds) / 1e9,
           per_second(s->calls, before->stats.calls, seconds),
           per_second(s->begun, before->stats.begun, seconds),
           (uintmax_t)(s->submitted > over ? s->submitted - over : 0));
    const uint64_t age = age_ns(page);
    if (age >= (uint64_t)OLD_MS * 1000000)
        printf("; the page is %.1f s old", (double)age / 1e9);
    putchar('\n');
    show_threads(page, before, seconds);
    if (page->kernels)
        show_kernels(page, before, seconds);
    show_times("tasks waited", &s->waits);
    show_times("tasks ran", &s->runs);
}

/* ---- JSON ---------------------------------------------------------------------------- */

static void say_number(const char *name, uint64_t number)
{
    printf(", \"%s\": %ju", name, (uintmax_t)number);
}

static void say_times_json(const char *name, const para_times *times)
{
    printf(", \"%s\": {\"count\": %ju", name, (uintmax_t)times->count);
    say_number("sum_ns", times->sum_ns);
    say_number("p50_ns", times->p50_ns);
    say_number("p95_ns", times->p95_ns);
    say_number("p99_ns", times->p99_ns);
    putchar('}');
}

static void say_thread_json(const para_thread_stats *row)
{
    printf("{\"name\": ");
    para__say_json_string(row->name);
    printf(", \"tid\": %jd", (intmax_t)row->tid);
    say_number("calls", row->calls);
    say_number("chunks", row->chunks);
    say_number("claims", row->claims);
    say_number("stolen", row->stolen);
    say_number("parks", row->parks);
    say_number("wakes", row->wakes);
    say_number("tasks", row->tasks);
    say_number("busy_ns", row->busy_ns);
    say_number("parked_ns", row->parked_ns);
    say_number("joined_ns", row->joined_ns);
    putchar('}');
}

static void say_kernel_json(const para_kernel_stats *row)
{
    printf("{\"name\": ");
    para__say_json_string(row->name);
    printf(", \"place\": ");
    para__say_json_string(row->place);
    say_number("site", row->site);
    say_number("calls", row->calls);
    say_number("shared", row->shared);
    say_number("elements", row->elements);
    say_number("time_ns", row->time_ns);
    say_number("predicted_ns", row->predicted_ns);
    say_number("measured_ns", row->measured_ns);
    putchar('}');
}

static void say_page_json(const para_page *page)
{
    const para_stats *const s = &page->stats;
    printf("{\"program\": ");
    para__say_json_string(page->program);
    printf(", \"pid\": %jd", (intmax_t)page->pid);
    say_number("page", page->number);
    say_number("ns", page->written_ns - page->started_ns);
    say_number("age_ns", age_ns(page));
    say_number("calls", s->calls);
    say_number("chunks", s->chunks);
    say_number("busy_ns", s->busy_ns);
    say_number("submitted", s->submitted);
    say_number("begun", s->begun);
    say_number("dropped", s->dropped);
    say_times_json("waits", &s->waits);
    say_times_json("runs", &s->runs);
    printf(", \"threads\": [");
    for (unsigned t = 0; t < page->threads; t++) {
        fputs(t ? ", " : "", stdout);
        say_thread_json(&page->thread[t]);
    }
    printf("], \"kernels\": [");
    for (unsigned k = 0; k < page->kernels; k++) {
        fputs(k ? ", " : "", stdout);
        say_kernel_json(&page->kernel[k]);
    }
    puts("]}");
}

/* ---- The command --------------------------------------------------------------------- */

/* Until the program ends, or a signal ends this. */
static int refresh(const source *of, para_page *page, para_page *before)
{
    para_status status = PARA_OK;
    memset(before, 0, sizeof *before);
    while (!status) {
        fputs("\033[H\033[2J", stdout); /* from the upper left corner of an empty screen */
        show_page(page, before);
        if (fflush(stdout) != 0)
            return PARA__EXIT_FAILED;
        *before = *page;
        pause_ms(REFRESH_MS);
        status = read_source(of, page);
    }
    return para__say_status(status);
}

static int show_top(const para__request *request, para_page pages[2])
{
    const source of = source_of(request->operands[0]);
    const para_status status = await_source(&of, &pages[0]);
    if (status)
        return para__say_status(status);
    if (request->json)
        say_page_json(&pages[0]);
    else if (isatty(STDOUT_FILENO))
        return refresh(&of, &pages[0], &pages[1]);
    else
        show_page(&pages[0], &pages[1]);
    return PARA__EXIT_OK;
}

int para__command_top(const para__request *request)
{
    if (request->operand_count == 0)
        return para__say_usage(request->command, "which process, or which page?");
    if (request->operand_count > 1)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[1]);
    para_page *const pages = calloc(2, sizeof *pages);
    const int status = pages ? show_top(request, pages) : para__say_failed("out of memory");
    free(pages);
    return status;
}
