/* Predictions for two cores beside what bench/run.py has measured on them.
 *
 * Of each measurement the model is told the serial time alone, and of the machine how long an empty
 * call takes there and back, to which it fits a word's way. */
#include "scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct known {
    const char *workload, *point;
    size_t units;
    pattern pattern;
} known;

/* Those of the suite's points that the model has a pattern for. */
static const known points[] = {
    {"fixed", "20", 20, PATTERN_EVEN},
    {"fixed", "50", 50, PATTERN_EVEN},
    {"fixed", "100", 100, PATTERN_EVEN},
    {"fixed", "200", 200, PATTERN_EVEN},
    {"fixed", "300", 300, PATTERN_EVEN},
    {"fixed", "400", 400, PATTERN_EVEN},
    {"fixed", "1000", 1000, PATTERN_EVEN},
    {"fixed", "2000", 2000, PATTERN_EVEN},
    {"fixed", "10000", 10000, PATTERN_EVEN},
    {"fixed", "100000", 100000, PATTERN_EVEN},
    {"fixed", "300000", 300000, PATTERN_EVEN},
    {"irregular", "triangular", 1000, PATTERN_TRIANGULAR},
    {"irregular", "triangular-small", 250, PATTERN_TRIANGULAR},
    {"irregular", "lognormal", 10000, PATTERN_LOGNORMAL},
    {"irregular", "lognormal-small", 500, PATTERN_LOGNORMAL},
    {"irregular", "last-percent", 50000, PATTERN_LAST},
    {"irregular", "last-percent-small", 5000, PATTERN_LAST},
    {"irregular", "dear-percent", 50000, PATTERN_DEAR},
    {"irregular", "dear-percent-small", 3000, PATTERN_DEAR},
};

static const struct {
    const char *name;
    runtime runtime;
} twins[] = {{"para", RUNTIME_PARA}, {"gomp-static", RUNTIME_BARRIER}, {"libomp", RUNTIME_TREE}};
enum { POINTS = sizeof points / sizeof points[0], TWINS = sizeof twins / sizeof twins[0] };

/* What stands behind "key": in the object that begins at json, which Python's json.dump wrote; NULL
 * if the object has no such key. */
static const char *member_of(const char *json, const char *key)
{
    const size_t length = strlen(key);
    int depth = 0;
    for (const char *c = json; *c; c++) {
        if (*c == '{' || *c == '[')
            depth++;
        else if ((*c == '}' || *c == ']') && --depth == 0)
            return NULL;
        if (*c != '"')
            continue;
        const char *end = c + 1;
        while (*end && *end != '"')
            end += *end == '\\' && end[1] ? 2 : 1;
        if (!*end)
            return NULL;
        if (depth == 1 && end[1] == ':' && (size_t)(end - c - 1) == length &&
            !strncmp(c + 1, key, length))
            return end + 2 + strspn(end + 2, " \n");
        c = end;
    }
    return NULL;
}

/* The figure of a runtime at a point; negative if there is none. */
static double measured_ns(const char *json, const known *k, const char *name)
{
    char title[64];
    snprintf(title, sizeof title, "\"name\": \"%s\"", k->workload);
    const char *at = strstr(json, title);
    while (at > json && *at != '{')
        at--;
    at = at ? member_of(at, "points") : NULL;
    at = at ? member_of(at, k->point) : NULL;
    at = at ? member_of(at, name) : NULL;
    at = at ? member_of(at, "ns") : NULL;
    return at ? strtod(at, NULL) : -1;
}

static char *contents(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        const long bytes = ftell(file);
        text = bytes >= 0 ? calloc((size_t)bytes + 1, 1) : NULL;
        rewind(file);
        if (text && fread(text, 1, (size_t)bytes, file) != (size_t)bytes) {
            free(text);
            text = NULL;
        }
    }
    fclose(file);
    return text;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, ascending);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* A word's way on the machine where an empty call takes round_trip_ns. */
static double fit(scenario s, double round_trip_ns)
{
    s.forced = true;
    s.units = 2;
    s.work_ns = 0;
    for (int i = 0; i < 6; i++) {
        const double way = s.on.near_ns + (round_trip_ns - scenario_run(&s).round_trip_ns) / 2;
        s.on.near_ns = way < 2 ? 2 : way;
    }
    return s.on.near_ns;
}

int validate(const char *path, const scenario *given, double round_trip_ns)
{
    char *json = contents(path);
    if (!json) {
        fprintf(stderr, "para-model: %s: cannot be read\n", path);
        return 1;
    }
    scenario s = *given;
    s.on.cores = 2;
    s.on.domains = s.on.sockets = 1;
    s.on.wake_ns = 35000; /* of virtual machines, where an idle CPU is the hypervisor's */
    s.on.wake_cost_ns = 2000;
    s.on.near_ns = fit(s, round_trip_ns);
    s.warm_calls = 60;
    s.calls = 40;
    printf("One word's way: %.0f ns, fitted to %.0f ns for an empty call. In ns:\n\n", s.on.near_ns,
           round_trip_ns);
    printf("| point | serial |");
    for (unsigned r = 0; r < TWINS; r++)
        printf(" %s | model | error |", twins[r].name);
    printf("\n|---|---|%s\n", "---|---|---|---|---|---|---|---|---|");
    double errors[TWINS][POINTS];
    unsigned count[TWINS] = {0};
    for (unsigned i = 0; i < POINTS; i++) {
        s.work_ns = measured_ns(json, &points[i], "serial");
        if (s.work_ns <= 0)
            continue;
        s.units = points[i].units;
        s.pattern = points[i].pattern;
        printf("| %s/%s | %.0f |", points[i].workload, points[i].point, s.work_ns);
        for (unsigned r = 0; r < TWINS; r++) {
            const double ns = measured_ns(json, &points[i], twins[r].name);
            s.runtime = twins[r].runtime;
            if (ns <= 0) {
                printf(" | | |");
                continue;
            }
            const double model = scenario_run(&s).mean_ns;
            printf(" %.0f | %.0f | %+.1f %% |", ns, model, (model / ns - 1) * 100);
            errors[r][count[r]++] = fabs(model / ns - 1) * 100;
        }
        printf("\n");
        fflush(stdout);
    }
    free(json);
    unsigned all = 0;
    for (unsigned r = 0; r < TWINS; r++) {
        all += count[r];
        if (count[r])
            printf("\nMedian error, %s: %.1f %% of %u", twins[r].name, median(errors[r], count[r]),
                   count[r]);
    }
    printf("\n");
    if (all == 0)
        fprintf(stderr, "para-model: %s: no point that the model knows\n", path);
    return all == 0;
}
