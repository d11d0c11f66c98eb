/* A program that is slower than it should be, and how it tells why: docs/sight.md finds the fault
 * in a report, in a trace and in metrics, and this program finds it in its own statistics. */
#include <para/para.h>
#include <stdio.h>
#include <string.h>

enum { n = 1000000, steps = 20 };
static double heat[n], next[n], change[n];

PARA_LOOP(blur, i, const double *, from, double *, to)
{
    const double left = from[i ? i - 1 : i], right = from[i + 1 < n ? i + 1 : i];
    to[i] = 0.25 * left + 0.5 * from[i] + 0.25 * right;
}

PARA_LOOP(compare, i, const double *, before, const double *, after, double *, d)
{
    d[i] = after[i] - before[i];
}

/* The fault: somebody has looked for an error in blur, and has left it serial. */
static const para_setup for_blur = {.options = {.executor = PARA_EXECUTOR_SERIAL}};

static para_status step(void)
{
    para_status status = para_loop_with(&for_blur, blur, n, heat, next);
    if (!status)
        status = para_loop(compare, n, heat, next, change);
    if (!status)
        memcpy(heat, next, sizeof heat);
    return status;
}

int main(void)
{
    para_status status = para_stats_start();
    if (status == PARA_ERR_BUSY) /* PARA_METRICS has started them */
        status = PARA_OK;
    heat[n / 2] = 1;
    for (int i = 0; i < steps && !status; i++)
        status = step();

    para_stats all = {.size = sizeof all};
    para_kernel_stats slowest = {.size = sizeof slowest};
    int found = 0;
    if (!status)
        status = para_stats_get(&all);
    for (unsigned k = 0; k < all.kernels && !status && !found; k++) {
        status = para_stats_get_kernel(k, &slowest);
        found = !status && slowest.shared == 0 && slowest.calls > 1;
    }
    if (status || !found) {
        fprintf(stderr, "slow: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    printf("%s (%s): %u calls, none of them shared, %.1f ms of %.1f ms of work\n", slowest.name,
           slowest.place, (unsigned)slowest.calls, (double)slowest.time_ns / 1e6,
           (double)all.busy_ns / 1e6);
    return strcmp(slowest.name, "blur") != 0 || slowest.calls != steps;
}
