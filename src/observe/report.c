/* PARA_REPORT=1: what each kernel's calls have taken, on standard error when the process ends.
 *
 * Nothing is counted unless it is asked for. Then each call that has run is added to its kernel's
 * entry, under one mutex. Entries are told apart by address and .options.site, whatever the pool;
 * and by name, where a library that was unloaded has left its addresses to another. A child of a
 * fork begins with nothing. */
#include "base/clock.h"
#include "base/fork.h"
#include "base/fpenv.h"
#include "base/process.h"
#include "base/symbol.h"
#include "base/tell.h"
#include "base/variable.h"
#include "pool/sites.h"
#include "schedule/observer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REPORTS = 256, WHYS = PARA_WHY_TOGETHER + 1 };

typedef struct reported {
    struct reported *next; /* in its bucket */
    uintptr_t kernel;
    uint64_t loop;    /* .options.site */
    uint64_t unloads; /* when its name was last looked up */
    bool is_gone;     /* its address means another kernel now */
    para__symbol symbol;
    uint64_t calls, shared, workers; /* workers: the sum over shared calls */
    uint64_t time_ns;
    double alone_ns;         /* what the serial loop would have taken, but for */
    double unknown_elements; /* those of shared calls when that was not known */
    double element_ns;       /* the last that is known; 0: nothing */
    uint64_t why[WHYS];
} reported;

static para__guard counting = PARA__GUARD_INIT;
static reported *reports[REPORTS]; /* all under the mutex */
static uint64_t lost;              /* calls without memory for their entry */
static unsigned forks;             /* of which process the entries are */

/* ---- Counting ------------------------------------------------------------------------- */

/* Forgets what a parent has counted; its entries stay. */
static void begin_child(void)
{
    if (forks == para__fork_count())
        return;
    forks = para__fork_count();
    lost = 0;
    for (unsigned b = 0; b < REPORTS; b++)
        for (reported *r = reports[b]; r; r = r->next) {
            r->calls = r->shared = r->workers = r->time_ns = 0;
            r->alone_ns = r->unknown_elements = 0;
            memset(r->why, 0, sizeof r->why);
        }
}

/* Whether the entry is still that of its address: a library may have been unloaded since. */
static bool is_still(reported *r, uint64_t unloads)
{
    if (r->unloads == unloads)
        return true;
    para__symbol now;
    para__symbol_find(r->kernel, &now);
    r->unloads = unloads;
    r->is_gone = strcmp(now.name, r->symbol.name) != 0 || strcmp(now.place, r->symbol.place) != 0;
    return !r->is_gone;
}

/* The kernel's entry; NULL without memory for it. */
static reported *entry_of(uintptr_t kernel, uint64_t loop)
{
    const uint64_t unloads = para__symbol_unloads();
    reported **const bucket = &reports[(kernel >> 4 ^ loop) % REPORTS];
    for (reported *r = *bucket; r; r = r->next)
        if (r->kernel == kernel && r->loop == loop && !r->is_gone && is_still(r, unloads))
            return r;
    reported *const made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->kernel = kernel;
    made->loop = loop;
    made->unloads = unloads;
    para__symbol_find(kernel, &made->symbol);
    made->next = *bucket;
    *bucket = made;
    return made;
}

/* What an element of the call costs alone, as far as that was learnt; 0: it was not. */
static double alone_element_ns(const para__schedule *s)
{
    const para__estimate e = para__site_read(s->site);
    return e.alone > 0 ? para__estimate_cost(e, PARA__ALONE) : 0;
}

static void add_call(reported *r, const para__schedule *s, const para__outcome *outcome)
{
    const bool is_shared = s->plan.width > 1;
    r->calls++;
    r->time_ns += outcome->time_ns;
    r->why[s->plan.why]++;
    if (!is_shared) {
        r->alone_ns += (double)outcome->time_ns;
        return;
    }
    r->shared++;
    r->workers += outcome->workers;
    const double element_ns = alone_element_ns(s);
    if (element_ns > 0) {
        r->element_ns = element_ns;
        r->alone_ns += element_ns * (double)s->count;
    } else
        r->unknown_elements += (double)s->count;
}

