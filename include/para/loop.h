/* PARA_LOOP: a loop of independent iterations, in parallel, written as the loop it was. */
#ifndef PARA_LOOP_H
#define PARA_LOOP_H

#include <para/grid.h>
#include <para/macros.h>
#include <para/map.h>
#include <para/setup.h>
#include <stdint.h>

/* PARA_LOOP(name, i, type, parameter, ...) { body }      at file scope: defines a loop
 * para_loop(name, count, argument, ...)                  runs it; a para_status
 *
 *     PARA_LOOP(saxpy, i, float, a, const float *, x, float *, y)
 *     {
 *         y[i] += a * x[i];
 *     }
 *     ...
 *     if (para_loop(saxpy, n, 2, x, y)) ...
 *
 * equals  for (size_t i = 0; i < n; i++) { y[i] += a * x[i]; }  with a = 2. There are up to 16
 * parameters; arguments stand in the same order, and a pointer to another type does not compile.
 * A parameter by value is a copy of the iteration's own: what the body adds to it is lost.
 * In C++ an object that is a parameter by value is copied for each iteration: take a reference.
 * In the body `return;` ends an iteration, as continue does in a loop. Nothing ends the loop early.
 *
 * Contract. An iteration writes only what no other iteration reads or writes: y[i], row i, or
 *    y[target[i]] if no two targets are equal. Nothing checks that. It may read all else, and may
 *    call para again.
 * Threads, order, nesting, fork, errors: as para_pmap, whose kernel a loop is; `name` is that
 *    kernel. A count of a signed type below 0, or one above PTRDIFF_MAX, is PARA_ERR_OVERFLOW, and
 *    nothing runs.
 * Worker processes. Arguments are copied for them. A pointer is NULL, or points into a buffer of
 *    the pool, a mapped file (para/buffer.h), or constants or code of the program; other ones are
 *    PARA_ERR_NOT_SHARED. How far the body goes from there nobody knows, nor what pointers within a
 *    structure point at: none of that is checked. An iteration whose worker dies may have written,
 *    so the loop fails with PARA_ERR_WORKER_DIED, unless survival.repeats says that it may run
 *    again.
 *
 * PARA_LOOP2(name, i, j, ...) and PARA_LOOP3(name, i, j, k, ...) are two and three nested loops,
 * all of whose iterations are independent: para_loop(name, rows, columns, argument, ...). They run
 * tile by tile, the last index fastest; a worker's tiles are neighbours. */
#define PARA_LOOP(name, ...) PARA_LOOP_(name, PARA_PAIRS_(__VA_ARGS__), __VA_ARGS__)
#define PARA_LOOP2(name, i, ...)                  \
    PARA_NEST_(name, PARA_PAIRS_(__VA_ARGS__), 2, \
               (PARA_INDEX_(i), PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), __VA_ARGS__)
#define PARA_LOOP3(name, i, j, ...)                                                     \
    PARA_NEST_(name, PARA_PAIRS_(__VA_ARGS__), 3,                                       \
               (PARA_INDEX_(i), PARA_INDEX_(j), PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), \
               __VA_ARGS__)

/* Runs a loop, see above. A para_status, which has to be looked at. */
#define para_loop(name, ...) name##_call_((PARA_FIT_(name, __VA_ARGS__), PARA_NULL_), __VA_ARGS__)

/* The same with a para_setup: para_loop_with(&setup, name, count, argument, ...). A setup made in
 * place with a comma, as {.first = {1, 1}}, needs parentheses around it; better give it a name. */
#define para_loop_with(setup, name, ...) \
    name##_call_((PARA_FIT_(name, __VA_ARGS__), setup), __VA_ARGS__)

/* Maps of one, two and three inputs from an expression; `index`, the element's number, is in scope,
 * and so is `arg`, the call's argument, as `const void *`.
 *   PARA_MAP_KERNEL(square, double, double, x, x * x)             out[i] = f(in[0][i])
 *   PARA_MAP2_KERNEL(norm, double, double, x, double, y, sqrt(x * x + y * y))
 *   para_loop(square, n, y, x)                                    y = f(x), types checked
 * Unlike a loop's, these arrays are views, as in para_pmap: an output may be an input (in place),
 * any other overlap is refused. `arg` is NULL in para_loop; para_pmap sets it. */
#define PARA_MAP_KERNEL(name, out_type, in_type, x, ...) \
    PARA_MAP_(name, 1, out_type, (__VA_ARGS__), ~, in_type, x)
