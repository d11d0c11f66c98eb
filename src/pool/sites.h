/* What a pool remembers of its sites: a table of fixed size, without locks.
 *
 * Any thread reads and writes each word of an entry whole, in no order. Two threads that write one
 * entry at the same time may lose a sample, or leave a key with the estimate of another site, or
 * with words of both. An estimate may be wrong at any time, and by design a wrong one costs
 * little. */
#ifndef PARA_POOL_SITES_H
#define PARA_POOL_SITES_H

#include "base/assert.h"
#include "base/atomic.h"
#include "plan/estimate.h"
#include "plan/tuner.h"

#include <stddef.h>

enum { PARA__SITES = 512, PARA__SITE_PROBES = 8 };

/* Which calls are alike. */
typedef struct para__site_key {
    uint64_t kernel; /* its address << 6 | whole part of log2(count); 0: no site */
    uint64_t loop;   /* .options.site of the call */
} para__site_key;

typedef struct para__site {
    /* In one line of the cache: sites are read much more than written, so that 64 bytes do. */
    _Alignas(64) para__atomic_u64 kernel; /* as in the key; 0: free */
    para__atomic_u64 loop;
    para__atomic_u64 estimate[PARA__ESTIMATE_WORDS];
    para__atomic_u64 tuner;
    para__atomic_u64 small; /* calls of no more elements run alone, whatever else is known */
    para__atomic_u64 brief; /* what short ones cost alone, in integers: para__estimate_brief */
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
    if (PARA__ASSERTS)
        para__estimate_check(&estimate);
    memcpy(words, &estimate, sizeof estimate);
    for (unsigned i = 0; i < PARA__ESTIMATE_WORDS; i++)
        para__store_relaxed(&site->estimate[i], words[i]); /* no order: see above */
}

static inline void para__site_set_tuner(para__site *site, para__tuner tuner)
{
    if (PARA__ASSERTS)
        para__tuner_check(&tuner);
    para__store_relaxed(&site->tuner, para__tuner_pack(tuner)); /* no order: see above */
}

/* Sets all that is known of a site. */
static inline void para__site_set(para__site *site, para__estimate estimate, para__tuner tuner)
{
    para__site_write(site, estimate);
    para__site_set_tuner(site, tuner);
    para__store_relaxed(&site->small, 0); /* no order: see above */
    para__store_relaxed(&site->brief, 0);
}

static inline bool para__site_is(const para__site *site, para__site_key key)
{
    return para__load_relaxed(&site->kernel) == key.kernel && /* no order: see above */
           para__load_relaxed(&site->loop) == key.loop;
}

/* The place where the entry of that key is looked for first. */
static inline unsigned para__site_home(para__site_key key)
{
    /* 2^64 / golden ratio: Knuth, TAOCP 6.4 */
    const uint64_t hash = (key.kernel ^ key.loop * 0xc2b2ae3d27d4eb4fu) * 0x9e3779b97f4a7c15u;
    _Static_assert(PARA__SITES == 1 << (64 - 55), "the hash covers the table");
    return (unsigned)(hash >> 55);
}

/* The entry of that key: an existing one, else a free one, else another key's, whose knowledge is
 * given up. Never NULL. Most are where they are looked for first. */
para__site *para__site_seek(para__sites *sites, para__site_key key);

static inline para__site *para__site_find(para__sites *sites, para__site_key key)
{
    para__site *site = &sites->site[para__site_home(key)];
    return para__site_is(site, key) ? site : para__site_seek(sites, key);
}

static inline void para__site_forget(para__site *site)
{
    para__site_set(site, (para__estimate){0}, (para__tuner){0});
    para__store_relaxed(&site->kernel, 0); /* no order: see above */
}

/* By which entries are told apart, mostly. */
static inline uint32_t para__site_number(const para__site *site)
{
    return (uint32_t)((uintptr_t)site / sizeof *site);
}

static inline para__tuner para__site_tuner(const para__site *site)
{
    return para__tuner_unpack(para__load_relaxed(&site->tuner)); /* no order: see above */
}

#endif
