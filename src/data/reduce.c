/* para_preduce: blocks, folded into the fixed tree of plan/tree.h.
 *
 * A unit is a node of the tree, 2^level blocks, and has a slot for its partial result. A
 * participant that has claimed several units runs the largest nodes among them, each into the slot
 * of its first unit. It folds a node's blocks on a small stack of its own, as a binary counter
 * counts: after block b, as many pairs combine as b + 1 has trailing zeros. The caller finishes the
 * tree. Where any grouping has the same bits, a kernel call folds all units of a claim.
 *
 * Large accumulators are copied as little as possible: the slot is the bottom of the stack. */
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
#include "pool/self.h"

#include <para/reduce.h>
#include <stddef.h>
#include <string.h>

/* What the workers get. */
typedef struct reduce_job {
    para_reduce_fn *kernel;
    para_combine_fn *combine;
    const void *arg;
    const void *identity; /* NULL: zero bytes */
    uint64_t word;        /* the same, where an accumulator has 8 bytes */
    size_t count, block, blocks;
    size_t acc_bytes;
    size_t units; /* of 2^level blocks */
    unsigned level;
    unsigned most_level;     /* nodes are run of at most 2^most_level units */
    para__partials partials; /* one slot a unit */
    char *stacks; /* [width][stack_bytes]: accumulators while a node is folded, scratch */
    size_t stack_bytes, scratch_offset;
    bool has_scratch, is_large; /* large: the bottom of a stack is the slot */
    unsigned merge_level;       /* a kernel call folds up to 2^merge_level blocks of a node; */
    bool takes_runs;            /* or all that a participant has claimed */
    const para_cancel *cancel;
    para__views views;
} reduce_job;

