/* Buffers: pages near the workers that will use them, and mapped files. */
#include "base/info.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/placement.h"
#include "pool/visit.h"
#include "process/mapped.h"

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
    size_t page_bytes;        /* of reserved huge pages; 0: others */
    para_status place_status; /* as in para_buffer_info */
    bool is_file;
    para__mapped mapped;  /* then */
    para__region *region; /* it lies in shared memory of a pool of processes; else NULL */
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

/* Maps the pages of a buffer, of the size asked for or, if the system has none, of its own choice;
 * places them, and has them all exist. */
static para_status make_pages(para_buffer *buffer, para_pool *pool,
                              const para_buffer_config *config)
{
    static const size_t sizes[] = {0, (size_t)2 << 20, (size_t)1 << 30};
    buffer->page_bytes = pool->shop ? 0 : sizes[config->pages];
    if (buffer->page_bytes)
        buffer->data = para__huge_pages_map(buffer->bytes, buffer->page_bytes);
    if (buffer->data) {
        buffer->place_status =
            para__place(pool, buffer->data, buffer->bytes, buffer->page_bytes, config, false);
        if (para__huge_pages_fill(buffer->data, buffer->bytes, buffer->page_bytes))
            return PARA_OK;
        para__huge_pages_unmap(buffer->data, buffer->bytes, buffer->page_bytes);
    }
    size_t page = para__page_bytes();
    buffer->page_bytes = 0;
    if (pool->shop) {
        buffer->region = para__workshop_region(pool->shop);
        para__region_hold(buffer->region);
        buffer->data = para__region_alloc(buffer->region, buffer->bytes);
    } else {
        buffer->data = para__pages_map(buffer->bytes);
    }
    if (!buffer->data)
        return para__fail(PARA_ERR_MEMORY, "a buffer of %zu bytes", buffer->bytes);
    buffer->place_status = para__place(pool, buffer->data, buffer->bytes, page, config, false);
    const size_t pages = buffer->bytes / page + (buffer->bytes % page != 0);
    return para_pmap(pool, &(para_map){.kernel = touch,
                                       .arg = &page,
                                       .arg_bytes = sizeof page,
                                       .count = pages,
                                       .out = {{buffer->data, page}}});
}

/* In a pool that the calling thread has entered. Not inlined: stays begin further in, see
 * inside.h. */
__attribute__((noinline)) static para_status
create_inside(para_buffer **buffer, para_pool *pool, size_t bytes, const para_buffer_config *config)
{
    para_status status = para__placement_check(config, pool);
    if (status)
        return status;
    para_buffer *made = para__alloc(sizeof *made);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, "a buffer of %zu bytes", bytes);
    made->bytes = bytes;
    if (bytes)
        status = make_pages(made, pool, config);
    if (status) {
        para_buffer_destroy(made);
        return status;
    }
    *buffer = made;
    return PARA_OK;
}

para_status para_buffer_create(para_buffer **buffer, para_pool *pool, size_t count,
                               size_t element_bytes, const para_buffer_config *config)
{
    const para_buffer_config automatic = PARA_BUFFER_CONFIG_INIT;
    if (!config)
        config = &automatic;
    if (!buffer)
        return para__fail(PARA_ERR_ARGUMENT, "there is no place for the buffer");
    para_status status = para__config_check(config);
    if (status)
        return status;
    if (element_bytes == 0)
        return para__fail(PARA_ERR_ELEMENT_SIZE, "a buffer of %zu elements", count);
    if (count > SIZE_MAX / 4 / element_bytes)
        return para__fail(PARA_ERR_OVERFLOW, "%zu elements of %zu bytes", count, element_bytes);
    para__stay *stay;
    status = para__pool_visit(&pool, &stay);
    if (!status)
        status = create_inside(buffer, pool, count * element_bytes, config);
    para__pool_leave(stay);
    return status;
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
    para__mapped_add(&made->mapped, data, bytes);
    *buffer = made;
    return PARA_OK;
}

void *para_buffer_data(const para_buffer *buffer)
{
    return buffer ? buffer->data : NULL;
}

size_t para_buffer_bytes(const para_buffer *buffer)
{
    return buffer ? buffer->bytes : 0;
}

para_status para_buffer_get_info(const para_buffer *buffer, para_buffer_info *info)
{
    if (!buffer)
        return para__fail(PARA_ERR_ARGUMENT, "there is no buffer");
    const para_buffer_info full = {.bytes = buffer->bytes,
                                   .page_bytes =
                                       buffer->page_bytes ? buffer->page_bytes : para__page_bytes(),
                                   .place_status = buffer->place_status};
    return para__info_fill(info, &full, sizeof full);
}

void para_buffer_destroy(para_buffer *buffer)
{
    if (!buffer)
        return;
    if (buffer->region) {
        para__region_free(buffer->region, buffer->data);
        para__region_release(buffer->region);
    } else if (buffer->is_file) {
        para__mapped_remove(&buffer->mapped); /* before anything else can be mapped there */
        munmap(buffer->data, buffer->bytes);
    } else if (buffer->page_bytes)
        para__huge_pages_unmap(buffer->data, buffer->bytes, buffer->page_bytes);
    else
        para__pages_unmap(buffer->data, buffer->bytes);
    para__free(buffer);
}
