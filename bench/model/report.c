/* The tables of docs/performance.md: a large machine, and the one that the figures are checked on.
 */
#include "scenario.h"

#include <stdio.h>

typedef struct column {
    const char *name;
    runtime runtime;
    lines lines;
} column;

static const column columns[] = {
    {"para", RUNTIME_PARA, LINES_GROUPED},
    {"para, one group", RUNTIME_PARA, LINES_FLAT},
    {"para, a group each", RUNTIME_PARA, LINES_EACH},
    {"counting barrier", RUNTIME_BARRIER, LINES_GROUPED},
    {"tree barrier", RUNTIME_TREE, LINES_GROUPED},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const double works_ns[] = {1e3, 1e4, 1e5, 1e6, 1e7};
static const double small_ns[] = {637, 1581, 3156, 15800, 159000};

static void head(const char *first, unsigned count)
{
    printf("| %s |", first);
    for (unsigned c = 0; c < count; c++)
        printf(" %s |", columns[c].name);
    printf("\n|---|");
    for (unsigned c = 0; c < count; c++)
        printf("---|");
    printf("\n");
}

/* A row of times, or of efficiencies: serial time over time and cores. */
static void row(const char *name, scenario s, bool efficiency)
{
    printf("| %s |", name);
    for (unsigned c = 0; c < COLUMNS; c++) {
        s.runtime = columns[c].runtime;
        s.lines = columns[c].lines;
        const outcome o = scenario_run(&s);
        if (!o.exact)
            printf(" WRONG |");
        else if (efficiency)
            printf(" %.1f us, %.1f %% |", o.mean_ns / 1000,
                   100 * s.work_ns / o.mean_ns / s.on.cores);
        else
            printf(" %.2f us |", o.mean_ns / 1000);
        fflush(stdout);
    }
    printf("\n");
}

static void large(scenario s, bool preempted)
{
    char name[32];
    s.preempted = preempted;
    s.calls = preempted ? 3 : 8;
    printf("\n%u cores in %u domains and %u sockets%s. A call's mean time, and efficiency:\n\n",
           s.on.cores, s.on.domains, s.on.sockets,
           preempted ? ", one of them away for 3 ms from each call's begin" : "");
    head("work", COLUMNS);
    scenario empty = s;
    empty.forced = true;
    empty.work_ns = 0;
    empty.units = s.on.cores;
    row("none, shared by all", empty, false);
    for (unsigned i = 0; i < sizeof works_ns / sizeof works_ns[0]; i++) {
        s.work_ns = works_ns[i];
        snprintf(name, sizeof name, "%g us", works_ns[i] / 1000);
        row(name, s, true);
    }
}

static void small(scenario s)
{
    s.on.cores = 2;
    s.on.domains = s.on.sockets = 1;
    s.on.near_ns = 150; /* half of what a line takes there and back */
    s.on.wake_ns = 35000;
    s.on.wake_cost_ns = 2000;
    s.units = 1000;
    s.warm_calls = s.calls = 40;
    printf("\n2 virtual CPUs, a word's way %g ns. A call's mean time in ns:\n\n", s.on.near_ns);
    printf("| work | para | counting barrier | tree barrier |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < sizeof small_ns / sizeof small_ns[0]; i++) {
        s.work_ns = small_ns[i];
        printf("| %.0f |", s.work_ns);
        for (s.runtime = RUNTIME_PARA; s.runtime <= RUNTIME_TREE; s.runtime++)
            printf(" %.0f |", scenario_run(&s).mean_ns);
        printf("\n");
    }
}

void report(const scenario *s)
{
    scenario each = *s;
    each.units = 100 * (size_t)each.on.cores;
    large(each, false);
    large(each, true);
    small(each);
}
