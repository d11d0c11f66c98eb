/* Tasks as a source of work of a pool's workers, and the public functions of include/para/task.h. */
#ifndef PARA_POOL_TASKS_H
#define PARA_POOL_TASKS_H

#include "pool/types.h"
#include "share/visit.h"

/* For a worker: whether there is a task to look at, and to run one. */
bool para__tasks_have_news(para_pool *pool, unsigned worker);
para__visit para__tasks_serve(para_pool *pool, unsigned worker);

/* Once the pool's threads have ended: drops what is queued, and frees the crew. */
void para__tasks_end(para_pool *pool);

#endif
