/* One experiment: calls of one loop on a simulated machine. */
#ifndef MODEL_SCENARIO_H
#define MODEL_SCENARIO_H

#include "machine.h"

/* Groups of workers. A group has one line that announces a call, and one that tells the caller that
 * it has finished; of its own group the caller looks at each worker. It sends one scout at a time
 * to other groups' slices, and within it each goes to each. So LINES_FLAT is flat at the begin, in
 * between and at the join. */
typedef enum lines {
    LINES_GROUPED, /* of up to 16 neighbours of a domain, as the engine has them */
    LINES_FLAT,    /* one of all workers */
    LINES_EACH     /* one for each */
} lines;

typedef enum runtime {
    RUNTIME_PARA,
    RUNTIME_BARRIER, /* counts all threads at the loop's begin and its end, as libgomp does */
    RUNTIME_TREE     /* spreads and gathers along a tree of four branches, as libomp does */
} runtime;

typedef enum pattern {
    PATTERN_EVEN,
    PATTERN_TRIANGULAR,
    PATTERN_LOGNORMAL,
    PATTERN_LAST, /* all the work in the last percent of units */
    PATTERN_DEAR  /* one percent of units a thousand times dearer */
} pattern;

typedef struct scenario {
    model_machine on;
    double work_ns; /* of a call */
    size_t units;
    pattern pattern;
    runtime runtime;
    lines lines;
    bool forced;       /* shared among all, however small the call */
    bool asleep;       /* between calls all helpers go to sleep */
    unsigned saturate; /* so many cores at work have all of the memory's bandwidth; 0: no limit */
    double price_ns;   /* of a kernel call, however short */
    double
        contended; /* units cost so many times more while several cores are at work; 0: no more */
    unsigned preempted; /* cores that are taken away for 3 ms at each call's begin */
    unsigned warm_calls, calls;
} scenario;

typedef struct outcome {
    double mean_ns, least_ns, most_ns; /* a call */
    /* After a call's begin, means: the caller's first chunk, the last core's first chunk, the end
     * of the last chunk. The rest of the call is its join. */
    double publish_ns, spread_ns, work_ns;
    double beyond; /* share of units that were run in another socket than their slice's owner's */
    double width, workers; /* invited, and of use; means */
    double transfers;      /* lines that changed place, a call */
    double round_trip_ns, per_helper_ns, far_ns,
        wake_ns;     /* what the pool measured of the machine */
    const char *why; /* the last call ran so */
    bool exact;      /* each call ran each unit once */
    uint64_t events;
} outcome;

outcome scenario_run(const scenario *s);

/* The costs of units by that pattern, as sums: prefix[i] of the first i, units + 1 of them. */
void scenario_costs(const scenario *s, double *prefix);

/* Predictions beside what bench/run.py has measured, for a machine of two cores. 0, or 1 for a file
 * that cannot be used. */
int validate(const char *path, const scenario *s, double round_trip_ns);

/* The tables of docs/performance.md. */
void report(const scenario *s);

#endif
