/* Threads that a program lends (para_lender), as an executor. */
#ifndef PARA_POOL_LENT_H
#define PARA_POOL_LENT_H

#include "pool/types.h"

extern const para__executor para__lent_threads;

/* Checks a configuration with an executor. Errors: PARA_ERR_ARGUMENT. */
para_status para__lent_check(const para_pool_config *config);

/* The places of such a pool. There are several for each thread, so that calls at the same time get
 * places of their own. */
unsigned para__lent_places(const para_pool_config *config);

/* Gives a pool that executor, before it is used, or used again in a child. */
void para__lent_set(para_pool *pool, const para_pool_config *config);
void para__lent_start(para_pool *pool);

#endif
