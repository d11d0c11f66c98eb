/* What a program asks of a pool's signals: see <para/watch.h>. */
#ifndef PARA_POOL_WATCH_H
#define PARA_POOL_WATCH_H

#include "pool/types.h"

/* The pool is about to be freed: watches show zeros from now on, and are told a last time. */
void para__watches_drop(para_pool *pool);

#endif
