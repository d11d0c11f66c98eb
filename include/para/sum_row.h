/* PARA_SUM_ROW: many sums at once, whose number is known at run time only. */
#ifndef PARA_SUM_ROW_H
#define PARA_SUM_ROW_H

#include <para/reduction.h>

/* PARA_SUM_ROW(name, number, s, i, parameter type, parameter, ...) { body }    at file scope
 * para_sum_row(sums, length, name, count, argument, ...)                       a para_status
 *
 *     PARA_SUM_ROW(columns, double, s, i, size_t, m, const double *, a)
 *     {
 *         for (size_t j = 0; j < m; j++)
 *             s[j] += a[i * m + j];
 *     }
 *     ...
 *     double *sum = calloc(m, sizeof *sum);
 *     if (para_sum_row(sum, m, columns, n, m, a)) ...
 *
 * The body adds to s[0] to s[length - 1], which are `number`s. What iterations 0 to count - 1 have
 * added to s[k] is added to sums[k]; set these to 0 first. Otherwise as PARA_SUM, its contract and
 * its bits too: they are the same with any number of workers.
 * Memory. Each worker has a few rows of its own, which the call allocates if they are large.
 * Errors. Those of para_preduce, whose result_bytes the sums are; PARA_ERR_OVERFLOW also if they
 *    have more than PTRDIFF_MAX bytes, PARA_ERR_NULL_RESULT if length is 0. The sums are left as
 *    they were. */
#define PARA_SUM_ROW(name, number, s, ...) \
    PARA_SUM_ROW_(name, PARA_PAIRS_(__VA_ARGS__), number, s, __VA_ARGS__)

/* Runs such a loop, see above. A para_status, which has to be looked at. */
#define para_sum_row(sums, length, name, ...) \
    para_sum_row_with(PARA_NULL_, sums, length, name, __VA_ARGS__)

/* The same with a para_setup: para_sum_row_with(&setup, sums, length, name, count, argument, ...).
 */
#define para_sum_row_with(setup, sums, length, name, ...)                                       \
    name##_call_((PARA_FITS_(name##_result_, sums), PARA_FIT_(name, __VA_ARGS__), setup), sums, \
                 length, __VA_ARGS__)

/* From here on: how these macros are made. */

typedef struct para_row_ {
    size_t first, length;
} para_row_;

#define PARA_SUM_ROW_(name, n, number, s, ...)                                               \
    PARA_BODY_(void, name, n, para_row_ para_of_,                                            \
               (number *const s, PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), __VA_ARGS__)        \
    static int name(const para_chunk *para_c_, void *para_acc_, const void *para_arg_)       \
    {                                                                                        \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                      \
        const size_t para_end_ = para_p_.para_of_.first + para_c_->first + para_c_->count;   \
        for (size_t para_i_ = para_end_ - para_c_->count; para_i_ < para_end_; para_i_++)    \
            name##_body_(PARA_CAST_(number *, para_acc_),                                    \
                         para_i_ PARA_EACH_(n, PARA_FIELD_, name, __VA_ARGS__));             \
        return 0;                                                                            \
    }                                                                                        \
    PARA_ORIGIN_(name)                                                                       \
    static void name##_join_(void *para_acc_, const void *para_rhs_, const void *para_arg_)  \
    {                                                                                        \
        const struct name##_arguments_ para_p_ = PARA_ARGUMENTS_(name);                      \
        for (size_t para_k_ = 0; para_k_ < para_p_.para_of_.length; para_k_++)               \
            PARA_CAST_(number *, para_acc_)                                                  \
        [para_k_] += PARA_CAST_(const number *, para_rhs_)[para_k_];                         \
    }                                                                                        \
    typedef number *name##_result_;                                                          \
    PARA_COUNT_TYPE_(name, PARA_NEXT_(n))                                                    \
    PARA_CALL_ para_status name##_call_(                                                     \
        const para_setup *para_setup_, number *para_r_, size_t para_length_,                 \
        size_t para_n_ PARA_EACH_(n, PARA_PARAMETER_, name, __VA_ARGS__))                    \
    {                                                                                        \
        const struct name##_arguments_ para_p_ = {                                           \
            {para_setup_ ? para_setup_->first[0] : 0,                                        \
             para_length_} PARA_EACH_(n, PARA_ARGUMENT_, name, __VA_ARGS__)};                \
        const size_t para_most_ = PTRDIFF_MAX / sizeof(number);                              \
        return para_fold_(para_setup_, name, name##_join_, &para_p_, name##_list_,           \
                          para_setup_ ? para_setup_->block : 0,                              \
                          para_length_ <= para_most_ ? para_n_ : PARA_TOO_MANY_, para_r_,    \
                          PARA_NULL_, para_length_ * sizeof(number), PARA_INTEGER_(number),  \
                          (0 PARA_EACH_(n, PARA_MAY_WRITE_, name, __VA_ARGS__)));            \
    }                                                                                        \
    PARA_BODY_HEAD_(void, name, n, (number *const s, PARA_INDEX_(PARA_FIRST_(__VA_ARGS__))), \
                    __VA_ARGS__)

#endif
