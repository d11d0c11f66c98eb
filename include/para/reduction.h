/* PARA_SUM, PARA_MIN and others: reductions of loops, each one object that has all its parts. */
#ifndef PARA_REDUCTION_H
#define PARA_REDUCTION_H

#include <para/loop.h>
#include <para/must.h>
#include <para/reduce.h>

/* PARA_SUM(name, type, i, parameter type, parameter, ...) { return a value; }    at file scope
 * para_reduced(name, count, argument, ...)                      the result
 * para_reduce_to(&result, name, count, argument, ...)           a para_status
 * para_reduced_with(&setup, ...), para_reduce_with(&setup, ...) the same with a para_setup
 *
 *     PARA_SUM(dot, double, i, const float *, x, const float *, y)
 *     {
 *         return (double)x[i] * y[i];
 *     }
 *     ...
 *     const double d = para_reduced(dot, n, x, y);
 *
 * adds up the values that the body returns for i = 0 to count - 1, in `type`; floating-point ones
 * in four sums of every fourth value, which compilers may vectorise. The same with
 *     PARA_MIN, PARA_MAX        the least and greatest value. NaN is passed over. Of no values:
 *                               infinity, or an integer type's last number
 *     PARA_MINLOC, PARA_MAXLOC  the result is a struct name_at { type value; size_t index; }: the
 *                               first of the least or greatest values. Of none, index is SIZE_MAX
 *     PARA_SUM_ARRAY            an array of sums: histograms
 *     PARA_SUMS, PARA_REDUCTION any accumulator, see below
 *
 * Contract. As PARA_LOOP's: besides returning its value, an iteration may write what no other
 *    iteration reads or writes. So one pass fills arrays and sums.
 * Result. That of the iterations alone: what a variable held before is replaced, not folded in as
 *    by OpenMP. Write  d += para_reduced(...)  where it counts.
 * Bits. The result has the same bits on any pool, with any number of workers, see para_preduce,
 *    which these are calls of. Values are summed in blocks of count / 128, but no more than 256 of
 *    them, and about 8 blocks if they are few.
 * Errors. para_reduce_to returns those of para_preduce, and leaves the result as it was;
 *    para_reduced has no way to return one: it prints one line on standard error and ends the
 *    program (abort). On the default pool, with such accumulators, only a count below 0 fails, or
 *    a child process forked within the call.
 * Worker processes. As for PARA_LOOP. But a body that can write nothing, since each parameter is a
 *    number or a pointer to what is const, is tried again when its worker has died. */
#define PARA_SUM(name, type, ...) \
    PARA_VALUES_(name, PARA_PAIRS_(__VA_ARGS__), type, type, (0), SUM, __VA_ARGS__)
#define PARA_MIN(name, type, ...)                                                         \
    PARA_VALUES_(name, PARA_PAIRS_(__VA_ARGS__), type, type, (PARA_GREATEST_(type)), MIN, \
                 __VA_ARGS__)
#define PARA_MAX(name, type, ...) \
    PARA_VALUES_(name, PARA_PAIRS_(__VA_ARGS__), type, type, (PARA_LEAST_(type)), MAX, __VA_ARGS__)
#define PARA_MINLOC(name, type, ...)                                                             \
    PARA_AT_(name, type)                                                                         \
    PARA_VALUES_(name, PARA_PAIRS_(__VA_ARGS__), type, name##_at, PARA_NOWHERE_(type, GREATEST), \
                 MINLOC, __VA_ARGS__)
#define PARA_MAXLOC(name, type, ...)                                                          \
    PARA_AT_(name, type)                                                                      \
    PARA_VALUES_(name, PARA_PAIRS_(__VA_ARGS__), type, name##_at, PARA_NOWHERE_(type, LEAST), \
                 MAXLOC, __VA_ARGS__)

/* PARA_SUMS(name, type, number, s, i, parameter type, parameter, ...) { body }
 * Many sums at once: `type` is a structure whose members are all `number`s, or arrays of them. The
 * body adds to the members of *s. They start from 0 and are added up, each by itself.
 *     typedef struct moments { double x, xx; } moments;
 *     PARA_SUMS(moments_of, moments, double, s, i, const double *, x)
 *     {
 *         s->x += x[i];
 *         s->xx += x[i] * x[i];
 *     } */
