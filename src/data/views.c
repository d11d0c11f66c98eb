#include "data/views.h"

#include "base/status.h"

/* A view's range in memory, to find overlaps. */
typedef struct span {
    uintptr_t first, end;
} span;

/* Whether an entry of a list holds a view. */
static bool is_given(const void *data, size_t bytes)
{
    return ((uintptr_t)data | bytes) != 0;
}

/* Adds one view; the common case takes few instructions. */
static para_status add_view(para__views *views, span *spans, uint32_t v, const void *data,
                            size_t bytes, size_t count)
{
    uintptr_t end;
    size_t extent;
    views->view[v].data = (char *)(uintptr_t)data; /* an input's is not written: see para__aim_at */
    views->view[v].bytes = bytes;
    if (bytes == 0)
        return data ? PARA_ERR_ELEMENT_SIZE : PARA_ERR_NULL_VIEW; /* a gap in the list */
    if (!data && count)
        return PARA_ERR_NULL_VIEW;
    if (__builtin_mul_overflow(count, bytes, &extent) ||
        __builtin_add_overflow((uintptr_t)data, extent, &end))
        return PARA_ERR_OVERFLOW;
    spans[v] = (span){(uintptr_t)data, end};
    return PARA_OK;
}

/* The first view that output o overlaps, except exactly in place; o itself if there is none. */
static uint32_t find_overlap(const para__views *views, const span *spans, uint32_t o)
{
    const uint32_t all = views->in_count + views->out_count;
    for (uint32_t v = 0; v < all; v++) {
        if (v == o || spans[o].first >= spans[v].end || spans[v].first >= spans[o].end)
            continue;
        if (v >= views->in_count || spans[v].first != spans[o].first ||
            views->view[v].bytes != views->view[o].bytes)
            return v;
    }
    return o;
}

static para_status view_fault(para_status status, const char *what, uint32_t k, size_t count)
{
    if (count > PTRDIFF_MAX)
        return para__fail(status, "%s[%u]: the count is negative: %td", what, k, (ptrdiff_t)count);
    return para__fail(status, "%s[%u] of %zu elements", what, k, count);
}

/* How many views a list has, up to the last one given. Every call pays for this, and most calls
 * have one or two views: then one look at all other entries is enough. */
static uint32_t in_length(const para_in *in)
{
    uintptr_t rest = 0;
#pragma GCC unroll 8
    for (uint32_t k = 2; k < PARA_IN_MAX; k++)
        rest |= (uintptr_t)in[k].data | in[k].element_bytes;
    if (rest == 0)
        return is_given(in[1].data, in[1].element_bytes)   ? 2
               : is_given(in[0].data, in[0].element_bytes) ? 1
                                                           : 0;
    uint32_t n = PARA_IN_MAX;
    while (!is_given(in[n - 1].data, in[n - 1].element_bytes))
        n--;
    return n;
}

static uint32_t out_length(const para_out *out)
{
    uintptr_t rest = 0;
#pragma GCC unroll 4
    for (uint32_t k = 1; k < PARA_OUT_MAX; k++)
        rest |= (uintptr_t)out[k].data | out[k].element_bytes;
    if (rest == 0)
        return is_given(out[0].data, out[0].element_bytes);
    uint32_t m = PARA_OUT_MAX;
    while (!is_given(out[m - 1].data, out[m - 1].element_bytes))
        m--;
    return m;
}

static size_t common_divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A view with a stride. */
typedef struct lattice {
    span span;
    size_t element, step;
} lattice;

static para_status add_stride(lattice *l, size_t element, size_t stride, size_t count)
{
    size_t extent;
    l->element = element;
    l->step = stride ? stride : element;
    if (__builtin_mul_overflow(count - (count != 0), l->step, &extent) ||
        __builtin_add_overflow(extent, count ? element : 0, &extent) ||
        __builtin_add_overflow(l->span.first, extent, &l->span.end))
        return PARA_ERR_OVERFLOW;
    return PARA_OK;
}

