/* Where the pages of arrays lie. */
#ifndef PARA_DATA_PLACEMENT_H
#define PARA_DATA_PLACEMENT_H

#include "pool/types.h"

#include <para/buffer.h>

/* Checks what a configuration says by itself. Errors: PARA_ERR_ARGUMENT. */
para_status para__config_check(const para_buffer_config *config);

/* Checks the node that it names, on the machine of a pool. Errors: PARA_ERR_ARGUMENT. */
para_status para__placement_check(const para_buffer_config *config, const para_pool *pool);

/* Has memory, of pages of page_bytes, placed as config says; what is touched already is moved if
 * asked. Memory is usable whatever this returns. Errors: PARA_ERR_DENIED, PARA_ERR_UNSUPPORTED. */
para_status para__place(const para_pool *pool, void *data, size_t bytes, size_t page_bytes,
                        const para_buffer_config *config, bool moves);

#endif
