#include "data/placement.h"

#include "base/bounds.h"
#include "base/cancellation.h"
#include "base/memory.h"
#include "base/status.h"
#include "pool/visit.h"

para_status para__config_check(const para_buffer_config *config)
{
    if (config->size != sizeof *config)
        return para__fail(PARA_ERR_ARGUMENT, "config.size is %zu: use PARA_BUFFER_CONFIG_INIT",
                          config->size);
    if ((unsigned)config->placement > PARA_PLACE_BANDWIDTH)
        return para__fail(PARA_ERR_ARGUMENT, "config.placement is %d", (int)config->placement);
    if ((unsigned)config->pages > PARA_PAGES_1G)
        return para__fail(PARA_ERR_ARGUMENT, "config.pages is %d", (int)config->pages);
    return PARA_OK;
}

para_status para__placement_check(const para_buffer_config *config, const para_pool *pool)
{
    const para__machine *const machine = pool->machine;
    if (config->placement == PARA_PLACE_NODE && machine->info.this_system &&
        !para__cpus_has(&machine->memory, config->node))
        return para__fail(PARA_ERR_ARGUMENT, "config.node is %u: the process has no memory there",
                          config->node);
    return PARA_OK;
}

/* Whether each worker stays where it was placed, as far as is known yet. */
static bool are_bound(const para_pool *pool)
{
    bool bound = pool->binding != PARA_BIND_NONE;
    for (unsigned i = 0; i < para__pool_workers(pool) && para__pool_is_ready(pool); i++)
        bound &= para__load_relaxed(&pool->worker[i].bind_status) == PARA_OK;
    return bound;
}

/* Asks for each part to lie on the node of the worker whose slice it is in calls of all usual
 * workers; a page that slices share, on that of the one in its middle. This sets a policy on the
 * memory. A touch by that worker would be worse: the caller would have to wait for the worker, and
 * calls made by a kernel or on a busy machine would place pages badly. */
static para_status place_by_slice(const para_pool *pool, char *data, size_t pages, size_t page,
                                  bool by_bandwidth, bool moves)
{
    const para__machine *const machine = pool->machine;
    const unsigned workers = para__pool_usual(pool);
    para_status status = PARA_OK;
    size_t begin = 0;
    para__division division = {
        .units = pages * (page / PARA__LINE), .width = workers, .tickets = 1};
    (void)para__grain_of_pages(&division.grain, (uintptr_t)data, PARA__LINE, division.units,
                               workers, para__page_bytes());
    for (unsigned i = 0; i < workers; i++) {
        const para__range slice = para__slice_units(&division, i);
        const size_t end = ((slice.first + slice.count) * PARA__LINE + page / 2) / page;
        unsigned node = machine->cpu[pool->worker[i].cpu_index].numa_node;
        if (end == begin)
            continue;
        if (by_bandwidth)
            node = para__bandwidth_node(machine, node);
        const para_status placed =
            para__place_memory(machine, data + begin * page, (end - begin) * page, node, moves);
        status = status ? status : placed;
        begin = end;
    }
    return status;
}

/* Workers that are not bound run on any node, so no page is nearer to one than to the others; and a
 * touch by them would leave all pages on the few nodes where they happen to be. */
para_status para__place(const para_pool *pool, void *data, size_t bytes, size_t page,
                        const para_buffer_config *config, bool moves)
{
    const para__machine *const machine = pool->machine;
    char *const first = (char *)((uintptr_t)data & ~(uintptr_t)(page - 1));
    const size_t pages = ((size_t)((char *)data - first) + bytes + page - 1) / page;
    const bool by_slice =
        config->placement == PARA_PLACE_AUTO || config->placement == PARA_PLACE_BANDWIDTH;
    if (config->placement == PARA_PLACE_NODE)
        return para__place_memory(machine, first, pages * page, config->node, moves);
    if (by_slice && are_bound(pool))
        return place_by_slice(pool, first, pages, page, config->placement == PARA_PLACE_BANDWIDTH,
                              moves);
    if (by_slice && !pool->places_memory)
        return PARA_OK;
    return para__interleave_memory(machine, first, pages * page, moves);
}

para_status para_buffer_move(para_pool *pool, void *data, size_t count, size_t element_bytes,
                             const para_buffer_config *config)
{
    const para_buffer_config automatic = PARA_BUFFER_CONFIG_INIT;
    if (!config)
        config = &automatic;
    if (!data && count)
        return para__fail(PARA_ERR_ARGUMENT, "there is no array");
    para_status status = para__config_check(config);
    if (status)
        return status;
    if (config->pages != PARA_PAGES_AUTO)
        return para__fail(PARA_ERR_ARGUMENT, "config.pages is %d: an array keeps its pages",
                          (int)config->pages);
    if (element_bytes == 0)
        return para__fail(PARA_ERR_ELEMENT_SIZE, "an array of %zu elements", count);
    if (count > (SIZE_MAX - (uintptr_t)data) / element_bytes)
        return para__fail(PARA_ERR_OVERFLOW, "%zu elements of %zu bytes", count, element_bytes);
    para__stay *stay;
    const int cancel_state = para__cancellation_off(); /* files are read, and pages half moved */
    status = para__pool_visit(&pool, &stay);
    if (!status)
        status = para__placement_check(config, pool);
    if (!status && count)
        status = para__place(pool, data, count * element_bytes, para__page_bytes(), config, true);
    para__pool_leave(stay);
    para__cancellation_restore(cancel_state);
    return status;
}

para_status para_buffer_where(const void *data, size_t bytes, size_t *bytes_of, unsigned nodes)
{
    if ((!data && bytes) || (!bytes_of && nodes) ||
        bytes > SIZE_MAX - (uintptr_t)data - para__page_bytes())
        return para__fail(PARA_ERR_ARGUMENT, "data, bytes and bytes_of are needed");
    const int cancel_state = para__cancellation_off(); /* a file is read */
    const para_status status = para__memory_where(data, bytes, bytes_of, nodes);
    para__cancellation_restore(cancel_state);
    return status;
}
