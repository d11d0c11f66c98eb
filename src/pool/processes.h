/* Worker processes (para_processes), as an executor. */
#ifndef PARA_POOL_PROCESSES_H
#define PARA_POOL_PROCESSES_H

#include "pool/types.h"

extern const para__executor para__processes;

/* Checks a configuration with processes. Errors: PARA_ERR_ARGUMENT. */
para_status para__processes_check(const para_pool_config *config);

/* Checks what a call is to do about deaths. Errors: PARA_ERR_ARGUMENT. */
para_status para__survival_check(const para_survival *survival);

/* Starts them, for a pool whose workers are placed. Errors: those of para__workshop_make. */
para_status para__processes_start(para_pool *pool, const para_processes *processes);

/* Why a call with these options cannot be made on the pool, for one of which the next function
 * says so. PARA_ERR_UNSUPPORTED or _FORKED. */
para_status para__processes_refuse(const para_pool *pool, para_executor executor)
    __attribute__((cold));

/* Whether a call of that kind can be made on the pool; NULL: the default pool. */
static inline bool para__processes_fit(const para_pool *pool, para_executor executor)
{
    if (!pool || !pool->shop)
        return executor != PARA_EXECUTOR_PROCESSES;
    return executor != PARA_EXECUTOR_THREADS && executor != PARA_EXECUTOR_SERIAL &&
           !para__pool_is_forked(pool);
}

#endif