#define PARA_SUMS(name, type, number, s, ...)                                                   \
    PARA_REDUCTION_(name, PARA_PAIRS_(__VA_ARGS__), type, type, {PARA_ZERO_},                   \
                    PARA_INTEGER_(number), s, para_t_, PARA_ADD_ALL_(type, number, s, para_t_), \
                    __VA_ARGS__)

/* PARA_SUM_ARRAY(name, number, length, s, i, parameter type, parameter, ...) { body }
 * As many sums as the constant `length` says: s[0] to s[length - 1] in the body, the array `sum` in
 * the result, which is a struct name_sums { number sum[length]; }.
 *     PARA_SUM_ARRAY(frequencies, unsigned, 256, count, i, const unsigned char *, x)
 *     {
 *         count[x[i]]++;
 *     }
 *     ...
 *     const frequencies_sums f = para_reduced(frequencies, n, x); */
#define PARA_SUM_ARRAY(name, number, length, s, ...)                                   \
    typedef struct name##_sums {                                                       \
        number sum[length];                                                            \
    } name##_sums;                                                                     \
    PARA_REDUCTION_(name, PARA_PAIRS_(__VA_ARGS__), name##_sums, number, {PARA_ZERO_}, \
                    PARA_INTEGER_(number), s, para_t_,                                 \
                    PARA_ADD_ALL_(name##_sums, number, s, para_t_), __VA_ARGS__)

/* PARA_REDUCTION(name, type, identity, s, t, statement, i, parameter type, parameter, ...) { body }
 * For any accumulator: its type, the neutral value that each of many partial results starts from (0
 * for a sum, INFINITY for a minimum), and the statement that folds accumulator *t, which stands for
 * later iterations, into *s. The body folds iteration i into *s. Folding the identity in changes
 * nothing: it is not what the result is to begin with. A structure's is best a named constant,
 * `static const pair none = {0, 0};`: commas in braces are the macro's, and C++ warns of {0}. Type
 * and identity follow para_reduce.result_bytes and .identity.
 *     PARA_REDUCTION(gcd_of, unsigned, 0, s, t, *s = gcd(*s, *t), i, const unsigned *, x)
 *     {
 *         *s = gcd(*s, x[i]);
 *     } */
#define PARA_REDUCTION(name, type, identity, s, t, statement, ...)                            \
    PARA_REDUCTION_(name, PARA_PAIRS_(__VA_ARGS__), type, type, identity, 0, s, t, statement, \
                    __VA_ARGS__)

/* The result of a reduction, see above. Ends the program if there is none. */
#define para_reduced(name, ...) para_reduced_with(PARA_NULL_, name, __VA_ARGS__)
/* The same into *result: a para_status, which has to be looked at. */
#define para_reduce_to(result, name, ...) para_reduce_with(PARA_NULL_, result, name, __VA_ARGS__)

/* The same with a para_setup: para_reduced_with(&setup, name, count, argument, ...). */
#define para_reduced_with(setup, name, ...) \
    name##_value_((PARA_FIT_(name, __VA_ARGS__), setup), __FILE__, __LINE__, __VA_ARGS__)
/* Likewise: para_reduce_with(&setup, &result, name, count, argument, ...). */
#define para_reduce_with(setup, result, name, ...)                                          \
    name##_call_((PARA_FITS_(name##_result_, result), PARA_FIT_(name, __VA_ARGS__), setup), \
                 result, __VA_ARGS__)

/* From here on: how these macros are made. */

static inline para_status para_fold_(const para_setup *setup, para_reduce_fn *kernel,
                                     para_combine_fn *combine, const void *arg,
                                     const para_parameter_ *list, size_t block, size_t count,
                                     void *result, const void *identity, size_t bytes, size_t exact,
                                     size_t once)
{
    para_reduce call = {PARA_ZERO_};
    call.kernel = kernel;
    call.combine = combine;
    call.arg = arg;
    call.list_ = list;
    call.block = block;
    call.count = count;
    call.result = result;
    call.result_bytes = bytes;
    call.identity = identity;
    call.exact = exact;
    call.once = once;
    if (setup) {
        call.options = setup->options;
        call.report = setup->report;
        if (setup->block && setup->options.cancel)
            call.exact =
                0; /* so that a token is looked at between the blocks that were asked for */
    }
    if (count > PTRDIFF_MAX)
        return para_refuse_count_(count, call.report);
    return para_preduce(setup ? setup->pool : PARA_NULL_, &call);
}

/* The last number of a type, upwards or downwards; a long double holds all integers of 64 bits. */
static inline long double para_last_(int is_floating, int is_signed, size_t bytes, int upwards)
{
    const unsigned bits = PARA_CAST_(unsigned, bytes * 8) - (is_signed ? 1U : 0U);
    const long double end =
        is_floating ? __builtin_infl() : PARA_CAST_(long double, ~0ULL >> (64 - bits));
    return upwards ? end : is_floating ? -end : is_signed ? -end - 1 : 0;
}
#define PARA_LAST_(type, upwards)                                                                 \
    PARA_CAST_(type,                                                                              \
               para_last_(PARA_CAST_(type, 0.5L) > 0 && PARA_CAST_(type, 0.5L) < 1,               \
                          PARA_CAST_(type, PARA_CAST_(signed char, -1)) < PARA_CAST_(type, '\1'), \
                          sizeof(type), upwards))
#define PARA_GREATEST_(type)         PARA_LAST_(type, 1)
#define PARA_LEAST_(type)            PARA_LAST_(type, 0)
#define PARA_NOWHERE_(type, extreme) ({PARA_##extreme##_(type), SIZE_MAX})
#define PARA_AT_(name, type)   \
    typedef struct name##_at { \
        type value;            \
        size_t index;          \
    } name##_at;

