/* What worker threads do until the pool ends. */
#ifndef PARA_POOL_WORKER_H
#define PARA_POOL_WORKER_H

#include "pool/types.h"

/* What a worker does once it is up, until the pool ends. */
void para__worker_live(para__worker *self);

#endif