#define PARA_MAP2_KERNEL(name, out_type, x_type, x, y_type, y, ...) \
    PARA_MAP_(name, 2, out_type, (__VA_ARGS__), ~, x_type, x, y_type, y)
#define PARA_MAP3_KERNEL(name, out_type, x_type, x, y_type, y, z_type, z, ...) \
    PARA_MAP_(name, 3, out_type, (__VA_ARGS__), ~, x_type, x, y_type, y, z_type, z)

/* From here on: how these macros are made. */

static inline para_map para_call_of_(const para_setup *setup, para_map_fn *kernel, size_t count)
{
    para_map call = {PARA_ZERO_};
    call.kernel = kernel;
    call.count = count;
    if (setup) {
        call.options = setup->options;
        call.report = setup->report;
    }
    return call;
}

static inline para_status para_call_(const para_setup *setup, para_map_fn *kernel, const void *arg,
                                     const para_parameter_ *list, size_t count)
{
    para_map call = para_call_of_(setup, kernel, count);
    call.arg = arg;
    call.list_ = list;
    if (count > PTRDIFF_MAX)
        return para_refuse_count_(count, call.report);
    return para_pmap(setup ? setup->pool : PARA_NULL_, &call);
}

/* Arguments travel in a structure. The kernel copies it, so that the compiler sees that nothing the
 * body stores changes it. */
#define PARA_LOOP_(name, n, ...)                                                           \
    PARA_BODY_(void, name, n, size_t para_first_, (PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), \
               __VA_ARGS__)                                                                \
    static int name(const para_chunk *para_c_, const void *para_arg_)                      \
    {                                                                                      \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                    \
        const size_t para_end_ = para_p_.para_first_ + para_c_->first + para_c_->count;    \
        for (size_t para_i_ = para_end_ - para_c_->count; para_i_ < para_end_; para_i_++)  \
            name##_body_(para_i_ PARA_EACH_(n, PARA_FIELD_, name, __VA_ARGS__));           \
        return 0;                                                                          \
    }                                                                                      \
    PARA_ORIGIN_(name)                                                                     \
    PARA_COUNT_TYPE_(name, PARA_NEXT_(n))                                                  \
    PARA_CALL_ para_status name##_call_(                                                   \
        const para_setup *para_setup_,                                                     \
        size_t para_n_ PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))                  \
    {                                                                                      \
        const struct name##_arguments_ para_p_ = {                                         \
            para_setup_ ? para_setup_->first[0]                                            \
                        : 0 PARA_EACH_(n, PARA_ARGUMENT_, name, __VA_ARGS__)};             \
        return para_call_(para_setup_, name, &para_p_, name##_list_, para_n_);             \
    }                                                                                      \
    PARA_BODY_HEAD_(void, name, n, (PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), __VA_ARGS__)

#define PARA_NEST_(name, n, d, indices, ...)                                                       \
    PARA_BODY_(void, name, n, para_grid_ para_of_, indices, __VA_ARGS__)                           \
    static int name(const para_chunk *para_c_, const void *para_arg_)                              \
    {                                                                                              \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                            \
        para_walk_ para_w_;                                                                        \
        para_walk_begin_(&para_w_, &para_p_.para_of_, para_c_->first, para_c_->count);             \
        do {                                                                                       \
            const size_t para_i0_ = para_p_.para_of_.first[0] + para_w_.i;                         \
            const size_t para_i1_ = para_p_.para_of_.first[1] + para_w_.j;                         \
            const size_t para_end_ = para_p_.para_of_.first[2] + para_w_.end;                      \
            size_t para_i2_ = para_p_.para_of_.first[2] + para_w_.k;                               \
            for ((void)para_i0_; para_i2_ < para_end_; para_i2_++)                                 \
                name##_body_(PARA_NEST_INDICES_##d PARA_EACH_(n, PARA_FIELD_, name, __VA_ARGS__)); \
        } while (para_walk_next_(&para_w_, &para_p_.para_of_));                                    \
        return 0;                                                                                  \
    }                                                                                              \
    PARA_ORIGIN_(name)                                                                             \
    PARA_NEST_TYPES_##d(name, PARA_NEXT_(n)) PARA_CALL_ para_status name##_call_(                  \
        const para_setup *para_setup_,                                                             \
        PARA_NEST_COUNTS_##d PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))                    \
    {                                                                                              \
        struct name##_arguments_ para_p_ = {{{PARA_NEST_N_##d}, {0, 0, 0}, {0, 0, 0}} PARA_EACH_(  \
            n, PARA_ARGUMENT_, name, __VA_ARGS__)};                                                \
        const size_t para_n_ = para_grid_begin_(&para_p_.para_of_, d, para_setup_);                \
        return para_call_(para_setup_, name, &para_p_, name##_list_, para_n_);                     \
    }                                                                                              \
    PARA_BODY_HEAD_(void, name, n, indices, __VA_ARGS__)