/* Whether accumulators may begin anywhere among the values, and the bits stay the same: as
 * para_reduce.exact. */
#define PARA_EXACT_SUM_(type)    (PARA_INTEGER_(type) ? 1 : PARA_REAL_NODES_(type))
#define PARA_REAL_NODES_(type)   (PARA_IS_REAL_(type) ? PARA_FOLDS_NODES : 0)
#define PARA_EXACT_MIN_(type)    1
#define PARA_EXACT_MAX_(type)    1
#define PARA_EXACT_MINLOC_(type) 1
#define PARA_EXACT_MAXLOC_(type) 1
/* From integer_type_class to boolean_type_class, as gcc and clang number them. */
#define PARA_INTEGER_(type) \
    (__builtin_classify_type(*PARA_CAST_(type *, PARA_CAST_(void *, para_r_))) - 1U < 4U)

/* How value v of iteration i is folded into accumulator s, and accumulator t into s. */
#define PARA_STEP_SUM_(type, s, i, v)    s += v
#define PARA_STEP_MIN_(type, s, i, v)    PARA_STEP_LAST_(type, s, v, <)
#define PARA_STEP_MAX_(type, s, i, v)    PARA_STEP_LAST_(type, s, v, >)
#define PARA_STEP_MINLOC_(type, s, i, v) PARA_STEP_LOC_(type, s, i, v, <)
#define PARA_STEP_MAXLOC_(type, s, i, v) PARA_STEP_LOC_(type, s, i, v, >)
#define PARA_STEP_LAST_(type, s, v, before) \
    do {                                    \
        const type para_v_ = v;             \
        s = para_v_ before s ? para_v_ : s; \
    } while (0)
