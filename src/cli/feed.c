#include "cli/feed.h"

#include "base/bounds.h"

#include <stdint.h>
#include <string.h>

/* A call whose mapped files exceed this together releases them behind the work. */
static const size_t large_bytes = (size_t)256 << 20;

/* Bytes of one input in a chunk of a map, unless --chunk is given: small against a window, and
 * small enough for a core's own cache if the chunk is gathered. */
static const size_t chunk_bytes = (size_t)4 << 20;
static const size_t gathered_bytes = (size_t)128 << 10;

/* Each gathered input begins at a cache line. */
static const size_t line_bytes = 64;

/* ---- Gathering ------------------------------------------------------------------------- */

/* Copies elements [first, first + count), counted in C order, of an array in Fortran order. */
static void gather_fortran(const para__array *array, size_t first, size_t count, char *to)
{
    const para__npy *npy = &array->npy;
    const size_t bytes = npy->element_bytes;
    const unsigned last = npy->rank - 1;
    size_t index[PARA__NPY_RANK_MAX] = {0};
    size_t stride[PARA__NPY_RANK_MAX] = {bytes}; /* in bytes */
    const char *from = array->data;
    for (unsigned d = 1; d < npy->rank; d++)
        stride[d] = stride[d - 1] * npy->shape[d - 1];
    for (unsigned d = npy->rank; d-- > 0; first /= npy->shape[d]) {
        index[d] = first % npy->shape[d];
        from += index[d] * stride[d];
    }
    for (size_t i = 0; i < count; i++, to += bytes) {
        memcpy(to, from, bytes);
        unsigned d = last;
        from += stride[d];
        while (++index[d] == npy->shape[d] && d > 0) {
            from -= index[d] * stride[d];
            index[d--] = 0;
            from += stride[d];
        }
    }
}

static const void *gather(const struct para__fed *fed, const para_chunk *chunk, unsigned k)
{
    char *to = (char *)chunk->scratch + fed->place;
    const size_t numbers =
        fed->element_bytes / fed->array->npy.element_bytes; /* in an element of the call */
    if (fed->array->npy.fortran)
        gather_fortran(fed->array, chunk->first * numbers, chunk->count * numbers, to);
    else
        memcpy(to, chunk->in[k], chunk->count * fed->element_bytes);
    return to;
}

/* Returns the chunk that the kernel gets; stores its inputs in `in`. */
static para_chunk enter(const para__feed *feed, const para_chunk *chunk, const void **in)
{
    para_chunk own = *chunk;
    for (unsigned k = 0; k < feed->count; k++)
        in[k] = feed->in[k].gathers ? gather(&feed->in[k], chunk, k) : chunk->in[k];
    own.in = in;
    own.scratch = NULL;
    return own;
}

static void leave(para__feed *feed, const para_chunk *chunk)
{
    for (unsigned k = 0; k < feed->count; k++)
        para__windows_done(&feed->in[k].windows, chunk->in[k],
                           chunk->count * feed->in[k].element_bytes);
    if (feed->out.mapping)
        para__windows_done(&feed->out, chunk->out[0], chunk->count * feed->out_bytes);
}

static int run_map(const para_chunk *chunk, const void *arg)
{
    para__feed *feed = *(para__feed *const *)arg;
    const void *in[PARA_IN_MAX] = {0};
    const para_chunk own = enter(feed, chunk, in);
    const int error = feed->map(&own, feed->arg);
    leave(feed, chunk);
    return error;
}

static int run_reduce(const para_chunk *chunk, void *acc, const void *arg)
{
    para__feed *feed = *(para__feed *const *)arg;
    const void *in[PARA_IN_MAX] = {0};
    const para_chunk own = enter(feed, chunk, in);
    const int error = feed->reduce(&own, acc, feed->arg);
    leave(feed, chunk);
    return error;
}

static void run_combine(void *acc, const void *rhs, const void *arg)
{
    const para__feed *feed = *(para__feed *const *)arg;
    feed->combine(acc, rhs, feed->arg);
}

/* ---- Setting up ------------------------------------------------------------------------ */

/* Sets the views. Returns whether the feed is needed. */
static bool set_views(para__feed *feed, para_in *views, const para__array *in, unsigned count,
                      size_t row, const para__array *out, bool again)
{
    bool needed = false;
    size_t mapped = out && out->mapping.descriptor >= 0 ? out->mapping.bytes : 0;
    *feed = (para__feed){.count = count, .out_bytes = out ? out->npy.element_bytes : 0};
    for (unsigned k = 0; k < count; k++) {
        struct para__fed *fed = &feed->in[k];
        fed->array = &in[k];
        fed->element_bytes = in[k].npy.element_bytes * row;
        fed->gathers = in[k].npy.fortran || (uintptr_t)in[k].data % in[k].npy.element_bytes != 0;
        views[k] = (para_in){in[k].data, fed->element_bytes};
        needed |= fed->gathers;
        mapped += in[k].mapping.descriptor >= 0 ? in[k].mapping.bytes : 0;
    }
    if (mapped <= large_bytes || again)
        return needed;
    for (unsigned k = 0; k < count; k++)
        if (!in[k].npy.fortran) /* its chunks are scattered over the file */
            para__windows_begin(&feed->in[k].windows, &in[k], false);
    if (out)
        para__windows_begin(&feed->out, out, true);
    return true;
}

static bool gathers(const para__feed *feed)
{
    for (unsigned k = 0; k < feed->count; k++)
        if (feed->in[k].gathers)
            return true;
    return false;
}

/* Returns the scratch bytes that a worker needs for a chunk of that many elements. */
static size_t place(para__feed *feed, size_t elements)
{
    size_t bytes = 0;
    for (unsigned k = 0; k < feed->count; k++) {
        struct para__fed *fed = &feed->in[k];
        fed->place = bytes;
        if (fed->gathers)
            bytes += (elements * fed->element_bytes + line_bytes - 1) / line_bytes * line_bytes;
    }
    return bytes;
}

void para__feed_map(para__feed *feed, para_map *call, const para__array *in, unsigned count,
                    size_t row, const para__array *out, bool again)
{
    if (!set_views(feed, call->in, in, count, row, out, again))
        return;
    const size_t bytes = in[0].npy.element_bytes * row; /* all inputs have one type */
    const size_t chunk = (gathers(feed) ? gathered_bytes : chunk_bytes) / (bytes ? bytes : 1);
    if (!call->options.chunk)
        call->options.chunk = chunk ? chunk : 1;
    feed->map = call->kernel;
    feed->arg = call->arg;
    feed->self = feed;
    call->arg = &feed->self;
    call->arg_bytes = sizeof feed->self;
    call->kernel = run_map;
    call->scratch_bytes = place(feed, para__min(call->options.chunk, call->count));
}

void para__feed_reduce(para__feed *feed, para_reduce *call, const para__array *in, unsigned count,
                       bool again)
{
    if (!set_views(feed, call->in, in, count, 1, NULL, again))
        return;
    const size_t block = para_reduce_block(call->count, call->result_bytes);
    feed->reduce = call->kernel;
    feed->combine = call->combine;
    feed->arg = call->arg;
    feed->self = feed;
    call->arg = &feed->self;
    call->arg_bytes = sizeof feed->self;
    call->kernel = run_reduce;
    call->combine = run_combine;
    call->scratch_bytes = place(feed, para__min(block, call->count));
}

void para__feed_end(para__feed *feed)
{
    for (unsigned k = 0; k < feed->count; k++)
        para__windows_end(&feed->in[k].windows);
    para__windows_end(&feed->out);
}
