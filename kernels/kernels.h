/* Built-in kernels: what the para command runs by name, for float32 and float64 arrays. They are
 * kernels like any other, on the public headers alone. One family of them stands in each file,
 * which ends with their error bounds and the ranges they are tested on. */
#ifndef PARA_KERNELS_KERNELS_H
#define PARA_KERNELS_KERNELS_H

#include <para/kernel.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum para_dtype { PARA_FLOAT32 = 0, PARA_FLOAT64, PARA_DTYPE_COUNT } para_dtype;

/* What a call of a built-in kernel gives as its arg. */
typedef struct para_builtin_arg {
    double a;   /* the parameter, if the kernel has one; rounded to the element type */
    size_t row; /* elements in a row, for kernels over rows */
} para_builtin_arg;

/* A kernel for one element type. */
typedef struct para_builtin_code {
    para_map_fn *map; /* of a map; NULL in a reduction */
    para_map_fn
        *streamed; /* the same with stores past the caches, for an output that is larger than
                               them and is not an input; NULL: there is none */
    para_reduce_fn *reduce; /* this and what follows: of a reduction */
    para_combine_fn *combine;
    size_t acc_bytes;
    const void *identity; /* what accumulators and the result start from */
    double (*finish)(const void *acc,
                     size_t count); /* the value, once all elements are folded in */
    /* What the kernel computes, one element after the other: of a map, one element of the output,
     * from one element of each input or from a row of count; of a reduction, the value of count
     * elements. In long double where the kernel may round, else in the kernel's own steps. */
    long double (*oracle)(const void *const *in, size_t count, const para_builtin_arg *arg);
} para_builtin_code;

typedef struct para_builtin {
    const char *name;
    const char *formula;   /* what it computes, for people */
    const char *parameter; /* name of its parameter, NULL: it has none */
    unsigned inputs;       /* arrays it reads */
    bool reduces;          /* folds to one value; otherwise fills an array */
    bool rows;             /* an element of the input is a row of a matrix */
    bool needs_elements;   /* not defined for no elements at all */
    para_builtin_code code[PARA_DTYPE_COUNT];
} para_builtin;

#ifdef __cplusplus
extern "C" {
#endif

/* The kernel at place index, maps first; NULL past the last one. Static storage. */
const para_builtin *para_builtin_at(size_t index);

/* The kernel of that name; NULL if there is none. */
const para_builtin *para_builtin_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
