/* The threads of a program that runs OpenMP, lent to para: link with para::openmp (-lpara-openmp).
 * Not part of <para/para.h>. */
#ifndef PARA_OPENMP_H
#define PARA_OPENMP_H

#include <para/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The table for para_pool_config.executor: calls run on the OpenMP team of the thread that makes
 * them, of libgomp or of LLVM's libomp, whichever the program runs. It has the threads that
 * `#pragma omp parallel` would have there: OMP_NUM_THREADS, OMP_THREAD_LIMIT, OMP_PROC_BIND,
 * OMP_PLACES and omp_set_num_threads count. Within a parallel region, a `single` or a task of one,
 * a call runs alone, unless nested regions are enabled (omp_set_max_active_levels). In a child of
 * fork() all calls run alone, since libgomp has no threads there. Static storage. Any thread. A
 * kernel of such a pool must not leave by a jump, which OpenMP does not allow. */
PARA_API const para_lender *para_openmp_lender(void);

#ifdef __cplusplus
}
#endif
#endif
