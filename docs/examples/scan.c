/* Running totals: where each of many pieces begins in one array that holds them all (an exclusive
 * scan of their lengths), and a balance after each payment (an inclusive one). */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static unsigned length[n];
static size_t begin[n];
static double paid[n], balance[n];

PARA_SCAN_EXCLUSIVE_KERNEL(offsets, size_t, acc, unsigned, v, acc += v)
PARA_COMBINE(add_sizes, size_t, s, t, s += t)

PARA_SCAN_KERNEL(balances, double, acc, double, v, acc += v)
PARA_COMBINE(add, double, s, t, s += t)

static para_status scan_balances(para_options options, double *total)
{
    *total = 100; /* what to start from */
    return para_pscan(NULL, &(para_scan){.kernel = balances,
                                         .combine = add,
                                         .count = n,
                                         .in = {PARA_IN(paid)},
                                         .out = {PARA_OUT(balance)},
                                         .result = total,
                                         .result_bytes = sizeof *total,
                                         .options = options});
}

int main(void)
{
    for (unsigned i = 0; i < n; i++) {
        length[i] = i * 7 % 13;
        paid[i] = (i % 100 - 49.5) / 3;
    }

    size_t all = 0;
    const para_scan lengths = {.kernel = offsets,
                               .combine = add_sizes,
                               .count = n,
                               .in = {PARA_IN(length)},
                               .out = {PARA_OUT(begin)},
                               .result = &all,
                               .result_bytes = sizeof all};
    double total, alone;
    if (para_pscan(NULL, &lengths) || scan_balances((para_options){0}, &total) ||
        scan_balances((para_options){.executor = PARA_EXECUTOR_SERIAL}, &alone)) {
        fprintf(stderr, "scan: a call failed\n");
        return 1;
    }
    printf("%zu characters; the last piece begins at %zu\n", all, begin[n - 1]);
    printf("a balance of %.2f in the end\n", total);

    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        if (begin[i] != sum) {
            fprintf(stderr, "scan: piece %d begins at %zu, not at %zu\n", i, sum, begin[i]);
            return 1;
        }
        sum += length[i];
    }
    return sum != all || total != alone || balance[n - 1] - total > 1e-6;
}
