/* Short names for the two calls: y = f(x), and a fold. Not part of para.h. */
#ifndef PARA_SHORT_H
#define PARA_SHORT_H

#include <para/map.h>
#include <para/reduce.h>

#ifdef __cplusplus
template <class In, class Out>
static inline para_status pmap(para_map_fn *kernel, const In *in, Out *out, size_t n)
{
    para_map call = {};
    call.kernel = kernel;
    call.count = n;
    call.in[0] = PARA_IN(in);
    call.out[0] = PARA_OUT(out);
    return para_pmap(nullptr, &call);
}

template <class In, class Result>
static inline para_status preduce(para_reduce_fn *kernel, para_combine_fn *combine, const In *in,
                                  size_t n, Result *result)
{
    para_reduce call = {};
    call.kernel = kernel;
    call.combine = combine;
    call.count = n;
    call.in[0] = PARA_IN(in);
    call.result = result;
    call.result_bytes = sizeof *result;
    return para_preduce(nullptr, &call);
}
#else
/* out[i] = f(in[i]) for i < n, on the default pool; returns a para_status. */
#define pmap(fn, x, y, n) \
    para_pmap(NULL,       \
              &(para_map){.kernel = (fn), .count = (n), .in = {PARA_IN(x)}, .out = {PARA_OUT(y)}})

/* *acc = *acc (+) in[0] (+) ... (+) in[n - 1], from zero bytes, on the default pool. */
#define preduce(fn, combine_fn, x, n, acc)                     \
    para_preduce(NULL, &(para_reduce){.kernel = (fn),          \
                                      .combine = (combine_fn), \
                                      .count = (n),            \
                                      .in = {PARA_IN(x)},      \
                                      .result = (acc),         \
                                      .result_bytes = sizeof *(acc)})
#endif
#endif
