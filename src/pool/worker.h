/* What worker threads do until the pool ends. */
#ifndef PARA_POOL_WORKER_H
#define PARA_POOL_WORKER_H

#include "pool/types.h"

/* The CPUs that a worker is to be bound to, if its pool binds. */
para__cpus para__worker_cpus(const para__worker *self);

/* Binds the calling thread, that worker, as its pool says. Errors: those of para__bind_thread. */
para_status para__worker_bind(const para__worker *self);

/* What a worker does once it is up, until the pool ends. */
void para__worker_live(para__worker *self);

#endif