/* Whether no element of one view has a byte of the other's. The elements of a view with a stride
 * are at the same places of each period, so two columns of a matrix are apart. The common divisor
 * of two strides is a period of both. */
static bool are_apart(const lattice *a, const lattice *b)
{
    if (a->span.first >= b->span.end || b->span.first >= a->span.end)
        return true;
    const size_t period = common_divisor(a->step, b->step);
    const size_t behind = (b->span.first % period + period - a->span.first % period) % period;
    return behind >= a->element && b->element <= period - behind;
}

/* Gives the views their strides, and checks them anew. */
static para_status check_strides(const para_in *in, const para_out *out,
                                 const para_strides *strides, size_t count, para__views *views)
{
    lattice of[PARA_IN_MAX + PARA_OUT_MAX];
    const uint32_t n = views->in_count, all = n + views->out_count;
    for (uint32_t v = 0; v < all; v++) {
        const bool is_in = v < n;
        const size_t bytes = is_in ? in[v].element_bytes : out[v - n].element_bytes;
        of[v].span.first = (uintptr_t)views->view[v].data;
        if (add_stride(&of[v], bytes, is_in ? strides->in[v] : strides->out[v - n], count))
            return view_fault(PARA_ERR_OVERFLOW, is_in ? "in" : "out", is_in ? v : v - n, count);
        views->view[v].bytes = of[v].step;
    }
    for (uint32_t o = n; o < all; o++) {
        if (of[o].step < of[o].element && count > 1)
            return para__fail(PARA_ERR_OVERLAP, "elements of out[%u]", o - n);
        for (uint32_t v = 0; v < o; v++) {
            const bool in_place = v < n && of[v].span.first == of[o].span.first &&
                                  of[v].element == of[o].element && of[v].step == of[o].step;
            if (!in_place && !are_apart(&of[v], &of[o]))
                return para__fail(PARA_ERR_OVERLAP, "out[%u] and %s[%u]", o - n,
                                  v < n ? "in" : "out", v < n ? v : v - n);
        }
    }
    return PARA_OK;
}

para_status para__views_check(const para_in *in, const para_out *out, const para_strides *strides,
                              size_t count, para__views *views)
{
    span spans[PARA_IN_MAX + PARA_OUT_MAX];
    const uint32_t n = in_length(in);
    const uint32_t m = out_length(out);
    views->in_count = n;
    views->out_count = m;
    for (uint32_t k = 0; k < n; k++) {
        const para_status status =
            add_view(views, spans, k, in[k].data, in[k].element_bytes, count);
        if (status)
            return view_fault(status, "in", k, count);
    }
    for (uint32_t k = 0; k < m; k++) {
        const para_status status =
            add_view(views, spans, n + k, out[k].data, out[k].element_bytes, count);
        if (status)
            return view_fault(status, "out", k, count);
    }
    if (strides)
        return check_strides(in, out, strides, count, views);
    for (uint32_t o = n; o < n + m; o++) {
        const uint32_t v = find_overlap(views, spans, o);
        if (v != o)
            return para__fail(PARA_ERR_OVERLAP, "out[%u] and %s[%u]", o - n, v < n ? "in" : "out",
                              v < n ? v : v - n);
    }
    return PARA_OK;
}

bool para__views_write(const para__views *views, const para_out *out, size_t count,
                       const void *data, size_t bytes)
{
    const uintptr_t first = (uintptr_t)data;
    for (uint32_t k = 0; count && k < views->out_count; k++) {
        const uintptr_t begin = (uintptr_t)out[k].data;
        const size_t step = views->view[views->in_count + k].bytes;
        const uintptr_t end = begin + (count - 1) * step + out[k].element_bytes;
        if (begin < first + bytes && first < end)
            return true;
    }
    return false;
}
