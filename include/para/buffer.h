/* Buffers: memory near the workers that use it, and mapped files. Calls take plain pointers too. */
#ifndef PARA_BUFFER_H
#define PARA_BUFFER_H

#include <para/pool.h>
#include <para/status.h>
#include <stddef.h>

typedef struct para_buffer para_buffer;

/* Where the pages of a buffer lie. */
typedef enum para_placement {
    PARA_PLACE_AUTO = 0,   /* each page on the node of the worker that a call gives it to; if the
                              pool's workers are not bound, as below, or, if they are not to be,
                              where the system puts it */
    PARA_PLACE_INTERLEAVE, /* page by page over all nodes with memory */
    PARA_PLACE_NODE,       /* on one node */
    PARA_PLACE_BANDWIDTH   /* like AUTO, but on the node with the highest bandwidth among those that
                              are nearest to the worker's: memory on the package, where there is
                              some, if the system tells bandwidths (ACPI HMAT) */
} para_placement;

/* The size of a buffer's pages. */
typedef enum para_pages {
    PARA_PAGES_AUTO = 0, /* huge where the buffer spans several and the system has them at once */
    PARA_PAGES_2M,       /* of 2 MiB, of those that the administrator has reserved */
    PARA_PAGES_1G        /* of 1 GiB, likewise */
} para_pages;

/* para_buffer_config config = PARA_BUFFER_CONFIG_INIT; config.placement = PARA_PLACE_INTERLEAVE; */
typedef struct para_buffer_config {
    size_t size; /* sizeof(para_buffer_config) */
    para_placement placement;
    unsigned node; /* for PARA_PLACE_NODE: the operating system's number of the node */
    para_pages pages;
} para_buffer_config;
#define PARA_BUFFER_CONFIG_INIT                                         \
    {                                                                   \
        sizeof(para_buffer_config), PARA_PLACE_AUTO, 0, PARA_PAGES_AUTO \
    }

/* What a buffer is. */
typedef struct para_buffer_info {
    size_t size;       /* set to sizeof(para_buffer_info) by the caller */
    size_t bytes;      /* as para_buffer_bytes */
    size_t page_bytes; /* of its pages, or the least of them; smaller than asked for if the
                                 system had no such pages left */
    para_status
        place_status; /* PARA_OK; PARA_ERR_DENIED or _UNSUPPORTED: the system would not place
                                 the pages, and put them where it liked */
} para_buffer_info;

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
 * Pages that cannot be placed as asked are placed by the system; but a node on which the process
 * may use no memory is an argument's error. pool NULL: the default pool.
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

/* The first byte; NULL for an empty buffer, or none. Valid until para_buffer_destroy. */
PARA_API void *para_buffer_data(const para_buffer *buffer);

/* The bytes that were asked for, or that the file has; 0 for NULL. */
PARA_API size_t para_buffer_bytes(const para_buffer *buffer);

/* Fills *info; the caller has set its size. Errors: PARA_ERR_ARGUMENT. */
PARA_NODISCARD_ PARA_API para_status para_buffer_get_info(const para_buffer *buffer,
                                                          para_buffer_info *info);

/* Reads back from the system where memory lies, a buffer's or any other: adds up in bytes_of[n] the
 * bytes whose pages are on node n, for n < nodes. Pages that do not exist yet, because nobody has
 * written to them, count nowhere. Any thread. data and bytes_of are the caller's.
 * Errors: PARA_ERR_ARGUMENT; PARA_ERR_DENIED, _UNSUPPORTED if the system does not tell. */
PARA_NODISCARD_ PARA_API para_status para_buffer_where(const void *data, size_t bytes,
                                                       size_t *bytes_of, unsigned nodes);

/* Moves an array that exists to where a buffer's pages would lie: count elements of element_bytes
 * each, as config says (NULL: to the slices of the pool's workers). Whole pages move, with what
 * else is on the first and the last; contents stay, and other threads may use them meanwhile. Takes
 * some 1 us for each page of 4 KiB that moves. pool NULL: the default pool. Any thread.
 * Errors: PARA_ERR_ARGUMENT, _ELEMENT_SIZE, _OVERFLOW; PARA_ERR_DENIED, _UNSUPPORTED: some pages
 * stayed where they were, since the node is full, other processes share them, or the system refuses
 * (para_status_detail says which); those of para_pool_create. */
PARA_NODISCARD_ PARA_API para_status para_buffer_move(para_pool *pool, void *data, size_t count,
                                                      size_t element_bytes,
                                                      const para_buffer_config *config);

/* Frees or unmaps. NULL is allowed. From then on the system keeps a written file's bytes. */
PARA_API void para_buffer_destroy(para_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
