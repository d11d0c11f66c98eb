/* What a call did, and why: options on the way in, a report on the way out. Options change how fast
 * a call is, never what it computes. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static double x[n], y[n];

PARA_MAP_KERNEL(polynomial, double, double, v, ((v * 3 - 2) * v + 1) * v - 4)

static int run(const char *what, size_t count, para_options options, para_report *report)
{
    const para_map call = {
        .kernel = polynomial,
        .count = count,
        .in = {PARA_IN(x)},
        .out = {PARA_OUT(y)},
        .options = options,
        .report = report,
    };
    const para_status status = para_pmap(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "report: %s %s\n", para_status_text(status), para_status_detail());
        return 0;
    }
    printf("%-16s %2u of %2u workers, %4zu chunks of at most %7zu, %8.1f us  %s\n", what,
           report->workers, report->width, report->chunks, report->chunk,
           (double)report->time_ns / 1000, para_why_text(report->why));
    for (size_t i = 0; i < count; i++)
        if (y[i] != ((x[i] * 3 - 2) * x[i] + 1) * x[i] - 4)
            return 0;
    return 1;
}

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i * 1e-6;

    para_report r;
    if (!run("automatic", n, (para_options){0}, &r))
        return 1;
    if (!run("ten elements", 10, (para_options){0}, &r))
        return 1;
    if (!run("no elements", 0, (para_options){0}, &r) || r.why != PARA_WHY_EMPTY || r.chunks != 0)
        return 1;
    if (!run("serial", n, (para_options){.executor = PARA_EXECUTOR_SERIAL}, &r) || r.workers != 1)
        return 1;
    if (!run("one worker", n, (para_options){.workers = 1}, &r) || r.workers != 1)
        return 1;
    if (!run("chunks of 10000", n, (para_options){.chunk = 10000}, &r) || r.chunk != 10000 ||
        r.chunks != n / 10000)
        return 1;
    return 0;
}
