/* Caches as the processor itself describes them, for machines where the kernel's files do not: many
 * virtual machines have no /sys/devices/system/cpu/cpu0/cache. */
#include "topology/locations.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* Intel's leaf 4 and AMD's leaf 0x8000001d have one form: a cache for each subleaf, until one
 * of type 0. (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, E.4.16.) */
static void read_leaf(unsigned leaf, size_t bytes[3])
{
    enum { NONE = 0, INSTRUCTIONS = 2, SUBLEAVES_MOST = 16 };
    for (unsigned subleaf = 0; subleaf < SUBLEAVES_MOST; subleaf++) {
        unsigned a;
        unsigned b;
        unsigned c;
        unsigned d;
        if (!__get_cpuid_count(leaf, subleaf, &a, &b, &c, &d) || (a & 31) == NONE)
            return;
        const unsigned level = a >> 5 & 7;
        const size_t ways = (b >> 22) + 1;
        const size_t partitions = (b >> 12 & 1023) + 1;
        const size_t line = (b & 4095) + 1;
        if ((a & 31) != INSTRUCTIONS && level >= 1 && level <= 3)
            bytes[level - 1] = ways * partitions * line * ((size_t)c + 1);
    }
}

void para__caches_from_processor(size_t bytes[3])
{
    read_leaf(4, bytes);
    if (bytes[0] == 0)
        read_leaf(0x8000001d, bytes);
}
#else
/* Arm's registers of this kind are not for programs. */
void para__caches_from_processor(size_t bytes[3])
{
    (void)bytes;
}
#endif