_Static_assert(sizeof(reduce_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static inline void start_from_identity(const reduce_job *job, void *acc)
{
    if (job->acc_bytes == sizeof job->word) /* the common size, without a call */
        memcpy(acc, &job->word, sizeof job->word);
    else if (!job->identity)
        memset(acc, 0, job->acc_bytes);
    else
        memcpy(acc, job->identity, job->acc_bytes);
}

/* Accumulators while a node is folded: the bottom one, and those above it. */
typedef struct pile {
    char *bottom, *above;
    size_t stride;
} pile;

static inline char *below(const pile *on, char *acc)
{
    return acc == on->above ? on->bottom : acc - on->stride;
}

static inline char *above(const pile *on, char *acc)
{
    return acc == on->bottom ? on->above : acc + on->stride;
}

/* Folds units, a node or a run, into the slot of the first one; false if a failure has ended it
 * early. */
static bool fold_units(const reduce_job *job, size_t unit, size_t units, char *stack,
                       para__aim *aim, para__runner *runner)
{
    const size_t begin = unit << job->level;
    const size_t n = para__min(job->blocks - begin, units << job->level);
    const size_t stride = job->partials.stride;
    char *const slot = (char *)job->partials.slots + unit * stride;
    pile on = {.bottom = slot, .above = stack, .stride = stride};
    if (n > 1 && !job->is_large)
        on = (pile){.bottom = stack, .above = stack + stride, .stride = stride};
    char *top = on.bottom; /* the next accumulator is started here */
    const size_t most = (size_t)1 << job->merge_level;
    for (size_t b = 0, length; b < n; b += length) {
        length = para__min(n - b, most);
        const size_t first = (begin + b) * job->block;
        const bool is_last = begin + b + length == job->blocks;
        const size_t count = is_last ? job->count - first : length * job->block;
        if (para__runner_stops(runner, first) || para__runner_is_cancelled(runner, job->cancel))
            return false;
        start_from_identity(job, top);
        para__aim_at(aim, &job->views, first, count);
        if (para__aim_record(aim, runner, job->kernel(&aim->chunk, top, job->arg)))
            return false;
        for (size_t carry = (b >> job->merge_level) + 1; (carry & 1) == 0; carry >>= 1) {
            char *const left = below(&on, top);
            job->combine(left, top, job->arg);
            top = left;
        }
        top = above(&on, top);
    }
    for (top = below(&on, top); top != on.bottom; top = below(&on, top))
        job->combine(below(&on, top), top, job->arg);
    if (on.bottom != slot)
        memcpy(slot, on.bottom, job->acc_bytes);
    para__tree_set_run(&job->partials, unit, unit + units);
    return true;
}

static void run_reduce(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const reduce_job *job = payload;
    char *stack = job->stacks + runner->worker * job->stack_bytes;
    para__aim aim;
    para__aim_begin(&aim, runner, job->has_scratch ? stack + job->scratch_offset : NULL,
                    job->cancel, (first << job->level) * job->block);
    __builtin_prefetch(job->partials.slots + first * job->partials.stride, 1);
    for (size_t unit = first, units; unit < first + count; unit += units) {
        units = first + count - unit;
        if (!job->takes_runs) {
            const unsigned fits = para__tree_level(job->partials.leaves, unit, first + count);
            units = para__min(units, (size_t)1 << para__min(fits, job->most_level));
        }
        if (!fold_units(job, unit, units, stack, &aim, runner)) {
            const size_t last = (first + count) << job->level;
            para__aim_end(&aim, runner, para__block_end(last, job->block, job->count));
            return;
        }
    }
    para__tree_fold(&job->partials, first, first + count, job->combine, job->arg);
}

static void fold_reduce(const void *payload, size_t first, size_t count)
{
    const reduce_job *job = payload;
    para__tree_fold(&job->partials, first, first + count, job->combine, job->arg);
}

static para_status check_reduce(const para_reduce *reduce, reduce_job *job)
{
    if (!reduce->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    if (!reduce->combine)
        return para__fail(PARA_ERR_NULL_COMBINE, NULL);
    if (!reduce->result || reduce->result_bytes == 0)
        return para__fail(PARA_ERR_NULL_RESULT, NULL);
    if (reduce->exact > PARA_FOLDS_NODES)
        return para__fail(PARA_ERR_ARGUMENT, "exact is %zu", reduce->exact);
    if (reduce->result_bytes > SIZE_MAX / 256)
        return para__fail(PARA_ERR_OVERFLOW, "an accumulator of %zu bytes", reduce->result_bytes);
    para_status status = para__options_check(&reduce->options, 0);
    if (!status)
        status =
            para__views_check(reduce->in, reduce->out, reduce->strides, reduce->count, &job->views);
    if (!status && para__views_write(&job->views, reduce->out, reduce->count, reduce->result,
                                     reduce->result_bytes))
        status = para__fail(PARA_ERR_OVERLAP, "the result is part of an output");
    return status;
}

/* What units follow from. */
typedef struct divisible {
    const reduce_job *job;
    size_t chunk; /* as the call's options have it */
} divisible;

static size_t units_at(const reduce_job *job, unsigned level)
{
    return ((job->blocks - 1) >> level) + 1;
}

/* The level of which there are so many units; of several, the lowest. */
static unsigned level_of(const reduce_job *job, size_t units)
{
    unsigned level = para__ceiling_log2(job->blocks);
    while (level > 0 && units_at(job, level - 1) <= units)
        level--;
    return level;
}

/* Units for so many participants, and how many of these have room for their accumulators. */
static para__split split_reduce(const void *call, unsigned most)
{
    const divisible *of = call;
    const reduce_job *job = of->job;
    const size_t least = para__min(of->chunk, job->count);
    unsigned level = para__unit_level(job->blocks, job->acc_bytes, most);
    while (((size_t)1 << level) < job->blocks && (job->block << level) < least)
        level++;
    const para_why why = units_at(job, level) == 1 ? PARA_WHY_ONE_UNIT : PARA_WHY_MEMORY;
    const unsigned width = para__tree_width(job->blocks, job->acc_bytes, most, &level);
    return (para__split){.units = units_at(job, level), .width = width, .why = why};
}

/* Memory of a call: slots, then a stack and scratch for each worker. */
static bool lay_out(reduce_job *job, para__call *call, size_t scratch_bytes, char *small,
                    size_t small_bytes)
{
    const size_t stride = para__slot_bytes(job->acc_bytes);
    const size_t slot_bytes = para__round_up(job->units * stride, PARA__LINE);
    const size_t fits = PARA__PILE_BYTES / stride;
    const unsigned all = para__ceiling_log2(job->units);
    const unsigned room = fits > job->level + 1 ? (unsigned)fits - job->level - 1 : 0;
    job->most_level = para__min(room, all);
    job->is_large = stride > PARA__PILE_BYTES;
    const unsigned piled = job->level + job->most_level + !job->is_large;
    job->scratch_offset = para__round_up(piled * stride, PARA__LINE);
    job->stack_bytes = para__round_up(scratch_bytes, PARA__LINE);
    const unsigned width =
        para__schedule_room(&call->schedule, para__max(job->stack_bytes, job->scratch_offset));
    const size_t most = SIZE_MAX / 2 / width;
    if (job->scratch_offset > most || job->stack_bytes > most - job->scratch_offset)
        return false;
    job->stack_bytes += job->scratch_offset;
    const size_t stack_bytes = job->stack_bytes * width;
    if (stack_bytes > SIZE_MAX / 2 - slot_bytes)
        return false;
    const bool apart = para__call_has_strips(call, job->stack_bytes);
    const size_t bytes = slot_bytes + (apart ? 0 : stack_bytes);
    char *memory = bytes <= small_bytes ? small : para__call_memory(call, bytes);
    if (!memory)
        return false;
    job->stacks = apart ? para__call_strips(call, width, &job->stack_bytes) : memory + slot_bytes;
    if (!job->stacks)
        return false;
    job->partials =
        (para__partials){.slots = (unsigned char *)memory, .stride = stride, .leaves = job->units};
    job->has_scratch = scratch_bytes != 0;
    return true;
}

/* If there is not enough memory for a shared call, one participant may do. */
static bool prepare(reduce_job *job, para__call *call, size_t scratch_bytes, char *small,
                    size_t small_bytes)
{
    do {
        job->units = para__schedule_units(&call->schedule);
        job->level = level_of(job, job->units);
        if (lay_out(job, call, scratch_bytes, small, small_bytes))
            return true;
    } while (para__schedule_lacks_memory(&call->schedule));
    return false;
}

/* Folds the call on this thread, for one that needs nothing else: as run_node folds its blocks. In
 * a loop of nanoseconds the way through a job and its memory would show. */
static para_status run_plain(const reduce_job *job, void *result, unsigned kind, char *stack)
{
    const size_t stride = para__slot_bytes(job->acc_bytes);
    para__aim aim;
    para__aim_init(&aim, NULL, 0, kind);
    char *top = stack;
    for (size_t b = 0; b < job->blocks; b++) {
        const size_t first = b * job->block;
        const size_t count = para__min(job->count - first, job->block);
        start_from_identity(job, top);
        para__aim_at(&aim, &job->views, first, count);
        const int error = job->kernel(&aim.chunk, top, job->arg);
        if (error)
            return para__call_fail(error, first, count);
        for (size_t carry = b + 1; (carry & 1) == 0; carry >>= 1, top -= stride)
            job->combine(top - stride, top, job->arg);
        top += stride;
    }
    for (top -= stride; top != stack; top -= stride)
        job->combine(top - stride, top, job->arg);
    job->combine(result, stack, job->arg);
    return PARA_OK;
}

/* Whether so many bytes have room for the accumulators of run_plain. */
static bool fits_plain(const reduce_job *job, size_t bytes)
{
    return job->acc_bytes < bytes &&
           (para__ceiling_log2(job->blocks) + 1) * para__slot_bytes(job->acc_bytes) <= bytes;
}

size_t para_reduce_block(size_t count, size_t result_bytes)
{
    const para__fp fp = para__fp_save();
    const size_t block = para__block_elements(count, result_bytes ? result_bytes : 1);
    para__fp_restore(fp, 0);
    return block;
}

/* A token is looked at between kernel calls, so these have no more elements than the blocks of a
 * call that states none, or than the caller stated. Macros choose blocks by themselves. */
static unsigned merge_level_of(const para_reduce *reduce, const reduce_job *job)
{
    if (!reduce->exact || (job->cancel && reduce->block && !reduce->list_))
        return 0;
    unsigned level = para__ceiling_log2(job->blocks);
    if (job->cancel) {
        const size_t most = para_reduce_block(job->count, job->acc_bytes);
        while (level > 0 && (most >> level) < job->block)
            level--;
    }
    return level;
}

/* Where calls are checked. */
__attribute__((cold)) static para_status
begin_reduce_check(para__purity **purity, const para_reduce *reduce, const reduce_job *job)
{
    return para__purity_begin(purity, &(para__subject){.reduce = reduce,
                                                       .result = reduce->result,
                                                       .result_bytes = reduce->result_bytes,
                                                       .combine = reduce->combine,
                                                       .identity = reduce->identity,
                                                       .arg = reduce->arg,
                                                       .count = reduce->count,
                                                       .in = reduce->in,
                                                       .out = reduce->out,
                                                       .views = &job->views,
                                                       .scratch_bytes = reduce->scratch_bytes,
                                                       .most = job->block,
                                                       .options = &reduce->options,
                                                       .once = reduce->once != 0});
}

/* ---- On worker processes -------------------------------------------------------------------- */

/* Units that were given up count nothing. */
static void forget_units(const void *payload, size_t first, size_t units)
{
    const reduce_job *job = payload;
    for (size_t unit = first; unit < first + units; unit++) {
        start_from_identity(job, job->partials.slots + unit * job->partials.stride);
        *para__slot_level(&job->partials, unit) = 0;
    }
}

static para_status isolate_reduce(para__isolated *isolated, para__call *call,
                                  const para_reduce *reduce, reduce_job *job)
{
    const para_status status =
        para__isolated_begin(isolated, call,
                             &(para__isolable){.views = &job->views,
                                               .in = reduce->in,
                                               .out = reduce->out,
                                               .count = reduce->count,
                                               .arg = &job->arg,
                                               .arg_bytes = reduce->arg_bytes,
                                               .parameters = reduce->list_,
                                               .cancel = &job->cancel,
                                               .once = reduce->once != 0,
                                               .identity = &job->identity,
                                               .identity_bytes = job->acc_bytes});
    isolated->forget = forget_units;
    return status;
}

/* The rest of the tree, as a job of one unit: `combine` is the program's too. It begins from copies
 * of the slots, and so may be tried again. */
typedef struct finish_job {
    para__partials partials;
    unsigned char *slots; /* the partial results that stay */
    size_t bytes;
    para_combine_fn *combine;
    const void *arg;
    size_t acc_bytes;
    unsigned char *begun, *result; /* what the result was, and what it becomes */
} finish_job;

static void run_finish(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const finish_job *job = payload;
    (void)first;
    (void)count;
    (void)runner;
    memcpy(job->partials.slots, job->slots, job->bytes);
    memcpy(job->result, job->begun, job->acc_bytes);
    para__tree_fold(&job->partials, 0, job->partials.leaves, job->combine, job->arg);
    job->combine(job->result, job->partials.slots, job->arg);
}

static para_status finish_isolated(para__call *call, const para_reduce *reduce,
                                   const reduce_job *job)
{
    const size_t acc = para__round_up(job->acc_bytes, PARA__LINE);
    const size_t slots = job->units * job->partials.stride;
    unsigned char *const memory = para__desk_arena(call->schedule.desk, 3, 2 * acc + slots);
    if (!memory)
        return para__fail(PARA_ERR_MEMORY, "%zu partial results of %zu bytes", job->units,
                          job->acc_bytes);
    finish_job finish = {.partials = job->partials,
                         .slots = job->partials.slots,
                         .bytes = slots,
                         .combine = job->combine,
                         .arg = job->arg,
                         .acc_bytes = job->acc_bytes,
                         .begun = memory,
                         .result = memory + acc};
    finish.partials.slots = memory + 2 * acc;
    memcpy(finish.begun, reduce->result, job->acc_bytes);
    const para_status status = para__isolated_finish(
        call,
        &(para__job){
            .run = run_finish, .payload = &finish, .payload_bytes = sizeof finish, .units = 1});
    if (!status)
        memcpy(reduce->result, finish.result, job->acc_bytes);
    return status;
}

/* All that run_plain leaves out. Not inline: its registers would show in the shortest calls. */
__attribute__((noinline)) static para_status run_reduce_call(para_pool *pool,
                                                             const para_reduce *reduce,
                                                             reduce_job *job, para__call *call,
                                                             char *small, size_t small_bytes)
{
    para__purity *purity = NULL;
    para_status status = PARA_OK;
    para__isolated isolated;
    if (call->schedule.isolated) {
        status = isolate_reduce(&isolated, call, reduce, job);
        small_bytes = 0;
    } else if (call->schedule.since_ns)
        status = begin_reduce_check(&purity, reduce, job);
    if (!status && !prepare(job, call, reduce->scratch_bytes, small, small_bytes))
        status = para__fail(PARA_ERR_MEMORY, "%zu partial results of %zu bytes, scratch of %zu",
                            job->units, job->acc_bytes, reduce->scratch_bytes);
    para__job shared = {.run = run_reduce,
                        .fold = fold_reduce,
                        .payload = job,
                        .payload_bytes = PARA__USED_BYTES(reduce_job, job->views),
                        .units = job->units};
    para__isolated_describe(call, &shared, status ? 0 : job->block << job->level);
    status = status ? para__call_give_up(call, status) : para__call_run(call, &shared);
    if (!status && call->isolated)
        status = finish_isolated(call, reduce, job);
    else if (!status) {
        para__tree_fold(&job->partials, 0, job->units, job->combine, job->arg);
        job->combine(reduce->result, job->partials.slots, job->arg);
    }
    para__call_end(call);
    return purity ? para__purity_end(purity, pool, call->schedule.plan.width, status) : status;
}

para_status para_preduce(para_pool *pool, const para_reduce *reduce)
{
    reduce_job job;
    if (!reduce)
        return para__call_missing();
    para__call_clear(reduce->report);
    para_status status = check_reduce(reduce, &job);
    if (!status)
        status = para__call_check_pool(pool, &reduce->options);
    if (status || reduce->count == 0)
        return status;
    job.kernel = reduce->kernel;
    job.combine = reduce->combine;
    job.arg = reduce->arg;
    job.identity = reduce->identity;
    job.word = 0;
    if (job.identity && reduce->result_bytes == sizeof job.word)
        memcpy(&job.word, job.identity, sizeof job.word);
    job.count = reduce->count;
    job.cancel = reduce->options.cancel;
    job.acc_bytes = reduce->result_bytes;
    job.block = reduce->block ? reduce->block : para_reduce_block(job.count, job.acc_bytes);
    job.blocks = (job.count - 1) / job.block + 1;
    job.merge_level = merge_level_of(reduce, &job);
    job.takes_runs = reduce->exact == 1 && !job.cancel;

    para__call call;
    para__schedule_describe(&call.schedule, (void (*)(void))reduce->kernel, job.count, job.blocks,
                            &reduce->options);
    const divisible of = {&job, reduce->options.chunk};
    call.schedule.form = PARA__FORM_REDUCE;
    call.schedule.split = split_reduce;
    call.schedule.split_of = &of;
    para__call_begin(&call, pool, reduce->report);
    if (reduce->exact && !job.cancel && para__schedule_is_alone(&call.schedule) &&
        !call.schedule.isolated) {
        job.block = job.count;
        job.blocks = 1;
    }
    _Alignas(PARA__LINE) char
        small[PARA__SMALL_BYTES]; /* enough for a small accumulator on one thread */
    if (para__call_is_plain(&call) && !reduce->scratch_bytes && fits_plain(&job, sizeof small)) {
        const unsigned kind = para__pool_kind(call.schedule.pool);
        para__schedule_release_fp(&call.schedule, 0);
        return run_plain(&job, reduce->result, kind, small);
    }
    return run_reduce_call(pool, reduce, &job, &call, small, sizeof small);
}
