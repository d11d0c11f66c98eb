/* para_pfilter: a first pass has the kernel note which elements stay, or store them apart, and
 * counts them; a second one copies.
 *
 * As in a scan, the participant that has the beginning of the call leads: it knows where its
 * elements go, and copies them at once. Alone, that is the whole call. */
#include "base/assert.h"
#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/tuning_data.h"
#include "data/aim.h"
#include "data/call.h"
#include "data/isolated.h"
#include "data/purity.h"
#include "data/views.h"

#include <para/filter.h>
#include <para/reduce.h>
#include <stddef.h>
#include <string.h>

_Static_assert(PARA__FILTER_BLOCK <= 1 << 16, "elements of a block are numbered with 16 bits");

/* How far the leading participant is: blocks that are copied, and the elements that stayed. */
typedef struct filter_lead {
    size_t end, kept;
} filter_lead;

typedef struct filter_job {
    para_filter_fn *kernel;
    const void *arg;
    size_t count, block;
    filter_lead *lead;
    uint16_t *stay; /* [blocks][block]: which of a block stay; NULL: alone, all is led */
    char *packed;   /* [blocks][block] elements: those that kernels stored, where they may */
    size_t *starts; /* [blocks + 1]: how many of a block stay, then how many before it do */
    const para_cancel *cancel;
    para__views views;
} filter_job;

