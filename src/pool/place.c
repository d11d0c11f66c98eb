#include "pool/place.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/tuning.h"
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

static const para_cpu_info *cpu_of(const para_pool *pool, unsigned worker)
{
    return &pool->machine->cpu[pool->worker[worker].cpu_index];
}

/* Each group's way round the others, the nearest first: those of its domain, of its node, then by
 * how far the system says that nodes are. Where nobody is bound, or nothing is said, all are
 * equally far. With two nodes there is nothing to ask. */
static void order_raids(const para_pool *pool, unsigned count, unsigned *node, unsigned *distance)
{
    const uint16_t *const first = pool->lanes.raids + (size_t)count * (count - 1);
    const bool asks = pool->has_domains && pool->machine->info.numa_nodes > 2;
    unsigned *const of_node = distance + count;
    for (unsigned g = 0; g < count; g++)
        node[g] = cpu_of(pool, first[g])->numa_node;
    for (unsigned own = 0; own < count; own++) {
        const unsigned domain = cpu_of(pool, first[own])->domain;
        uint16_t *const others = pool->lanes.raids + (size_t)own * (count - 1);
        if (asks && (own == 0 || node[own] != node[own - 1]))
            para__machine_distances(pool->machine, node[own], node, count, of_node);
        for (unsigned g = 0; g < count && pool->has_domains; g++)
            distance[g] = cpu_of(pool, first[g])->domain == domain ? 0
                          : node[g] == node[own]                   ? 1
                                                                   : para__max(of_node[g], 2);
        para__nearest_first(others, own, count, distance);
        for (unsigned i = 0; i + 1 < count; i++)
            others[i] = first[others[i]];
    }
}

static para_status make_raids(para_pool *pool, unsigned count)
{
    const size_t size = (size_t)count * count; /* with a list of first workers at their end */
    uint16_t *const raids = para__alloc(size * sizeof *raids);
    unsigned *const room = para__alloc((size_t)3 * count * sizeof *room);
    pool->lanes.groups = count;
    pool->lanes.raids = raids;
    for (unsigned i = 0; raids && i < pool->requested; i = pool->lanes.helper[i].group_end)
        raids[size - count + pool->lanes.helper[i].group] = (uint16_t)i;
    if (raids && room)
        order_raids(pool, count, room, room + count);
    para__free(room);
    return raids && room ? PARA_OK : para__fail(PARA_ERR_MEMORY, NULL);
}

/* Workers on second hardware threads come last. In calls of all workers a domain's slices are
 * neighbours all the same, where those of its cores are in narrower calls, since its pages lie
 * there. */
static para_status number_slices(para_pool *pool)
{
    unsigned slice = 0;
    if (!pool->shares_cores)
        return PARA_OK;
    uint16_t *const slice_of = para__alloc(pool->requested * sizeof *slice_of);
    if (!slice_of)
        return para__fail(PARA_ERR_MEMORY, NULL);
    for (unsigned domain = 0; domain < pool->machine->info.domains; domain++)
        for (unsigned i = 0; i < pool->requested; i++)
            if (cpu_of(pool, i)->domain == domain)
                slice_of[i] = (uint16_t)slice++;
    pool->lanes.slice_of = slice_of;
    pool->lanes.wide = pool->requested;
    return PARA_OK;
}

/* Of threads that are not bound it is not known on which kind of core they run. */
static para_status count_kinds(para_pool *pool)
{
    const para__helper *const helper = pool->lanes.helper;
    bool differ = false;
    for (unsigned i = 1; i < pool->requested; i++)
        differ |= helper[i].kind != helper[0].kind;
    if (!differ || pool->binding == PARA_BIND_NONE)
        return PARA_OK;
    para__kinds_before *const before = para__alloc((pool->requested + 1) * sizeof *before);
    if (!before)
        return para__fail(PARA_ERR_MEMORY, NULL);
    for (unsigned i = 0; i < pool->requested; i++) {
        before[i + 1] = before[i];
        before[i + 1].of[para__min(helper[i].kind, PARA__KINDS_MOST - 1u)]++;
    }
    for (unsigned k = 0; k < PARA__KINDS_MOST; k++)
        para__store_relaxed(&pool->lanes.weight[k], PARA__WEIGHT_ONE); /* nobody has the pool yet */
    pool->lanes.before = before;
    return PARA_OK;
}

para_status para__workers_group(para_pool *pool)
{
    unsigned members = 0;
    for (unsigned i = 0; i < pool->requested; i++) {
        para__helper *const helper = &pool->lanes.helper[i];
        helper->kind = cpu_of(pool, i)->kind;
        if (i > 0) {
            const bool same = cpu_of(pool, i)->domain == cpu_of(pool, i - 1)->domain;
            members = same && members < PARA__GROUP_MOST ? members : 0;
            helper->group = helper[-1].group + (members == 0);
        }
        members++;
        pool->has_domains |=
            pool->binding != PARA_BIND_NONE && cpu_of(pool, i)->domain != cpu_of(pool, 0)->domain;
    }
    const unsigned count = para__helpers_group(pool->lanes.helper, pool->requested);
    para_status status = count > 1 ? make_raids(pool, count) : PARA_OK;
    if (!status)
        status = number_slices(pool);
    return status ? status : count_kinds(pool);
}

unsigned para__workers_of_domain(const para_pool *pool)
{
    const unsigned workers = para__pool_usual(pool);
    unsigned length = 0, first = 0; /* of the first domain; the present one. They are neighbours. */
    for (unsigned i = 1; i <= workers && pool->has_domains; i++) {
        if (i < workers && cpu_of(pool, i)->domain == cpu_of(pool, first)->domain)
            continue;
        if (length && i - first != length)
            return workers;
        length = i - first;
        first = i;
    }
    return length ? length : workers;
}
