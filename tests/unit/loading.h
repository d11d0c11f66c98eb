/* What the test gives to the library that it loads. */
#ifndef PARA_TESTS_LOADING_H
#define PARA_TESTS_LOADING_H

#include <para/para.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A map that writes each element's number, and a reduction that counts; of 200 elements. */
void loading_call(para_map_fn *map_kernel, para_reduce_fn *reduce_kernel);
void loading_combine(void *acc, const void *rhs, const void *arg);

/* Whether the kernels touch thread-local objects that have a destructor: then the library stays
 * loaded as long as their threads live. */
extern bool loading_touches_objects;

/* The same on a pool that is made for it. */
void loading_make_and_destroy(para_map_fn *map_kernel, para_reduce_fn *reduce_kernel);

#ifdef __cplusplus
}
#endif
#endif