/* Also the first value that equals the identity's has a place; NaN has none. */
#define PARA_STEP_LOC_(type, s, i, v, before)                                               \
    do {                                                                                    \
        const type para_v_ = v;                                                             \
        if (para_v_ before s.value || (s.index == SIZE_MAX &&para_v_ before## = s.value)) { \
            s.value = para_v_;                                                              \
            s.index = i;                                                                    \
        }                                                                                   \
    } while (0)
#define PARA_JOIN_SUM_(type, s, t)    PARA_STEP_SUM_(type, s, 0, t)
#define PARA_JOIN_MIN_(type, s, t)    PARA_STEP_MIN_(type, s, 0, t)
#define PARA_JOIN_MAX_(type, s, t)    PARA_STEP_MAX_(type, s, 0, t)
#define PARA_JOIN_MINLOC_(type, s, t) PARA_STEP_MINLOC_(type, s, t.index, t.value)
#define PARA_JOIN_MAXLOC_(type, s, t) PARA_STEP_MAXLOC_(type, s, t.index, t.value)

/* Floating-point values are summed as the tree of para_preduce sums blocks: a kernel call may have
 * the blocks of any node, so these can be short. A block has four sums, of every fourth value:
 * additions of one sum wait for each other, and a compiler may not reorder them. AT(i) is value
 * i. */
#define PARA_TREE_(type, s, i, end, leaf, AT)                                              \
    do {                                                                                   \
        type para_t_[64];                                                                  \
        unsigned para_top_ = 0;                                                            \
        size_t para_leaves_ = 0;                                                           \
        do {                                                                               \
            const size_t para_till_ = end - i > leaf ? i + leaf : end;                     \
            type para_a_ = 0, para_b_ = 0, para_d_ = 0, para_e_ = 0;                       \
            for (; para_till_ - i >= 4; i += 4) {                                          \
                para_a_ += AT(i);                                                          \
                para_b_ += AT(i + 1);                                                      \
                para_d_ += AT(i + 2);                                                      \
                para_e_ += AT(i + 3);                                                      \
            }                                                                              \
            for (; i < para_till_; i++)                                                    \
                para_a_ += AT(i);                                                          \
            para_a_ += para_d_;                                                            \
            para_b_ += para_e_;                                                            \
            para_a_ += para_b_;                                                            \
            para_t_[para_top_++] = para_a_;                                                \
            for (size_t para_k_ = para_leaves_++; para_k_ & 1; para_k_ >>= 1, para_top_--) \
                para_t_[para_top_ - 2] += para_t_[para_top_ - 1];                          \
        } while (i < end);                                                                 \
        for (; para_top_ > 1; para_top_--)                                                 \
            para_t_[para_top_ - 2] += para_t_[para_top_ - 1];                              \
        s += para_t_[0];                                                                   \
    } while (0)
#define PARA_EACH_VALUE_(name, type, OP)   \
    for (; para_i_ < para_end_; para_i_++) \
    PARA_STEP_##OP##_(type, para_s_, para_i_, (name##_at_(&para_p_, para_i_)))
#ifdef __cplusplus
extern "C++" {
template <class T> struct para_real_ {
    enum { is = 0 };
};
template <> struct para_real_<float> {
    enum { is = 1 };
};
template <> struct para_real_<double> {
    enum { is = 1 };
};
template <> struct para_real_<long double> {
    enum { is = 1 };
};
template <class T, bool real> struct para_sum_ {
    template <class At> static void fold(T &s, size_t i, size_t end, size_t, const At &at)
    {
        for (; i < end; i++)
            s += at(i);
    }
};
template <class T> struct para_sum_<T, true> {
    template <class At> static void fold(T &s, size_t i, size_t end, size_t leaf, const At &at)
    {
        PARA_TREE_(T, s, i, end, leaf, at);
    }
};
}
#define PARA_IS_REAL_(type) (para_real_<type>::is != 0)
#define PARA_FOLD_SUM_(name, type)                          \
    para_sum_<type, PARA_IS_REAL_(type)>::fold(             \
        para_s_, para_i_, para_end_, para_p_.para_of_.leaf, \
        [&](size_t para_k_) { return name##_at_(&para_p_, para_k_); })
#else
#define PARA_IS_REAL_(type) (__builtin_classify_type(*(type *)0) == 8) /* real_type_class */
#define PARA_VALUE_AT_(i)   para_at_(&para_p_, i)
#define PARA_FOLD_SUM_(name, type)                                                         \
    do {                                                                                   \
        if (PARA_IS_REAL_(type)) {                                                         \
            type (*const para_at_)(const struct name##_arguments_ *, size_t) = name##_at_; \
            const size_t para_leaf_ = para_p_.para_of_.leaf;                               \
            PARA_TREE_(type, para_s_, para_i_, para_end_, para_leaf_, PARA_VALUE_AT_);     \
        } else                                                                             \
            PARA_EACH_VALUE_(name, type, SUM);                                             \
    } while (0)
#endif
#define PARA_FOLD_MIN_(name, type)    PARA_EACH_VALUE_(name, type, MIN)
#define PARA_FOLD_MAX_(name, type)    PARA_EACH_VALUE_(name, type, MAX)
#define PARA_FOLD_MINLOC_(name, type) PARA_EACH_VALUE_(name, type, MINLOC)
#define PARA_FOLD_MAXLOC_(name, type) PARA_EACH_VALUE_(name, type, MAXLOC)

/* Which of two NaNs a sum of both is depends on the compiler: all are one. */
static inline void para_one_nan_(void *sum, size_t bytes)
{
    if (bytes == sizeof(double)) {
        double s;
        __builtin_memcpy(&s, sum, sizeof s);
        s = s != s ? __builtin_nan("") : s;
        __builtin_memcpy(sum, &s, sizeof s);
    } else if (bytes == sizeof(float)) {
        float s;
        __builtin_memcpy(&s, sum, sizeof s);
        s = s != s ? __builtin_nanf("") : s;
        __builtin_memcpy(sum, &s, sizeof s);
    } else if (bytes == sizeof(long double)) {
        long double s;
        __builtin_memcpy(&s, sum, sizeof s);
        s = s != s ? __builtin_nanl("") : s;
        __builtin_memcpy(sum, &s, sizeof s);
    }
}
#define PARA_SETTLE_SUM_(type, s) \
    (PARA_IS_REAL_(type) ? para_one_nan_(&s, sizeof s) : PARA_CAST_(void, 0))
#define PARA_SETTLE_MIN_(type, s)    PARA_CAST_(void, 0)
#define PARA_SETTLE_MAX_(type, s)    PARA_CAST_(void, 0)
#define PARA_SETTLE_MINLOC_(type, s) PARA_CAST_(void, 0)
#define PARA_SETTLE_MAXLOC_(type, s) PARA_CAST_(void, 0)

/* The first iteration of a call, and the elements of a block. */
typedef struct para_span_ {
    size_t first, leaf;
} para_span_;

/* Elements of a block of values: with so many, blocks cost next to nothing. About eight blocks, as
 * far as there are elements, and 128 from 1024 elements on. 0: the engine's, where a kernel call
 * has one block. */
static inline size_t para_leaf_(const para_setup *setup, size_t count, size_t exact)
{
    const size_t eighth = count / 8 + (count % 8 != 0), leaf = count / 128;
    if (setup && setup->block)
        return setup->block;
    if (!exact)
        return 0;
    return leaf >= 256 ? 256 : leaf >= 8 ? leaf & ~PARA_CAST_(size_t, 3) : eighth < 8 ? eighth : 8;
}

#define PARA_VALUES_(name, n, type, acc_type, identity, OP, ...)                              \
    PARA_BODY_(type, name, n, para_span_ para_of_, (PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))),   \
               __VA_ARGS__)                                                                   \
    static inline type name##_at_(const struct name##_arguments_ *para_p_, size_t para_i_)    \
    {                                                                                         \
        (void)para_p_;                                                                        \
        return name##_body_(para_i_ PARA_EACH_(n, PARA_FIELD_AT_, name, __VA_ARGS__));        \
    }                                                                                         \
    static int name(const para_chunk *para_c_, void *para_acc_, const void *para_arg_)        \
    {                                                                                         \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                       \
        const size_t para_end_ = para_p_.para_of_.first + para_c_->first + para_c_->count;    \
        size_t para_i_ = para_end_ - para_c_->count;                                          \
        acc_type para_s_ = *PARA_CAST_(acc_type *, para_acc_);                                \
        PARA_FOLD_##OP##_(name, type);                                                        \
        PARA_SETTLE_##OP##_(type, para_s_);                                                   \
        *PARA_CAST_(acc_type *, para_acc_) = para_s_;                                         \
        return 0;                                                                             \
    }                                                                                         \
    PARA_ORIGIN_(name)                                                                        \
    static void name##_join_(void *para_acc_, const void *para_rhs_, const void *para_arg_)   \
    {                                                                                         \
        acc_type para_s_ = *PARA_CAST_(acc_type *, para_acc_);                                \
        const acc_type para_t_ = *PARA_CAST_(const acc_type *, para_rhs_);                    \
        PARA_JOIN_##OP##_(type, para_s_, para_t_);                                            \
        PARA_SETTLE_##OP##_(type, para_s_);                                                   \
        *PARA_CAST_(acc_type *, para_acc_) = para_s_;                                         \
        (void)para_arg_;                                                                      \
    }                                                                                         \
    PARA_FOLD_CALLS_(name, n, acc_type, identity, PARA_EXACT_##OP##_(type),                   \
                     para_leaf_(para_setup_, para_n_, PARA_EXACT_##OP##_(type)), __VA_ARGS__) \
    PARA_BODY_HEAD_(type, name, n, (PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), __VA_ARGS__)

/* The body sees the accumulator as `seen`s. A small one is kept in registers. */
#define PARA_REDUCTION_(name, n, type, seen, identity, exact, s, t, statement, ...)          \
    PARA_BODY_(void, name, n, para_span_ para_of_,                                           \
               (seen *const s, PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), __VA_ARGS__)          \
    static int name(const para_chunk *para_c_, void *para_acc_, const void *para_arg_)       \
    {                                                                                        \
        enum { para_small_ = sizeof(type) <= 128 };                                          \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                      \
        const size_t para_end_ = para_p_.para_of_.first + para_c_->first + para_c_->count;   \
        size_t para_i_ = para_end_ - para_c_->count;                                         \
        if (para_small_) {                                                                   \
            type para_s_ = *PARA_CAST_(type *, para_acc_);                                   \
            for (; para_i_ < para_end_; para_i_++)                                           \
                name##_body_(PARA_CAST_(seen *, PARA_CAST_(void *, &para_s_)),               \
                             para_i_ PARA_EACH_(n, PARA_FIELD_, name, __VA_ARGS__));         \
            *PARA_CAST_(type *, para_acc_) = para_s_;                                        \
        } else {                                                                             \
            for (; para_i_ < para_end_; para_i_++)                                           \
                name##_body_(PARA_CAST_(seen *, para_acc_),                                  \
                             para_i_ PARA_EACH_(n, PARA_FIELD_, name, __VA_ARGS__));         \
        }                                                                                    \
        return 0;                                                                            \
    }                                                                                        \
    PARA_ORIGIN_(name)                                                                       \
    static void name##_join_(void *para_acc_, const void *para_rhs_, const void *para_arg_)  \
    {                                                                                        \
        seen *const s = PARA_CAST_(seen *, para_acc_);                                       \
        const seen *const t = PARA_CAST_(const seen *, para_rhs_);                           \
        (void)para_arg_;                                                                     \
        statement;                                                                           \
    }                                                                                        \
    PARA_FOLD_CALLS_(name, n, type, (identity), exact, para_setup_ ? para_setup_->block : 0, \
                     __VA_ARGS__)                                                            \
    PARA_BODY_HEAD_(void, name, n, (seen *const s, PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))),   \
                    __VA_ARGS__)

