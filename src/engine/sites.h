/* What a pool remembers of its sites: a table of fixed size, without locks.
 *
 * An entry's key, estimate, width and inflation are words, each read and written whole, by any
 * thread, in no order. Two threads that write one entry at once may lose a sample, or leave a key
 * with the estimate of another site: an estimate may be wrong at any time, and a wrong one costs
 * little by design. */
#ifndef PARA_ENGINE_SITES_H
#define PARA_ENGINE_SITES_H

#include "base/atomic.h"
#include "plan/estimate.h"
#include "plan/width.h"

#include <stddef.h>

enum { PARA__SITES = 512, PARA__SITE_PROBES = 4 };

typedef struct para__site {
    _Atomic uint64_t key; /* 0: free. Kernel address << 6 | whole part of log2(count) */
    _Atomic uint64_t estimate;
    _Atomic uint64_t width;
    _Atomic uint32_t inflation; /* of the cost when shared, in 1/256; 0: not known, as if 256 */
} para__site;

typedef struct para__sites {
    para__site site[PARA__SITES];
} para__sites;

static inline uint64_t para__site_key(uintptr_t kernel, size_t count)
{
    return (uint64_t)kernel << 6 | (63u - (unsigned)__builtin_clzll((unsigned long long)count));
}

/* The entry of that key: an existing one, else a free one, else another's, which is given up. Never
 * NULL. */
static inline para__site *para__site_find(para__sites *sites, uint64_t key)
{
    const uint64_t hash = key * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: Knuth, TAOCP 6.4 */
    const unsigned home = (unsigned)(hash >> 55);
    _Static_assert(PARA__SITES == 1 << (64 - 55), "the hash covers the table");
    para__site *free_site = NULL;
    for (unsigned i = 0; i < PARA__SITE_PROBES; i++) {
        para__site *site = &sites->site[(home + i) % PARA__SITES];
        const uint64_t found = para__load_relaxed(&site->key); /* no order: see above */
        if (found == key)
            return site;
        if (found == 0 && !free_site)
            free_site = site;
    }
    para__site *taken = free_site ? free_site : &sites->site[home];
    para__store_relaxed(&taken->estimate, 0); /* no order: see above */
    para__store_relaxed(&taken->width, 0);
    para__store_relaxed(&taken->inflation, 0);
    para__store_relaxed(&taken->key, key);
    return taken;
}

static inline para__estimate para__site_read(para__site *site)
{
    return para__estimate_unpack(para__load_relaxed(&site->estimate)); /* no order: see above */
}

static inline void para__site_record(para__site *site, double elements, double ns, double spread)
{
    const para__estimate next = para__estimate_add(para__site_read(site), elements, ns, spread);
    para__store_relaxed(&site->estimate, para__estimate_pack(next)); /* no order: see above */
}

static inline para__width para__site_width(para__site *site)
{
    return para__width_unpack(para__load_relaxed(&site->width)); /* no order: see above */
}

static inline void para__site_pace(para__site *site, unsigned all, unsigned ran, double element_ns)
{
    const para__width next = para__width_add(para__site_width(site), all, ran, element_ns);
    para__store_relaxed(&site->width, para__width_pack(next)); /* no order: see above */
}

/* How much more an element costs when its call is shared. */
static inline double para__site_inflation(para__site *site)
{
    const uint32_t known = para__load_relaxed(&site->inflation); /* no order: see above */
    return known ? known / 256.0 : 1;
}

/* A sample counts with a quarter, from half to twice what is known, and from half to eight times. */
static inline void para__site_inflate(para__site *site, double sample, double spread)
{
    const para__estimate next = para__estimate_spread(para__site_read(site), spread);
    para__store_relaxed(&site->estimate, para__estimate_pack(next)); /* no order: see above */
    const double known = para__site_inflation(site);
    const double least = known / 2 > 0.5 ? known / 2 : 0.5;
    const double most = 2 * known < 8 ? 2 * known : 8;
    const double clipped = sample < least ? least : sample > most ? most : sample;
    para__store_relaxed(&site->inflation, /* no order: see above */
                        (uint32_t)((known + (clipped - known) / 4) * 256 + 0.5));
}

/* A small step back: some time later sharing is tried again. */
static inline void para__site_relax(para__site *site)
{
    const double known = para__site_inflation(site);
    para__store_relaxed(&site->inflation, /* no order: see above */
                        (uint32_t)((known - (known - 1) / 16) * 256));
}

#endif
