/* Kernels: the functions that para runs over chunks, and the views they run on. */
#ifndef PARA_KERNEL_H
#define PARA_KERNEL_H

#include <para/cancel.h>
#include <para/version.h>
#include <stdbool.h>
#include <stddef.h>

/* The most arrays that one call may read and write. */
#define PARA_IN_MAX  8
#define PARA_OUT_MAX 4

/* An array as a call sees it: the first element, and the bytes from one element to the next. A row
 * of k floats is one element of k * sizeof(float) bytes. The memory stays the caller's. */
typedef struct para_in {
    const void *data;
    size_t element_bytes;
} para_in;

typedef struct para_out {
    void *data;
    size_t element_bytes;
} para_out;

/* Bytes from one element of a view to the next, where they are not element_bytes; 0: they are. So a
 * view is a column of a matrix, every k-th element, a field of an array of structures:
 *     .out = {PARA_OUT(&m[0][3])}, .strides = &(para_strides){.out = {sizeof m[0]}}
 * Two columns do not overlap. A kernel knows the stride by itself: out[0] + i * columns. So kernels
 * of PARA_MAP_KERNEL are not for such views. Inputs may have overlapping elements (windows), a
 * stride less than element_bytes; outputs may not. */
typedef struct para_strides {
    size_t in[PARA_IN_MAX];   /* of each input, in bytes */
    size_t out[PARA_OUT_MAX]; /* of each output */
} para_strides;

/* PARA_IN(x): the array that x points to, element by element. PARA_IN_ROWS(x, k): the same memory
 * as rows of k elements each. A pointer to void has no elements, and does not compile. */
#ifdef __cplusplus
#define PARA_VIEW_(type, data, bytes) \
    type                              \
    {                                 \
        (data), (bytes)               \
    }
#define PARA_ELEMENT_(x) sizeof((x)[0])
#else
#define PARA_VIEW_(type, data, bytes) ((type){(data), (bytes)})
#define PARA_ELEMENT_(x)              sizeof(__typeof__(*(x))[1]) /* that of void alone is 1 */
#endif
#define PARA_IN(x)          PARA_VIEW_(para_in, x, PARA_ELEMENT_(x))
#define PARA_OUT(x)         PARA_VIEW_(para_out, x, PARA_ELEMENT_(x))
#define PARA_IN_ROWS(x, k)  PARA_VIEW_(para_in, x, PARA_ELEMENT_(x) * (k))
#define PARA_OUT_ROWS(x, k) PARA_VIEW_(para_out, x, PARA_ELEMENT_(x) * (k))

/* What para_cancelled looks at, and what it has said. */
typedef struct para_stop_ {
    const para_cancel *cancel;
    bool told;
} para_stop_;

/* What a kernel gets: a run of elements of the call, never empty. */
typedef struct para_chunk {
    size_t first, count;   /* elements [first, first + count) of the call */
    const void *const *in; /* in[k]: this chunk's first element of input k */
    void *const *out;      /* out[k]: the same for output k */
    void *scratch;         /* the scratch_bytes that the call asked for: this participant's own,
                              aligned to 128 bytes, contents undefined; NULL if it asked for none */
    unsigned worker; /* number of the participant, less than the call's width: for statistics only;
                        a thread may have two of them in a call */
    unsigned kind;   /* kind of the core that its thread is placed on: 0 the most efficient, as in
                        para_cpu_info, and before the default pool has read the machine; for kernels
                        with a variant for each kind */
    para_stop_ *stop_; /* para's: NULL unless the call has a token */
} para_chunk;

/* For kernels whose chunks last long: whether their call is to end, because its .options.cancel is
 * requested or that token's deadline has passed. It costs what para_cancel_requested does; without
 * a token it is false. Once it was true the chunk counts as left out, so the kernel may return at
 * once, whatever it returns, and the call fails with PARA_ERR_CANCELLED or PARA_ERR_DEADLINE. On
 * the thread that runs the kernel. */
static inline bool para_cancelled(const para_chunk *chunk)
{
    para_stop_ *const stop = chunk->stop_;
    return stop && (stop->told || (stop->told = para_cancel_requested(stop->cancel)));
}

