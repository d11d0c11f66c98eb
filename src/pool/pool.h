/* A pool's life: made whole or not at all, restarted in a child, ended. */
#ifndef PARA_POOL_POOL_H
#define PARA_POOL_POOL_H

#include "pool/types.h"

/* Does what needs the loader when a pool is made, before any lock of para's is taken: see
 * base/guard.h. Later calls do nothing of that. Errors: those of para__machine_get. */
para_status para__pool_prepare(const para__machine **machine);

/* para_pool_create for the default pool, which a malformed variable does not keep from being made.
 * Under the default pool's mutex. */
para_status para__pool_create_default(para_pool **pool, const para__machine *machine);

/* Somebody looks at the pool, which is not destroyed meanwhile; false: it is being destroyed. The
 * other function: no more. What was read is read before the pool's end [E10]. */
bool para__pool_watch(para_pool *pool);
void para__pool_unwatch(para_pool *pool);

/* Frees a pool whose threads have ended, or are in the parent process. */
void para__pool_release(para_pool *pool);

/* para_pool_restart for a pool that is not NULL. */
para_status para__pool_restart(para_pool *pool);

#endif
