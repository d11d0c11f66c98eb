/* What a pool remembers of its sites: a table of fixed size, without locks.
 *
 * An entry's words are each read and written whole, by any thread, in no order. Two threads that
 * write one entry at once may lose a sample, or leave a key with the estimate of another site, or
 * with words of two: an estimate may be wrong at any time, and a wrong one costs little by
 * design. */
#ifndef PARA_POOL_SITES_H
#define PARA_POOL_SITES_H

#include "base/atomic.h"
#include "plan/estimate.h"
#include "plan/tuner.h"

#include <stddef.h>

enum { PARA__SITES = 512, PARA__SITE_PROBES = 8 };

/* Which calls are alike. */
typedef struct para__site_key {
    uint64_t kernel; /* its address << 6 | whole part of log2(count); 0: no site */
    uint64_t loop;   /* as the call's options tell it */
} para__site_key;

typedef struct para__site {
    /* In one line of the cache: sites are read much more than written, so that 64 bytes do. */
    _Alignas(64) _Atomic uint64_t kernel; /* as in the key; 0: free */
    _Atomic uint64_t loop;
    _Atomic uint64_t estimate[PARA__ESTIMATE_WORDS];
    _Atomic uint64_t tuner;
    _Atomic uint64_t small; /* calls of no more elements run alone, whatever else is known */
} para__site;

typedef struct para__sites {
    para__site site[PARA__SITES];
} para__sites;

static inline para__site_key para__site_key_of(uintptr_t kernel, size_t count, uint64_t loop)
{
    const unsigned log2_count = 63u - (unsigned)__builtin_clzll((unsigned long long)count);
    return (para__site_key){.kernel = (uint64_t)kernel << 6 | log2_count, .loop = loop};
}

static inline para__estimate para__site_read(const para__site *site)
{
    uint64_t words[PARA__ESTIMATE_WORDS];
    for (unsigned i = 0; i < PARA__ESTIMATE_WORDS; i++)
        words[i] = para__load_relaxed(&site->estimate[i]); /* no order: see above */
    para__estimate estimate;
    memcpy(&estimate, words, sizeof estimate);
    return estimate;
}

static inline void para__site_write(para__site *site, para__estimate estimate)
{
    uint64_t words[PARA__ESTIMATE_WORDS];
    memcpy(words, &estimate, sizeof estimate);
    for (unsigned i = 0; i < PARA__ESTIMATE_WORDS; i++)
        para__store_relaxed(&site->estimate[i], words[i]); /* no order: see above */
}

/* Sets all that is known of a site. */
static inline void para__site_set(para__site *site, para__estimate estimate, para__tuner tuner)
{
    para__site_write(site, estimate);
    para__store_relaxed(&site->tuner, para__tuner_pack(tuner)); /* no order: see above */
    para__store_relaxed(&site->small, 0);
}

/* The entry of that key: an existing one, else a free one, else another's, which is given up. Never
 * NULL. */
static inline para__site *para__site_find(para__sites *sites, para__site_key key)
{
    /* 2^64 / golden ratio: Knuth, TAOCP 6.4 */
    const uint64_t hash = (key.kernel ^ key.loop * 0xc2b2ae3d27d4eb4fu) * 0x9e3779b97f4a7c15u;
    const unsigned home = (unsigned)(hash >> 55);
    _Static_assert(PARA__SITES == 1 << (64 - 55), "the hash covers the table");
    para__site *free_site = NULL;
    for (unsigned i = 0; i < PARA__SITE_PROBES; i++) {
        para__site *site = &sites->site[(home + i) % PARA__SITES];
        const uint64_t found = para__load_relaxed(&site->kernel); /* no order: see above */
        if (found == key.kernel && para__load_relaxed(&site->loop) == key.loop)
            return site;
        if (found == 0 && !free_site)
            free_site = site;
    }
    para__site *taken = free_site ? free_site : &sites->site[home];
    para__site_set(taken, (para__estimate){0}, (para__tuner){0});
    para__store_relaxed(&taken->loop, key.loop); /* no order: see above */
    para__store_relaxed(&taken->kernel, key.kernel);
    return taken;
}

static inline void para__site_forget(para__site *site)
{
    para__site_set(site, (para__estimate){0}, (para__tuner){0});
    para__store_relaxed(&site->kernel, 0); /* no order: see above */
}

static inline para__tuner para__site_tuner(const para__site *site)
{
    return para__tuner_unpack(para__load_relaxed(&site->tuner)); /* no order: see above */
}

static inline void para__site_set_width(para__site *site, para__tuner tuner)
{
    para__store_relaxed(&site->tuner, para__tuner_pack(tuner)); /* no order: see above */
}

#endif