/* A kernel returns 0, or an error code of its own that stops the call. Its rules:
 * Purity. It writes acc, scratch, its elements of out, and through arg what belongs to its elements
 *    in the same way: what no other element reads or writes. The values follow from inputs and arg
 *    alone. They depend neither on the worker, nor on the chunk's borders, nor on what outputs and
 *    scratch held before. PARA_CHECK_KERNELS=1 in the environment checks that (the guide, "Is my
 *    kernel pure?").
 * Threads. It runs on several threads at once. State that is a thread's own (a library's
 *    precision, uselocale) is that of each thread; para_pool_config.worker_init sets it.
 * Signals. The pool's threads block all except those of faults, SIGPROF and SIGVTALRM.
 * Floating point. It runs in the caller's environment (rounding, flush-to-zero, traps), and
 *    leaves it as it is. The caller has the exception flags that it raised when the call returns.
 * Nesting. It may call para again. While such a call waits, its thread may run kernels of calls
 *    made within the one it waits for, and no others.
 * Exits. It must not leave by longjmp or by a C++ exception, nor end its thread (by
 *    pthread_exit). */
typedef int para_map_fn(const para_chunk *chunk, const void *arg);

/* Folds the chunk, in element order, into the accumulator: acc = acc (+) in[..]. */
typedef int para_reduce_fn(const para_chunk *chunk, void *acc, const void *arg);

/* acc = acc (+) rhs, where rhs stands for later elements than acc. It must be associative in the
 * mathematical sense; it need not be commutative. */
typedef void para_combine_fn(void *acc, const void *rhs, const void *arg);

/* Where a macro has defined a kernel: in a section of its own, where PARA_REPORT finds it. */
typedef struct para_origin_ {
    void (*kernel)(void);
    const char *name, *file;
    size_t line;
} para_origin_;
#ifdef __cplusplus
#define PARA_FUNCTION_(f) reinterpret_cast<void (*)()>(f)
#else
#define PARA_FUNCTION_(f) ((void (*)(void))(f))
#endif
#define PARA_ORIGIN_(f)                                                                      \
    __attribute__((used, section("para_kernels"))) static const para_origin_ f##_origin_ = { \
        PARA_FUNCTION_(f), #f, __FILE__, __LINE__};

/* A parameter of a loop or reduction that a macro has defined: where the structure of its arguments
 * has it, and what it is. By these calls on worker processes find the pointers among arguments. The
 * end of a list has no name, and the size of the structure as its place. */
typedef struct para_parameter_ {
    const char *name;
    unsigned place; /* in bytes */
    unsigned kind;  /* one of those below */
} para_parameter_;
enum {
    PARA_IS_VALUE_,   /* its bytes are all there is to it */
    PARA_IS_ADDRESS_, /* a pointer or a reference */
    PARA_IS_OBJECT_   /* of a class that copies itself otherwise than byte by byte */
};

/* The two functions of a reduction, for para_preduce; `arg`, the call's argument, is in scope as
 * `const void *`. reduction.h makes them in one, with identity and types; loop.h has maps.
 *   PARA_REDUCE_KERNEL(sum, double, s, double, x, s += x)    for each x: the statement
 *   PARA_COMBINE(add, double, s, t, s += t)                  the statement folds t into s */
#define PARA_REDUCE_KERNEL(name, acc_type, acc, in_type, x, ...)                           \
    static int name(const para_chunk *para_c_, void *para_acc_, const void *arg)           \
    {                                                                                      \
        const in_type *para_x_ = PARA_CAST_(const in_type *, para_c_->in[0]);              \
        acc_type acc = *PARA_CAST_(acc_type *, para_acc_);                                 \
        (void)arg;                                                                         \
        for (size_t para_i_ = 0, para_n_ = para_c_->count; para_i_ < para_n_; para_i_++) { \
            const in_type x = para_x_[para_i_];                                            \
            __VA_ARGS__;                                                                   \
        }                                                                                  \
        *PARA_CAST_(acc_type *, para_acc_) = acc;                                          \
        return 0;                                                                          \
    }                                                                                      \
    PARA_ORIGIN_(name)

#define PARA_COMBINE(name, acc_type, acc, rhs, ...)                           \
    static void name(void *para_acc_, const void *para_rhs_, const void *arg) \
    {                                                                         \
        acc_type acc = *PARA_CAST_(acc_type *, para_acc_);                    \
        const acc_type rhs = *PARA_CAST_(const acc_type *, para_rhs_);        \
        (void)arg;                                                            \
        __VA_ARGS__;                                                          \
        *PARA_CAST_(acc_type *, para_acc_) = acc;                             \
    }

#endif
