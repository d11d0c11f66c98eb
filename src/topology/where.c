/* Where pages of memory lie. The system is asked about each page by move_pages, in batches.
 *
 * The balancing of NUMA systems marks pages to see which node uses them next. Until that happens
 * move_pages takes a marked page for one that does not exist (seen of Linux 6.1). If the process's
 * page table has it all the same, the system is asked to read a byte of it, which takes the mark
 * off. */
#include "topology/topology.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGES = 256 }; /* in a batch */

#define PRESENT ((uint64_t)1 << 63) /* in the page table's file */

typedef struct page_batch {
    void *page[PAGES]; /* neighbours */
    int node[PAGES];   /* where it lies, or -errno */
    size_t count;
} page_batch;

static bool ask(page_batch *b)
{
    return syscall(SYS_move_pages, 0, b->count, b->page, NULL, b->node, 0) == 0;
}

/* A huge page that is marked seems to be none of memory. */
static bool seems_absent(int node)
{
    return node == -ENOENT || node == -EFAULT;
}

/* Takes the marks off those pages of a batch that have one; whether there may have been some. */
static bool unmark(const page_batch *b, int table)
{
    uint64_t entry[PAGES];
    char byte[PAGES];
    struct iovec marked[PAGES];
    unsigned long count = 0;
    const off_t at = (off_t)((uintptr_t)b->page[0] / para__page_bytes() * sizeof *entry);
    const ssize_t known = pread(table, entry, b->count * sizeof *entry, at);
    for (size_t i = 0; i < b->count && (ssize_t)((i + 1) * sizeof *entry) <= known; i++)
        if (seems_absent(b->node[i]) && entry[i] & PRESENT)
            marked[count++] = (struct iovec){b->page[i], 1};
    const struct iovec own = {byte, count};
    return count && process_vm_readv(getpid(), &own, 1, marked, count, 0) > 0;
}

static bool has_absent(const page_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (seems_absent(b->node[i]))
            return true;
    return false;
}

/* The pages of [begin, end), each with what it has of them. */
static bool add_up(uintptr_t begin, uintptr_t end, size_t *bytes_of, unsigned nodes, int table)
{
    const size_t page = para__page_bytes();
    for (uintptr_t at = begin & ~(uintptr_t)(page - 1); at < end;) {
        page_batch b = {.count = 0};
        for (; b.count < PAGES && at < end; at += page)
            b.page[b.count++] = (void *)at; /* NOLINT(performance-no-int-to-ptr): its address */
        if (!ask(&b) || (has_absent(&b) && unmark(&b, table) && !ask(&b)))
            return false;
        for (size_t i = 0; i < b.count; i++) {
            const uintptr_t low = para__max((uintptr_t)b.page[i], begin);
            const uintptr_t high = para__min((uintptr_t)b.page[i] + page, end);
            if (b.node[i] >= 0 && (unsigned)b.node[i] < nodes)
                bytes_of[b.node[i]] += high - low;
        }
    }
    return true;
}

para_status para__memory_where(const void *data, size_t bytes, size_t *bytes_of, unsigned nodes)
{
    const uintptr_t begin = (uintptr_t)data;
    const int saved = errno;
    for (unsigned n = 0; n < nodes; n++)
        bytes_of[n] = 0;
    const int table = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); /* -1: marks stay */
    const bool is_told = add_up(begin, begin + bytes, bytes_of, nodes, table);
    const int error = errno;
    if (table >= 0)
        close(table);
    errno = saved;
    return is_told ? PARA_OK
                   : para__fail(error == ENOSYS ? PARA_ERR_UNSUPPORTED : PARA_ERR_DENIED,
                                "asking where pages lie: %s", strerror(error));
}
