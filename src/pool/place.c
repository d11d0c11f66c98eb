#include "pool/place.h"

#include "base/memory.h"
#include "base/status.h"
#include "plan/divide.h"

/* Spreads a pool of fewer workers than cores over all domains: takes the first core of each, then
 * the second, until there are enough. Workers of one domain are still neighbours. */
static para_status spread_over_domains(para_pool *pool)
{
    const para__machine *machine = pool->machine;
    const unsigned cores = machine->info.cores; /* their first threads are listed first */
    bool *const taken = para__alloc(cores * sizeof *taken);
    if (!taken)
        return para__fail(PARA_ERR_MEMORY, NULL);
    for (unsigned n = 0, domain = 0; n < pool->requested; domain++) {
        for (unsigned i = 0; i < cores; i++)
            if (!taken[i] && machine->cpu[i].domain == domain % machine->info.domains) {
                taken[i] = true;
                n++;
                break;
            }
    }
    for (unsigned i = 0, n = 0; i < cores; i++)
        if (taken[i])
            pool->worker[n++].cpu_index = i;
    para__free(taken);
    return PARA_OK;
}

/* The n-th CPU of a place, in the order in which pools use CPUs; round again after the last. */
static unsigned cpu_of_place(const para__machine *machine, const para__cpus *place, unsigned n)
{
    n %= para__cpus_count(place);
    for (unsigned i = 0;; i++)
        if (para__cpus_has(place, machine->cpu[i].os_index) && n-- == 0)
            return i;
}

/* Fewer workers than places: one in each of the first places, or in the first place of each of as
 * many parts as there are workers. More: each place has some. */
static void use_places(para_pool *pool, para__filling filling)
{
    const unsigned workers = pool->requested;
    const unsigned places = filling == PARA__FILL_PACKED ? 1 : pool->places->count;
    unsigned first = 0; /* of the workers that are in the same place */
    for (unsigned i = 0, place = 0; i < workers; i++) {
        if (workers > places)
            place += i == para__share(workers, places, place + 1);
        else
            place = filling == PARA__FILL_SPREAD ? (unsigned)para__share(places, workers, i) : i;
        para__worker *const worker = &pool->worker[i];
        first = i && worker[-1].place == place ? first : i;
        worker->place = place;
        worker->cpu_index = cpu_of_place(pool->machine, &pool->places->place[place], i - first);
    }
}

para_status para__workers_place(para_pool *pool, para__filling filling)
{
    for (unsigned i = 0; i < pool->requested; i++)
        pool->worker[i].cpu_index = i % pool->machine->cpu_count;
    if (pool->places && pool->places->count)
        use_places(pool, filling);
    else if (filling == PARA__FILL_SPREAD && pool->requested < pool->machine->info.cores)
        return spread_over_domains(pool);
    return PARA_OK;
}
