/* When things go wrong: a kernel that stops the call, and calls that para refuses. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000, bad = 654321, negative = 7 };
static double x[n], y[n];

/* Any value but 0 stops the call; what it means is up to the program. */
static int root(const para_chunk *chunk, const void *arg)
{
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        if (in[i] < 0)
            return negative;
        out[i] = sqrt(in[i]);
    }
    return 0;
}

/* One call that must be refused. Its outputs are untouched. */
static int refused(para_map call, para_status expected)
{
    const para_status status = para_pmap(NULL, &call);
    printf("%-22s %s\n", para_status_name(status), para_status_text(status));
    return status == expected;
}

int main(void)
{
    for (int i = 0; i < n; i++)
        x[i] = i;
    x[bad] = -1;
    x[n - 1] = -1; /* the lowest failing chunk is the one that is reported */

    para_report report;
    const para_map call = {
        .kernel = root, .count = n, .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}, .report = &report};
    const para_status status = para_pmap(NULL, &call);
    printf("%s: the kernel returned %d for elements %zu to %zu\n", para_status_name(status),
           report.kernel_error, report.failed_first, report.failed_first + report.failed_count - 1);
    if (status != PARA_ERR_KERNEL || report.kernel_error != negative || report.failed_first > bad ||
        report.failed_first + report.failed_count <= bad)
        return 1;
    for (size_t i = 0; i < report.failed_first; i++) /* all before that chunk has been done */
        if (y[i] != sqrt(x[i]))
            return 1;

    /* The pool is as good as before. */
    x[bad] = x[n - 1] = 4;
    if (para_pmap(NULL, &call) != PARA_OK || y[bad] != 2)
        return 1;

    para_map no_kernel = call, no_size = call, shifted = call, huge = call;
    no_kernel.kernel = NULL;
    no_size.in[0].element_bytes = 0;
    shifted.out[0].data = x + 1;
    shifted.count = n - 1;
    huge.count = (size_t)-1;
    const int good = refused(no_kernel, PARA_ERR_NULL_KERNEL) &&
                     refused(no_size, PARA_ERR_ELEMENT_SIZE) &&
                     refused(shifted, PARA_ERR_OVERLAP) && refused(huge, PARA_ERR_OVERFLOW);
    return good ? 0 : 1;
}
