/* para_pmap. A unit is a chunk if the call states the chunk's length, else one element; then every
 * claim becomes one kernel call. */
#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/aim.h"
#include "data/call.h"
#include "data/isolated.h"
#include "data/purity.h"
#include "data/views.h"
#include "pool/self.h"

#include <para/map.h>
#include <stddef.h>

/* What the workers get. The shorter it is, the sooner they have it. */
typedef struct map_job {
    para_map_fn *kernel;
    const void *arg;
    size_t count; /* elements of the call */
    size_t unit;  /* elements of a unit */
    size_t piece; /* most elements of a kernel call: a unit if the call states its length */
    const para_cancel *cancel;
    char *scratch; /* [width][scratch_stride], or NULL */
    size_t scratch_stride;
    para__views views;
} map_job;

_Static_assert(sizeof(map_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static void run_map(const void *payload, size_t first_unit, size_t unit_count, para__runner *runner)
{
    const map_job *job = payload;
    para__aim aim;
    size_t first = first_unit * job->unit;
    size_t left;
    if (__builtin_mul_overflow(unit_count, job->unit, &left) || left > job->count - first)
        left = job->count - first; /* the last unit may be shorter */
    const size_t end = first + left;
    para__aim_begin(&aim, runner,
                    job->scratch ? job->scratch + runner->worker * job->scratch_stride : NULL,
                    job->cancel, first);
    while (left && !para__runner_stops(runner, first) &&
           !para__runner_is_cancelled(runner, job->cancel)) {
        const size_t n = para__min(left, job->piece);
        para__aim_at(&aim, &job->views, first, n);
        if (para__aim_record(&aim, runner, job->kernel(&aim.chunk, job->arg)))
            break;
        first += n;
        left -= n;
    }
    if (left)
        para__aim_end(&aim, runner, end);
}

static para_status check_map(const para_map *map, map_job *job)
{
    if (!map->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    const para_status status = para__options_check(&map->options, 0);
    return status ? status
                  : para__views_check(map->in, map->out, map->strides, map->count, &job->views);
}

/* Runs the call as one chunk on this thread. If the loop takes nanoseconds, a job and a runner
 * would show. */
static para_status run_whole(const para_map *map, const para__views *views, unsigned kind)
{
    para__aim aim;
    para__aim_init(&aim, NULL, 0, kind);
    para__aim_at(&aim, views, 0, map->count);
    const int error = map->kernel(&aim.chunk, map->arg);
    return error ? para__call_fail(error, 0, map->count) : PARA_OK;
}

/* Slices begin at page borders of the first output; other outputs mostly have elements of the same
 * size. */
static para_status run_units(para__call *call, const map_job *map)
{
    const para__views *views = &map->views;
    para__job job = {.run = run_map,
                     .payload = map,
                     .payload_bytes = PARA__USED_BYTES(map_job, *views),
                     .units = para__schedule_units(&call->schedule)};
    if (views->out_count) {
        job.written = (uintptr_t)views->view[views->in_count].data;
        job.unit_bytes = map->unit * views->view[views->in_count].bytes;
    }
    para__isolated_describe(call, &job, map->unit);
    return para__call_run(call, &job);
}

/* Scratch for all possible participants, if there is memory for it. */
static char *scratch(para__call *call, size_t *stride)
{
    const unsigned width = para__schedule_room(&call->schedule, *stride);
    return *stride <= SIZE_MAX / 2 / width ? para__call_strips(call, width, stride) : NULL;
}

/* Where calls are checked. */
__attribute__((cold)) static para_status begin_map_check(para__purity **purity, const para_map *map,
                                                         const para__views *views)
{
    return para__purity_begin(purity, &(para__subject){.map = map->kernel,
                                                       .arg = map->arg,
                                                       .count = map->count,
                                                       .in = map->in,
                                                       .out = map->out,
                                                       .views = views,
                                                       .scratch_bytes = map->scratch_bytes,
                                                       .most = map->options.chunk,
                                                       .options = &map->options,
                                                       .once = map->once != 0});
}

/* All that run_whole leaves out. Not inline: its registers would show in the shortest calls. */
__attribute__((noinline)) static para_status run_map_call(para_pool *pool, const para_map *map,
                                                          map_job *job, para__call *call)
{
    const size_t chunk = map->options.chunk;
    para__purity *purity = NULL;
    para_status status = PARA_OK;
    job->kernel = map->kernel;
    job->arg = map->arg;
    job->count = map->count;
    job->unit = chunk ? chunk : 1;
    job->cancel = map->options.cancel;
    job->scratch = NULL;
    job->scratch_stride = 0;
    job->piece = chunk ? job->unit : job->cancel ? para__schedule_piece(&call->schedule) : SIZE_MAX;
    para__isolated isolated;
    if (call->schedule.isolated)
        status =
            para__isolated_begin(&isolated, call,
                                 &(para__isolable){.views = &job->views,
                                                   .in = map->in,
                                                   .out = map->out,
                                                   .count = map->count,
                                                   .arg = &job->arg,
                                                   .arg_bytes = map->arg_bytes,
                                                   .parameters = map->list_,
                                                   .cancel = &job->cancel,
                                                   .once = map->once || !job->views.out_count});
    else if (call->schedule.since_ns)
        status = begin_map_check(&purity, map, &job->views);
    if (!status && map->scratch_bytes) {
        job->scratch_stride = para__round_up(map->scratch_bytes, PARA__LINE);
        do
            job->scratch = scratch(call, &job->scratch_stride);
        while (!job->scratch && para__schedule_lacks_memory(&call->schedule));
        if (!job->scratch)
            status = para__fail(PARA_ERR_MEMORY, "scratch of %zu bytes", map->scratch_bytes);
    }
    status = status ? para__call_give_up(call, status) : run_units(call, job);
    para__call_end(call);
    return purity ? para__purity_end(purity, pool, call->schedule.plan.width, status) : status;
}

para_status para_pmap(para_pool *pool, const para_map *map)
{
    map_job job;
    if (!map)
        return para__call_missing();
    para__call_clear(map->report);
    para_status status = check_map(map, &job);
    if (!status)
        status = para__call_check_pool(pool, &map->options);
    if (status || map->count == 0)
        return status;
    const size_t chunk = map->options.chunk;
    const size_t units = chunk ? (map->count - 1) / chunk + 1 : map->count;

    para__call call;
    para__schedule_describe(&call.schedule, (void (*)(void))map->kernel, map->count, units,
                            &map->options);
    para__call_begin(&call, pool, map->report);
    if (para__call_is_plain(&call) && !chunk && !map->scratch_bytes) {
        const unsigned kind = para__pool_kind(call.schedule.pool);
        para__schedule_release_fp(&call.schedule, 0);
        return run_whole(map, &job.views, kind);
    }
    return run_map_call(pool, map, &job, &call);
}
