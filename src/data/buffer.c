/* Buffers: pages near the workers that will use them, and mapped files. */
#include "base/memory.h"
#include "base/status.h"
#include "pool/default_pool.h"

#include <para/buffer.h>
#include <para/map.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct para_buffer {
    char *data;
    size_t bytes;
    bool is_file;
};

/* Writes one byte in each page, so that the page exists. */
static int touch(const para_chunk *chunk, const void *arg)
{
    const size_t page = *(const size_t *)arg;
    volatile char *pages = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        pages[i * page] = 0;
    return 0;
}

/* Asks for each part to lie on the node of the worker whose slice it is in calls of all workers.
 * This sets a policy on the memory. A touch by that worker would be worse: the caller would have to
 * wait for the worker, and calls made by a kernel or on a busy machine would place pages badly. */
static void place_by_slice(const para_pool *pool, char *data, size_t pages, size_t page)
{
    const unsigned workers = para__pool_workers(pool);
    para__division division = {.units = pages, .width = workers, .tickets = 1};
    (void)para__grain_of_pages(&division.grain, (uintptr_t)data, page, pages, workers, page);
    for (unsigned i = 0; i < workers; i++) {
        const para__range part = para__slice_units(&division, i);
        const unsigned node = pool->machine->cpu[pool->worker[i].cpu_index].numa_node;
        if (part.count)
            (void)para__bind_memory(pool->machine, data + part.first * page, part.count * page,
                                    node);
    }
}

/* Placement is a request: if it is refused, the system places the pages. Unbound workers have no
 * node, so their touch places the pages. */
static void place_pages(const para_pool *pool, char *data, size_t pages, size_t page,
                        const para_buffer_config *config)
{
    const para__machine *machine = pool->machine;
    if (config->placement == PARA_PLACE_NODE)
        (void)para__bind_memory(machine, data, pages * page, config->node);
    else if (config->placement == PARA_PLACE_INTERLEAVE)
        (void)para__interleave_memory(machine, data, pages * page);
    else if (machine->info.numa_nodes > 1 && pool->binding != PARA_BIND_NONE)
        place_by_slice(pool, data, pages, page);
}

para_status para_buffer_create(para_buffer **buffer, para_pool *pool, size_t count,
                               size_t element_bytes, const para_buffer_config *config)
{
    const para_buffer_config automatic = PARA_BUFFER_CONFIG_INIT;
    if (!config)
        config = &automatic;
    if (!buffer)
        return para__fail(PARA_ERR_ARGUMENT, "there is no place for the buffer");
    if (config->size != sizeof *config)
        return para__fail(PARA_ERR_ARGUMENT, "config.size is %zu: use PARA_BUFFER_CONFIG_INIT",
                          config->size);
    if ((unsigned)config->placement > PARA_PLACE_NODE)
        return para__fail(PARA_ERR_ARGUMENT, "config.placement is %d", (int)config->placement);
    if (element_bytes == 0)
        return para__fail(PARA_ERR_ELEMENT_SIZE, "a buffer of %zu elements", count);
    if (count > SIZE_MAX / 4 / element_bytes)
        return para__fail(PARA_ERR_OVERFLOW, "%zu elements of %zu bytes", count, element_bytes);
    para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    const size_t bytes = count * element_bytes;
    const size_t page = para__page_bytes();
    const size_t pages = bytes / page + (bytes % page != 0);
    para_buffer *made = para__alloc(sizeof *made);
    char *data = bytes && made ? para__pages_map(bytes) : NULL;
    if (!made || (bytes && !data)) {
        para__free(made);
        return para__fail(PARA_ERR_MEMORY, "a buffer of %zu bytes", bytes);
    }
    if (pages) {
        para__detail kept;
        para__detail_save(&kept);
        place_pages(pool, data, pages, page, config);
        para__detail_restore(&kept);
        status = para_pmap(
            pool,
            &(para_map){.kernel = touch, .arg = &page, .count = pages, .out = {{data, page}}});
    }
    if (status) {
        para__pages_unmap(data, bytes);
        para__free(made);
        return status;
    }
    *made = (para_buffer){.data = data, .bytes = bytes};
    *buffer = made;
    return PARA_OK;
}

/* Maps an open file; sets *why to what is wrong with it. */
static char *map_open_file(int file, para_file_mode mode, size_t *bytes, const char **why)
{
    struct stat facts;
    if (fstat(file, &facts) != 0) {
        *why = strerror(errno);
        return NULL;
    }
    if (!S_ISREG(facts.st_mode)) {
        *why = "not a regular file";
        return NULL;
    }
    if (facts.st_size == 0) {
        *why = "the file is empty";
        return NULL;
    }
    *bytes = (size_t)facts.st_size;
    const int protection = mode == PARA_FILE_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
    char *data = mmap(NULL, *bytes, protection, MAP_SHARED, file, 0);
    /* Some network mounts and FUSE file systems refuse shared mappings. A file that is only read
     * does not need one. */
    if (data == MAP_FAILED && mode == PARA_FILE_READ && errno != ENOMEM)
        data = mmap(NULL, *bytes, protection, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
        *why = strerror(errno);
        return NULL;
    }
    return data;
}

para_status para_buffer_map_file(para_buffer **buffer, const char *path, para_file_mode mode)
{
    if (!buffer || !path || (unsigned)mode > PARA_FILE_WRITE)
        return para__fail(PARA_ERR_ARGUMENT, "a buffer, a path and a mode are needed");
    para_buffer *made = para__alloc(sizeof *made);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, "%s", path);
    const int saved = errno;
    const char *why = NULL;
    size_t bytes = 0;
    char *data = NULL;
    /* Not blocking: a pipe is refused rather than waited for. */
    const int flags = (mode == PARA_FILE_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
    const int file = open(path, flags);
    if (file < 0) {
        why = strerror(errno);
    } else {
        data = map_open_file(file, mode, &bytes, &why);
        close(file);
    }
    errno = saved;
    if (!data) {
        para__free(made);
        return para__fail(PARA_ERR_FILE, "%s: %s", path, why);
    }
    *made = (para_buffer){.data = data, .bytes = bytes, .is_file = true};
    *buffer = made;
    return PARA_OK;
}

void *para_buffer_data(const para_buffer *buffer)
{
    return buffer->data;
}

size_t para_buffer_bytes(const para_buffer *buffer)
{
    return buffer->bytes;
}

void para_buffer_destroy(para_buffer *buffer)
{
    if (!buffer)
        return;
    if (buffer->is_file)
        munmap(buffer->data, buffer->bytes);
    else
        para__pages_unmap(buffer->data, buffer->bytes);
    para__free(buffer);
}
