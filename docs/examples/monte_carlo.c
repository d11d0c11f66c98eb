/* No arrays at all: pi by throwing points at a square. The body makes point i from its number, so
 * the estimate is the same however many workers throw.
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

PARA_SUM(hits_of, uint64_t, i, uint64_t, seed)
{
    return (uint64_t)inside(seed, i);
}

int main(void)
{
    const uint64_t seed = 42;
    const uint64_t hits = para_reduced(hits_of, n, seed);

    uint64_t expected = 0;
    for (uint64_t i = 0; i < n; i++)
        expected += (uint64_t)inside(seed, i);
    const double pi = 4.0 * (double)hits / n;
    printf("pi is about %.5f after %d points\n", pi, n);
    return hits == expected && fabs(pi - 3.14159265) < 0.01 ? 0 : 1;
}
