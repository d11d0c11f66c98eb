/* Buffers: memory near the workers that use it, and mapped files. Calls take plain pointers too. */
#ifndef PARA_BUFFER_H
#define PARA_BUFFER_H

#include <para/pool.h>
#include <para/status.h>
#include <stddef.h>

typedef struct para_buffer para_buffer;

/* Where the pages of a buffer lie. */
typedef enum para_placement {
    PARA_PLACE_AUTO = 0,   /* each page on the node of the worker that a call gives it to */
    PARA_PLACE_INTERLEAVE, /* page by page over all nodes */
    PARA_PLACE_NODE        /* on one node */
} para_placement;

/* para_buffer_config config = PARA_BUFFER_CONFIG_INIT; config.placement = PARA_PLACE_INTERLEAVE; */
typedef struct para_buffer_config {
    size_t size; /* sizeof(para_buffer_config) */
    para_placement placement;
    unsigned node; /* for PARA_PLACE_NODE: the operating system's number of the node */
} para_buffer_config;
#define PARA_BUFFER_CONFIG_INIT                        \
    {                                                  \
        sizeof(para_buffer_config), PARA_PLACE_AUTO, 0 \
    }

/* How a file is mapped. */
typedef enum para_file_mode {
    PARA_FILE_READ = 0, /* read only; the file must exist and have at least one byte */
    PARA_FILE_WRITE     /* an existing file, read and written in place */
} para_file_mode;

#ifdef __cplusplus
extern "C" {
#endif

/* Allocates count elements of element_bytes each: zeroed, aligned to a page, on huge pages where it
 * spans several, placed as config says, and touched for the first time in parallel by the pool.
 * Pages that cannot be placed as asked are placed by the system. pool NULL: the default pool.
 * config NULL: all automatic. On success *buffer is the caller's; on failure it is untouched. Any
 * thread.
 * Errors: PARA_ERR_ARGUMENT, _ELEMENT_SIZE, _OVERFLOW, _MEMORY; for pool NULL _TOPOLOGY. */
PARA_NODISCARD_ PARA_API para_status para_buffer_create(para_buffer **buffer, para_pool *pool,
                                                        size_t count, size_t element_bytes,
                                                        const para_buffer_config *config);

/* Maps a whole file, shared with all who map it. A file that is only read is mapped privately where
 * its file system refuses shared mappings. The file must not be cut short while it is mapped.
 * Errors: PARA_ERR_ARGUMENT, _MEMORY, _FILE (para_status_detail has path and fault). */
PARA_NODISCARD_ PARA_API para_status para_buffer_map_file(para_buffer **buffer, const char *path,
                                                          para_file_mode mode);

/* The first byte; NULL for an empty buffer. Valid until para_buffer_destroy. */
PARA_API void *para_buffer_data(const para_buffer *buffer);

/* The bytes that were asked for, or that the file has. */
PARA_API size_t para_buffer_bytes(const para_buffer *buffer);

/* Frees or unmaps. NULL is allowed. From then on the system keeps a written file's bytes. */
PARA_API void para_buffer_destroy(para_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