static void count_call(const para__schedule *s, const para__outcome *outcome)
{
    const para__fp fp = para__fp_save();
    const int saved = errno;
    para__guard_enter(&counting);
    begin_child();
    reported *const r = entry_of(s->kernel, s->options->site);
    if (r)
        add_call(r, s, outcome);
    else
        lost++;
    para__guard_leave(&counting);
    errno = saved;
    para__fp_restore(fp, 0);
}

__attribute__((constructor(101))) static void begin_report(void)
{
    const char *const value = para__variable("PARA_REPORT");
    if (!value || strcmp(value, "0") == 0)
        return;
    if (strcmp(value, "1") != 0) {
        para__tell("PARA_REPORT=%.80s: expected 1 or 0; ignored", value);
        return;
    }
    para__fork_handle(PARA__FORK_REPORT, &counting, NULL);
    forks = para__fork_count();
    para__observe = count_call;
    para__or_relaxed(&para__watched, PARA__WATCH_REPORT); /* no order: see observer.h */
}

/* ---- Printing ------------------------------------------------------------------------- */

static int compare_reported(const void *a, const void *b)
{
    const reported *const *x = a, *const *y = b;
    return ((*x)->time_ns < (*y)->time_ns) - ((*x)->time_ns > (*y)->time_ns);
}

static void print_reported(const reported *r, FILE *to)
{
    unsigned most = 0;
    char alone[32] = "unknown", loop[32] = "";
    for (unsigned w = 1; w < WHYS; w++)
        most = r->why[w] > r->why[most] ? w : most;
    if (r->unknown_elements == 0 || r->element_ns > 0)
        snprintf(alone, sizeof alone, "%.3f",
                 (r->alone_ns + r->unknown_elements * r->element_ns) / 1e6);
    if (r->loop)
        snprintf(loop, sizeof loop, " site 0x%jx", (uintmax_t)r->loop);
    fprintf(to, "%10ju %10ju %10ju %8.1f %12.3f %12s  %s (%s)%s: %s\n", (uintmax_t)r->calls,
            (uintmax_t)(r->calls - r->shared), (uintmax_t)r->shared,
            r->shared ? (double)r->workers / (double)r->shared : 1, (double)r->time_ns / 1e6, alone,
            r->symbol.name, r->symbol.place, loop, para_why_text((para_why)most));
}

static void print_all(FILE *to)
{
    size_t count = 0, n = 0;
    for (unsigned b = 0; b < REPORTS; b++)
        for (const reported *r = reports[b]; r; r = r->next)
            count += r->calls > 0;
    const reported **const list = count ? calloc(count, sizeof *list) : NULL;
    if (!list && !lost)
        return;
    for (unsigned b = 0; b < REPORTS && list; b++)
        for (const reported *r = reports[b]; r; r = r->next)
            if (r->calls > 0)
                list[n++] = r;
    if (n)
        qsort(list, n, sizeof *list, compare_reported);
    fprintf(to,
            "para: report of process %ld, kernels by the time of their calls\n"
            "%10s %10s %10s %8s %12s %12s  kernel: most frequent reason\n",
            (long)getpid(), "calls", "serial", "shared", "workers", "ms", "ms if serial");
    for (size_t i = 0; i < n; i++)
        print_reported(list[i], to);
    if (lost)
        fprintf(to, "%10ju calls were not counted: no memory\n", (uintmax_t)lost);
    free(list);
}

/* At the end of the process, in one piece. Not through stderr, which a program may have closed. */
__attribute__((destructor)) static void print_report(void)
{
    char *text = NULL;
    size_t bytes = 0;
    if (!para__observe)
        return;
    FILE *const to = open_memstream(&text, &bytes);
    if (!to)
        return;
    para__guard_enter(&counting);
    begin_child();
    print_all(to);
    para__guard_leave(&counting);
    if (fclose(to) == 0)
        for (size_t done = 0; done < bytes;) {
            const ssize_t n = write(STDERR_FILENO, text + done, bytes - done);
            if (n <= 0 && errno != EINTR)
                break;
            done += n > 0 ? (size_t)n : 0;
        }
    free(text);
}
