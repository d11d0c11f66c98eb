/* Where a pool's workers are placed. */
#ifndef PARA_POOL_PLACE_H
#define PARA_POOL_PLACE_H

#include "pool/types.h"

/* Gives each worker a CPU, and a place if the pool has places: one place or domain after the other
 * (close), or all of them evenly (spread); packed: all in the first place. With places this follows
 * OpenMP's rules for `close`, `spread` and `primary`. Errors: PARA_ERR_MEMORY. */
typedef enum para__filling { PARA__FILL_CLOSE, PARA__FILL_SPREAD, PARA__FILL_PACKED } para__filling;
para_status para__workers_place(para_pool *pool, para__filling filling);

/* Makes groups of workers that have CPUs: up to PARA__GROUP_MOST neighbours of a domain; and the
 * order in which each looks for work at the others. Errors: PARA_ERR_MEMORY. */
para_status para__workers_group(para_pool *pool);

/* How many workers each domain has, if there are several and all have as many; else all workers. */
unsigned para__workers_of_domain(const para_pool *pool);

#endif
