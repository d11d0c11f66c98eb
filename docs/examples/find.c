/* The first value that is not a number: the search stops when nobody can find an earlier one. */
#include <math.h>
#include <para/para.h>
#include <stdio.h>

enum { n = 5000000 };
static double x[n];

PARA_FIND_KERNEL(is_nan, double, v, v != v)

int main(void)
{
    size_t at;
    const para_find call = {.kernel = is_nan, .count = n, .in = {PARA_IN(x)}, .found = &at};
    if (para_pfind(NULL, &call))
        return 1;
    if (at != n) /* there is none yet */
        return 1;
    x[n / 3] = NAN;
    x[n - 1] = NAN;
    if (para_pfind(NULL, &call))
        return 1;
    printf("element %zu of %d is not a number\n", at, (int)n);
    return at != n / 3;
}
