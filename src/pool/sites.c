#include "pool/sites.h"

para__site *para__site_seek(para__sites *sites, para__site_key key)
{
    const unsigned home = para__site_home(key);
    para__site *free_site = NULL;
    for (unsigned i = 0; i < PARA__SITE_PROBES; i++) {
        para__site *site = &sites->site[(home + i) % PARA__SITES];
        if (para__site_is(site, key))
            return site;
        if (!free_site && para__load_relaxed(&site->kernel) == 0) /* no order: see sites.h */
            free_site = site;
    }
    para__site *taken = free_site ? free_site : &sites->site[home];
    para__site_set(taken, (para__estimate){0}, (para__tuner){0});
    para__store_relaxed(&taken->loop, key.loop); /* no order: see sites.h */
    para__store_relaxed(&taken->kernel, key.kernel);
    return taken;
}
