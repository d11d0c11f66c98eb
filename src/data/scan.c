/* para_pscan: blocks, summed in a first pass and stored in a second one.
 *
 * Two parts need one pass. The participant that has the beginning of the call needs no second pass:
 * it knows the total before its blocks, as long as it goes on without a gap. So it sums and stores
 * at once, and leads. Alone, that is the whole call. And the last blocks are left to the second
 * pass, in which one participant goes through them: with p participants, each has a part of p + 1
 * in each pass. The owner of the first slice has number 0, as the caller has while it probes: what
 * leads is written by that participant only, and read by the caller after the join. */
#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/tuning_memory.h"
#include "data/aim.h"
#include "data/call.h"
#include "data/isolated.h"
#include "data/purity.h"
#include "data/views.h"
#include "plan/tree.h"

#include <para/reduce.h>
#include <para/scan.h>
#include <stddef.h>
#include <string.h>

/* How far the leading participant is: blocks that are stored, and the total of those. */
typedef struct scan_lead {
    size_t end;
    char *total, *running, *sum;
    /* On worker processes, where nobody leads: what the call began from; totals before blocks; and
     * `running` is of each worker. */
    char *begun, *before;
} scan_lead;

typedef struct scan_job {
    para_scan_fn *kernel;
    para_combine_fn *combine;
    const void *arg;
    const void *identity; /* NULL: zero bytes */
    size_t count, block, blocks;
    size_t tail; /* the first block that only the second pass sees */
    size_t led;  /* for the second pass: blocks that are stored */
    size_t acc_bytes, stride;
    scan_lead *lead;
    char *slots; /* [blocks]: sums of blocks, then totals before them; NULL: alone, all is led */
    const para_cancel *cancel;
    para__views views;
} scan_job;

