/* A pool's life: made whole or not at all, restarted in a child, ended. */
#ifndef PARA_POOL_POOL_H
#define PARA_POOL_POOL_H

#include "pool/types.h"

/* What making a pool needs of the loader: before a lock of para's is taken, see base/guard.h. Later
 * calls need nothing of it. Errors: those of para__machine_get. */
para_status para__pool_prepare(const para__machine **machine);

/* As para_pool_restart, of a pool that is given. */
para_status para__pool_restart(para_pool *pool);

#endif
