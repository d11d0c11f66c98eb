/* para_pfilter: a first pass notes in bits which elements stay, and counts them; a second one copies.
 *
 * As in a scan, the participant that has the beginning of the call leads: it knows where its
 * elements go, and copies them at once. Alone, that is the whole call. */
#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/call.h"
#include "data/views.h"

#include <para/filter.h>
#include <para/reduce.h>
#include <stddef.h>
#include <string.h>

/* A block's flags lie on the stack, as bytes and as bits. */
enum { BLOCK_MOST = 4096, WORD = 64 };

/* How far the leading participant is: blocks that are copied, and the elements that stayed. */
typedef struct filter_lead {
    size_t end, kept;
} filter_lead;

typedef struct filter_job {
    para_filter_fn *kernel;
    const void *arg;
    size_t count, block;
    size_t words; /* of bits, a block */
    filter_lead *lead;
    uint64_t *bits; /* [blocks][words]; NULL: alone, all is led */
    size_t *starts; /* [blocks]: how many of a block stay, then how many before it do */
    const para_cancel *cancel;
    para__views views;
} filter_job;

_Static_assert(sizeof(filter_job) <= PARA__PAYLOAD_BYTES, "a job has room in a notice");

/* Eight flags to eight bits: each flag times 2^(56 - 7 i) comes to stand in the topmost byte. */
static uint64_t word_of_flags(const bool *keep)
{
    uint64_t word = 0;
    for (int i = 0; i < WORD; i += 8) {
        uint64_t eight;
        memcpy(&eight, keep + i, sizeof eight);
        word |= (eight * 0x0102040810204080u >> 56) << i;
    }
    return word;
}

static inline __attribute__((always_inline)) char *
pack_elements(char *out, const char *in, const uint64_t *bits, size_t words, size_t bytes)
{
    for (size_t w = 0; w < words; w++, in += WORD * bytes) {
        uint64_t word = bits[w];
        if (word == UINT64_MAX) {
            memcpy(out, in, WORD * bytes);
            out += WORD * bytes;
            continue;
        }
        for (; word; word &= word - 1) {
            memcpy(out, in + (size_t)__builtin_ctzll(word) * bytes, bytes);
            out += bytes;
        }
    }
    return out;
}

/* Copies what stays of a block that begins at element first, to where `kept` others stand. */
static void copy_block(const filter_job *job, const uint64_t *bits, size_t first, size_t kept)
{
    const para__views *views = &job->views;
    const size_t words = (para__min(job->block, job->count - first) + WORD - 1) / WORD;
    for (uint32_t k = 0; k < views->out_count; k++) {
        const size_t bytes = views->view[k].bytes;
        const char *in = views->view[k].data + first * bytes;
        char *out = views->view[views->in_count + k].data + kept * bytes;
        switch (bytes) {
        case 4:
            pack_elements(out, in, bits, words, 4);
            break;
        case 8:
            pack_elements(out, in, bits, words, 8);
            break;
        case 16:
            pack_elements(out, in, bits, words, 16);
            break;
        default:
            pack_elements(out, in, bits, words, bytes);
            break;
        }
    }
}

static size_t note_bits(uint64_t *bits, bool *keep, size_t count)
{
    size_t kept = 0;
    const size_t words = (count + WORD - 1) / WORD;
    memset(keep + count, 0, words * WORD - count);
    for (size_t w = 0; w < words; w++) {
        bits[w] = word_of_flags(keep + w * WORD);
        kept += (size_t)__builtin_popcountll(bits[w]);
    }
    return kept;
}