_Static_assert(sizeof(scan_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static size_t scan_block_count(const scan_job *job, size_t first)
{
    return para__min(job->count - first, job->block);
}

/* Calls the kernel for block b; false if it failed, or is not to be called. */
static bool scan_block(const scan_job *job, size_t b, void *sum, void *total, para__aim *aim,
                       para__runner *runner)
{
    const size_t first = b * job->block;
    const size_t count = scan_block_count(job, first);
    if (para__runner_stops(runner, first) || para__runner_is_cancelled(runner, job->cancel))
        return false;
    if (sum && job->identity)
        memcpy(sum, job->identity, job->acc_bytes);
    else if (sum)
        memset(sum, 0, job->acc_bytes);
    para__aim_at(aim, &job->views, first, count);
    return !para__aim_record(aim, runner, job->kernel(&aim->chunk, sum, total, job->arg));
}

static void run_sums(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const scan_job *job = payload;
    scan_lead *lead = runner->worker == 0 && job->lead->end == first ? job->lead : NULL;
    para__aim aim;
    para__aim_begin(&aim, runner, NULL, job->cancel, first * job->block);
    for (size_t b = first; b < first + count; b++) {
        char *const slot = job->slots ? job->slots + b * job->stride : job->lead->sum;
        if (lead)
            memcpy(lead->running, lead->total, job->acc_bytes);
        if (!scan_block(job, b, slot, lead ? lead->running : NULL, &aim, runner)) {
            para__aim_end(&aim, runner, para__block_end(first + count, job->block, job->count));
            return;
        }
        if (lead) {
            job->combine(lead->total, slot, job->arg);
            lead->end = b + 1;
        }
    }
}

/* The blocks of the tail, one after the other: their total is known by now. */
static void run_tail(const scan_job *job, para__aim *aim, para__runner *runner)
{
    scan_lead *lead = job->lead;
    para__aim_begin(aim, runner, NULL, job->cancel, job->tail * job->block);
    for (size_t b = job->tail; b < job->blocks; b++) {
        memcpy(lead->running, lead->total, job->acc_bytes);
        if (!scan_block(job, b, lead->sum, lead->running, aim, runner)) {
            para__aim_end(aim, runner, job->count);
            return;
        }
        job->combine(lead->total, lead->sum, job->arg);
    }
}

/* Unit 0 is the tail, as it takes longest; the others are the blocks between lead and tail. */
static void run_stores(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const scan_job *job = payload;
    para__aim aim;
    para__aim_begin(&aim, runner, NULL, job->cancel, 0);
    for (size_t u = first; u < first + count; u++) {
        const size_t b = job->led + u - 1;
        if (u == 0)
            run_tail(job, &aim, runner);
        else if (!scan_block(job, b, NULL, job->slots + b * job->stride, &aim, runner))
            return;
    }
}

/* Sums become totals, and the blocks that were not led are stored. */
static void store_rest(para__schedule *s, void *state, para__outcome *outcome)
{
    scan_job *job = state;
    scan_lead *lead = job->lead;
    if (outcome->tally.ending && job->tail < job->blocks)
        outcome->left_out += job->count - job->tail * job->block;
    if (outcome->tally.ending || lead->end == job->blocks)
        return;
    job->led = lead->end;
    for (size_t b = job->led; b < job->tail; b++) {
        char *const slot = job->slots + b * job->stride;
        memcpy(lead->running, lead->total, job->acc_bytes);
        job->combine(lead->total, slot, job->arg);
        memcpy(slot, lead->running, job->acc_bytes);
    }
    para__schedule_more(s,
                        &(para__job){.run = run_stores,
                                     .payload = job,
                                     .payload_bytes = PARA__USED_BYTES(scan_job, job->views),
                                     .units = 1 + job->tail - job->led},
                        (para__range){0, 1 + job->tail - job->led}, outcome);
}

/* ---- On worker processes: three phases, of which each may be tried again --------------------- */

/* `combine` is the program's too, so it runs there. */
static void run_totals(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const scan_job *job = payload;
    const scan_lead *const lead = job->lead;
    (void)first;
    (void)count;
    (void)runner;
    memcpy(lead->total, lead->begun, job->acc_bytes);
    for (size_t b = 0; b < job->blocks; b++) {
        memcpy(lead->before + b * job->stride, lead->total, job->acc_bytes);
        job->combine(lead->total, job->slots + b * job->stride, job->arg);
    }
}

/* A kernel changes the total that it gets, so it gets a copy. */
static void run_apart(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const scan_job *job = payload;
    char *const sum = job->lead->running + runner->worker * job->stride;
    para__aim aim;
    para__aim_begin(&aim, runner, NULL, job->cancel, first * job->block);
    for (size_t b = first; b < first + count; b++) {
        memcpy(sum, job->lead->before + b * job->stride, job->acc_bytes);
        if (!scan_block(job, b, NULL, sum, &aim, runner))
            return;
    }
}

static void store_apart(para__schedule *s, void *state, para__outcome *outcome)
{
    para__call *const call = para__call_of(s);
    scan_job *const job = state;
    para__job more = {.run = run_totals,
                      .payload = job,
                      .payload_bytes = PARA__USED_BYTES(scan_job, job->views),
                      .units = 1};
    if (!para__isolated_more(call, &more, 0, false, outcome))
        return;
    more.run = run_apart;
    more.units = job->blocks;
    (void)para__isolated_more(call, &more, job->block, call->isolated->once, outcome);
}

static bool lay_out_apart(scan_job *job, para__call *call)
{
    const size_t head = para__round_up(sizeof *job->lead, PARA__LINE);
    const size_t width = call->schedule.plan.width;
    size_t bytes;
    if (job->blocks > SIZE_MAX / 4 ||
        __builtin_mul_overflow(job->stride, 3 + width + 2 * job->blocks, &bytes) ||
        bytes > SIZE_MAX / 2)
        return false;
    char *const memory = para__call_memory(call, head + bytes);
    if (!memory)
        return false;
    char *const accumulators = memory + head;
    job->lead = (scan_lead *)(void *)memory;
    *job->lead = (scan_lead){.end = SIZE_MAX,
                             .total = accumulators,
                             .begun = accumulators + job->stride,
                             .sum = accumulators + 2 * job->stride,
                             .running = accumulators + 3 * job->stride};
    job->slots = job->lead->running + width * job->stride;
    job->lead->before = job->slots + job->blocks * job->stride;
    return true;
}

static para_status scan_apart(para__call *call, const para_scan *scan, scan_job *job)
{
    para__isolated isolated;
    para_status status = para__isolated_begin(&isolated, call,
                                              &(para__isolable){.views = &job->views,
                                                                .in = scan->in,
                                                                .out = scan->out,
                                                                .count = job->count,
                                                                .arg = &job->arg,
                                                                .arg_bytes = scan->arg_bytes,
                                                                .cancel = &job->cancel,
                                                                .is_one = true,
                                                                .identity = &job->identity,
                                                                .identity_bytes = job->acc_bytes});
    if (!status && !lay_out_apart(job, call))
        status = para__fail(PARA_ERR_MEMORY, "accumulators of %zu bytes", job->acc_bytes);
    if (status)
        return para__call_give_up(call, status);
    char *const total = job->lead->total;
    memcpy(job->lead->begun, scan->result, job->acc_bytes);
    job->tail = job->blocks;
    para__job sums = {.run = run_sums,
                      .payload = job,
                      .payload_bytes = PARA__USED_BYTES(scan_job, job->views),
                      .units = job->blocks};
    para__isolated_describe(call, &sums, job->block);
    sums.is_tried_once = false; /* it stores nothing */
    status = para__call_run_phases(call, &sums, store_apart, job);
    if (!status)
        memcpy(scan->result, total, job->acc_bytes);
    return status;
}

static para_status check_scan(const para_scan *scan, scan_job *job)
{
    if (!scan->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    if (!scan->combine)
        return para__fail(PARA_ERR_NULL_COMBINE, NULL);
    if (!scan->result || scan->result_bytes == 0)
        return para__fail(PARA_ERR_NULL_RESULT, NULL);
    if (scan->result_bytes > SIZE_MAX / 256)
        return para__fail(PARA_ERR_OVERFLOW, "an accumulator of %zu bytes", scan->result_bytes);
    para_status status = para__options_check(&scan->options, scan->reserved[0]);
    if (!status)
        status = para__views_check(scan->in, scan->out, NULL, scan->count, &job->views);
    if (!status &&
        para__views_write(&job->views, scan->out, scan->count, scan->result, scan->result_bytes))
        status = para__fail(PARA_ERR_OVERLAP, "the result is part of an output");
    return status;
}

/* Three accumulators of the lead, then one for each block if the call may be shared. */
static bool lay_out_scan(scan_job *job, para__call *call, char *small, size_t small_bytes)
{
    const bool is_alone = para__schedule_is_alone(&call->schedule);
    size_t bytes;
    if (__builtin_mul_overflow(job->stride, 3 + (is_alone ? 0 : job->blocks), &bytes))
        return false;
    char *memory = bytes <= small_bytes ? small : para__call_memory(call, bytes);
    if (!memory)
        return false;
    job->lead->total = memory;
    job->lead->running = memory + job->stride;
    job->lead->sum = memory + 2 * job->stride;
    job->slots = is_alone ? NULL : memory + 3 * job->stride;
    return true;
}

static para_status scan_again(const para__again *with)
{
    para_scan scan = *(const para_scan *)with->call;
    memcpy(scan.in, with->in, sizeof scan.in);
    memcpy(scan.out, with->out, sizeof scan.out);
    scan.result = with->result;
    scan.options = with->options;
    scan.report = NULL;
    return para_pscan(with->pool, &scan);
}

/* Where calls are checked. */
__attribute__((cold)) static para_status
begin_scan_check(para__purity **purity, const para_scan *scan, const scan_job *job)
{
    return para__purity_begin(purity, &(para__subject){.again = scan_again,
                                                       .call = scan,
                                                       .kernel = (uintptr_t)scan->kernel,
                                                       .result = scan->result,
                                                       .result_bytes = scan->result_bytes,
                                                       .combine = scan->combine,
                                                       .identity = scan->identity,
                                                       .arg = scan->arg,
                                                       .count = scan->count,
                                                       .in = scan->in,
                                                       .out = scan->out,
                                                       .views = &job->views,
                                                       .options = &scan->options});
}

para_status para_pscan(para_pool *pool, const para_scan *scan)
{
    scan_job job;
    if (!scan)
        return para__call_missing();
    para__call_clear(scan->report);
    para_status status = check_scan(scan, &job);
    if (!status)
        status = para__call_check_pool(pool, &scan->options);
    if (status || scan->count == 0)
        return status;
    scan_lead lead = {.end = 0};
    job.kernel = scan->kernel;
    job.combine = scan->combine;
    job.arg = scan->arg;
    job.identity = scan->identity;
    job.count = scan->count;
    job.acc_bytes = scan->result_bytes;
    job.stride = para__slot_bytes(job.acc_bytes);
    job.cancel = scan->options.cancel;
    job.lead = &lead;
    job.block = scan->block ? scan->block : para_reduce_block(job.count, job.acc_bytes);
    job.blocks = (job.count - 1) / job.block + 1;

    para__call call;
    para__schedule_describe(&call.schedule, (void (*)(void))scan->kernel, job.count, job.blocks,
                            &scan->options);
    call.schedule.form = PARA__FORM_SCAN;
    para__call_begin(&call, pool, scan->report);
    if (call.schedule.isolated) {
        status = scan_apart(&call, scan, &job);
        para__call_end(&call);
        return status;
    }
    para__purity *purity = NULL;
    if (call.schedule.since_ns)
        status = begin_scan_check(&purity, scan, &job);
    _Alignas(PARA__LINE) char small[PARA__SMALL_BYTES];
    while (!status && !lay_out_scan(&job, &call, small, sizeof small))
        if (!para__schedule_lacks_memory(&call.schedule))
            status = para__fail(PARA_ERR_MEMORY, "accumulators of %zu bytes", job.acc_bytes);
    if (status) {
        para__call_give_up(&call, status);
    } else {
        const unsigned width = para__schedule_width_most(&call.schedule);
        job.tail = width > 1 ? job.blocks - job.blocks / (width + 1) : job.blocks;
        memcpy(lead.total, scan->result, job.acc_bytes);
        status = para__call_run_phases(
            &call,
            &(para__job){.run = run_sums,
                         .payload = &job,
                         .payload_bytes = PARA__USED_BYTES(scan_job, job.views),
                         .units = job.tail},
            store_rest, &job);
    }
    if (!status)
        memcpy(scan->result, lead.total, job.acc_bytes);
    para__call_end(&call);
    return purity ? para__purity_end(purity, pool, call.schedule.plan.width, status) : status;
}
