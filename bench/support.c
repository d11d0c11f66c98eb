/* Memory, random numbers, and the list of workloads. */
#include "workload.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BLOCKS_MAX = 256 };
#define HUGE_BYTES ((size_t)1 << 21)

static struct {
    void *base;
    size_t bytes;
} blocks[BLOCKS_MAX];
static size_t block_count;

/* Arrays that begin at the same place within a page would hinder each other's loads and stores. */
void *bench_alloc(size_t bytes)
{
    const size_t stagger = 64 + 320 * (block_count % 8);
    const size_t total = bytes + 4096;
    char *base = MAP_FAILED;
    if (block_count < BLOCKS_MAX)
        base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        fprintf(stderr, "bench: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    if (bytes >= HUGE_BYTES)
        madvise(base, total, MADV_HUGEPAGE);
    blocks[block_count].base = base;
    blocks[block_count++].bytes = total;
    return base + stagger;
}

void bench_free_all(void)
{
    while (block_count > 0) {
        block_count--;
        munmap(blocks[block_count].base, blocks[block_count].bytes);
    }
}

/* Marsaglia's xorshift64* ("Xorshift RNGs", J. Stat. Software 8(14), 2003; Vigna, ACM TOMS 42(4),
 * 2016). */
double bench_uniform(uint64_t *state)
{
    uint64_t x = *state ? *state : 88172645463325252u;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return ((double)(x * 0x2545F4914F6CDD1Du >> 12) + 0.5) / 4503599627370496.0;
}

extern const bench_workload bench_fixed, bench_grid, bench_grid_cold, bench_stream, bench_sums,
    bench_irregular, bench_nested, bench_few_dear, bench_call_price, bench_contended, bench_callers,
    bench_hogs, bench_alternating, bench_idle, bench_memory, bench_nbody, bench_cg, bench_jacobi,
    bench_gauss_seidel, bench_lu, bench_black_scholes, bench_kmeans, bench_mandelbrot, bench_scan,
    bench_filter, bench_sort, bench_port_hotspot, bench_port_md, bench_port_kmeans, bench_port_nw,
    bench_port_cg, bench_port_equalise;

const bench_workload *const bench_workloads[] = {&bench_fixed,
                                                 &bench_grid,
                                                 &bench_grid_cold,
                                                 &bench_stream,
                                                 &bench_sums,
                                                 &bench_irregular,
                                                 &bench_nested,
                                                 &bench_few_dear,
                                                 &bench_call_price,
                                                 &bench_contended,
                                                 &bench_callers,
                                                 &bench_hogs,
                                                 &bench_alternating,
                                                 &bench_idle,
                                                 &bench_memory,
                                                 &bench_nbody,
                                                 &bench_cg,
                                                 &bench_jacobi,
                                                 &bench_gauss_seidel,
                                                 &bench_lu,
                                                 &bench_black_scholes,
                                                 &bench_kmeans,
                                                 &bench_mandelbrot,
                                                 &bench_scan,
                                                 &bench_filter,
                                                 &bench_sort,
                                                 &bench_port_hotspot,
                                                 &bench_port_md,
                                                 &bench_port_kmeans,
                                                 &bench_port_nw,
                                                 &bench_port_cg,
                                                 &bench_port_equalise,
                                                 NULL};