static void run_tests(const void *payload, size_t first_block, size_t blocks, para__seat *seat)
{
    const filter_job *job = payload;
    filter_lead *lead = seat->worker == 0 && job->lead->end == first_block ? job->lead : NULL;
    bool keep[BLOCK_MOST];
    uint64_t own_bits[BLOCK_MOST / WORD];
    para__aim aim;
    aim.chunk.in = aim.in;
    aim.chunk.out = aim.out;
    aim.chunk.scratch = NULL;
    aim.chunk.worker = seat->worker;
    aim.chunk.kind = seat->kind;
    for (size_t b = first_block; b < first_block + blocks; b++) {
        const size_t first = b * job->block;
        const size_t count = para__min(job->block, job->count - first);
        if (para__seat_stops(seat, first) || para__seat_is_cancelled(seat, job->cancel))
            return;
        para__aim_at(&aim, &job->views, first, count);
        const int error = job->kernel(&aim.chunk, keep, job->arg);
        para__seat_record(seat, first, count, error);
        if (error)
            return;
        uint64_t *const bits = lead ? own_bits : job->bits + b * job->words;
        const size_t kept = note_bits(bits, keep, count);
        if (lead) {
            copy_block(job, bits, first, lead->kept);
            lead->kept += kept;
            lead->end = b + 1;
        } else
            job->starts[b] = kept;
    }
}

static void run_copies(const void *payload, size_t first, size_t count, para__seat *seat)
{
    const filter_job *job = payload;
    for (size_t b = first; b < first + count && !para__seat_is_cancelled(seat, job->cancel); b++)
        copy_block(job, job->bits + b * job->words, b * job->block, job->starts[b]);
}

static void copy_rest(para__call *call, void *state, para__outcome *outcome)
{
    filter_job *job = state;
    filter_lead *lead = job->lead;
    if (outcome->tally.error)
        return;
    const size_t blocks = (job->count - 1) / job->block + 1;
    for (size_t b = lead->end; b < blocks; b++) {
        const size_t kept = job->starts[b];
        job->starts[b] = lead->kept;
        lead->kept += kept;
    }
    if (job->views.out_count)
        para__call_more(call,
                        &(para__job){.run = run_copies,
                                     .payload = job,
                                     .payload_bytes = PARA__USED_BYTES(filter_job, job->views),
                                     .first = lead->end,
                                     .units = blocks - lead->end},
                        outcome);
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
    if (!filter)
        return para__fail(PARA_ERR_ARGUMENT, "there is no call");
    if (!filter->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    if (!filter->kept)
        return para__fail(PARA_ERR_NULL_RESULT, "kept is NULL");
    para_status status = para__options_check(&filter->options, filter->reserved);
    if (!status)
        status = para__views_check(filter->in, filter->out, filter->count, &job->views);
    if (!status && filter->count)
        status = check_pairs(&job->views);
    return status;
}

/* Bits and counts of all blocks, if the call may be shared. */
static bool lay_out_filter(filter_job *job, para__call *call, size_t blocks)
{
    job->bits = NULL;
    job->starts = NULL;
    if (para__call_is_alone(call))
        return true;
    const size_t bit_bytes = blocks * job->words * sizeof *job->bits; /* at most 8 an element */
    size_t bytes;
    if (job->count > SIZE_MAX / 32 ||
        __builtin_add_overflow(bit_bytes, blocks * sizeof *job->starts, &bytes))
        return false;
    char *memory = para__call_memory(call, bytes);
    if (!memory)
        return false;
    job->bits = (uint64_t *)(void *)memory;
    job->starts = (size_t *)(void *)(memory + bit_bytes);
    return true;
}

para_status para_pfilter(para_pool *pool, const para_filter *filter)
{
    filter_job job;
    para_status status = check_filter(filter, &job);
    if (filter && filter->report)
        *filter->report = (para_report){0};
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
    job.block = para__min(block, BLOCK_MOST);
    job.words = (job.block + WORD - 1) / WORD;
    const size_t blocks = (job.count - 1) / job.block + 1;
    status = para__call_begin(&call, pool, (void (*)(void))filter->kernel, job.count, blocks,
                              &filter->options, filter->report);
    if (status)
        return status;
    if (!lay_out_filter(&job, &call, blocks))
        para__schedule_limit(&call.schedule, 1, PARA_WHY_MEMORY);
    status =
        para__call_run_phases(&call,
                              &(para__job){.run = run_tests,
                                           .payload = &job,
                                           .payload_bytes = PARA__USED_BYTES(filter_job, job.views),
                                           .units = blocks},
                              copy_rest, &job);
    if (!status)
        *filter->kept = lead.kept;
    para__call_end(&call);
    return status;
}
