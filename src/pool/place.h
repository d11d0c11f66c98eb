/* Where a pool's workers are placed. */
#ifndef PARA_POOL_PLACE_H
#define PARA_POOL_PLACE_H

#include "pool/types.h"

/* Gives each worker a CPU, and a place if the pool has places: one place or domain after the other
 * (close), or all of them evenly (spread); packed: all in the first place. With places this follows
 * OpenMP's rules for `close`, `spread` and `primary`. Errors: PARA_ERR_MEMORY. */
typedef enum para__order { PARA__ORDER_CLOSE, PARA__ORDER_SPREAD, PARA__ORDER_PACKED } para__order;
para_status para__workers_place(para_pool *pool, para__order order);

#endif
