#include "pool/novice.h"

#include "base/bounds.h"
#include "base/cpus.h"
#include "base/fpenv.h"
#include "base/status.h"
#include "base/tuning.h"
#include "pool/calibrate.h"
#include "pool/pool.h"
#include "pool/settings.h"
#include "topology/locations.h"

/* Then what calls forgo adds up, however much time lies between them: longer than processes live,
 * and so short that it can be multiplied. */
static const uint64_t never_ticks = (uint64_t)1 << 56;

static bool is_asked;    /* a variable states the number of workers; likewise */
static para_pool novice; /* written under the default pool's mutex, before it is published [E6] */

para_pool *para__novice(const para__executor *executor, bool at_any_rate)
{
    para__settings settings;
    para__cpus online;
    if (novice.is_novice) {
        if (at_any_rate)
            para__novice_renew();
        return para__pool_is_forked(&novice) ? NULL : &novice;
    }
    para__settings_take(&settings);
    const bool counts = para__cpus_online(&online);
    if (!at_any_rate && (para__locations_are_described() || settings.display || !counts))
        return NULL;
    const para__fp fp = para__fp_save();
    const unsigned workers = settings.workers ? settings.workers
                             : counts         ? para__cpus_count(&online)
                                              : 1;
    is_asked = settings.workers != 0;
    novice.is_novice = true;
    novice.executor = executor;
    novice.requested = para__min(workers, PARA__WORKERS_MAX);
    novice.usual = novice.requested;
    para__store_relaxed(&novice.workers, novice.requested); /* all: published with the pool */
    para__costs_assume(&novice);
    para__store_relaxed(&novice.followed.wake_ns, PARA__MAKING_NS);
    para__store_relaxed(&novice.lanes.spin_ticks, never_ticks);
    novice.lanes.fork_count = para__fork_count();
    para__fp_restore(fp, 0);
    return &novice;
}

unsigned para__novice_bound(void)
{
    const para__machine *machine = NULL;
    para__detail kept;
    para__detail_save(&kept);
    const bool is_known = para__pool_prepare(&machine) == PARA_OK;
    para__detail_restore(&kept);
    if (!is_known)
        return 1;
    return is_asked ? novice.requested : para__min(novice.requested, machine->info.budget);
}

void para__novice_teach(para_pool *pool)
{
    for (unsigned i = 0; i < PARA__SITES; i++) {
        const para__site *known = &novice.sites.site[i];
        para__site *site = &pool->sites.site[i]; /* keys have the same places in both */
        const uint64_t kernel = para__load_relaxed(&known->kernel); /* all: see sites.h */
        if (kernel == 0)
            continue;
        para__site_set(site, para__site_read(known), para__site_tuner(known));
        para__store_relaxed(&site->loop, para__load_relaxed(&known->loop));
        para__store_relaxed(&site->kernel, kernel);
    }
}

void para__novice_renew(void)
{
    novice.lanes.fork_count = para__fork_count();
}