#define PARA_ADD_ALL_(type, number, s, t)                                                         \
    do {                                                                                          \
        number *const para_sum_ = PARA_CAST_(number *, PARA_CAST_(void *, s));                    \
        const number *const para_more_ = PARA_CAST_(const number *, PARA_CAST_(const void *, t)); \
        for (size_t para_k_ = 0; para_k_ < sizeof(type) / sizeof(number); para_k_++)              \
            para_sum_[para_k_] += para_more_[para_k_];                                            \
    } while (0)

#define PARA_FOLD_CALLS_(name, n, type, identity, exact, block, ...)                               \
    typedef type *name##_result_;                                                                  \
    PARA_COUNT_TYPE_(name, PARA_NEXT_(n))                                                          \
    PARA_CALL_ para_status name##_call_(                                                           \
        const para_setup *para_setup_, type *para_r_,                                              \
        size_t para_n_ PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))                          \
    {                                                                                              \
        const struct name##_arguments_ para_p_ = {                                                 \
            {para_setup_ ? para_setup_->first[0] : 0, block} PARA_EACH_(n, PARA_ARGUMENT_, name,   \
                                                                        __VA_ARGS__)};             \
        const type para_identity_ = PARA_OPEN_ identity;                                           \
        type para_s_ = para_identity_;                                                             \
        const para_status para_status_ = para_fold_(                                               \
            para_setup_, name, name##_join_, &para_p_, name##_list_, para_p_.para_of_.leaf,        \
            para_n_, para_r_ ? &para_s_ : PARA_NULL_, &para_identity_, sizeof para_s_, exact,      \
            (0 PARA_EACH_(n, PARA_MAY_WRITE_, name, __VA_ARGS__)));                                \
        if (para_status_ == PARA_OK && para_r_)                                                    \
            *para_r_ = para_s_;                                                                    \
        return para_status_;                                                                       \
    }                                                                                              \
    PARA_CALL_ type name##_value_(                                                                 \
        const para_setup *para_setup_, const char *para_file_, int para_line_,                     \
        size_t para_n_ PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))                          \
    {                                                                                              \
        type para_s_ = PARA_OPEN_ identity; /* for compilers that do not see abort() */            \
        para_must_succeed_(name##_call_(para_setup_, &para_s_,                                     \
                                        para_n_ PARA_EACH_(n, PARA_ARGUMENT_, name, __VA_ARGS__)), \
                           #name, para_file_, para_line_);                                         \
        return para_s_;                                                                            \
    }

#endif
