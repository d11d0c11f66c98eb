/* No input at all: pi by throwing points at a square. The kernel makes element i from its number
 * alone, so the estimate is the same however many workers throw.
 *
 * The generator is SplitMix64 of G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014: draw i is a bit mixer applied to seed + i * gamma, so any draw
 * can be had without those before it. */
#include <math.h>
#include <para/para.h>
#include <stdint.h>
#include <stdio.h>

enum { n = 2000000 };

/* Draw number i, uniform in [0, 1). */
static double draw(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

static int inside(uint64_t seed, uint64_t point)
{
    const double x = draw(seed, 2 * point), y = draw(seed, 2 * point + 1);
    return x * x + y * y < 1;
}

static int throw_points(const para_chunk *chunk, void *acc, const void *arg)
{
    const uint64_t seed = *(const uint64_t *)arg;
    uint64_t hits = 0;
    for (size_t i = 0; i < chunk->count; i++)
        hits += (uint64_t)inside(seed, chunk->first + i); /* first: the chunk's place in the call */
    *(uint64_t *)acc += hits;
    return 0;
}
PARA_COMBINE(add, uint64_t, a, b, a += b)

int main(void)
{
    const uint64_t seed = 42;
    uint64_t hits = 0, expected = 0;
    const para_reduce call = {
        .kernel = throw_points,
        .combine = add,
        .arg = &seed,
        .count = n,
        .result = &hits,
        .result_bytes = sizeof hits,
    };
    const para_status status = para_preduce(NULL, &call);
    if (status != PARA_OK) {
        fprintf(stderr, "monte_carlo: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }

    for (uint64_t i = 0; i < n; i++)
        expected += (uint64_t)inside(seed, i);
    const double pi = 4.0 * (double)hits / n;
    printf("pi is about %.5f after %d points\n", pi, n);
    return hits == expected && fabs(pi - 3.14159265) < 0.01 ? 0 : 1;
}
