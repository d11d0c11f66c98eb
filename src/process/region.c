/* A memfd, mapped as a whole. What is allocated is kept in a list in the order of addresses, in
 * memory of this process alone, since nobody else allocates: first fit, a page at least. There are
 * few and large blocks, the buffers of a program and the memory of a pool's calls. */
#include "process/region.h"

#include "base/atomic.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/tuning_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct region_block {
    char *begin, *end;
    struct region_block *next;
} region_block;

struct para__region {
    char *begin, *end;
    int file;
    unsigned fork_count; /* of the process that has made it */
    para__atomic_u32 holders;
    pthread_mutex_t mutex; /* guards: */
    region_block *blocks;  /* in the order of addresses */
};

/* How far addresses may go: they cost nothing, unless a limit counts them. */
static size_t most_bytes(void)
{
    struct rlimit limit;
    size_t most = PARA__REGION_BYTES;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur / 4 < most)
        most = limit.rlim_cur / 4;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < most)
        most = limit.rlim_cur; /* beyond that ftruncate would raise SIGXFSZ */
    return most & ~(PARA__HUGE_PAGE_BYTES - 1);
}

static bool map_region(para__region *region, const char **why)
{
    region->file = para__descriptor_keep(memfd_create("para", MFD_CLOEXEC));
    if (region->file < 0) {
        *why = strerror(errno);
        return false;
    }
    for (size_t bytes = most_bytes(); bytes >= PARA__REGION_LEAST; bytes /= 2) {
        if (ftruncate(region->file, (off_t)bytes) != 0)
            continue;
        char *const memory =
            mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, region->file, 0);
        if (memory == MAP_FAILED)
            continue;
        region->begin = memory;
        region->end = memory + bytes;
        return true;
    }
    *why = "no room for shared memory";
    close(region->file);
    return false;
}

para__region *para__region_make(const char **why)
{
    para__region *const region = para__alloc(sizeof *region);
    if (!region) {
        *why = "out of memory";
        return NULL;
    }
    const int saved = errno;
    const bool is_mapped = map_region(region, why);
    errno = saved;
    if (!is_mapped) {
        para__free(region);
        return NULL;
    }
    region->fork_count = para__fork_count();
    pthread_mutex_init(&region->mutex, NULL);
    para__store_relaxed(&region->holders, 1); /* nobody else has it */
    return region;
}

void para__region_hold(para__region *region)
{
    para__add_relaxed(&region->holders, 1); /* the caller got it from one that holds it */
}

void para__region_release(para__region *region)
{
    if (para__add_release(E26, &region->holders, -1u) != 1)
        return;
    (void)para__load_acquire(E26, &region->holders); /* it comes after what the others did */
    munmap(region->begin, (size_t)(region->end - region->begin));
    close(region->file);
    while (region->blocks) {
        region_block *const block = region->blocks;
        region->blocks = block->next;
        para__free(block);
    }
    if (region->fork_count == para__fork_count())
        pthread_mutex_destroy(&region->mutex);
    para__free(region);
}

static char *align_to(char *address, size_t alignment)
{
    return (char *)(uintptr_t)para__round_up((uintptr_t)address, alignment);
}

/* Puts a block of that size into the first gap; NULL: there is none. */
static char *place_block(para__region *region, region_block *block, size_t bytes, size_t alignment)
{
    char *free_from = region->begin;
    for (region_block **at = &region->blocks;; at = &(*at)->next) {
        char *const begin = align_to(free_from, alignment);
        char *const limit = *at ? (*at)->begin : region->end;
        if (begin <= limit && (size_t)(limit - begin) >= bytes) {
            *block = (region_block){.begin = begin, .end = begin + bytes, .next = *at};
            *at = block;
            return begin;
        }
        if (!*at)
            return NULL;
        free_from = (*at)->end;
    }
}

void *para__region_alloc(para__region *region, size_t bytes)
{
    const size_t page = para__page_bytes();
    const size_t rounded = para__round_up(bytes ? bytes : 1, page);
    const size_t alignment = rounded >= 2 * PARA__HUGE_PAGE_BYTES ? PARA__HUGE_PAGE_BYTES : page;
    region_block *const block = rounded == SIZE_MAX || region->fork_count != para__fork_count()
                                    ? NULL
                                    : para__alloc(sizeof *block);
    if (!block)
        return NULL;
    pthread_mutex_lock(&region->mutex);
    char *const memory = place_block(region, block, rounded, alignment);
    pthread_mutex_unlock(&region->mutex);
    if (!memory)
        para__free(block);
    return memory;
}

void para__region_free(para__region *region, void *memory)
{
    region_block *found = NULL;
    if (!memory || region->fork_count != para__fork_count())
        return;
    const int saved = errno;
    pthread_mutex_lock(&region->mutex);
    for (region_block **at = &region->blocks; *at; at = &(*at)->next)
        if ((*at)->begin == memory) {
            found = *at;
            /* Under the mutex: whoever gets these addresses next finds zeros. */
            if (fallocate(region->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                          found->begin - region->begin, found->end - found->begin) != 0)
                memset(found->begin, 0, (size_t)(found->end - found->begin));
            *at = found->next;
            break;
        }
    pthread_mutex_unlock(&region->mutex);
    errno = saved;
    para__free(found);
}

bool para__region_has(para__region *region, const void *memory, size_t bytes)
{
    const char *const begin = memory;
    if (region->fork_count != para__fork_count())
        return false;
    pthread_mutex_lock(&region->mutex);
    const region_block *block = region->blocks;
    while (block && block->end <= begin)
        block = block->next;
    const bool has = block && block->begin <= begin && (size_t)(block->end - begin) >= bytes;
    pthread_mutex_unlock(&region->mutex);
    return has;
}