_Static_assert(sizeof(filter_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static inline __attribute__((always_inline)) void
pick_elements(char *out, const char *in, const uint16_t *stay, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * bytes, in + stay[i] * bytes, bytes);
}

/* The only output, of elements that a kernel may store itself. */
static const para__view *packable(const para__views *views)
{
    const para__view *const out = &views->view[views->in_count];
    return views->out_count == 1 && out->bytes <= PARA__FILTER_PACKED_BYTES ? out : NULL;
}

/* Whether the kernel has stored the elements that stay, of which there are `kept`. */
static bool is_packed(const para__views *views, const uint16_t *stay, size_t kept)
{
    return kept && stay[0] == PARA_FILTER_PACKED && packable(views);
}

/* Copies those that stay of a block that begins at element first, to where `kept` others stand. */
static void copy_block(const filter_job *job, const uint16_t *stay, size_t count, size_t first,
                       size_t kept)
{
    const para__views *views = &job->views;
    if (is_packed(views, stay, count)) {
        const para__view *const only = packable(views);
        memcpy(only->data + kept * only->bytes, job->packed + first * only->bytes,
               count * only->bytes);
        return;
    }
    for (uint32_t k = 0; k < views->out_count; k++) {
        const size_t bytes = views->view[k].bytes;
        const char *in = views->view[k].data + first * bytes;
        char *out = views->view[views->in_count + k].data + kept * bytes;
        switch (bytes) {
        case 4:
            pick_elements(out, in, stay, count, 4);
            break;
        case 8:
            pick_elements(out, in, stay, count, 8);
            break;
        case 16:
            pick_elements(out, in, stay, count, 16);
            break;
        default:
            pick_elements(out, in, stay, count, bytes);
            break;
        }
    }
}

static void run_tests(const void *payload, size_t first_block, size_t blocks, para__runner *runner)
{
    const filter_job *job = payload;
    filter_lead *lead = runner->worker == 0 && job->lead->end == first_block ? job->lead : NULL;
    uint16_t own[PARA__FILTER_BLOCK];
    const para__view *const out = packable(&job->views);
    para__aim aim;
    para__aim_begin(&aim, runner, NULL, job->cancel, first_block * job->block);
    for (size_t b = first_block; b < first_block + blocks; b++) {
        const size_t first = b * job->block;
        const size_t count = para__min(job->block, job->count - first);
        if (para__runner_stops(runner, first) || para__runner_is_cancelled(runner, job->cancel))
            break;
        para__aim_at(&aim, &job->views, first, count);
        uint16_t *const stay = lead ? own : job->stay + first;
        aim.out[0] = !out   ? NULL
                     : lead ? out->data + lead->kept * out->bytes
                            : job->packed + first * out->bytes;
        size_t kept = 0;
        if (para__aim_record(&aim, runner, job->kernel(&aim.chunk, stay, &kept, job->arg)))
            break;
        PARA__ASSERT(kept <= count);
        if (lead) {
            if (!is_packed(&job->views, stay, kept))
                copy_block(job, stay, kept, first, lead->kept);
            lead->kept += kept;
            lead->end = b + 1;
        } else
            job->starts[b] = kept;
    }
    para__aim_end(&aim, runner, para__block_end(first_block + blocks, job->block, job->count));
}

static void run_copies(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const filter_job *job = payload;
    for (size_t b = first; b < first + count && !para__runner_is_cancelled(runner, job->cancel);
         b++)
        copy_block(job, job->stay + b * job->block, job->starts[b + 1] - job->starts[b],
                   b * job->block, job->starts[b]);
}

static void copy_rest(para__schedule *s, void *state, para__outcome *outcome)
{
    filter_job *job = state;
    filter_lead *lead = job->lead;
    if (outcome->tally.ending)
        return;
    const size_t blocks = (job->count - 1) / job->block + 1;
    const size_t led = lead->end;
    if (led == blocks)
        return;
    for (size_t b = led; b < blocks; b++) {
        const size_t kept = job->starts[b];
        job->starts[b] = lead->kept;
        lead->kept += kept;
    }
    job->starts[blocks] = lead->kept;
    if (job->views.out_count)
        para__schedule_more(s,
                            &(para__job){.run = run_copies,
                                         .payload = job,
                                         .payload_bytes = PARA__USED_BYTES(filter_job, job->views),
                                         .units = blocks},
                            (para__range){led, blocks - led}, outcome);
}

/* ---- On worker processes -------------------------------------------------------------------- */

typedef struct isolated_filter {
    filter_job *job;
    size_t kept;
} isolated_filter;

/* Nobody leads. What workers have noted is not trusted: no more elements stay than there are. */
static void copy_apart(para__schedule *s, void *state, para__outcome *outcome)
{
    isolated_filter *const of = state;
    filter_job *const job = of->job;
    const size_t blocks = (job->count - 1) / job->block + 1;
    for (size_t b = 0; b < blocks; b++) {
        const size_t count = para__min(job->block, job->count - b * job->block);
        const size_t kept = para__min(job->starts[b], count);
        job->starts[b] = of->kept;
        of->kept += kept;
    }
    job->starts[blocks] = of->kept;
    para__job copies = {.run = run_copies,
                        .payload = job,
                        .payload_bytes = PARA__USED_BYTES(filter_job, job->views),
                        .units = blocks};
    if (job->views.out_count)
        (void)para__isolated_more(para__call_of(s), &copies, job->block, false, outcome);
}

static bool lay_out_filter(filter_job *job, para__call *call, size_t blocks);

static para_status filter_apart(para__call *call, const para_filter *filter, filter_job *job)
{
    para__isolated isolated;
    isolated_filter of = {.job = job};
    const size_t blocks = (job->count - 1) / job->block + 1;
    para_status status = para__isolated_begin(&isolated, call,
                                              &(para__isolable){.views = &job->views,
                                                                .in = filter->in,
                                                                .out = filter->out,
                                                                .count = job->count,
                                                                .arg = &job->arg,
                                                                .arg_bytes = filter->arg_bytes,
                                                                .cancel = &job->cancel,
                                                                .is_one = true});
    if (!status && !lay_out_filter(job, call, blocks))
        status = para__fail(PARA_ERR_MEMORY, "what is noted of %zu elements", job->count);
    if (status)
        return para__call_give_up(call, status);
    job->lead->end = SIZE_MAX;
    para__job tests = {.run = run_tests,
                       .payload = job,
                       .payload_bytes = PARA__USED_BYTES(filter_job, job->views),
                       .units = blocks};
    para__isolated_describe(call, &tests, job->block);
    status = para__call_run_phases(call, &tests, copy_apart, &of);
    if (!status)
        *filter->kept = of.kept;
    return status;
}

/* Outputs are written at other places than those that were read. */
static para_status check_pairs(const para__views *views)
{
    for (uint32_t k = 0; k < views->out_count; k++) {
        const uint32_t o = views->in_count + k;
        if (k >= views->in_count)
            return para__fail(PARA_ERR_NULL_VIEW, "out[%u] has no in[%u]", k, k);
        if (views->view[k].bytes != views->view[o].bytes)
            return para__fail(PARA_ERR_ELEMENT_SIZE, "out[%u] has other elements than in[%u]", k,
                              k);
        for (uint32_t v = 0; v < views->in_count; v++)
            if (views->view[v].data == views->view[o].data)
                return para__fail(PARA_ERR_OVERLAP, "out[%u] and in[%u]", k, v);
    }
    return PARA_OK;
}

static para_status check_filter(const para_filter *filter, filter_job *job)
{
    if (!filter->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    if (!filter->kept)
        return para__fail(PARA_ERR_NULL_RESULT, "kept is NULL");
    para_status status = para__options_check(&filter->options, filter->reserved[0]);
    if (!status)
        status = para__views_check(filter->in, filter->out, NULL, filter->count, &job->views);
    if (!status && filter->count)
        status = check_pairs(&job->views);
    if (!status && para__views_write(&job->views, filter->out, filter->count, filter->kept,
                                     sizeof *filter->kept))
        status = para__fail(PARA_ERR_OVERLAP, "kept is part of an output");
    return status;
}

/* What is noted of all blocks, if the call may be shared. */
static bool lay_out_filter(filter_job *job, para__call *call, size_t blocks)
{
    job->stay = NULL;
    job->packed = NULL;
    job->starts = NULL;
    if (para__schedule_is_alone(&call->schedule) && !call->isolated)
        return true;
    const size_t lead_bytes = call->isolated ? sizeof *job->lead : 0;
    const size_t start_bytes = (blocks + 1) * sizeof *job->starts + lead_bytes;
    if (job->count > SIZE_MAX / 32)
        return false;
    const para__view *const out = packable(&job->views);
    const size_t stay_end =
        para__round_up(start_bytes + job->count * sizeof *job->stay, PARA__LINE);
    char *memory = para__call_memory(call, stay_end + (out ? job->count * out->bytes : 0));
    if (!memory)
        return false;
    if (call->isolated)
        job->lead = (filter_lead *)(void *)memory;
    job->starts = (size_t *)(void *)(memory + lead_bytes);
    job->stay = (uint16_t *)(void *)(memory + start_bytes);
    job->packed = memory + stay_end;
    return true;
}

static para_status filter_again(const para__again *with)
{
    para_filter filter = *(const para_filter *)with->call;
    memcpy(filter.in, with->in, sizeof filter.in);
    memcpy(filter.out, with->out, sizeof filter.out);
    filter.kept = with->result;
    filter.options = with->options;
    filter.report = NULL;
    return para_pfilter(with->pool, &filter);
}

/* Where calls are checked. */
__attribute__((cold)) static para_status
begin_filter_check(para__purity **purity, const para_filter *filter, const filter_job *job)
{
    return para__purity_begin(purity, &(para__subject){.again = filter_again,
                                                       .call = filter,
                                                       .kernel = (uintptr_t)filter->kernel,
                                                       .result = filter->kept,
                                                       .result_bytes = sizeof *filter->kept,
                                                       .count = filter->count,
                                                       .in = filter->in,
                                                       .out = filter->out,
                                                       .views = &job->views,
                                                       .options = &filter->options});
}

para_status para_pfilter(para_pool *pool, const para_filter *filter)
{
    filter_job job;
    if (!filter)
        return para__call_missing();
    para__call_clear(filter->report);
    para_status status = check_filter(filter, &job);
    if (!status)
        status = para__call_check_pool(pool, &filter->options);
    if (status)
        return status;
    if (filter->count == 0) {
        *filter->kept = 0;
        return PARA_OK;
    }
    filter_lead lead = {.end = 0};
    job.kernel = filter->kernel;
    job.arg = filter->arg;
    job.count = filter->count;
    job.cancel = filter->options.cancel;
    job.lead = &lead;

    para__call call;
    const size_t block = para_reduce_block(job.count, sizeof(double));
    job.block = para__min(block, PARA__FILTER_BLOCK);
    if (para__purity_skips((uintptr_t)filter->kernel)) /* a second run */
        job.block -= job.block / 3;
    const size_t blocks = (job.count - 1) / job.block + 1;
    para__schedule_describe(&call.schedule, (void (*)(void))filter->kernel, job.count, blocks,
                            &filter->options);
    call.schedule.form = PARA__FORM_SCAN;
    para__call_begin(&call, pool, filter->report);
    if (call.schedule.isolated) {
        status = filter_apart(&call, filter, &job);
        para__call_end(&call);
        return status;
    }
    para__purity *purity = NULL;
    if (call.schedule.since_ns)
        status = begin_filter_check(&purity, filter, &job);
    if (!status && !lay_out_filter(&job, &call, blocks))
        (void)para__schedule_lacks_memory(&call.schedule); /* alone it needs none */
    const para__job tests = {.run = run_tests,
                             .payload = &job,
                             .payload_bytes = PARA__USED_BYTES(filter_job, job.views),
                             .units = blocks};
    status = status ? para__call_give_up(&call, status)
                    : para__call_run_phases(&call, &tests, copy_rest, &job);
    if (!status)
        *filter->kept = lead.kept;
    para__call_end(&call);
    return purity ? para__purity_end(purity, pool, call.schedule.plan.width, status) : status;
}