#define PARA_NEST_INDICES_2        para_i1_, para_i2_
#define PARA_NEST_INDICES_3        para_i0_, para_i1_, para_i2_
#define PARA_NEST_COUNTS_2         size_t para_n1_, size_t para_n2_
#define PARA_NEST_COUNTS_3         size_t para_n0_, size_t para_n1_, size_t para_n2_
#define PARA_NEST_N_2              1, para_n1_, para_n2_
#define PARA_NEST_N_3              para_n0_, para_n1_, para_n2_
#define PARA_NEST_TYPES_2(name, k) PARA_COUNT_TYPE_(name, k) PARA_COUNT_TYPE_(name, PARA_NEXT_(k))
#define PARA_NEST_TYPES_3(name, k) \
    PARA_NEST_TYPES_2(name, k) PARA_COUNT_TYPE_(name, PARA_NEXT_(PARA_NEXT_(k)))

/* Inputs are numbered from n down to 1, as PARA_EACH_ counts. */
#define PARA_MAP_(name, n, out_type, value, ...)                                  \
    PARA_EACH_(n, PARA_MAP_TYPE_, name, __VA_ARGS__)                              \
    typedef out_type *PARA_JOIN_(name##_type_, PARA_JOIN_(PARA_NEXT_(n), _));     \
    PARA_COUNT_TYPE_(name, PARA_NEXT_(PARA_NEXT_(n)))                             \
    static int name(const para_chunk *para_c_, const void *arg)                   \
    {                                                                             \
        enum { para_inputs_ = n };                                                \
        PARA_EACH_(n, PARA_MAP_POINTER_, name, __VA_ARGS__)                       \
        out_type *const para_y_ = PARA_CAST_(out_type *, para_c_->out[0]);        \
        const size_t para_first_ = para_c_->first, para_n_ = para_c_->count;      \
        (void)arg;                                                                \
        for (size_t para_i_ = 0; para_i_ < para_n_; para_i_++) {                  \
            const size_t index = para_first_ + para_i_;                           \
            (void)index;                                                          \
            {                                                                     \
                PARA_EACH_(n, PARA_MAP_VALUE_, name, __VA_ARGS__)                 \
                para_y_[para_i_] = value;                                         \
            }                                                                     \
        }                                                                         \
        return 0;                                                                 \
    }                                                                             \
    PARA_ORIGIN_(name)                                                            \
    PARA_CALL_ para_status name##_call_(                                          \
        const para_setup *para_setup_, size_t para_n_,                            \
        out_type *para_y_ PARA_EACH_(n, PARA_MAP_PARAMETER_, name, __VA_ARGS__))  \
    {                                                                             \
        enum { para_inputs_ = n };                                                \
        para_map para_m_ = para_call_of_(para_setup_, name, para_n_);             \
        if (para_n_ > PTRDIFF_MAX)                                                \
            return para_refuse_count_(para_n_, para_m_.report);                   \
        PARA_EACH_(n, PARA_MAP_VIEW_, name, __VA_ARGS__)                          \
        para_m_.out[0] = PARA_OUT(para_y_);                                       \
        return para_pmap(para_setup_ ? para_setup_->pool : PARA_NULL_, &para_m_); \
    }
#define PARA_MAP_POINTER_(name, k, t, x)      \
    __typeof__(t) const *const para_x##k##_ = \
        PARA_CAST_(__typeof__(t) const *, para_c_->in[para_inputs_ - k]);
#define PARA_MAP_VALUE_(name, k, t, x)     __typeof__(t) const x = para_x##k##_[para_i_];
#define PARA_MAP_PARAMETER_(name, k, t, x) , __typeof__(t) const *para_x##k##_
#define PARA_MAP_VIEW_(name, k, t, x)      para_m_.in[para_inputs_ - k] = PARA_IN(para_x##k##_);
#define PARA_MAP_TYPE_(name, k, t, x)      typedef __typeof__(t) const *name##_type_##k##_;

#endif
