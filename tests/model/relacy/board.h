/* A board of worker processes for models, as src/process/supervisor.c uses it, and a region. */
#ifndef MODEL_BOARD_H
#define MODEL_BOARD_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BOARD_WORKERS = 2, BOARD_CALLS = 2, BOARD_UNITS = 4, BOARD_TICKETS = 4 };

/* Runs a unit of a call, in the name of a worker. */
typedef void board_kernel(unsigned call, unsigned unit, unsigned worker);

/* Before the threads of a model start. */
void board_make(board_kernel *kernel);

/* The caller: publishes a call and waits until it is over. How many units have been run, and, if
 * given up, not run. */
typedef struct board_sum {
    unsigned run, lost;
} board_sum;
board_sum board_call(unsigned call, unsigned units, unsigned tickets);
void board_end(void); /* workers return */

/* A worker, until board_end or, if steps are not 0, until it dies at that step: then false. */
bool board_serve(unsigned worker, unsigned steps);
void board_serve_once(unsigned worker);
void board_work_early(unsigned worker); /* without a look at the news */

/* Who has been told of a worker's death. */
void board_settle(unsigned worker, unsigned attempts, bool halves);
void board_abandon(void); /* there are no more workers for the first call */

/* A region, held so often. */
void board_region_make(unsigned holders);
void board_region_use(void);
void board_region_release(void);
void *board_alloc(void); /* its memory; NULL: it is not being made */

#ifdef __cplusplus
}
#endif

#endif
